"""What the process remembers, forgotten."""

from __future__ import annotations

import gc
from collections.abc import Callable

_forget: list[Callable[[], None]] = []


def on_clear(forget: Callable[[], None]) -> Callable[[], None]:
    """Let `clear_session` call `forget()`: a room tells of what it keeps."""
    _forget.append(forget)
    return forget


def clear_session(free_memory: bool = True) -> None:
    """Count generated names from 1, and drop the global seed and the dtype policy.

    Compiled programs stay: they hold no model, the memory of them is bounded, and the
    next model of a structure, such as the next trial of a search, needs them again.

    Args:
        free_memory: whether unreachable objects are freed at once. Default: True.

    >>> import hornbeam as keras
    >>> keras.utils.clear_session()
    >>> keras.layers.Dense(1).name
    'dense'
    """
    for forget in _forget:
        forget()
    if free_memory:
        gc.collect()
