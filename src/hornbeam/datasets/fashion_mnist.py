"""Images of clothes."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np

from hornbeam.core.errors import DamagedFileError
from hornbeam.datasets.reading import of_file
from hornbeam.datasets.source import fetch
from hornbeam.datasets.split import Arrays

__all__ = ["load_data"]

# Where the package `dataset-fashion-mnist` of Debian has the same four files.
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")
_SUBDIR = "datasets/fashion-mnist"
_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_UINT8 = 8


def load_data() -> Arrays:
    """Return Fashion-MNIST: 70,000 grey images of clothes of ten kinds.

    The kinds are T-shirt or top, trousers, pullover, dress, coat, sandal, shirt,
    sneaker, bag, ankle boot. Where Debian's package `dataset-fashion-mnist` is
    installed, its files are read, and nothing is downloaded.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 arrays, images of the shapes
        `(60000, 28, 28)` and `(10000, 28, 28)`, and the kinds.

    Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST", https://arxiv.org/abs/1708.07747
    (MIT licence)

    >>> import hornbeam as keras
    >>> load = keras.datasets.fashion_mnist.load_data
    >>> (x_train, y_train), (x_test, y_test) = load()  # doctest: +SKIP
    >>> x_train.shape  # doctest: +SKIP
    (60000, 28, 28)
    """
    installed = all((_DEBIAN / name).is_file() for name in _FILES)
    paths = [_DEBIAN / n if installed else fetch(n, subdir=_SUBDIR) for n in _FILES]
    x_train, y_train, x_test, y_test = map(_read_idx, paths)
    return (x_train, y_train), (x_test, y_test)


def _read_idx(path):
    """Return the array of a compressed IDX file of bytes.

    Source: the format of http://yann.lecun.com/exdb/mnist/
    """
    with of_file(path), gzip.open(path, "rb") as file:
        start, kind, rank = file.read(2), ord(file.read(1)), ord(file.read(1))
        if start != b"\0\0" or kind != _UINT8 or f"idx{rank}" not in path.name:
            raise DamagedFileError("It is no IDX file of bytes of its rank.")
        shape = np.frombuffer(file.read(4 * rank), ">u4").tolist()
        size = math.prod(shape)
        data = bytearray(file.read(size + 1))
        if len(data) != size:
            raise DamagedFileError(f"It should hold {size} numbers, {shape}.")
    return np.frombuffer(data, np.uint8).reshape(shape)
