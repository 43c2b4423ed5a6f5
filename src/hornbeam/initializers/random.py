"""Initializers that draw all elements from one distribution."""

from __future__ import annotations

import numpy as np

from hornbeam.core import random_host
from hornbeam.initializers.initializer import RandomInitializer
from hornbeam.typing import Seed


class RandomNormal(RandomInitializer):
    """Numbers from a normal distribution.

    Args:
        mean: the mean. Default: 0.
        stddev: the standard deviation. Default: 0.05.
        seed: an integer, a `SeedGenerator` or None.

    >>> import hornbeam as keras
    >>> values = keras.initializers.RandomNormal(stddev=1.0, seed=1)(shape=(2, 3))
    >>> values.shape
    (2, 3)
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None
    ) -> None:
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed)

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the draws."""
        return self.mean + self.stddev * random_host.normal(self.key(), shape)


class TruncatedNormal(RandomInitializer):
    """Numbers from a normal distribution cut off at two standard deviations.

    Args:
        mean: the mean. Default: 0.
        stddev: the standard deviation of the distribution before it is cut; that of the
            numbers is 0.88 of it. Default: 0.05.
        seed: an integer, a `SeedGenerator` or None.

    >>> import hornbeam as keras
    >>> values = keras.initializers.TruncatedNormal(stddev=1.0, seed=1)(shape=(3,))
    >>> [round(float(v), 3) for v in values]
    [0.169, 0.394, -0.127]
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None
    ) -> None:
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed)

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the draws."""
        return self.mean + self.stddev * random_host.truncated_normal(self.key(), shape)


class RandomUniform(RandomInitializer):
    """Numbers from the uniform distribution over [minval, maxval).

    Args:
        minval: the lower end. Default: -0.05.
        maxval: the upper end. Default: 0.05.
        seed: an integer, a `SeedGenerator` or None.

    >>> import hornbeam as keras
    >>> values = keras.initializers.RandomUniform(0.0, 1.0, seed=1)(shape=(3,))
    >>> [round(float(v), 3) for v in values]
    [0.859, 0.679, 0.894]
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None
    ) -> None:
        self.minval = minval
        self.maxval = maxval
        super().__init__(seed)

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the draws."""
        return random_host.uniform(self.key(), shape, self.minval, self.maxval)
