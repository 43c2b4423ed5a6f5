"""Prices of houses in California in 1990."""

from __future__ import annotations

from typing import Literal

from hornbeam.core.errors import check_choice
from hornbeam.datasets.source import fetch
from hornbeam.datasets.split import Arrays, read_table

__all__ = ["load_data"]

_SMALL = 600


def load_data(
    version: Literal["large", "small"] = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Arrays:
    """Return the Californian housing prices: 20,640 blocks, 8 measures, in dollars.

    The columns are median income, median age of the houses, rooms and bedrooms a
    household, population, people a household, latitude and longitude of a block.

    Args:
        version: `"large"`, or `"small"` for the first 600 blocks. Default: `"large"`
        path: the name of the file in the folder `datasets` of the cache folder.
            Default: `"california_housing.npz"`
        test_split: the fraction of the rows kept for tests. Default: 0.2
        seed: the seed of the order of the rows. Default: 113

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float32 arrays of the shapes
        `(rows, 8)` and `(rows,)`.

    Source: Pace and Barry, "Sparse spatial autoregressions", 1997;
    https://www.dcc.fc.up.pt/~ltorgo/Regression/cal_housing.html

    >>> import hornbeam as keras
    >>> load = keras.datasets.california_housing.load_data
    >>> (x_train, y_train), (x_test, y_test) = load("small")  # doctest: +SKIP
    >>> x_train.shape  # doctest: +SKIP
    (480, 8)
    """
    check_choice("california_housing", "version", version, ("large", "small"))
    rows = _SMALL if version == "small" else None
    file = fetch("california_housing.npz", path)
    return read_table(file, "california_housing", test_split, seed, rows)
