"""The layer that gives strings the indices of a vocabulary."""

from __future__ import annotations

import collections
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.core.strings import check_strings, is_string_dtype, string_array
from hornbeam.layers.preprocessing.fingerprints import buckets
from hornbeam.layers.preprocessing.host_layer import check_string_symbol
from hornbeam.layers.preprocessing.index_lookup import MASKED, OUTSIDE, IndexLookup
from hornbeam.layers.preprocessing.packed_strings import StringTable, words_of
from hornbeam.layers.preprocessing.packed_words import Words, WordTable

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import RegularizedArguments


class StringLookup(IndexLookup):
    """Gives each string its index in a vocabulary, or a vector of that category.

    The vocabulary is given, or learnt by `adapt(data)`: the most frequent strings
    first, equally frequent ones in reverse order. It begins with `mask_token` (in mode
    "int"), then comes `oov_token` for strings that are not in it. The layer runs on the
    host; a model that begins with strings runs it over the data before the compiled
    steps.

    Args:
        max_tokens: the most tokens that `adapt` keeps, special ones included. Default:
            all.
        num_oov_indices: how many indices unknown strings share, by their hash. With 0
            an unknown string is an error. Default: 1
        mask_token: the string that gets index 0 in mode "int", and counts nowhere in
            the other modes. Default: none
        oov_token: what stands in the vocabulary for unknown strings. Default: "[UNK]"
        vocabulary: the tokens, or the path of a file with one in each line, which is
            read at once. Default: to be learnt
        idf_weights: in mode "tf_idf" the weights of the tokens of `vocabulary`.
        invert: whether to give the strings of indices instead. Default: False
        output_mode: "int"; "one_hot" (a vector per string), "multi_hot", "count" or
            "tf_idf" (a vector per sample, the last axis). Default: "int"
        pad_to_max_tokens: whether vectors have `max_tokens` places. Default: False
        sparse: whether vectors are sparse. Default: False
        encoding: how strings that come as bytes are encoded. Default: "utf-8"
        name: default: generated.
        salt: an integer, or two, with which unknown strings are hashed by SipHash.
            Default: none, by FarmHash

    >>> import hornbeam as keras
    >>> layer = keras.layers.StringLookup()
    >>> layer.adapt(["red", "blue", "red"])
    >>> layer.get_vocabulary()
    ['[UNK]', 'red', 'blue']
    >>> [int(i) for i in layer(["blue", "green"])]
    [2, 0]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Unpack[RegularizedArguments],
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.vocabulary = vocabulary
        self.idf_weights = idf_weights
        self.invert = invert
        self.output_mode = output_mode
        self.pad_to_max_tokens = pad_to_max_tokens
        self.sparse = sparse
        self.encoding = encoding
        self.salt = salt
        self._taken_dtype = "int64" if invert else "string"
        self._set_up()

    def _as_tokens(self, tokens):
        array = string_array(tokens, self._described()).ravel()
        check_strings(array, self._described())
        return np.fromiter(map(self._decoded, array), object, len(array))

    def _decoded(self, token):
        return token.decode(self.encoding) if isinstance(token, bytes) else str(token)

    def _check_symbol(self, symbol):
        check_string_symbol(self, symbol)

    def _token_array(self, inputs):
        if isinstance(inputs, np.ndarray) and is_string_dtype(inputs.dtype):
            return inputs
        return string_array(inputs, self._described())

    def _comparable_counts(self, counts):
        kinds = set(map(type, counts))
        if not kinds <= {str, bytes}:
            check_strings(counts, self._described())
        # In UTF-8 bytes have the order of their strings.
        if bytes not in kinds or (kinds == {bytes} and self.encoding == "utf-8"):
            return counts
        decoded: Any = collections.Counter()
        for token, count in counts.items():
            decoded[self._decoded(token)] += count
        return decoded

    def _reserved(self):
        tokens = super()._reserved()
        return tokens + [t.encode(self.encoding) for t in tokens if t is not None]

    def _fits_in_lines(self):
        return not any(not token or _BREAKS & set(token) for token in self._tokens)

    def _find(self, tokens):
        words = words_of(tokens.dtype)
        if words is not None and tokens.size >= _MANY:
            found = self._packed_table(words).find(tokens.ravel(), OUTSIDE)
            if found is not None:
                found[found == len(self._tokens)] = MASKED
                return found.reshape(tokens.shape)
        kind = {"U": str, "T": str, "S": bytes}.get(tokens.dtype.kind)
        found = self.find(tokens.ravel().tolist(), kind)
        return found.reshape(tokens.shape)

    def _packed_table(self, words):
        if self._table is None:
            self._table = {}
        if words not in self._table:
            tokens = [*self._tokens]
            if self.mask_token is not None:
                tokens.append(self.mask_token)
            self._table[words] = StringTable(tokens, words)
        return self._table[words]

    def find(self, flat: list[Any], kind: Any = None) -> np.ndarray[Any, Any]:
        """Return the places of a list of tokens; `OUTSIDE` or `MASKED` for others.

        `kind` is `str` or `bytes` where all are known to be of this class.
        """
        if self._table is None:
            self._table = {}
        kinds = {kind}
        if kind is None:
            classes = set(map(type, flat))
            kinds = {bytes if issubclass(k, bytes) else str for k in classes}
        for kind in kinds - self._table.keys():
            self._table[kind] = self._table_of(kind)
        table: dict[Any, int] = {}
        for kind in kinds:
            table = {**table, **self._table[kind]} if table else self._table[kind]
        found = map(table.get, flat, itertools.repeat(OUTSIDE))
        return np.fromiter(found, np.int64, len(flat))

    def indices_of_list(
        self, tokens: list[Any], kind: Any = None
    ) -> np.ndarray[Any, Any]:
        """Return the indices of a list of tokens, unknown ones included; as `find`."""
        return self._indices_of_places(self.find(tokens, kind))

    def indices_of_words(self, words: Words) -> np.ndarray[Any, Any]:
        """Return the indices of the words of texts in UTF-8, unknown ones included."""
        if self._table is None:
            self._table = {}
        if Words not in self._table:
            self._table[Words] = WordTable([token.encode() for token in self._tokens])
        return self._indices_of_places(self._table[Words].find(words, OUTSIDE))

    def _indices_of_places(self, found):
        indices = found + len(self._special_tokens())
        indices[found == OUTSIDE] = self._oov_start()
        indices[found == MASKED] = 0
        return indices

    def _table_of(self, kind):
        """Return `{token: place}`, with tokens as bytes or as str."""
        pairs = [*zip(self._tokens, range(len(self._tokens)), strict=True)]
        if self.mask_token is not None:
            pairs.append((self.mask_token, MASKED))
        if kind is bytes:
            return {token.encode(self.encoding): place for token, place in pairs}
        return dict(pairs)

    def _check_unknown(self, tokens):
        if tokens.dtype.kind == "O" and not set(map(type, tokens.tolist())) <= _CLASSES:
            check_strings(tokens, self._described())

    def _buckets(self, tokens):
        return buckets(tokens, self.num_oov_indices, self.salt, self.encoding)


# So many strings are worth a table of their own.
_MANY = 1000
_CLASSES = {str, bytes, np.str_, np.bytes_}
_BREAKS = {"\n", "\r"}
