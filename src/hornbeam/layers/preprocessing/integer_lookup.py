"""The layer that gives integers the indices of a vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam import backends, ops
from hornbeam.core.errors import check_choice, shown
from hornbeam.layers.preprocessing import adapt_data
from hornbeam.layers.preprocessing.encoding import encode
from hornbeam.layers.preprocessing.fingerprints import buckets
from hornbeam.layers.preprocessing.index_lookup import MASKED, OUTSIDE, IndexLookup

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import RegularizedArguments
    from hornbeam.typing import Tensor


class IntegerLookup(IndexLookup):
    """Gives each integer its index in a vocabulary, or a vector of that category.

    The vocabulary is given, or learnt by `adapt(data)`: the most frequent integers
    first, of equally frequent ones the greater. It begins with `mask_token` (in mode
    "int"), then comes `oov_token` for integers that are not in it. In a model the
    lookup is a part of the compiled program, except for what that cannot do (an error
    for unknown values, hashes, integers of more than 32 bits on an engine without
    them): then it runs on the host before.

    Args:
        max_tokens: the most tokens that `adapt` keeps, special ones included. Default:
            all.
        num_oov_indices: how many indices unknown integers share. With 0 an unknown
            integer is an error. Default: 1
        mask_token: the integer that gets index 0 in mode "int", and counts nowhere in
            the other modes. Default: none
        oov_token: what stands in the vocabulary for unknown integers. Default: -1
        vocabulary: the tokens, or the path of a file with one in each line, which is
            read at once. Default: to be learnt
        vocabulary_dtype: "int64".
        idf_weights: in mode "tf_idf" the weights of the tokens of `vocabulary`.
        invert: whether to give the integers of indices instead. Default: False
        output_mode: "int"; "one_hot" (a vector per integer), "multi_hot", "count" or
            "tf_idf" (a vector per sample, the last axis). Default: "int"
        sparse: whether vectors are sparse. Default: False
        pad_to_max_tokens: whether vectors have `max_tokens` places. Default: False
        oov_method: how unknown integers are spread over several indices: "floormod"
            (the remainder) or "farmhash". Default: "floormod"
        salt: an integer, or two, for "farmhash": hash by SipHash with this key.
        name: default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.IntegerLookup(vocabulary=[12, 36, 1138])
    >>> [int(i) for i in layer([36, 7])]
    [2, 0]
    """

    _token = int
    _token_dtype = "int64"
    _array_dtype = np.int64
    _taken_dtype = "int64"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Unpack[RegularizedArguments],
    ) -> None:
        if vocabulary_dtype != "int64":
            raise ValueError(
                "`vocabulary_dtype` of IntegerLookup must be 'int64'. Received: "
                f"vocabulary_dtype={vocabulary_dtype!r}"
            )
        check_choice(
            "IntegerLookup", "oov_method", oov_method, ("floormod", "farmhash")
        )
        if salt is not None and oov_method != "farmhash":
            raise ValueError(
                "`salt` of IntegerLookup is for `oov_method='farmhash'`. Received: "
                f"salt={salt!r} and oov_method={oov_method!r}"
            )
        super().__init__(name=name, **kwargs)
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.vocabulary = vocabulary
        self.vocabulary_dtype = vocabulary_dtype
        self.idf_weights = idf_weights
        self.invert = invert
        self.output_mode = output_mode
        self.sparse = sparse
        self.pad_to_max_tokens = pad_to_max_tokens
        self.oov_method = oov_method
        self.salt = salt
        self._set_up()

    def _as_tokens(self, tokens):
        array = np.asarray(adapt_data.host(tokens)).ravel()
        numbers = array.astype(np.int64)
        if array.dtype.kind == "f" and not np.array_equal(numbers, array):
            raise ValueError(
                f"{self._described()} expects a vocabulary of integers. Received: "
                f"{shown(tokens)}"
            )
        return numbers

    def _token_array(self, inputs):
        array = np.asarray(inputs)
        if array.dtype.kind == "O" and array.size:
            array = array.astype(np.int64) if _are_integers(array) else array
        if array.dtype.kind not in "biuf" and array.size:
            raise TypeError(
                f"{self._described()} expects integers. Received: dtype {array.dtype}, "
                f"{shown(inputs)}. For strings use `keras.layers.StringLookup`."
            )
        if array.dtype.kind != "f":
            return array.astype(np.int64)
        is_whole = np.isfinite(array) & (array == np.floor(array))
        if not is_whole.all():
            raise ValueError(
                f"{self._described()} expects integers. Received: "
                f"{array[~is_whole].flat[0]}. Fill missing values first, and round "
                "what is no whole number, or use `keras.layers.Discretization`."
            )
        return array.astype(np.int64)

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch."""
        if self.output_mode == "tf_idf":
            super().update_state(data)
            return
        self.check_can_adapt()
        tokens = self._token_array(self._host_input(data))
        values, counts = np.unique(tokens, return_counts=True)
        self._counts.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        self._documents += max(1, len(values))

    def _find(self, tokens):
        ordered, places = self._ordered()
        position = np.minimum(np.searchsorted(ordered, tokens), len(ordered) - 1)
        found = np.where(ordered[position] == tokens, places[position], OUTSIDE)
        if self.mask_token is not None:
            found = np.where(tokens == self.mask_token, MASKED, found)
        return found

    def _ordered(self):
        """Return the tokens in ascending order, and their places."""
        if self._table is None:
            order = np.argsort(self._tokens)
            self._table = self._tokens[order], order
        return self._table

    def _buckets(self, tokens):
        if self.oov_method == "floormod":
            return tokens % self.num_oov_indices
        texts = tokens.astype(str).astype(object)
        return buckets(texts, self.num_oov_indices, self.salt)

    # In a program.

    @property
    def runs_on_host(self) -> bool:
        """Whether a program cannot do the lookup."""
        is_hashed = self.num_oov_indices > 1 and self.oov_method == "farmhash"
        if self._tokens is None:
            return True
        if not self.invert and (not self.num_oov_indices or is_hashed):
            return True
        reach = np.abs(self._tokens).max(initial=0)
        return (
            bool(reach >= 1 << 31)
            and "64" not in ops.convert_to_tensor(np.zeros(1, np.int64)).dtype.name
        )

    def call(self, inputs: Any) -> Tensor:
        """Return the indices (or integers) for tensors or arrays."""
        engine = backends.current()
        if not engine.is_tensor(inputs) or self.runs_on_host:
            return super().call(inputs)
        x = ops.cast(inputs, "int64")
        if self.invert:
            return self._looked_up(np.array(self.get_vocabulary()), x, self.oov_token)
        ordered, places = self._ordered()
        position = ops.minimum(ops.searchsorted(ordered, x), len(ordered) - 1)
        first = len(self._special_tokens())
        indices = ops.take(places + first, position)
        outside = self._oov_start() + x % self.num_oov_indices
        indices = ops.where(ops.take(ordered, position) == x, indices, outside)
        if self.mask_token is not None:
            mask = 0 if self.output_mode == "int" else -1
            indices = ops.where(x == self.mask_token, mask, indices)
        return self._encoded_in_program(indices)

    @staticmethod
    def _looked_up(table, indices, other):
        known = (indices >= 0) & (indices < len(table))
        return ops.where(known, ops.take(table, ops.where(known, indices, 0)), other)

    def _encoded_in_program(self, indices):
        mode, depth, weights, dtype, sparse = self._encoding()
        if mode == "int":
            return indices
        if weights is not None:
            weights = ops.take(weights, ops.maximum(indices, 0))
            mode = "count"
        return encode(indices, depth, mode, dtype, sparse, weights)


def _are_integers(array):
    return all(isinstance(x, int | np.integer) for x in array.flat)
