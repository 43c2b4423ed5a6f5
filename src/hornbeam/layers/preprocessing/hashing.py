"""The layer that hashes categories into bins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.core.errors import check_choice
from hornbeam.core.strings import check_strings, is_string_dtype, string_array
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.layers.arguments import positive_integer
from hornbeam.layers.preprocessing import host_vectors
from hornbeam.layers.preprocessing.encoding import encoded_shape
from hornbeam.layers.preprocessing.fingerprints import buckets
from hornbeam.layers.preprocessing.host_layer import HostLayer

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.layers.layer import Layer


class Hashing(HostLayer):
    """Gives each string or integer the number of one of `num_bins` bins, by its hash.

    No vocabulary is needed; different categories may share a bin. The hash is
    FarmHash64, or SipHash with a `salt`, of the string or of the decimal digits of the
    integer: the same in every library, on every machine. The layer runs on the host; a
    model that begins with it runs it over the data before the compiled steps.

    Args:
        num_bins: the number of bins, that of masked values included.
        mask_value: the value that gets bin 0; others get the bins from 1. Default: none
        salt: an integer, or two: the key of SipHash. Default: none (FarmHash64)
        output_mode: "int"; "one_hot" (a vector per value), "multi_hot" or "count" (a
            vector per sample, the last axis). Default: "int"
        sparse: whether vectors are sparse. Default: False

    Source: Geoff Pike, FarmHash (2014); Aumasson and Bernstein, SipHash (2012).

    >>> import hornbeam as keras
    >>> layer = keras.layers.Hashing(num_bins=3)
    >>> [int(i) for i in layer(["A", "B", "C", "D", "E"])]
    [1, 0, 1, 1, 2]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else None
        super().__init__(**kwargs)
        self.num_bins: int = positive_integer(self, "num_bins", num_bins)
        check_choice("Hashing", "output_mode", output_mode, host_vectors.MODES[:-1])
        if sparse and output_mode == "int":
            raise ValueError(
                "`sparse=True` of Hashing needs an `output_mode` that gives vectors. "
                f"Received: output_mode={output_mode!r}"
            )
        check_dtype(self, output_mode)
        if salt is not None and not isinstance(salt, list | tuple):
            salt = [salt, salt]
        if salt is not None and not _is_key(salt):
            raise ValueError(
                "`salt` of Hashing must be an integer, or a list or tuple of two. "
                f"Received: salt={salt!r}"
            )
        self.mask_value = mask_value
        self.salt = salt
        self.output_mode = output_mode
        self.sparse = sparse

    def compute_on_host(self, inputs: Any) -> Any:
        """Return the bins of a host array, encoded."""
        texts = category_texts(inputs, self._described())
        free = self.num_bins
        if self.mask_value is not None and self.num_bins > 1:
            free -= 1
        bins = buckets(texts, free, self.salt)
        if self.mask_value is not None:
            value = str(self.mask_value)
            same = value.encode() if texts.dtype.kind == "S" else value
            is_masked = texts == same
            if texts.dtype.kind == "O":
                is_masked = is_masked | (texts == value.encode())
            bins = np.where(is_masked, 0, bins + self.num_bins - free)
        dtype = self.compute_dtype
        if self.output_mode == "int":
            return bins.astype(dtype)
        return host_vectors.encode(
            bins, self.output_mode, self.num_bins, None, dtype, self.sparse
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the bins, or of the vectors."""
        return encoded_shape(input_shape, self.num_bins, self.output_mode)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Return the symbol of the outputs."""
        shape = self.compute_output_shape(inputs.shape)
        return KerasTensor(shape, self.compute_dtype, sparse=self.sparse)


def check_dtype(layer: Layer, output_mode: str) -> None:
    """Raise if bins would be floats."""
    dtype = layer.dtype_policy.compute_dtype
    if output_mode == "int" and dtype not in ("int32", "int64"):
        raise ValueError(
            f"With `output_mode='int'` the `dtype` of {type(layer).__name__} must be "
            f"'int32' or 'int64'. Received: dtype={dtype}"
        )


def category_texts(inputs: Any, owner: str) -> np.ndarray[Any, Any]:
    """Return strings as they are, integers and booleans as TensorFlow writes them."""
    array = np.asarray(inputs)
    if array.dtype.kind == "b":
        return np.where(array, "true", "false")
    if array.dtype.kind in "iu":
        return array.astype(str)
    if array.dtype.kind == "f":
        raise TypeError(
            f"{owner} expects strings or integers. Received: dtype {array.dtype}. For "
            "numbers use `keras.layers.Discretization` first, or `x.astype(int)`."
        )
    if is_string_dtype(array.dtype):
        return array
    texts = string_array(array, owner)
    if not {str, bytes, np.str_} >= set(map(type, texts.ravel().tolist())):
        check_strings(texts.ravel().tolist(), owner)
    return texts


def _is_key(salt):
    return len(salt) == 2 and all(
        isinstance(k, int | np.integer) and not isinstance(k, bool) for k in salt
    )
