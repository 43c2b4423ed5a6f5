"""Handwritten digits."""

from __future__ import annotations

from hornbeam.datasets.reading import read_arrays
from hornbeam.datasets.source import fetch
from hornbeam.datasets.split import Arrays

__all__ = ["load_data"]


def load_data(path: str = "mnist.npz") -> Arrays:
    """Return MNIST: 70,000 grey images of handwritten digits.

    Args:
        path: the name of the file in the folder `datasets` of the cache folder.
            Default: `"mnist.npz"`

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 arrays, images of the shapes
        `(60000, 28, 28)` and `(10000, 28, 28)`, and the digits.

    Source: LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/ (Creative
    Commons Attribution-Share Alike 3.0)

    >>> import hornbeam as keras
    >>> load = keras.datasets.mnist.load_data
    >>> (x_train, y_train), (x_test, y_test) = load()  # doctest: +SKIP
    >>> x_train.shape  # doctest: +SKIP
    (60000, 28, 28)
    """
    names = ("x_train", "y_train", "x_test", "y_test")
    x_train, y_train, x_test, y_test = read_arrays(fetch("mnist.npz", path), *names)
    return (x_train, y_train), (x_test, y_test)
