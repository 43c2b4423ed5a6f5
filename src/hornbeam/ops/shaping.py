"""Changing shapes: reshape, transpose, join, split, repeat, pad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.axes import several
from hornbeam.ops.core import convert_to_tensor
from hornbeam.ops.declare import broadcast_shapes, composite, primitive
from hornbeam.typing import Axes, IntOrInts, ShapeLike, Tensor, TensorLike


def _rank(x):
    return len(rules.shape_of(x))


def reshaped(shape: Sequence[Any], newshape: Any) -> tuple[Any, ...]:
    """Return `newshape` with its -1 (or None) inferred; None if it is unknown."""
    newshape = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    newshape = tuple(-1 if d is None else d for d in newshape)
    if any(isinstance(d, int) and d < -1 for d in newshape):
        raise ValueError(
            "reshape(): each size must be a non-negative integer, or -1 for the one "
            f"that is worked out. Received: newshape={newshape}"
        )
    if newshape.count(-1) > 1:
        raise ValueError(
            "reshape(): at most one unknown dimension may be given as -1. "
            f"Received: newshape={newshape}, shape={shape}"
        )
    size = rules.size_of(d for d in newshape if d != -1)
    total = rules.size_of(shape)
    if total is None:
        return tuple(None if d == -1 else d for d in newshape)
    fits = total == size if -1 not in newshape else size and total % size == 0
    if not fits:
        raise ValueError(
            f"reshape(): a tensor of shape {tuple(shape)} has {total} elements, which "
            f"do not fit into newshape={newshape}."
        )
    return tuple(total // size if d == -1 else d for d in newshape)


def _reshape_spec(a):
    x, newshape = a["x"], a["newshape"]
    if isinstance(newshape, KerasTensor):
        return KerasTensor((None,) * newshape.shape[0], rules.weak_dtype(x))
    sizes = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    if any(isinstance(d, KerasTensor) for d in sizes):
        sizes = [None if isinstance(d, KerasTensor) or d == -1 else d for d in sizes]
        return KerasTensor(sizes, rules.weak_dtype(x))
    shape = reshaped(rules.shape_of(x), sizes)
    return KerasTensor(shape, rules.weak_dtype(x))


@primitive(_reshape_spec)
def reshape(x: TensorLike, newshape: IntOrInts) -> Tensor:
    """The same elements in another shape; one size may be -1, to be inferred.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.reshape(keras.ops.ones((4, 3)), (2, -1)).shape)
    (2, 6)
    """


@composite(rule=lambda a: KerasTensor((rules.size_of(a["x"].shape),), a["x"].dtype))
def ravel(x: TensorLike) -> Tensor:
    """The elements as a vector.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.ravel(keras.ops.ones((2, 3))).shape)
    (6,)
    """
    return reshape(x, (-1,))


def _transpose_spec(a):
    shape, axes = a["x"].shape, a["axes"]
    if axes is None:
        return KerasTensor(shape[::-1], a["x"].dtype)
    if len(axes) != len(shape):
        raise ValueError(
            "transpose(): argument `axes` must be a valid permutation of all axes. "
            f"Received: axes={axes}, shape={tuple(shape)}"
        )
    return KerasTensor([shape[i] for i in axes], a["x"].dtype)


@primitive(_transpose_spec)
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order; reversed by default.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.transpose(keras.ops.ones((1, 2, 3)), (0, 2, 1)).shape)
    (1, 3, 2)
    """


@composite
def moveaxis(x: TensorLike, source: IntOrInts, destination: IntOrInts) -> Tensor:
    """Axes moved to other places; the others keep their order.

    Args:
        x: a tensor.
        source: an axis or several.
        destination: their new positions.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.moveaxis(keras.ops.ones((1, 2, 3)), 0, -1).shape)
    (2, 3, 1)
    """
    rank = _rank(x)
    pairs = [[range(rank)[a] for a in several(v)] for v in (source, destination)]
    order = [i for i in range(rank) if i not in pairs[0]]
    for to, axis in sorted(zip(pairs[1], pairs[0], strict=True)):
        order.insert(to, axis)
    return transpose(x, order)


