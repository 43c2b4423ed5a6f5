"""What the process remembers, forgotten."""

from __future__ import annotations

import gc
from collections.abc import Callable

_forget: list[Callable[[bool], None]] = []


def on_clear(forget: Callable[[bool], None]) -> Callable[[bool], None]:
    """Let `clear_session` call `forget(free_memory)`: a room tells of what it keeps."""
    _forget.append(forget)
    return forget


def clear_session(free_memory: bool = True) -> None:
    """Count generated names from 1, and drop compiled programs and the global seed.

    Args:
        free_memory: whether compiled programs and unreachable objects are freed at
            once. Default: True.

    >>> import hornbeam as keras
    >>> keras.utils.clear_session()
    >>> keras.layers.Dense(1).name
    'dense'
    """
    for forget in _forget:
        forget(free_memory)
    if free_memory:
        gc.collect()
