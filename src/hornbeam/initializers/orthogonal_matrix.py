"""Random orthogonal matrices."""

from __future__ import annotations

import math

import numpy as np

from hornbeam.core import random_host
from hornbeam.initializers.initializer import RandomInitializer
from hornbeam.typing import Seed


class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal rows or columns, times `gain`.

    It is the Q of the QR decomposition of a normal matrix, with the signs that make it
    uniform among the orthogonal matrices. More than two dimensions are flattened but
    for the last; the shorter side is orthonormal.

    Source: Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks" (2014).

    Args:
        gain: a number. Default: 1.
        seed: an integer, a `SeedGenerator` or None.

    >>> import hornbeam as keras
    >>> q = keras.initializers.Orthogonal(seed=1)(shape=(2, 2))
    >>> keras.ops.convert_to_numpy(q @ q.T).round(4).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the matrix."""
        if len(shape) < 2:
            raise ValueError(
                "The tensor that Orthogonal initializes must be at least "
                f"two-dimensional. Received: shape={shape} of rank {len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        size = max(rows, columns), min(rows, columns)
        normal = random_host.normal(self.key(), size).astype(np.float64)
        q, r = np.linalg.qr(normal)
        q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
        if rows < columns:
            q = q.T
        return self.gain * q.reshape(shape)