@composite
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.swapaxes(keras.ops.ones((1, 2, 3)), 0, 2).shape)
    (3, 2, 1)
    """
    order = list(range(_rank(x)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, order)


def _expand_dims_spec(a):
    shape, axes = list(a["x"].shape), several(a["axis"])
    rank = len(shape) + len(axes)
    for axis in sorted(i % rank for i in axes):
        shape.insert(axis, 1)
    return KerasTensor(shape, a["x"].dtype)


@primitive(_expand_dims_spec)
def expand_dims(x: TensorLike, axis: IntOrInts) -> Tensor:
    """A new axis of size 1, or several.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.expand_dims(keras.ops.ones((2, 3)), 0).shape)
    (1, 2, 3)
    """


def _squeeze_spec(a):
    shape, axis = tuple(a["x"].shape), a["axis"]
    if axis is None:
        return KerasTensor([d for d in shape if d != 1], a["x"].dtype)
    axes = {i % len(shape) for i in several(axis)}
    if any(shape[i] != 1 for i in axes):
        raise ValueError(
            "squeeze() can remove only axes of size 1. "
            f"Received: axis={axis}, shape={shape}"
        )
    kept = [d for i, d in enumerate(shape) if i not in axes]
    return KerasTensor(kept, a["x"].dtype)


@primitive(_squeeze_spec)
def squeeze(x: TensorLike, axis: Axes = None) -> Tensor:
    """Axes of size 1 removed: those of `axis`, or all.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.squeeze(keras.ops.ones((1, 3, 1))).shape)
    (3,)
    """


def _broadcast_to_spec(a):
    # It raises if the sizes do not fit.
    broadcast_shapes(a["x"].shape, a["shape"])
    return KerasTensor(a["shape"], a["x"].dtype)


@primitive(_broadcast_to_spec)
def broadcast_to(x: TensorLike, shape: ShapeLike) -> Tensor:
    """`x` repeated along axes of size 1, or new ones, to `shape`.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.broadcast_to([1, 2], (3, 2)).shape)
    (3, 2)
    """


@primitive("same")
def flip(x: TensorLike, axis: Axes = None) -> Tensor:
    """The elements in reverse order along `axis` (default: all).

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.flip([1, 2, 3])]
    [3, 2, 1]
    """


@composite(rule="same")
def fliplr(x: TensorLike) -> Tensor:
    """The elements in reverse order along axis 1.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.fliplr([[1, 2]])[0]]
    [2, 1]
    """
    return flip(x, 1)


@composite(rule="same")
def flipud(x: TensorLike) -> Tensor:
    """The elements in reverse order along axis 0.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.flipud([1, 2])]
    [2, 1]
    """
    return flip(x, 0)


@composite
def rot90(array: TensorLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """The plane of two axes turned by `k` right angles (default 1).

    >>> import hornbeam as keras
    >>> tuple(keras.ops.rot90(keras.ops.ones((2, 3))).shape)
    (3, 2)
    """
    rank = _rank(array)
    if len(axes) != 2 or rank < 2 or axes[0] % rank == axes[1] % rank:
        raise ValueError(
            "rot90() needs two different axes of a tensor of rank 2 or more. "
            f"Received: axes={axes}, shape={rules.shape_of(array)}"
        )
    first, second = axes
    turns = {
        0: lambda x: x,
        1: lambda x: swapaxes(flip(x, second), first, second),
        2: lambda x: flip(flip(x, first), second),
        3: lambda x: flip(swapaxes(x, first, second), second),
    }
    return turns[k % 4](convert_to_tensor(array))


@primitive("same")
def roll(x: TensorLike, shift: IntOrInts, axis: Axes = None) -> Tensor:
    """The elements moved by `shift` along `axis`, around the end.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.roll([1, 2, 3], 1)]
    [3, 1, 2]
    """


def _repeat_spec(a):
    shape, repeats, axis = list(a["x"].shape), a["repeats"], a["axis"]
    if axis is None:
        shape, axis = [rules.size_of(shape)], 0
    if hasattr(repeats, "__len__") and len(repeats) > 1:
        if shape[axis] not in (None, len(repeats)):
            raise ValueError(
                "repeat() needs a number for each slice along the axis. "
                f"Received: {len(repeats)} numbers for a size of {shape[axis]}"
            )
        shape[axis] = None if shape[axis] is None else sum(int(r) for r in repeats)
    elif shape[axis] is not None:
        first = repeats[0] if hasattr(repeats, "__len__") else repeats
        shape[axis] *= int(first)
    return KerasTensor(shape, a["x"].dtype)


@primitive(_repeat_spec)
def repeat(x: TensorLike, repeats: TensorLike, axis: int | None = None) -> Tensor:
    """Each element, or each slice along `axis`, several times in a row.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.repeat([1, 2], 2)]
    [1, 1, 2, 2]
    """


def _tile_spec(a):
    shape, repeats = list(a["x"].shape), a["repeats"]
    repeats = [repeats] if isinstance(repeats, int) else list(repeats)
    rank = max(len(shape), len(repeats))
    shape = [1] * (rank - len(shape)) + shape
    repeats = [1] * (rank - len(repeats)) + repeats
    sizes = [None if d is None else d * r for d, r in zip(shape, repeats, strict=True)]
    return KerasTensor(sizes, a["x"].dtype)


@primitive(_tile_spec)
def tile(x: TensorLike, repeats: IntOrInts) -> Tensor:
    """The whole tensor several times along each axis.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.tile([1, 2], 2)]
    [1, 2, 1, 2]
    """


def _pad_widths(pad_width, rank):
    pairs: list[Any] = [pad_width] if isinstance(pad_width, int) else list(pad_width)
    if all(isinstance(p, int) for p in pairs):
        pairs = [(pairs[0], pairs[-1])]
    pairs = pairs * rank if len(pairs) == 1 else pairs
    if len(pairs) != rank:
        raise ValueError(
            f"pad(): argument `pad_width` must hold a pair for each of the {rank} "
            f"axes. Received: pad_width={pad_width}"
        )
    return tuple((int(p[0]), int(p[-1])) for p in pairs)


def _pad_spec(a):
    widths = _pad_widths(a["pad_width"], len(a["x"].shape))
    sizes = [
        None if d is None else d + before + after
        for d, (before, after) in zip(a["x"].shape, widths, strict=True)
    ]
    return KerasTensor(sizes, a["x"].dtype)


@composite(rule=_pad_spec)
def pad(
    x: TensorLike,
    pad_width: int | Sequence[Any],
    mode: str = "constant",
    constant_values: TensorLike | None = None,
) -> Tensor:
    """Elements added at both ends of each axis.

    Args:
        x: a tensor.
        pad_width: `(before, after)` for each axis, for all, or one number.
        mode: "constant" (default), "reflect", "symmetric", "edge", "wrap".
        constant_values: what is added in mode "constant". Default: 0.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.pad([1, 2], 1)]
    [0, 1, 2, 0]
    """
    if mode != "constant" and constant_values is not None:
        raise ValueError(
            "pad() adds `constant_values` only in mode 'constant'. "
            f"Received: mode={mode!r}, constant_values={constant_values}"
        )
    widths = _pad_widths(pad_width, _rank(x))
    return padded(x, widths, mode, constant_values)


@primitive(_pad_spec)
def padded(
    x: TensorLike,
    pad_width: int | Sequence[Any],
    mode: str = "constant",
    constant_values: TensorLike | None = None,
) -> Tensor:
    """The engine's `pad`, with a pair for each axis."""


