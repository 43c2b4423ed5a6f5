"""Warnings that point at the line of the program that led to them."""

from __future__ import annotations

import sys
import warnings

# What may lie between a line of the user's program and the library's code.
_PASSED_THROUGH = frozenset(
    "hornbeam sklearn joblib jax torch tensorflow contextlib functools".split()
)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the nearest line outside of the library and what it runs on."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _package(frame) in _PASSED_THROUGH:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _package(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]
