"""The axes that ops are asked for: one check for all, before anything else is checked.

An axis counts from either end of the first operand, unless `_COUNTED` says otherwise.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from hornbeam.core import tree

ARGUMENTS = (
    "axis",
    "axes",
    "axis1",
    "axis2",
    "axisa",
    "axisb",
    "axisc",
    "source",
    "destination",
)


def check(op: Any, arguments: dict[str, Any]) -> None:
    """Raise a ValueError if an axis among the arguments of the op does not exist."""
    for argument in ARGUMENTS:
        axis = arguments.get(argument)
        if axis is not None:
            for part, shape in _counted(op.name, argument, axis, arguments):
                _check(op.name, argument, part, shape, arguments[argument])


def several(axis: Any) -> tuple[int, ...]:
    """Return `axis`, which is a number or several, as a tuple of integers."""
    try:
        return (operator.index(axis),)
    except TypeError:
        return tuple(operator.index(i) for i in axis)


def _check(owner, argument, axis, shape, received):
    try:
        axes = several(axis)
    except TypeError:
        raise ValueError(
            f"{owner}(): argument `{argument}` must be an integer, or several. "
            f"Received: {argument}={received!r}"
        ) from None
    rank = len(shape)
    for one in axes:
        if not -rank <= one < rank:
            expected = f"Expected: {-rank} <= axis < {rank}. " if rank else ""
            raise ValueError(
                f"{owner}(): axis {one} is out of bounds for a tensor of rank {rank}. "
                f"{expected}Received: {argument}={received!r}"
            )
    if len({one % rank for one in axes}) != len(axes) and owner != "roll":
        raise ValueError(
            f"{owner}(): argument `{argument}` names an axis twice. "
            f"Received: {argument}={received!r}, rank {rank}"
        )


def _counted(owner, argument, axis, arguments):
    """Return pairs: axes, and the shape in which they count."""
    count = _COUNTED.get((owner, argument)) or _COUNTED.get(owner)
    if count is None:
        return [(axis, shape_of(next(iter(arguments.values()))))]
    result = count(arguments)
    return result if isinstance(result, list) else [(axis, result)]


def shape_of(x: Any) -> tuple[Any, ...]:
    """Return the shape of a tensor, a KerasTensor, a number or nested lists."""
    if hasattr(x, "shape"):
        return tuple(x.shape)
    return np.shape(x)


def _first_with_new_axis(arguments):
    return (*shape_of(next(iter(arguments.values()))), 1)


def _of_a_list(arguments):
    return shape_of(next(iter(arguments.values()))[0])


def _spaced(arguments):
    shapes = (shape_of(arguments[name]) for name in ("start", "stop"))
    return (*max(shapes, key=len), 1)


def _vectors(arguments):
    return max((shape_of(arguments[x]) for x in ("x1", "x2")), key=len)


def _tensordot(arguments):
    axes = arguments["axes"]
    shapes = [shape_of(arguments[name]) for name in ("x1", "x2")]
    if hasattr(axes, "__index__"):
        last, first = [-i - 1 for i in range(axes)], range(axes)
        return [(last, shapes[0]), (first, shapes[1])]
    pairs = list(zip(axes, shapes, strict=True))
    counts = {len(several(part)) for part in axes}
    if len(counts) != 1:
        raise ValueError(
            "tensordot(): `axes` must list as many axes of `x1` as of `x2`. "
            f"Received: axes={axes!r}"
        )
    return pairs


def _elements(arguments):
    return [(arguments["axis"], shape_of(x)) for x in tree.flatten(arguments["elems"])]


_COUNTED = {
    "associative_scan": _elements,
    "categorical_crossentropy": lambda a: shape_of(a["output"]),
    "concatenate": _of_a_list,
    ("cross", "axis"): _vectors,
    ("cross", "axisb"): lambda a: shape_of(a["x2"]),
    ("cross", "axisc"): _vectors,
    "expand_dims": lambda a: (*shape_of(a["x"]), *several(a["axis"])),
    "geomspace": _spaced,
    "linspace": _spaced,
    "logspace": _spaced,
    "multi_hot": _first_with_new_axis,
    "one_hot": _first_with_new_axis,
    "sparse_categorical_crossentropy": lambda a: shape_of(a["output"]),
    "stack": lambda a: (*_of_a_list(a), 1),
    "tensordot": _tensordot,
}
