"""Looking the words of texts up without making Python's objects of them.

The texts are one buffer of bytes; a word is where it begins in it, and its length.
Eight bytes are compared at a time, as in `packed_strings`, by a table for each length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.layers.preprocessing.packed_strings import MOST_CHARACTERS, PackedTable

_SPACE = 32
# The first bytes of a word of eight.
_FIRST = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)


class Words:
    """The words of texts: what is between spaces.

    Args:
        texts: bytes without zeros, whose only white space is " ".
        most: the most words of a text. Default: None (all)

    Attributes:
        counts: the number of words of each text.
        starts: where each word begins.
        lengths: the number of bytes of each word.
    """

    def __init__(self, texts: Sequence[bytes], most: int | None = None):
        self.buffer = b" ".join([b"", *texts, bytes(8)])
        inside = np.frombuffer(self.buffer, np.uint8)[:-8] != _SPACE
        edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
        starts, ends = edges[::2], edges[1::2]
        sizes = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
        firsts = np.searchsorted(starts, np.cumsum(sizes) - sizes + 1)
        counts = np.diff(firsts, append=len(starts))
        if most is not None and counts.max(initial=0) > most:
            kept = np.arange(len(starts)) - np.repeat(firsts, counts) < most
            starts, ends = starts[kept], ends[kept]
            counts = np.minimum(counts, most)
        self.counts, self.starts, self.lengths = counts, starts, ends - starts

    def packed(self, some: Any, words: int) -> np.ndarray[Any, Any]:
        """Return some of the words, of a length that takes so many words of 8 bytes."""
        at_each_byte: Any = np.ndarray(
            len(self.buffer) - 7, "<u8", self.buffer, strides=(1,)
        )
        starts = self.starts[some]
        rows = np.empty((len(some), words), np.uint64)
        for word in range(words):
            rows[:, word] = at_each_byte[starts + 8 * word]
        rows[:, -1] &= _FIRST[self.lengths[some] - 8 * (words - 1)]
        return rows

    def texts(self, some: Any) -> list[bytes]:
        """Return some of the words as bytes."""
        ends = (self.starts[some] + self.lengths[some]).tolist()
        pairs = zip(self.starts[some].tolist(), ends, strict=True)
        return [self.buffer[start:end] for start, end in pairs]


class WordTable:
    """The places of tokens, to be found by words of texts.

    Args:
        tokens: bytes without repetition.
    """

    def __init__(self, tokens: Sequence[bytes]):
        of_words: dict[int, dict[bytes, int]] = {}
        for place, token in enumerate(tokens):
            of_words.setdefault(_words(len(token)), {})[token] = place
        most = MOST_CHARACTERS // 8
        self._tables = {
            words: PackedTable(_rows(places, words), [*places.values()])
            for words, places in of_words.items()
            if 0 < words <= most
        }
        self._long = {
            token: place
            for words, places in of_words.items()
            if words > most
            for token, place in places.items()
        }

    def find(self, words: Words, missing: int) -> np.ndarray[Any, Any]:
        """Return the place of each word, `missing` for those not in the table."""
        found = np.full(len(words.starts), missing, np.int64)
        sizes = _words(words.lengths)
        for size, table in self._tables.items():
            some = np.flatnonzero(sizes == size)
            places = np.full(len(some), missing, np.int64)
            table.write(words.packed(some, size), places)
            found[some] = places
        if self._long:
            some = np.flatnonzero(words.lengths > MOST_CHARACTERS)
            found[some] = [self._long.get(w, missing) for w in words.texts(some)]
        return found


def _words(length):
    return (length + 7) // 8


def _rows(tokens, words):
    """Return bytes as rows of words of 8 bytes, filled with zeros."""
    padded = b"".join(token.ljust(8 * words, b"\0") for token in tokens)
    return np.frombuffer(padded, "<u8").reshape(-1, words)
