"""News of the agency Reuters."""

from __future__ import annotations

import numpy as np

from hornbeam.core.errors import check_number
from hornbeam.datasets.reading import read_arrays
from hornbeam.datasets.source import fetch
from hornbeam.datasets.split import Arrays
from hornbeam.datasets.words import number_words, read_word_index, shuffled

__all__ = ["get_label_names", "get_word_index", "load_data"]

_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade "
    "reserves ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed "
    "alum oilseed gold tin strategic-metal livestock retail ipi iron-steel rubber heat "
    "jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Arrays:
    """Return 11,228 news as lists of word numbers, and which of 46 topics each has.

    A word's number is its rank by frequency (see `get_word_index`) plus `index_from`,
    so that 0 is free for padding.

    Args:
        path: the name of the file in the folder `datasets` of the cache folder.
            Default: `"reuters.npz"`
        num_words: numbers from here on become `oov_char`. Default: None (the
            greatest number)
        skip_top: numbers below this become `oov_char`. Default: 0
        maxlen: news with so many numbers or more are left out. Default: None
        test_split: the fraction of the news kept for tests. Default: 0.2
        seed: the seed of the order of the news. Default: 113
        start_char: the number with which a text starts, or None. Default: 1
        oov_char: what stands for words that are left out; None removes them.
            Default: 2
        index_from: what is added to ranks. Default: 3

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists, and int64 arrays.

    Source: Reuters-21578, http://www.daviddlewis.com/resources/testcollections/

    >>> import hornbeam as keras
    >>> load = keras.datasets.reuters.load_data
    >>> (x_train, y_train), (x_test, y_test) = load()  # doctest: +SKIP
    >>> len(x_train)  # doctest: +SKIP
    8982
    """
    owner = "reuters.load_data()"
    check_number(owner, "test_split", test_split, low=0, high=1)
    x, y = read_arrays(fetch("reuters.npz", path), "x", "y")
    x, y = shuffled(x, y, np.random.RandomState(seed))
    x, y = number_words(
        x, y, owner, num_words, skip_top, maxlen, start_char, oov_char, index_from
    )
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Return `{word: rank}`; 1 is the most frequent word of the news.

    In the data a word has the number rank + `index_from`.

    Args:
        path: the name of the file in the folder `datasets` of the cache folder.
            Default: `"reuters_word_index.json"`

    >>> import hornbeam as keras
    >>> keras.datasets.reuters.get_word_index()["the"]  # doctest: +SKIP
    1
    """
    return read_word_index(fetch("reuters_word_index.json", path))


def get_label_names() -> tuple[str, ...]:
    """Return the names of the 46 topics, in the order of their numbers.

    >>> import hornbeam as keras
    >>> keras.datasets.reuters.get_label_names()[3]
    'earn'
    """
    return tuple(_TOPICS.split())
