"""Prices of houses at Boston in the 1970s."""

from __future__ import annotations

from hornbeam.datasets.source import fetch
from hornbeam.datasets.split import Arrays, read_table

__all__ = ["load_data"]


def load_data(
    path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Arrays:
    """Return the Boston housing prices: 506 places, 13 measures, prices in $1000.

    One of the measures, `B`, counts people by the colour of their skin, on the
    assumption that it decides prices: take `california_housing` for anything but
    showing what is wrong with that.

    Args:
        path: the name of the file in the folder `datasets` of the cache folder.
            Default: `"boston_housing.npz"`
        test_split: the fraction of the rows kept for tests. Default: 0.2
        seed: the seed of the order of the rows. Default: 113

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float64 arrays of the shapes
        `(rows, 13)` and `(rows,)`.

    Source: Harrison and Rubinfeld, "Hedonic prices and the demand for clean air",
    1978; StatLib, http://lib.stat.cmu.edu/datasets/boston

    >>> import hornbeam as keras
    >>> load = keras.datasets.boston_housing.load_data
    >>> (x_train, y_train), (x_test, y_test) = load()  # doctest: +SKIP
    >>> x_train.shape  # doctest: +SKIP
    (404, 13)
    """
    return read_table(
        fetch("boston_housing.npz", path), "boston_housing", test_split, seed
    )
