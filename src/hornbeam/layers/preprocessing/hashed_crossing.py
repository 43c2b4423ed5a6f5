"""The layer that crosses categorical features into bins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.layers.arguments import positive_integer
from hornbeam.layers.preprocessing import host_vectors
from hornbeam.layers.preprocessing.encoding import encoded_shape
from hornbeam.layers.preprocessing.fingerprints import crossed_buckets
from hornbeam.layers.preprocessing.hashing import category_texts, check_dtype
from hornbeam.layers.preprocessing.host_layer import HostLayer

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import RegularizedArguments
    from hornbeam.typing import Tensor


class HashedCrossing(HostLayer):
    """Gives each combination of values of several features a bin, by its hash.

    The features are strings or integers, of one shape: `()`, `(batch,)` or
    `(batch, 1)`. The layer runs on the host; a model that begins with it runs it over
    the data before the compiled steps.

    Args:
        num_bins: the number of bins.
        output_mode: "int" or "one_hot". Default: "int"
        sparse: whether one-hot vectors are sparse. Default: False
        name: default: generated.

    Source: the hashes of TensorFlow's `tf.sparse.cross_hashed`.

    >>> import numpy as np
    >>> import hornbeam as keras
    >>> layer = keras.layers.HashedCrossing(num_bins=5)
    >>> bins = layer((np.array(["A", "B", "A"]), np.array([101, 101, 102])))
    >>> [int(i) for i in bins]
    [1, 4, 3]
    """

    _takes_several = True

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        **kwargs: Unpack[RegularizedArguments],
    ) -> None:
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else None
        super().__init__(name=name, **kwargs)
        self.num_bins: int = positive_integer(self, "num_bins", num_bins)
        check_choice("HashedCrossing", "output_mode", output_mode, ("int", "one_hot"))
        if sparse and output_mode == "int":
            raise ValueError(
                "`sparse=True` of HashedCrossing needs `output_mode='one_hot'`. "
                f"Received: output_mode={output_mode!r}"
            )
        check_dtype(self, output_mode)
        self.output_mode = output_mode
        self.sparse = sparse

    def compute_on_host(self, inputs: Any) -> Any:
        """Return the bins of host arrays, encoded."""
        features = [self._feature(x) for x in inputs]
        bins = crossed_buckets(features, self.num_bins)
        dtype = self.compute_dtype
        if self.output_mode == "int":
            return bins.astype(dtype)
        return host_vectors.encode(
            bins, self.output_mode, self.num_bins, None, dtype, self.sparse
        )

    def _feature(self, x):
        x = np.asarray(x)
        if x.dtype.kind in "biu":
            return x
        if x.dtype.kind == "f":
            raise ValueError(
                f"All inputs of {self._described()} should have an integer or string "
                f"dtype. Received: {x.dtype}. For numbers use "
                "`keras.layers.Discretization` first."
            )
        return category_texts(x, self._described())

    def _check_shapes(self, shapes):
        if not isinstance(shapes, list | tuple) or len(shapes) < 2:
            raise ValueError(
                f"{self._described()} should be called on a list or tuple of at least "
                f"two inputs. Received: shapes={shapes}"
            )
        for shape in shapes:
            fits = len(shape) < 2 or (len(shape) == 2 and shape[1] == 1)
            if not fits or len(shape) != len(shapes[0]):
                raise ValueError(
                    f"All inputs of {self._described()} should have equal shape: `()`, "
                    f"`(batch_size,)` or `(batch_size, 1)`. Received: shapes={shapes}"
                )

    def call(self, inputs: Any) -> Tensor:
        """Return the bins for a list of tensors or arrays."""
        self._check_shapes(_shapes(inputs))
        return super().call(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the bins, or of the vectors."""
        self._check_shapes(input_shape)
        shape = tuple(input_shape[0])
        return encoded_shape(shape, self.num_bins, self.output_mode)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Return the symbol of the outputs."""
        shape = self.compute_output_shape(_shapes(inputs))
        return KerasTensor(shape, self.compute_dtype, sparse=self.sparse)


def _shapes(inputs):
    if not isinstance(inputs, list | tuple):
        return tuple(inputs.shape)
    return [tuple(x.shape) for x in inputs]
