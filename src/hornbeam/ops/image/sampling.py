"""Sampling: what an array holds between its elements and beyond its edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from hornbeam.core import dtypes
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.axes import shape_of
from hornbeam.ops.core import cast, convert_to_tensor, shape
from hornbeam.ops.declare import composite
from hornbeam.ops.numpy import (
    arange,
    ceil,
    clip,
    concatenate,
    expand_dims,
    floor,
    isfinite,
    logical_and,
    maximum,
    minimum,
    reshape,
    take,
    where,
)
from hornbeam.typing import Tensor, TensorLike

FillMode: TypeAlias = Literal["constant", "nearest", "wrap", "mirror", "reflect"]
FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def wide(x: Tensor) -> Tensor:
    """Return `x` as the float in which it is computed: float64 or float32."""
    dtype = dtypes.standardize_dtype(x.dtype)
    return x if dtype in ("float32", "float64") else cast(x, "float32")


def narrowed(x: Tensor, dtype: str) -> Tensor:
    """Return floats as `dtype`; integers are the nearest ones, halves away from 0."""
    return cast(_nearest(x) if dtypes.is_int_dtype(dtype) else x, dtype)


def _nearest(x):
    return where(x < 0, ceil(x - 0.5), floor(x + 0.5))


def _extended(x, axes):
    """Return `x` with its first element behind the last one, where it wraps."""
    for axis in axes:
        first = x[(slice(None),) * axis + (slice(1),)]
        x = concatenate([x, first], axis=axis)
    return x


def _folded(c, size, order, fill_mode):
    """Return the place in the extended axis, of `size`, that a coordinate stands for.

    All of them are in [0, size - 1], or with "constant" in [-1, size].
    """
    last = cast(size - 1, c.dtype)
    if fill_mode == "constant":
        return clip(c, -1, last + 1)
    if fill_mode == "wrap":
        c = _remainder(c, last + 1 - order)
    elif fill_mode == "mirror":
        c = _remainder(c, maximum(2 * last, 1))
        c = minimum(c, 2 * last - c)
    elif fill_mode == "reflect":
        c = _remainder(c + 0.5, 2 * last + 2)
        c = minimum(c, 2 * last + 2 - c) - 0.5
    return clip(c, 0, last)


def _remainder(c, period):
    # Faster than `mod`, which is exact where numbers are larger than any image.
    return c - floor(c / period) * period


@composite
def rows_at(x: Tensor, index: Tensor) -> Tensor:
    """Return the rows of `x` at an index whose numbers are all in [0, len(x))."""
    return take(x, index, axis=0)


def sample(
    x: Tensor,
    first: int,
    coordinates: Sequence[Tensor],
    order: int,
    fill_mode: FillMode,
    fill_value: float = 0,
) -> Tensor:
    """Return the values of `x` at coordinates along its axes from `first` on.

    Args:
        x: a tensor; the axes before `first` are a batch, each element of which has
            coordinates of its own.
        first: the first of the axes.
        coordinates: floats for each of the axes, with the axes of the batch (where all
            have the same, their size is 1) and then those of the result.
        order: 0 takes the nearest element, 1 interpolates linearly.
        fill_mode: what lies beyond the edges.
        fill_value: what "constant" holds there. Default: 0.

    Returns:
        A tensor in which the axes of the result replace those of the coordinates.
    """
    axes = range(first, first + len(coordinates))
    x = _extended(x, axes) if fill_mode == "wrap" and order else x
    sizes = shape(x)
    batch, trail = sizes[:first], sizes[axes.stop :]
    rows = reshape(x, (-1, *trail))
    index: Any = 0
    if batch:
        ones = (1,) * (len(coordinates[0].shape) - first)
        index = reshape(arange(math.prod(batch), dtype="int32"), (*batch, *ones))
    sizes = sizes[first : axes.stop]
    taps = [
        _taps(c, size, order, fill_mode)
        for c, size in zip(coordinates, sizes, strict=True)
    ]

    def spread(weight):
        return expand_dims(weight, tuple(range(-len(trail), 0)))

    def total(index, axis):
        if axis == len(taps):
            return wide(rows_at(rows, index)) if order else rows_at(rows, index)
        parts = [
            (total(index * sizes[axis] + place, axis + 1), weight)
            for place, weight in taps[axis]
        ]
        if not order:
            return parts[0][0]
        return sum(part * cast(spread(weight), part.dtype) for part, weight in parts)

    y = total(index, 0)
    if fill_mode == "constant":
        inside = math.prod(sum(weight for _, weight in pair) for pair in taps)
        y = _filled(y, spread(inside), fill_value, order)
    return narrowed(y, dtypes.standardize_dtype(x.dtype)) if order else y


def _taps(c, size, order, fill_mode):
    """Return the places in an axis whose elements a coordinate needs, and weights.

    The places are in the axis; the weights of what lies beyond "constant" edges are 0.
    """
    c = _folded(c if order else _nearest(c), size, order, fill_mode)
    low = floor(c)
    pairs = [(low, 1 - (c - low)), (low + 1, c - low)][: order + 1]
    if fill_mode == "constant":
        last = cast(size - 1, c.dtype)
        pairs = [
            (place, where(logical_and(place >= 0, place <= last), weight, 0))
            for place, weight in pairs
        ]
    # The limits also hold for NaN.
    return [
        (clip(cast(place, "int32"), 0, size - 1), weight) for place, weight in pairs
    ]


def _filled(y, inside, fill_value, order):
    """Return values of which the part that is not `inside` is `fill_value`."""
    outside = cast(fill_value, y.dtype)
    inside = cast(inside, y.dtype)
    if order and isinstance(fill_value, int | float) and not math.isfinite(fill_value):
        # Whatever touches what is outside; the weights' sum is rounded.
        return where(inside > 1 - 1e-4, y, outside)
    if order:
        y = y if _is_zero(fill_value) else y + outside * (1 - inside)
        # Weights of 0 did the rest, unless they met an infinity. Of a condition without
        # `y` XLA would make a branch, which takes half as long again.
        inside = inside + cast(isfinite(y), y.dtype)
    return where(inside > 0, y, outside)


def _is_zero(x):
    return isinstance(x, int | float) and x == 0


def _check_coordinates(inputs, coordinates, order, fill_mode):
    sizes = shape_of(coordinates)
    if len(sizes) < 2:
        raise ValueError(
            "map_coordinates(): `coordinates` must have a row for each axis of "
            "`inputs`, so at least rank 2. Received: coordinates.shape="
            f"{tuple(sizes)}"
        )
    rank = len(shape_of(inputs))
    if sizes[0] not in (rank, None):
        raise ValueError(
            "map_coordinates(): `coordinates` must have a row for each axis of "
            f"`inputs`. Received: inputs.shape={tuple(shape_of(inputs))}, "
            f"coordinates.shape={tuple(sizes)}"
        )
    if order not in (0, 1):
        raise ValueError(
            "map_coordinates(): `order` must be 0 (nearest) or 1 (linear). "
            f"Received: order={order}"
        )
    check_choice("map_coordinates", "fill_mode", fill_mode, FILL_MODES)


def _map_spec(a):
    _check_coordinates(a["inputs"], a["coordinates"], a["order"], a["fill_mode"])
    dtype = getattr(a["inputs"], "dtype", None)
    return KerasTensor(shape_of(a["coordinates"])[1:], dtype)


@composite(rule=_map_spec)
def map_coordinates(
    inputs: TensorLike,
    coordinates: TensorLike,
    order: int,
    fill_mode: FillMode = "constant",
    fill_value: float = 0,
) -> Tensor:
    """Return the values of an array at coordinates, interpolated.

    Args:
        inputs: a tensor of any rank.
        coordinates: `(rank, ...)`: for each axis of `inputs` the place along it, from
            0 to its size minus 1; of integers or floats.
        order: 0 takes the nearest element, 1 interpolates linearly.
        fill_mode: what lies beyond the edges of `a b c d`: `"constant"` (default)
            `k k | a b c d | k k`, `"nearest"` `a a | a b c d | d d`, `"wrap"`
            `c d | a b c d | a b`, `"mirror"` `c b | a b c d | c b`, `"reflect"`
            `b a | a b c d | d c`. It is interpolated like the rest.
        fill_value: what `"constant"` holds there. Default: 0.

    Returns:
        A tensor with the shape of a row of `coordinates` and the dtype of `inputs`;
        integers are rounded.

    >>> import hornbeam as keras
    >>> x = keras.ops.convert_to_tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> places = [[0.0, 0.5, 1.0], [0.5, 0.5, 1.0]]
    >>> keras.ops.image.map_coordinates(x, places, order=1).tolist()
    [0.5, 1.5, 3.0]
    """
    inputs = convert_to_tensor(inputs)
    coordinates = wide(convert_to_tensor(coordinates))
    _check_coordinates(inputs, coordinates, order, fill_mode)
    rows = [coordinates[i] for i in range(len(inputs.shape))]
    return sample(inputs, 0, rows, order, fill_mode, fill_value)
