"""Small colour images of ten kinds."""

from __future__ import annotations

from hornbeam.datasets.cifar import read_cifar
from hornbeam.datasets.split import Arrays

__all__ = ["load_data"]

_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))


def load_data() -> Arrays:
    """Return CIFAR-10: 60,000 colour images of ten kinds.

    The kinds are airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 arrays, images of the shapes
        `(50000, 32, 32, 3)` and `(10000, 32, 32, 3)` (with channels first where
        `keras.config.image_data_format()` says so), and the kinds, of the shapes
        `(50000, 1)` and `(10000, 1)`.

    Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009;
    https://www.cs.toronto.edu/~kriz/cifar.html

    >>> import hornbeam as keras
    >>> load = keras.datasets.cifar10.load_data
    >>> (x_train, y_train), (x_test, y_test) = load()  # doctest: +SKIP
    >>> x_train.shape  # doctest: +SKIP
    (50000, 32, 32, 3)
    """
    return read_cifar(
        "cifar-10-python.tar.gz",
        "cifar-10-batches-py",
        _BATCHES,
        "test_batch",
        "labels",
    )
