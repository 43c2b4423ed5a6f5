"""The layer that turns texts into sequences of indices, or into vectors of counts."""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam import backends
from hornbeam.core.configurable import deserialize_argument
from hornbeam.core.errors import check_choice
from hornbeam.core.strings import check_strings, string_array
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.layers.arguments import positive_integer
from hornbeam.layers.preprocessing import adapt_data
from hornbeam.layers.preprocessing.host_layer import HostLayer, check_string_symbol
from hornbeam.layers.preprocessing.packed_words import Words
from hornbeam.layers.preprocessing.string_lookup import StringLookup
from hornbeam.layers.preprocessing.vocabulary_files import refuse_path

if TYPE_CHECKING:
    from typing import Self, Unpack

    from hornbeam.layers.keyword_arguments import RegularizedArguments
    from hornbeam.typing import Config, Tensor

_STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLIT = ("whitespace", "character")
_OUTPUT_MODES = ("int", "multi_hot", "count", "tf_idf")
_PUNCTUATION = string.punctuation.encode()
_LOWER = bytes(range(256)).lower()
_SPACES = bytes.maketrans(b"\t\n\r\v\f", b"     ")
# Texts whose tokens are in memory at a time.
_TEXTS = 1024
_CHARACTERS = 1 << 22
# Of fewer bytes Python's own words are as fast.
_SHORT = 1 << 14


