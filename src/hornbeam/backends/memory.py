"""Memory on the host that engines can share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

# On a CPU, JAX shares the memory of an array that begins at a multiple of so many
# bytes. Others it copies, into new pages, which takes ten times as long as a copy by
# NumPy.
_ALIGNMENT = 64


def aligned_array(shape: Sequence[int], dtype: DTypeLike) -> np.ndarray:
    """Return an array, not filled, whose memory an engine can share."""
    dtype = np.dtype(dtype)
    if dtype.hasobject:
        return np.empty(shape, dtype)
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)
