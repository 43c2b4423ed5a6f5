"""Draws on the host: NumPy arrays of float32 from a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.core.normal import quantile, tail_of, truncated_quantile
from hornbeam.core.random_hash import numpy_bits, numpy_uniform


def uniform(
    key: Any, shape: Sequence[int], minval: float = 0.0, maxval: float = 1.0
) -> np.ndarray:
    """Return numbers uniform over [minval, maxval)."""
    values = np.float32(minval) + np.float32(maxval - minval) * numpy_uniform(
        key, shape
    )
    # Rounding may reach the upper end.
    return np.minimum(values, np.nextafter(np.float32(maxval), np.float32(minval)))


def normal(key: Any, shape: Sequence[int]) -> np.ndarray:
    """Return standard normal numbers."""
    return _signed(key, shape, quantile)


def truncated_normal(key: Any, shape: Sequence[int]) -> np.ndarray:
    """Return standard normal numbers out of [-2, 2]."""
    return _signed(key, shape, truncated_quantile)


def _signed(key, shape, size_of):
    words = numpy_bits(key, shape)
    size = size_of(tail_of((words >> np.uint32(1)).astype(np.float32)), np)
    return np.where(words & np.uint32(1), -size, size)
