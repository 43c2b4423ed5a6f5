"""A table of numbers in a file, shuffled and split into training and test rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hornbeam.core.errors import check_number
from hornbeam.datasets.reading import read_arrays

Arrays = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def read_table(
    path: Path, owner: str, test_split: float, seed: int, rows: int | None = None
) -> Arrays:
    """Return `(x_train, y_train), (x_test, y_test)` of a file with `x` and `y`.

    Args:
        path: the `.npz` file.
        owner: whose arguments these are, for errors.
        test_split: the fraction of the rows that is kept for tests.
        seed: the seed of the order.
        rows: how many rows of the file are taken. Default: None (all)
    """
    check_number(owner, "test_split", test_split, low=0, below=1)
    x, y = (array[:rows] for array in read_arrays(path, "x", "y"))
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])