def _meshgrid_spec(a):
    _check_indexing(a["indexing"])
    sizes = [rules.size_of(rules.shape_of(x)) for x in a["x"]]
    if a["indexing"] == "xy":
        sizes[:2] = sizes[:2][::-1]
    return [KerasTensor(sizes, rules.weak_dtype(x)) for x in a["x"]]


def _check_indexing(indexing):
    check_choice("meshgrid()", "indexing", indexing, ("xy", "ij"))


@composite(rule=_meshgrid_spec)
def meshgrid(*x: TensorLike, indexing: Literal["xy", "ij"] = "xy") -> list[Tensor]:
    """Coordinate tensors of the grid that vectors span.

    Args:
        x: tensors of rank 1.
        indexing: "xy" (default) for axes (y, x, ...), "ij" for the arguments' order.

    >>> import hornbeam as keras
    >>> [tuple(grid.shape) for grid in keras.ops.meshgrid([1, 2, 3], [4, 5])]
    [(2, 3), (2, 3)]
    """
    _check_indexing(indexing)
    rows = [ravel(v) for v in x]
    places = list(range(len(rows)))
    if indexing == "xy" and len(rows) > 1:
        places[:2] = [1, 0]
    sizes = [0] * len(rows)
    for row, place in zip(rows, places, strict=True):
        sizes[place] = row.shape[0]
    grids = []
    for row, place in zip(rows, places, strict=True):
        around = [1] * len(rows)
        around[place] = row.shape[0]
        grids.append(broadcast_to(reshape(row, around), sizes))
    return grids


@composite
def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """The flattened elements on the `k`th diagonal of a matrix of zeros.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.diagflat([1, 2]).shape)
    (2, 2)
    """
    from hornbeam.ops.creation import diag

    return diag(ravel(x), k)