class TextVectorization(HostLayer):
    """Turns each text into the indices of its words, or into a vector of counts.

    A text is standardised, split into tokens, these are joined to n-grams, and each is
    looked up in a vocabulary, which is given or learnt by `adapt(texts)`: the most
    frequent tokens first. The layer runs on the host; a model that begins with texts
    runs it over the data before the compiled steps.

    Args:
        max_tokens: the most tokens that `adapt` keeps, special ones included. Default:
            all.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation"
            (letters and punctuation of ASCII), None, or a function of an array of
            strings that returns one.
        split: "whitespace", "character", None, or a function of an array of strings
            that returns a list of tokens for each.
        ngrams: make n-grams of the tokens: up to this length, or of the lengths in a
            tuple. Default: none
        output_mode: "int" (a row of indices, padded with 0; 1 is for unknown tokens),
            "multi_hot", "count" or "tf_idf" (a vector per text). Default: "int"
        output_sequence_length: the length of the rows of indices, which are cut or
            padded. Default: the length of the longest text
        pad_to_max_tokens: whether vectors have `max_tokens` places. Default: False
        vocabulary: the tokens, or the path of a file with one in each line, which is
            read at once. Default: to be learnt
        idf_weights: in mode "tf_idf" the weights of the tokens of `vocabulary`.
        sparse: whether vectors are sparse. Default: False
        ragged: whether rows of indices are a ragged tensor, for engines that have them
            (TensorFlow). Default: False
        encoding: how texts that come as bytes are encoded. Default: "utf-8"
        name: default: generated.

    >>> import hornbeam as keras
    >>> layer = keras.layers.TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["foo bar", "bar baz"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'bar', 'foo', 'baz']
    >>> layer(["Bar, foo!", "qux baz"]).tolist()
    [[2, 3, 0, 0], [1, 4, 0, 0]]
    """

    _taken_dtype = "string"

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[..., Any] | None = "lower_and_strip_punctuation",
        split: str | Callable[..., Any] | None = "whitespace",
        ngrams: int | Sequence[int] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Unpack[RegularizedArguments],
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.max_tokens = max_tokens
        self.standardize = standardize
        self.split = split
        self.ngrams = ngrams
        self.output_mode = output_mode
        self.output_sequence_length = output_sequence_length
        self.pad_to_max_tokens = pad_to_max_tokens
        self.sparse = sparse
        self.ragged = ragged
        self.encoding = encoding
        self._check_arguments()
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens,
            mask_token="",
            output_mode=output_mode,
            sparse=sparse,
            dtype=self.dtype_policy,
        )
        self.vocabulary: Any = self._lookup_layer.vocabulary
        self.idf_weights: Any = self._lookup_layer.idf_weights

    def _check_arguments(self):
        for argument, choices in (("standardize", _STANDARDIZE), ("split", _SPLIT)):
            value = getattr(self, argument)
            if value is not None and not callable(value):
                check_choice("TextVectorization", argument, value, choices)
        check_choice(
            "TextVectorization", "output_mode", self.output_mode, _OUTPUT_MODES
        )
        sizes = (self.ngrams,) if isinstance(self.ngrams, int) else self.ngrams
        if sizes is not None and (
            not isinstance(sizes, list | tuple)
            or not all(isinstance(n, int) and n > 0 for n in sizes)
        ):
            raise ValueError(
                "`ngrams` of TextVectorization must be None, an integer, or a tuple of "
                f"integers. Received: ngrams={self.ngrams!r}"
            )
        length = self.output_sequence_length
        if length is not None:
            if self.output_mode != "int":
                raise ValueError(
                    "`output_sequence_length` of TextVectorization must not be set if "
                    f"`output_mode` is not 'int'. Received: {length!r}"
                )
            positive_integer(self, "output_sequence_length", length)
        if self.ragged and self.output_mode != "int":
            raise ValueError(
                "`ragged=True` of TextVectorization needs `output_mode='int'`. "
                f"Received: output_mode={self.output_mode!r}"
            )
        if self.ragged and backends.current().ragged_tensor is None:
            raise ValueError(
                "`ragged=True` can only be used with the TensorFlow backend, whose "
                "tensors may be ragged. Without it rows are padded with 0."
            )

    # Vocabulary.

    def adapt(
        self, data: Any, batch_size: int | None = None, steps: int | None = None
    ) -> None:
        """Learn the vocabulary of texts: their tokens, the most frequent first.

        Args:
            data: an array, list or series of texts, or an iterable of batches: a
                PyDataset, a generator, a dataset of another library.
            batch_size: not needed: texts in memory are read in small parts.
            steps: the number of batches to read. Default: None (all)
        """
        self._lookup_layer.check_can_adapt()
        self._lookup_layer.reset_counts()
        for part in adapt_data.batches(self, data, steps):
            self.update_state(part)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch of texts."""
        lookup = self._lookup_layer
        lookup.check_can_adapt()
        texts = self._texts(self._host_input(data))
        if self.split is None and not self.ngrams:
            lookup.update_state(self._standardized_array(texts))
            return
        for part in self._parts(texts.ravel()):
            lookup.count_tokens(self._tokens(part))

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget what was counted, and a vocabulary that was learnt."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the tokens in the order of their indices.

        Args:
            include_special_tokens: whether those for padding and for unknown tokens are
                included. Default: True
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Return the number of tokens, special ones included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the vocabulary, which nothing is learnt for afterwards.

        Args:
            vocabulary: the tokens, the most frequent first, or the path of a file with
                one in each line, which is read now.
            idf_weights: for the mode "tf_idf" the weight of each token. Default: None
        """
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    # From texts to tokens.

    def _texts(self, inputs):
        """Return an array with one text per place, whatever shape it came in."""
        texts = string_array(inputs, self._described())
        if self.split is not None and texts.ndim > 1:
            if texts.shape[-1] != 1:
                raise ValueError(
                    f"{self._described()}: to split texts, the input must have rank 1 "
                    "or a last axis of size 1. Received: an array of shape "
                    f"{texts.shape}. Join the columns first, or call the layer on each."
                )
            texts = texts[..., 0]
        return texts

    def _standardized_array(self, texts):
        """Return standardised texts: bytes in UTF-8, or what a function gives."""
        if callable(self.standardize):
            given = np.array(self._strs(texts), str).reshape(texts.shape)
            return string_array(self.standardize(given), self._described())
        out = np.empty(texts.shape, object)
        out.ravel()[:] = self._standardized(texts)
        return out

    def _standardized(self, texts):
        """Return an array of texts as a list of standardised bytes in UTF-8."""
        mode: Any = self.standardize or ""
        table = _LOWER if mode.startswith("lower") else None
        removed = _PUNCTUATION if mode.endswith("punctuation") else b""
        return [text.translate(table, removed) for text in self._utf8(texts)]

    def _utf8(self, texts):
        """Return texts as a list of bytes in UTF-8."""
        flat = texts.ravel().tolist()
        kinds = set(map(type, flat))
        if any(not issubclass(kind, str | bytes) for kind in kinds):
            check_strings(flat, self._described())
        if self.encoding.lower() not in ("utf-8", "utf8") and bytes in kinds:
            flat = [
                t.decode(self.encoding) if isinstance(t, bytes) else t for t in flat
            ]
        return [t.encode() if isinstance(t, str) else t for t in flat]

    def _strs(self, texts):
        return [t.decode(errors="replace") for t in self._utf8(texts)]

    def _parts(self, flat: Any) -> Iterator[Any]:
        """Yield parts of some texts, of which there are not too many at a time."""
        count = _TEXTS
        if callable(self.standardize) or callable(self.split):
            # Functions get arrays of a fixed width: that of the longest text.
            count = min(count, 1 + _CHARACTERS // max(map(len, flat), default=1))
        for start in range(0, len(flat), count):
            yield flat[start : start + count]

    def _words(self, texts, most):
        """Return the words of texts where these need not be objects, or None."""
        if callable(self.standardize) or self.split != "whitespace" or self.ngrams:
            return None
        standardized = self._standardized(texts)
        is_short = sum(map(len, standardized)) < _SHORT
        if is_short or any(b"\0" in text for text in standardized):
            return None
        return Words([text.translate(_SPACES) for text in standardized], most)

    def _tokens(self, texts: Any, most: int | None = None) -> list[list[Any]]:
        """Return the lists of tokens, at most so many, of some texts."""
        part = self._standardized_array(texts).tolist()
        tokens = self._split(part, None if self.ngrams else most)
        if self.ngrams:
            tokens = [self._with_ngrams(t) for t in tokens]
        return tokens if most is None else [t[:most] for t in tokens]

    def _split(self, texts, most):
        """Return the tokens of each standardised text, at least the first `most`."""
        if self.split is None:
            return [[text] for text in texts]
        if self.split == "whitespace":
            return [_bytes(text).split(None, most or -1) for text in texts]
        if self.split == "character":
            return [list(_str(text)) for text in texts]
        split: Any = self.split
        result = split(np.array([_str(text) for text in texts], str))
        rows = result.to_list() if hasattr(result, "to_list") else result
        return [string_array(list(row), self._described()).tolist() for row in rows]

    def _with_ngrams(self, tokens):
        sizes: Any = self.ngrams
        if isinstance(sizes, int):
            sizes = range(1, sizes + 1)
        joint: Any = b" " if tokens and isinstance(tokens[0], bytes) else " "
        return [
            joint.join(tokens[i : i + n])
            for n in sizes
            for i in range(len(tokens) - n + 1)
        ]

    # From tokens to tensors.

    def call(self, inputs: Any) -> Tensor:
        """Return the indices or vectors for texts."""
        if not self.ragged:
            return super().call(inputs)
        lengths, indices = self._indices(self._texts(adapt_data.host(inputs)))
        return backends.current().ragged_tensor(indices, lengths)

    def compute_on_host(self, inputs: Any) -> Any:
        """Return the indices or vectors for a host array of texts."""
        lookup, texts = self._lookup_layer, self._texts(inputs)
        if self.split is None and not self.ngrams:
            lookup.check_has_vocabulary(self)
            outputs = lookup.compute_on_host(self._standardized_array(texts))
            return self._with_length(outputs) if texts.ndim > 1 else outputs
        lengths, indices = self._indices(texts)
        if self.output_mode != "int":
            places = np.repeat(np.arange(len(lengths)), lengths), indices
            vectors = lookup.encoded_places(places, len(lengths))
            shape = (*texts.shape, vectors.shape[-1])
            return vectors if self.sparse else vectors.reshape(shape)
        longest = self.output_sequence_length
        if longest is None:
            longest = int(lengths.max(initial=0))
        rows = np.zeros((len(lengths), longest), np.int64)
        rows[np.arange(longest) < lengths[:, None]] = indices
        return rows.reshape(*texts.shape, longest)

    def _with_length(self, rows):
        """Return rows of indices cut or padded to the length that was asked for."""
        length = self.output_sequence_length
        if length is None:
            return rows
        missing = max(0, length - rows.shape[-1])
        widths = [(0, 0)] * (rows.ndim - 1) + [(0, missing)]
        return np.pad(rows[..., :length], widths)

    def _indices(self, texts):
        """Return the number of tokens of each text, and the indices of all tokens."""
        lookup, most = self._lookup_layer, self.output_sequence_length
        lookup.check_has_vocabulary(self)
        kinds: dict[Any, Any] = {"whitespace": bytes, "character": str}
        kind = kinds.get(self.split)
        lengths, indices = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for part in self._parts(texts.ravel()):
            words = self._words(part, most)
            if words is not None:
                lengths.append(words.counts)
                indices.append(lookup.indices_of_words(words))
                continue
            tokens = self._tokens(part, most)
            lengths.append(np.fromiter(map(len, tokens), np.int64, len(tokens)))
            indices.append(lookup.indices_of_list([*itertools.chain(*tokens)], kind))
        return np.concatenate(lengths), np.concatenate(indices)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the rows of indices, or of the vectors."""
        shape = tuple(input_shape)
        lookup = self._lookup_layer
        if self.split is None and not self.ngrams:
            if self.output_sequence_length is not None and len(shape) > 1:
                return (*shape[:-1], self.output_sequence_length)
            return lookup.compute_output_shape(shape)
        if self.split is not None and len(shape) > 1 and shape[-1] == 1:
            shape = shape[:-1]
        if self.output_mode == "int":
            return (*shape, self.output_sequence_length)
        return lookup.compute_output_shape((*shape, None))

    def compute_output_spec(self, inputs: Any) -> Any:
        """Return the symbol of the outputs."""
        check_string_symbol(self, inputs)
        shape = self.compute_output_shape(inputs.shape)
        if self.output_mode == "int":
            return KerasTensor(shape, "int64", ragged=self.ragged)
        return KerasTensor(shape, self.compute_dtype, sparse=self.sparse)

    # Configs and files.

    def get_config(self) -> Config:
        """Return the config.

        Written by hand because the vocabulary is that of the lookup.
        """
        lookup = self._lookup_layer.get_config()
        taken = ("vocabulary", "idf_weights", "vocabulary_size")
        return {**super().get_config(), **{name: lookup[name] for name in taken}}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a layer from its config; one that names a file is refused."""
        refuse_path(cls, config)
        config = {k: v for k, v in config.items() if k != "vocabulary_size"}
        if isinstance(config.get("ngrams"), list):
            config["ngrams"] = tuple(config["ngrams"])
        for argument in ("standardize", "split"):
            if argument in config:
                config[argument] = deserialize_argument(config[argument])
        return super().from_config(config)

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of "tf_idf" into `store`."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Take the weights of "tf_idf" from `store`."""
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: str) -> None:
        """Write a vocabulary that was learnt into the folder."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str) -> None:
        """Take the vocabulary from the folder."""
        self._lookup_layer.load_assets(dir_path)


def _bytes(text):
    return text.encode() if isinstance(text, str) else text


def _str(text):
    return text.decode(errors="replace") if isinstance(text, bytes) else text
