"""Masks that go with tensors, and the mark that is left where one was lost.

A mask says which places of a tensor count. Its axes are the first ones of the tensor:
a mask (batch, steps) goes with (batch, steps, features). Layers set the masks of their
outputs, ops pass them on (`ops/masks.py`); what can do neither leaves a `LostMask`, and
a layer that would have used the mask warns of it.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any

from hornbeam.core.operators import Operators

# What goes with the tensors of the engines, by their ids: an entry is a reference to
# the tensor, a LostMask or the mask of a tensor that takes no attributes, and whether
# an op has passed it on. Empty means that no mask is alive: ops look no further.
alive: dict[int, tuple[weakref.ref[Any], Any, bool]] = {}


class LostMask:
    """The mark of a tensor that had a mask of `rank` axes, until it was lost.

    That was at the op of the name `op`, in the layer of the path `layer`; None for no
    op of ours, or outside of layers.
    """

    __slots__ = ("layer", "op", "rank")

    def __init__(self, rank: int, op: str | None = None):
        self.rank: int = rank
        self.op: str | None = op
        self.layer: str | None = None


def lost(carries: Any, op: str | None = None) -> LostMask:
    """Return the mark of what a tensor carries: a mark as it is, a mask lost here."""
    if isinstance(carries, LostMask):
        return carries
    return LostMask(len(carries.shape), op)


def get_keras_mask(x: Any) -> Any:
    """Return the mask that goes with the tensor `x`, or None."""
    mask = getattr(x, "_keras_mask", None)
    if mask is None and alive:
        mask = _entry(x)[1]
        return None if isinstance(mask, LostMask) else mask
    return mask


def set_keras_mask(x: Any, mask: Any, by_op: bool = False) -> None:
    """Let `mask` go with the tensor `x`; None takes it away."""
    beside = None
    try:
        x._keras_mask = mask
    except AttributeError:
        beside = mask
    if isinstance(x, Operators):
        return
    if mask is None:
        alive.pop(id(x), None)
        return
    # A mask has no mask of its own.
    alive.pop(id(mask), None)
    _enter(x, beside, by_op)


def get_lost_mask(x: Any) -> LostMask | None:
    """Return the mark of a mask that `x` had lost, or None."""
    if not alive or getattr(x, "_keras_mask", None) is not None:
        return None
    mark = _entry(x)[1]
    return mark if isinstance(mark, LostMask) else None


def set_lost_mask(x: Any, mark: LostMask) -> None:
    """Let the mark of a lost mask go with the tensor `x` of an engine."""
    _enter(x, mark, True)


def hand_on(x: Any, y: Any) -> Any:
    """Let what goes with `x` go with `y` too; return `y`."""
    mask, mark = get_keras_mask(x), get_lost_mask(x)
    if mask is not None:
        set_keras_mask(y, mask)
    elif mark is not None:
        set_lost_mask(y, mark)
    return y


@contextlib.contextmanager
def set_aside(x: Any) -> Iterator[None]:
    """Inside, ops do not pass on what goes with `x`: its mask is at hand."""
    entry = alive.pop(id(x), None)
    try:
        yield
    finally:
        if entry is not None:
            alive[id(x)] = entry


def carried(x: Any) -> Any:
    """Return the mask or the mark that ops pass on from `x`, or None."""
    if id(x) in alive:
        beside = _entry(x)[1]
        return getattr(x, "_keras_mask", None) if beside is None else beside
    return getattr(x, "_keras_mask", None) if isinstance(x, Operators) else None


def fits(mask: Any, x: Any, broadcast: bool = True) -> bool:
    """Whether the axes of the mask are the first ones of `x`, or broadcast to them."""
    sizes = zip(mask.shape, x.shape, strict=False)
    return len(mask.shape) <= len(x.shape) and all(
        None in (a, b) or a == b or (broadcast and a == 1) for a, b in sizes
    )


def is_of_rows(mask: Any, x: Any) -> bool:
    """Whether a mask, or a mark, is of rows that were made into the sequences `x`.

    It is no mask of their steps, which is what layers would take it for.
    """
    rank = mask.rank if isinstance(mask, LostMask) else len(mask.shape)
    return rank == 1 and len(x.shape) > 2


def is_passed_on(x: Any) -> bool:
    """Whether what goes with `x` comes from an op, not from a layer."""
    return bool(alive) and _entry(x)[2]


_NOTHING: tuple[Any, Any, bool] = (None, None, False)


def _entry(x):
    entry = alive.get(id(x), _NOTHING)
    return entry if entry is _NOTHING or entry[0]() is x else _NOTHING


def _enter(x, value, by_op):
    key = id(x)

    def forget(reference):
        if alive.get(key, _NOTHING)[0] is reference:
            del alive[key]

    try:
        alive[key] = (weakref.ref(x, forget), value, by_op)
    except TypeError:
        # A NumPy number: it has no places.
        return
