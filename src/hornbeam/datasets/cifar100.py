"""Small colour images of a hundred kinds."""

from __future__ import annotations

from typing import Literal

from hornbeam.core.errors import check_choice
from hornbeam.datasets.cifar import read_cifar
from hornbeam.datasets.split import Arrays

__all__ = ["load_data"]


def load_data(label_mode: Literal["fine", "coarse"] = "fine") -> Arrays:
    """Return CIFAR-100: 60,000 colour images of 100 kinds in 20 groups.

    Args:
        label_mode: `"fine"` for the kinds, `"coarse"` for the groups.
            Default: `"fine"`

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images of the shapes
        `(50000, 32, 32, 3)` and `(10000, 32, 32, 3)` (with channels first where
        `keras.config.image_data_format()` says so), and the labels, of the shapes
        `(50000, 1)` and `(10000, 1)`.

    Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009;
    https://www.cs.toronto.edu/~kriz/cifar.html

    >>> import hornbeam as keras
    >>> load = keras.datasets.cifar100.load_data
    >>> (x_train, y_train), (x_test, y_test) = load("coarse")  # doctest: +SKIP
    >>> x_train.shape  # doctest: +SKIP
    (50000, 32, 32, 3)
    """
    check_choice("cifar100", "label_mode", label_mode, ("fine", "coarse"))
    return read_cifar(
        "cifar-100-python.tar.gz",
        "cifar-100-python",
        ("train",),
        "test",
        f"{label_mode}_labels",
    )
