"""Looking strings of fixed width up without making Python's strings of them.

A string of an array of dtype "U" with characters below 256, or of dtype "S" with ASCII
alone, is packed into words of 64 bits, eight characters each. The words are hashed and
looked for in a table with open addressing (linear probing), all strings at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# Longer strings are as fast as Python's.
MOST_CHARACTERS = 64
# So many strings are in the cache.
AT_ONCE = 1 << 14
# Odd numbers that mix the bits (Steele and Vigna, "Computationally easy, spectrally
# good multipliers", 2022).
_MULTIPLIERS = np.uint64(0xD1342543DE82EF95), np.uint64(0xAF251AF3B0F025B5)


def words_of(dtype: np.dtype[Any]) -> int | None:
    """Return how many words strings of a dtype take; None if they cannot be packed."""
    size = {"U": 4, "S": 1}.get(dtype.kind)
    if size is None or not dtype.isnative:
        return None
    width = dtype.itemsize // size
    return -(-width // 8) if 0 < width <= MOST_CHARACTERS else None


def pack(strings: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """Return an array of dtype "U" or "S" as rows of words; None if it cannot be.

    Args:
        strings: a vector of at most `MOST_CHARACTERS` characters a string.
    """
    words = words_of(strings.dtype)
    if words is None:
        return None
    size = 4 if strings.dtype.kind == "U" else 1
    width = strings.dtype.itemsize // size
    codes = np.ascontiguousarray(strings).view(f"u{size}").reshape(-1, width)
    if codes.size and codes.max() > (255 if size == 4 else 127):
        return None
    packed = np.zeros((len(codes), 8 * words), np.uint8)
    np.copyto(packed[:, :width], codes, casting="unsafe")
    return packed.view(np.uint64)


class PackedTable:
    """The places of tokens that are packed into rows of words, to be found by rows.

    Args:
        rows: an array of words, a row for each token, without repetition.
        places: what is found for each row.
    """

    def __init__(self, rows: np.ndarray[Any, Any], places: Any):
        self._rows, self._places = rows, np.array(places, np.int64)
        # At most a quarter of the slots are taken.
        self._bits = max(4, (4 * len(rows)).bit_length())
        self._slots = np.full(1 << self._bits, -1, np.int32)
        left, slots = np.arange(len(rows)), self._first_slots(rows)
        while left.size:
            free = left[self._slots[slots[left]] < 0]
            # Of several that want a slot the first gets it: it is written last.
            self._slots[slots[free[::-1]]] = free[::-1]
            left = left[self._slots[slots[left]] != left]
            slots[left] = self._next(slots[left])

    def write(self, packed: np.ndarray[Any, Any], found: np.ndarray[Any, Any]) -> None:
        """Write the places of the rows that are found into `found`."""
        if not len(self._rows):
            return
        left, slots, rows = None, self._first_slots(packed), packed
        while left is None or left.size:
            tokens = self._slots[slots]
            same = tokens >= 0
            for word in range(rows.shape[1]):
                same &= self._rows[tokens, word] == rows[:, word]
            hits = np.flatnonzero(same)
            found[hits if left is None else left[hits]] = self._places[tokens[hits]]
            others = np.flatnonzero((tokens >= 0) & ~same)
            left = others if left is None else left[others]
            slots, rows = self._next(slots[others]), rows[others]

    def _first_slots(self, rows):
        first, second = _MULTIPLIERS
        mixed = rows[:, 0] * first
        for word in range(1, rows.shape[1]):
            mixed = (mixed ^ (mixed >> np.uint64(29)) ^ rows[:, word]) * second
        mixed = (mixed ^ (mixed >> np.uint64(32))) * first
        return (mixed >> np.uint64(64 - self._bits)).astype(np.int64)

    def _next(self, slots):
        return (slots + 1) & ((1 << self._bits) - 1)


class StringTable(PackedTable):
    """The places of tokens, to be found by packed strings of so many words.

    Args:
        tokens: strings without repetition. Those that cannot be packed into `words`
            words are left out: no packed string is equal to them.
        words: the number of words.
    """

    def __init__(self, tokens: Sequence[str], words: int):
        fits = [
            (token, place)
            for place, token in enumerate(tokens)
            if len(token) <= 8 * words and (token.isascii() or max(token) <= "\xff")
        ]
        rows = pack(np.array([token for token, _ in fits], f"U{8 * words}"))
        if rows is None:
            rows = np.empty((0, words), np.uint64)
        super().__init__(rows, [place for _, place in fits])

    def find(self, strings: np.ndarray[Any, Any], missing: int) -> Any:
        """Return the place of each string, or None where one cannot be packed.

        Args:
            strings: a vector of dtype "U" or "S" of a width of so many words.
            missing: the place of strings that are not in the table.
        """
        found = np.full(len(strings), missing, np.int64)
        for begin in range(0, len(strings), AT_ONCE):
            part = slice(begin, begin + AT_ONCE)
            packed = pack(strings[part])
            if packed is None:
                return None
            self.write(packed, found[part])
        return found
