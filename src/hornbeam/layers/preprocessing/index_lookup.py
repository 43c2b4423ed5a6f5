"""IndexLookup: what lookups of strings and of integers share."""

from __future__ import annotations

import collections
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.core import adaptations
from hornbeam.core.configurable import init_arguments
from hornbeam.core.errors import check_choice, shown
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.layers.preprocessing import adapt_data, host_vectors, vocabulary_files
from hornbeam.layers.preprocessing.encoding import encoded_shape
from hornbeam.layers.preprocessing.host_layer import HostLayer

if TYPE_CHECKING:
    from typing import Self

    from hornbeam.typing import Config

# The file of a `.keras` archive that holds the vocabulary, a token a line.
_FILE = "vocabulary.txt"
# What `_find` says of tokens that are not in the vocabulary.
OUTSIDE, MASKED = -1, -2


class IndexLookup(HostLayer):
    """A base of lookups: tokens have the indices of a vocabulary, or the reverse.

    The vocabulary begins with the mask token (in mode "int") and the tokens for what is
    out of vocabulary. A subclass says what a token is.
    """

    # Class of a token, its dtype as a symbol, and the dtype of arrays of tokens.
    _token: Any = str
    _token_dtype = "string"
    _array_dtype: Any = object

    max_tokens: int | None
    num_oov_indices: int
    mask_token: Any
    oov_token: Any
    vocabulary: Any
    idf_weights: Any
    invert: bool
    output_mode: str
    sparse: bool
    pad_to_max_tokens: bool

    def _set_up(self) -> None:
        """Check the arguments, which are attributes, and take a vocabulary."""
        name = type(self).__name__
        if self.max_tokens is not None and self.max_tokens <= 1:
            raise ValueError(
                "If set, `max_tokens` must be greater than 1. "
                f"Received: max_tokens={self.max_tokens}"
            )
        if self.num_oov_indices < 0:
            raise ValueError(
                "`num_oov_indices` must be greater than or equal to 0. "
                f"Received: num_oov_indices={self.num_oov_indices}"
            )
        check_choice(name, "output_mode", self.output_mode, host_vectors.MODES)
        if self.invert and self.output_mode != "int":
            raise ValueError(
                f"`output_mode` of {name} must be 'int' when `invert` is true. "
                f"Received: output_mode={self.output_mode!r}"
            )
        if self.sparse and self.output_mode == "int":
            raise ValueError(
                f"`output_mode` of {name} may not be 'int' if `sparse` is true: "
                f"indices are dense. Received: sparse={self.sparse}"
            )
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ValueError(
                f"If `pad_to_max_tokens` of {name} is True, `max_tokens` must be set. "
                f"Received: max_tokens={self.max_tokens}"
            )
        if self.idf_weights is not None and self.output_mode != "tf_idf":
            raise ValueError(
                f"`idf_weights` of {name} should only be set if `output_mode` is "
                f"'tf_idf'. Received: idf_weights={shown(self.idf_weights)} and "
                f"output_mode={self.output_mode!r}"
            )
        self._tokens: Any = None
        self._weights: Any = None
        self._table: Any = None
        self._seen_size: int | None = None
        given, self._static = self.vocabulary, False
        if given is not None:
            self.set_vocabulary(given, self.idf_weights)
            if isinstance(given, str | Path):
                # It is saved beside the config, like one that was learnt.
                self.vocabulary = self.idf_weights = None
            else:
                self.vocabulary = self._plain(self._tokens)
            if isinstance(self.idf_weights, np.ndarray):
                self.idf_weights = self.idf_weights.tolist()
        self.reset_counts()

    # Vocabulary.

    def _special_tokens(self) -> list[Any]:
        """The tokens before those of the vocabulary."""
        has_mask = self.mask_token is not None and self.output_mode == "int"
        return [self.mask_token] * has_mask + [self.oov_token] * self.num_oov_indices

    def _oov_start(self):
        return len(self._special_tokens()) - self.num_oov_indices

    def vocabulary_size(self) -> int:
        """Return the number of tokens, special ones included."""
        tokens = () if self._tokens is None else self._tokens
        return len(tokens) + len(self._special_tokens())

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the tokens in the order of their indices.

        Args:
            include_special_tokens: whether those for masked values and for what is out
                of vocabulary are included. Default: True
        """
        tokens = [] if self._tokens is None else self._plain(self._tokens)
        return self._special_tokens() + tokens if include_special_tokens else tokens

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the vocabulary, which nothing is learnt for afterwards.

        Args:
            vocabulary: a list, array or tensor of tokens, the most frequent first,
                without the special tokens or with all of them at the start; or the path
                of a text file with a token in each line, which is read now.
            idf_weights: for the mode "tf_idf" the weight of each token. Default: None
        """
        if isinstance(vocabulary, str | Path):
            vocabulary = vocabulary_files.read(
                type(self).__name__, vocabulary, getattr(self, "encoding", "utf-8")
            )
        tokens = self._as_tokens(vocabulary)
        if not len(tokens):
            raise ValueError(
                f"{self._described()}: cannot set an empty vocabulary. Received: "
                f"vocabulary={shown(vocabulary)}"
            )
        if (idf_weights is None) == (self.output_mode == "tf_idf"):
            what = "also be given" if idf_weights is None else "not be given"
            raise ValueError(
                f"{self._described()}: `idf_weights` must {what} with a vocabulary if "
                f"`output_mode` is {self.output_mode!r}."
            )
        weights = self._checked_weights(idf_weights, len(tokens))
        special = self._special_tokens()
        plain = self._plain(tokens[: len(special)])
        if special and plain == special:
            tokens = tokens[len(special) :]
        elif weights is not None and special:
            average = np.full(len(special), weights.mean(), weights.dtype)
            weights = np.concatenate([average, weights])
        self._check_tokens(tokens)
        self._take(tokens, weights)
        self._static = True

    def _checked_weights(self, weights, count):
        if weights is None:
            return None
        weights = np.asarray(adapt_data.host(weights), "float32")
        if weights.shape != (count,):
            raise ValueError(
                f"{self._described()}: `idf_weights` must be the same length as "
                f"vocabulary. Expected the shape ({count},). Received: {weights.shape}"
            )
        return weights

    def _check_tokens(self, tokens):
        counts = collections.Counter(self._plain(tokens))
        if len(counts) < len(tokens):
            repeated = [token for token, count in counts.items() if count > 1]
            raise ValueError(
                f"{self._described()}: the passed vocabulary has at least one repeated "
                f"term. The repeated terms are: {shown(repeated)}. Leave each once, "
                "for example with `list(dict.fromkeys(vocabulary))`."
            )
        reserved = {self.mask_token} if self.mask_token is not None else set()
        if self.invert:
            reserved.add(self.oov_token)
        for token in reserved & counts.keys():
            kind = "mask" if token == self.mask_token else "OOV"
            raise ValueError(
                f"{self._described()}: found reserved {kind} token {token!r} at "
                "unexpected location in `vocabulary`. Either remove all mask and OOV "
                "tokens, or include them only at the start of the vocabulary in "
                f"precisely this order: {self._special_tokens()}."
            )
        size = len(tokens) + len(self._special_tokens())
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                f"{self._described()}: attempted to set a vocabulary larger than the "
                f"maximum vocab size. Received vocabulary size is {size}; `max_tokens` "
                f"is {self.max_tokens}."
            )

    def _take(self, tokens, weights):
        size = len(tokens) + len(self._special_tokens())
        if self._seen_size not in (None, size):
            raise RuntimeError(
                f"{self._described()}: with output_mode={self.output_mode!r} and "
                "`pad_to_max_tokens=False`, the vocabulary size cannot be changed "
                "after the layer is called, because the layers behind it have its "
                f"size. Old vocab size is {self._seen_size}, new vocab size is {size}. "
                "Make a new layer."
            )
        self._tokens, self._weights, self._table = tokens, weights, None
        adaptations.note()

    # Learning a vocabulary.

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary of `data`: its tokens, the most frequent first.

        Args:
            data: an array, a list, a series, or an iterable of batches: a PyDataset, a
                generator, a dataset of another library.
            steps: the number of batches to read. Default: None (all)
        """
        self.check_can_adapt()
        self.reset_counts()
        for part in adapt_data.batches(self, data, steps):
            self.update_state(part)
        self.finalize_state()

    def check_can_adapt(self) -> None:
        """Raise if the vocabulary was given."""
        if self._static:
            raise ValueError(
                f"Cannot adapt layer {self.path!r} after setting a static vocabulary "
                "via `vocabulary` argument or `set_vocabulary()` method."
            )

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch."""
        self.check_can_adapt()
        tokens = self._token_array(self._host_input(data))
        rows = tokens.reshape(len(tokens), -1) if tokens.ndim else tokens.reshape(1, 1)
        if self.output_mode == "tf_idf":
            self.count_tokens(rows.tolist())
        else:
            self.count_tokens([tokens.ravel().tolist()])

    def count_tokens(self, documents: list[list[Any]]) -> None:
        """Count the tokens of each of the documents, which are lists of tokens."""
        self._counts.update(itertools.chain.from_iterable(documents))
        if self.output_mode == "tf_idf":
            self._document_counts.update(itertools.chain(*map(set, documents)))
        self._documents += len(documents)

    def reset_counts(self) -> None:
        """Forget what was counted."""
        self._counts: Any = collections.Counter()
        # In how many documents each token is, where that matters.
        self._document_counts: Any = collections.Counter()
        self._documents = 0

    def reset_state(self) -> None:
        """Forget what was counted, and a vocabulary that was learnt."""
        if not self._static:
            self.reset_counts()
            self._tokens = self._weights = self._table = None
            adaptations.note()

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        if self._static or not self._documents:
            return
        most, special = self.max_tokens, len(self._special_tokens())
        most = None if most is None else most - special
        counts = self._comparable_counts(self._most_frequent(most))
        for token in self._reserved():
            counts.pop(token, None)
        # Equally frequent tokens are in reverse order, as in Keras.
        ordered = sorted(counts, reverse=True)
        ordered.sort(key=counts.__getitem__, reverse=True)
        del counts, ordered[len(ordered) if most is None else most :]
        weights = None
        if self.output_mode == "tf_idf":
            documents = self._comparable_counts(self._document_counts)
            found = np.array([documents[token] for token in ordered], "float64")
            weights = np.log(1 + self._documents / (1 + found))
            weights = np.concatenate([[weights.mean()] * special, weights])
            weights = weights.astype("float32")
        # There is not the memory for both.
        self.reset_counts()
        self._take(self._as_tokens(ordered), weights)

    def _most_frequent(self, most):
        """Return what was counted, without tokens that cannot be among the first."""
        counts = self._counts
        if most is None or len(counts) <= most + 2 or len(set(map(type, counts))) > 1:
            return counts
        # Two of them may be special tokens.
        numbers = np.fromiter(counts.values(), np.int64, len(counts))
        least = np.partition(numbers, -(most + 2))[-(most + 2)]
        if np.mean(numbers >= least) > 0.5:
            return counts
        return {token: count for token, count in counts.items() if count >= least}

    def _comparable_counts(self, counts):
        """Return counts of tokens that are of one kind, in whose order they are."""
        return counts

    def _reserved(self):
        return [self.mask_token, self.oov_token]

    # Looking up.

    def compute_on_host(self, inputs: Any) -> Any:
        """Return the indices (or tokens) for host arrays, encoded."""
        self.check_has_vocabulary()
        if self.invert:
            return self._tokens_of(inputs)
        indices = self.indices_of(self._token_array(inputs))
        if self.output_mode == "int":
            return indices
        return host_vectors.encode(indices, *self._encoding())

    def encoded_places(self, places: tuple[Any, Any], rows: int) -> Any:
        """Return vectors for the rows and indices `places`."""
        return host_vectors.encode_places(places, rows, *self._encoding())

    def check_has_vocabulary(self, owner: HostLayer | None = None) -> None:
        """Raise, in the name of the layer `owner`, if there is no vocabulary yet."""
        if self._tokens is None:
            raise RuntimeError(
                f"{(owner or self)._described()} has no vocabulary yet. Call "
                "`adapt(data)` or `set_vocabulary(tokens)` first, or pass "
                "`vocabulary=...`."
            )

    def _encoding(self):
        """Return how indices become vectors: the last arguments of `encode`."""
        depth = self._depth()
        if not self.pad_to_max_tokens:
            self._seen_size = depth
        weights = self._padded_weights()
        return self.output_mode, depth, weights, self.compute_dtype, self.sparse

    def _padded_weights(self):
        if self._weights is None:
            return None
        return np.pad(self._weights, (0, self._depth() - len(self._weights)))

    def _depth(self):
        if self.pad_to_max_tokens:
            return self.max_tokens
        return None if self._tokens is None else self.vocabulary_size()

    def _tokens_of(self, indices):
        indices = np.asarray(indices)
        if indices.dtype.kind not in "iuf":
            raise TypeError(
                f"{self._described()} with `invert=True` expects indices, which are "
                f"integers. Received: dtype {indices.dtype}"
            )
        table = np.array(self.get_vocabulary(), self._array_dtype)
        known = (indices >= 0) & (indices < len(table))
        places = np.where(known, indices, 0).astype(np.int64)
        return np.where(known, table[places], self.oov_token).astype(table.dtype)

    def indices_of(self, tokens: Any) -> Any:
        """Return the index of each token of a host array."""
        found = self._find(tokens)
        indices = found + len(self._special_tokens())
        if self.mask_token is not None:
            indices[found == MASKED] = 0 if self.output_mode == "int" else -1
        outside = found == OUTSIDE
        if outside.any():
            indices[outside] = self._oov_start() + self._bucket_of(tokens[outside])
        return indices

    def _bucket_of(self, tokens):
        """Return the number, among those of `num_oov_indices`, of unknown tokens."""
        self._check_unknown(tokens)
        if self.num_oov_indices:
            return 0 if self.num_oov_indices == 1 else self._buckets(tokens)
        missing = list(dict.fromkeys(tokens.tolist()))
        raise ValueError(
            f"{self._described()}: {len(missing)} values are not in the vocabulary, "
            f"and `num_oov_indices=0` leaves no index for them: {shown(missing)}. Add "
            "them to the vocabulary, or set `num_oov_indices=1`."
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the indices, or of the vectors."""
        return encoded_shape(input_shape, self._depth(), self.output_mode)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Return the symbol of the outputs."""
        if not self.invert:
            self._check_symbol(inputs)
        shape = self.compute_output_shape(inputs.shape)
        if self.output_mode != "int":
            return KerasTensor(shape, self.compute_dtype, sparse=self.sparse)
        return KerasTensor(shape, self._token_dtype if self.invert else "int64")

    # Configs and files.

    def get_config(self) -> Config:
        """Return the config.

        Written by hand because Keras's files name the size of a vocabulary that was
        learnt, which lies beside the config.
        """
        config = super().get_config()
        is_known = self._tokens is not None
        if is_known and self.vocabulary is None and not self._fits_in_lines():
            config["vocabulary"] = self.get_vocabulary()
            if self._weights is not None:
                config["idf_weights"] = self._weights.tolist()
        config["vocabulary_size"] = self.vocabulary_size() if is_known else None
        return config

    def _fits_in_lines(self):
        """Whether each token can be a line of a file."""
        return True

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make a layer from its config; one that names a file is refused."""
        vocabulary_files.refuse_path(cls, config)
        # Keras writes what only the other lookup takes.
        owner: Any = cls
        known = set(init_arguments(owner))
        return super().from_config({k: v for k, v in config.items() if k in known})

    def structure_key(self) -> Any:
        """What a compiled program depends on beside the arguments."""
        if self._tokens is None:
            return None
        weights = None if self._weights is None else self._weights.tobytes()
        return tuple(self._plain(self._tokens)), weights

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of "tf_idf" into `store`."""
        if self._weights is not None:
            store["idf_weights"] = self._weights

    def load_own_variables(self, store: Any) -> None:
        """Take the weights of "tf_idf" from `store`."""
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self._weights = np.asarray(store["idf_weights"], "float32")

    def save_assets(self, dir_path: str) -> None:
        """Write a vocabulary that was learnt into the folder, a token a line."""
        if self.vocabulary is not None or self._tokens is None:
            return
        if not self._fits_in_lines():
            return  # It is in the config.
        tokens = map(str, self.get_vocabulary())
        Path(dir_path, _FILE).write_bytes("\n".join(tokens).encode())

    def load_assets(self, dir_path: str) -> None:
        """Take the vocabulary from the folder."""
        file = Path(dir_path, _FILE)
        if self.vocabulary is not None or not file.exists():
            return
        lines = file.read_bytes().decode().split("\n")
        special = len(self._special_tokens())
        self._take(self._as_tokens(lines[special:]), self._weights)

    # What a subclass says of its tokens.

    def _as_tokens(self, tokens: Any) -> np.ndarray[Any, Any]:
        """Return tokens of any kind as an array."""
        raise NotImplementedError

    def _plain(self, tokens: Any) -> list[Any]:
        """Return an array of tokens as a list."""
        return tokens.tolist()

    def _token_array(self, inputs: Any) -> np.ndarray[Any, Any]:
        """Return inputs as an array of tokens, or raise."""
        raise NotImplementedError

    def _check_symbol(self, symbol: Any) -> None:
        """Raise if a symbolic input is not of tokens."""

    def _find(self, tokens: Any) -> np.ndarray[Any, Any]:
        """Return the places of tokens in the vocabulary, `MASKED` or `OUTSIDE`."""
        raise NotImplementedError

    def _check_unknown(self, tokens: Any) -> None:
        """Raise if what is not in the vocabulary is no token at all."""

    def _buckets(self, tokens: Any) -> np.ndarray[Any, Any]:
        """Return in which of the `num_oov_indices` buckets tokens are."""
        raise NotImplementedError
