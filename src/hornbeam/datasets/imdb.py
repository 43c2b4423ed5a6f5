"""Reviews of films."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.warning import warn
from hornbeam.datasets.reading import read_arrays
from hornbeam.datasets.source import fetch
from hornbeam.datasets.split import Arrays
from hornbeam.datasets.words import number_words, read_word_index, shuffled

__all__ = ["get_word_index", "load_data"]


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> Arrays:
    """Return 50,000 reviews of films as lists of word numbers, and which are positive.

    A word's number is its rank by frequency (see `get_word_index`) plus `index_from`,
    so that 0 is free for padding.

    Args:
        path: the name of the file in the folder `datasets` of the cache folder.
            Default: `"imdb.npz"`
        num_words: numbers from here on become `oov_char`. Default: None (the
            greatest number)
        skip_top: numbers below this become `oov_char`. Default: 0
        maxlen: reviews with so many numbers or more are left out. Default: None
        seed: the seed of the order of the reviews. Default: 113
        start_char: the number with which a review starts, or None. Default: 1
        oov_char: what stands for words that are left out; None removes them.
            Default: 2
        index_from: what is added to ranks. Default: 3
        **kwargs: `nb_words`, an older name for `num_words`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of 25,000 lists each, and
        int64 arrays of 0 and 1.

    Source: Maas et al., "Learning word vectors for sentiment analysis", 2011;
    https://ai.stanford.edu/~amaas/data/sentiment/

    >>> import hornbeam as keras
    >>> load = keras.datasets.imdb.load_data
    >>> (x_train, y_train), (x_test, y_test) = load()  # doctest: +SKIP
    >>> x_train[0][:4]  # doctest: +SKIP
    [1, 14, 22, 16]
    """
    if "nb_words" in kwargs:
        warn("`nb_words` of imdb.load_data() is called `num_words`.")
        num_words = kwargs.pop("nb_words")
    if kwargs:
        raise TypeError(f"imdb.load_data() has no arguments {sorted(kwargs)}.")
    names = ("x_train", "y_train", "x_test", "y_test")
    x_train, y_train, x_test, y_test = read_arrays(fetch("imdb.npz", path), *names)
    random = np.random.RandomState(seed)
    x_train, y_train = shuffled(x_train, y_train, random)
    x_test, y_test = shuffled(x_test, y_test, random)
    is_test = np.repeat([0, 1], [len(y_train), len(y_test)])
    x, labels = number_words(
        np.concatenate([x_train, x_test]),
        np.stack([np.concatenate([y_train, y_test]), is_test], axis=1),
        "imdb.load_data()",
        num_words, skip_top, maxlen, start_char, oov_char, index_from,
    )  # fmt: skip
    y, is_test = labels.T.astype(y_train.dtype)
    count = np.count_nonzero(is_test == 0)
    return (x[:count], y[:count]), (x[count:], y[count:])


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Return `{word: rank}`; 1 is the most frequent word of the reviews.

    In the data a word has the number rank + `index_from`.

    Args:
        path: the name of the file in the folder `datasets` of the cache folder.
            Default: `"imdb_word_index.json"`

    >>> import hornbeam as keras
    >>> keras.datasets.imdb.get_word_index()["the"]  # doctest: +SKIP
    1
    """
    return read_word_index(fetch("imdb_word_index.json", path))
