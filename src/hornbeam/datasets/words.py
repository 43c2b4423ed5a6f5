"""Texts as lists of the ranks of their words."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam.core.errors import DamagedFileError, check_number
from hornbeam.datasets.reading import of_file

_MAX_BYTES = 64 << 20


def shuffled(
    x: np.ndarray, y: np.ndarray, random: np.random.RandomState
) -> tuple[Any, Any]:
    """Return texts and labels in a new order."""
    if len(x) != len(y):
        raise DamagedFileError(f"The file holds {len(x)} texts and {len(y)} labels.")
    order = np.arange(len(x))
    random.shuffle(order)
    return x[order], y[order]


def number_words(
    texts: np.ndarray,
    labels: np.ndarray,
    owner: str,
    num_words: int | None,
    skip_top: int,
    maxlen: int | None,
    start_char: int | None,
    oov_char: int | None,
    index_from: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the texts with the numbers that a network is given, and their labels.

    Args:
        texts: lists of the ranks of words: 1 is the most frequent one.
        labels: a label each.
        owner: whose arguments these are, for errors.
        num_words: numbers from here on are out of the vocabulary; None is the greatest
            number, which so is out of it, as in Keras.
        skip_top: so are numbers below this.
        maxlen: texts with so many words or more are left out, or None.
        start_char: the number with which a text starts, or None.
        oov_char: what stands for words out of the vocabulary; None removes them.
        index_from: what is added to ranks, or None.
    """
    for name, value in (("num_words", num_words), ("maxlen", maxlen)):
        if value is not None:
            check_number(owner, name, value, low=1, integer=True)
    check_number(owner, "skip_top", skip_top, low=0, integer=True)
    starts = 0 if start_char is None else 1
    lengths = np.fromiter(map(len, texts), np.int64, len(texts)) + starts
    if maxlen is not None:
        kept = lengths < maxlen
        if not kept.any():
            raise ValueError(
                f"No text of {owner} is shorter than maxlen={maxlen}. Expected "
                f"maxlen > {lengths.min(initial=0)}. Received: maxlen={maxlen}"
            )
        texts, labels, lengths = texts[kept], labels[kept], lengths[kept]
    ends = np.cumsum(lengths)
    start = [[start_char]] * starts
    parts = ([*start, text] for text in texts)
    flat = np.fromiter(
        itertools.chain.from_iterable(itertools.chain.from_iterable(parts)),
        np.int64,
        lengths.sum(),
    )
    is_word = np.ones(len(flat), bool)
    is_word[ends - lengths if starts else []] = False
    flat[is_word] += index_from or 0
    if num_words is None:
        num_words = flat.max(initial=0)
    known = (flat >= skip_top) & (flat < num_words)
    if oov_char is None:
        ends = np.cumsum(known)[ends - 1] if len(flat) else ends
        flat = flat[known]
    else:
        flat[~known] = oov_char
    numbers = flat.tolist()
    rows = np.empty(len(texts), object)
    rows[:] = [
        numbers[first:last] for first, last in itertools.pairwise([0, *ends.tolist()])
    ]
    return rows, labels


def read_word_index(path: Path) -> dict[str, int]:
    """Return `{word: rank}` of a JSON file."""
    with of_file(path):
        if path.stat().st_size > _MAX_BYTES:
            raise DamagedFileError(f"It has more than {_MAX_BYTES} bytes.")
        index = json.loads(path.read_text("utf-8"))
        if not (isinstance(index, dict) and {*map(type, index.values())} <= {int}):
            raise DamagedFileError("It holds no ranks of words.")
    return index
