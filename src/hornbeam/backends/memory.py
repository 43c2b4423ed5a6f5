"""Memory on the host that engines can share."""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

# On a CPU, JAX shares the memory of an array that begins at a multiple of so many
# bytes. Others it copies, into new pages, which takes ten times as long as a copy by
# NumPy.
_ALIGNMENT = 64


def aligned_array(
    shape: Sequence[int], dtype: DTypeLike, small_pages: bool = False
) -> np.ndarray:
    """Return an array whose memory an engine can share; its values are any.

    NumPy asks for pages of 2 MB. Filling them once takes as long as small ones where
    memory is at hand, and two to three times as long where a virtual machine must get
    it first.

    Args:
        shape: the shape.
        dtype: the dtype.
        small_pages: whether not to ask for large pages. Default: False.
    """
    dtype = np.dtype(dtype)
    if dtype.hasobject:
        return np.empty(shape, dtype)
    size = math.prod(shape) * dtype.itemsize
    room = size + _ALIGNMENT
    memory = _in_small_pages(room) if small_pages else np.empty(room, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def _in_small_pages(size):
    """Return bytes that take memory only when they are written, once."""
    if not hasattr(mmap, "MAP_ANONYMOUS"):  # such as on Windows
        return np.empty(size, np.uint8)
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(pages, np.uint8)
