"""Generated names: `dense`, `dense_1`, `dense_2` ..."""

from __future__ import annotations

import collections
import contextlib
import re
import threading
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

from hornbeam.core.session import on_clear

_counts: collections.Counter[str] = collections.Counter()
_own_counts: ContextVar[Any] = ContextVar("hornbeam_name_counts", default=None)
_lock = threading.Lock()


@contextlib.contextmanager
def own_names() -> Iterator[None]:
    """A block that counts for itself, on from where the counts stand outside."""
    with _lock:
        token = _own_counts.set(collections.Counter(_current()))
    try:
        yield
    finally:
        _own_counts.reset(token)


def _current():
    own = _own_counts.get()
    return _counts if own is None else own


def _next(key):
    with _lock:
        counts = _current()
        counts[key] += 1
        return counts[key]


def to_snake_case(name: str) -> str:
    """Return `MaxPooling2D` as `max_pooling2d`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """Return `prefix` the first time, then `prefix_1`, `prefix_2` ..."""
    prefix = to_snake_case(prefix)
    number = _next(prefix) - 1
    return f"{prefix}_{number}" if number else prefix


def distinct(names: Sequence[str], places: Sequence[Any] | None = None) -> list[str]:
    """Return the names, with the first free number behind each that repeats.

    Args:
        names: a list of names.
        places: for each name a hashable: only within one are names distinct. Default:
            all are.
    """
    places = places or [None] * len(names)
    taken = set(zip(places, names, strict=True))
    seen, distinct_names = set(), []
    last: dict[Any, int] = {}
    for place, name in zip(places, names, strict=True):
        number = last.get((place, name), 0)
        free = f"{name}_{number}" if number else name
        while (place, free) in seen or (number and (place, free) in taken):
            number += 1
            free = f"{name}_{number}"
        last[place, name] = number
        seen.add((place, free))
        distinct_names.append(free)
    return distinct_names


def get_uid(prefix: str = "") -> int:
    """Return how often this was called for `prefix`, from 1."""
    return _next(f"uid {prefix}")


def reset() -> None:
    """Start all names anew."""
    with _lock:
        _current().clear()


on_clear(lambda free_memory: reset())
