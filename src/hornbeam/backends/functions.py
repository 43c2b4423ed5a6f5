"""What the engines' functions share that are made from those of their library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

# A function of an engine that a maker returns: the contract says what it takes.
Function: TypeAlias = Callable[..., Any]


def named(run: Function, fn: Any) -> Function:
    """`run` with the name of `fn`, or with the name `fn`, for messages and traces."""
    run.__name__ = run.__qualname__ = fn if isinstance(fn, str) else fn.__name__
    return run


def weak_dtype(x: Any, dtype_of: Function) -> Any:
    """The dtype of `x` for promotion: a Python number has only its kind."""
    if not isinstance(x, (bool, int, float)):
        return dtype_of(x)
    return bool if isinstance(x, bool) else int if isinstance(x, int) else float


def expand_axes(x: Any, axes: Any, expand: Function) -> Any:
    """`x` with new axes of size 1 at these places of the result, or at this one."""
    if isinstance(axes, int):
        return expand(x, axes)
    rank = x.ndim + len(axes)
    for axis in sorted(range(rank)[a] for a in axes):
        x = expand(x, axis)
    return x
