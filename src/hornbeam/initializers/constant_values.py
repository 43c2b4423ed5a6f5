"""Initializers that draw no random numbers: constants and the identity."""

from __future__ import annotations

from typing import Self

import numpy as np

from hornbeam.core.serialization import deserialize_keras_object
from hornbeam.initializers.initializer import HostInitializer
from hornbeam.typing import Config, TensorLike


class Zeros(HostInitializer):
    """Zeros.

    >>> import hornbeam as keras
    >>> keras.initializers.Zeros()(shape=(2, 3)).shape
    (2, 3)
    """

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return 0."""
        return np.zeros((), dtype=np.float32)


class Ones(HostInitializer):
    """Ones.

    >>> import hornbeam as keras
    >>> float(keras.initializers.Ones()(shape=(2,))[1])
    1.0
    """

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return 1."""
        return np.ones((), dtype=np.float32)


class Constant(HostInitializer):
    """A constant value.

    Args:
        value: a number, or an array that broadcasts to the shape. Default: 0.

    >>> import hornbeam as keras
    >>> float(keras.initializers.Constant(3.0)(shape=(2,))[1])
    3.0
    """

    def __init__(self, value: TensorLike = 0.0) -> None:
        self.value = value

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the value."""
        return np.asarray(self.value)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make an initializer; the value may be a config of an array."""
        return cls(deserialize_keras_object(config["value"]))


class Identity(HostInitializer):
    """The identity matrix times `gain`; only for two dimensions.

    Args:
        gain: a number. Default: 1.

    >>> import hornbeam as keras
    >>> float(keras.initializers.Identity(gain=2.0)(shape=(3, 3))[1, 1])
    2.0
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the matrix."""
        if len(shape) != 2:
            raise ValueError(
                "Identity matrix initializer can only be used for 2D matrices. "
                f"Received: shape={shape} of rank {len(shape)}."
            )
        return self.gain * np.eye(*shape, dtype=np.float32)
