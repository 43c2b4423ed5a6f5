"""Arrays in files that are read late."""

from __future__ import annotations

from typing import Any

import numpy as np


class Unread:
    """An array in a file, which is read when a variable takes it over.

    Args:
        shape: the shape.
        dtype: the dtype.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any):
        self.shape = shape
        self.dtype = dtype

    def read(self) -> np.ndarray:
        """Return the array."""
        raise NotImplementedError

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.read(), dtype=dtype)

    def __getitem__(self, key: Any) -> Any:
        return self.read()[key]

    def __len__(self) -> int:
        return self.shape[0]
