"""What ops do with the masks of their arguments: one table of rules.

A mask's axes are the first ones of its tensor; the last of them is usually time. A rule
is asked for every argument that has a mask, `rule(call, x, rank)`, and answers what
becomes of the mask in the result: `KEPT` as it is; a function of the mask; `USED_UP`,
for it was reduced over, or one of its places was taken; `LOST`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core.masking import get_keras_mask
from hornbeam.ops import rules
from hornbeam.ops.declare import signature_of


def _same(mask):
    return mask


KEPT: Any = _same
USED_UP: Any = None
LOST: Any = NotImplemented


class Call:
    """A call of an op: its arguments by name, and its first result."""

    def __init__(
        self, op: Any, args: Sequence[Any], kwargs: dict[str, Any], result: Any
    ) -> None:
        bound = signature_of(op).bind(*args, **kwargs)
        bound.apply_defaults()
        self.op = op
        self.arguments: dict[str, Any] = bound.arguments
        self.first: Any = next(iter(bound.arguments.values()))
        self.result = result
        self.shape: tuple[Any, ...] = tuple(result.shape)

    def __getitem__(self, name: str) -> Any:
        return self.arguments.get(name)

    def axes(self, x: Any, name: str = "axis") -> tuple[int, ...]:
        """Return the axes that an argument names, counted from the front."""
        value = self.arguments.get(name)
        rank = len(x.shape)
        if value is None:
            return tuple(range(rank))
        value = value if isinstance(value, list | tuple) else (value,)
        return tuple(int(axis) % rank for axis in value)


def elementwise(call: Call, x: Any, rank: int) -> Any:
    """Every place of the result comes from the same place of the arguments."""
    offset = len(call.shape) - len(x.shape)
    before = x.shape[:rank]
    after = call.shape[offset : offset + rank]
    if offset == 0 and all(
        a != 1 or b == 1 for a, b in zip(before, after, strict=True)
    ):
        return KEPT
    if offset < 0:
        return LOST

    def broadcast(mask):
        if offset:
            mask = ops.expand_dims(mask, tuple(range(offset)))
        return ops.logical_and(mask, _everywhere(call.result, offset + rank))

    return broadcast


def _everywhere(x, rank):
    """Return a mask of the first `rank` axes of `x` that is valid everywhere."""
    first = (slice(None),) * rank + (0,) * (len(x.shape) - rank)
    return ops.ones_like(ops.get_item(x, first), dtype="bool")


def of_first(call: Call, x: Any, rank: int) -> Any:
    """The result has the places of the first argument."""
    return KEPT if x is call.first else LOST


def unrelated(call: Call, x: Any, rank: int) -> Any:
    """The result does not depend on the values."""
    return USED_UP


def along(call: Call, x: Any, rank: int) -> Any:
    """Axes before the axis of the operation keep their mask."""
    axes = [i for name in ("axis", "axes") for i in _named(call, x, name)]
    return KEPT if min(axes or [len(x.shape) - 1]) >= rank else LOST


def _named(call, x, name):
    return call.axes(x, name) if name in call.arguments else ()


def reduction(call: Call, x: Any, rank: int) -> Any:
    """Axes go: those of the mask take it with them."""
    return KEPT if along(call, x, rank) is KEPT else USED_UP


def reduction_of_output(call: Call, x: Any, rank: int) -> Any:
    """The argument `output` loses its axis, which the target does not have."""
    return reduction(call, x, rank) if x is call["output"] else KEPT


def moved(places: Sequence[Any], rank: int) -> Any:
    """Return the answer where the axes of a tensor go to `places`, or go (None)."""
    kept = places[:rank]
    if None in kept:
        return USED_UP
    if sorted(kept) != list(range(rank)):
        return LOST
    if kept == list(range(rank)):
        return KEPT
    order = [kept.index(i) for i in range(rank)]
    return lambda mask: ops.transpose(mask, order)


def permuted(call: Call, x: Any, rank: int) -> Any:
    """Axes change their order: NumPy says how."""
    sizes = np.broadcast_to(0, tuple(range(1, len(x.shape) + 1)))
    rest = list(call.arguments.values())[1:]
    order = [size - 1 for size in getattr(np, call.op.name)(sizes, *rest).shape]
    return moved([order.index(i) for i in range(len(order))], rank)


def expanded(call: Call, x: Any, rank: int) -> Any:
    """New axes of size 1: the mask gets those among its axes."""
    axis, total = call["axis"], len(call.shape)
    new = {i % total for i in (axis if isinstance(axis, list | tuple) else (axis,))}
    places = [i for i in range(total) if i not in new]
    inside = tuple(sorted(i for i in new if i < places[rank - 1]))
    return (lambda mask: ops.expand_dims(mask, inside)) if inside else KEPT


def squeezed(call: Call, x: Any, rank: int) -> Any:
    """Axes of size 1 go."""
    gone = call.axes(x) if call["axis"] is not None else _ones(x)
    inside = tuple(i for i in gone if i < rank)
    if rank - 1 in inside:
        return USED_UP
    return (lambda mask: ops.squeeze(mask, inside)) if inside else KEPT


def _ones(x):
    return [i for i, size in enumerate(x.shape) if size == 1]


def reshaped(call: Call, x: Any, rank: int) -> Any:
    """The axes after the mask's are reshaped among themselves."""
    behind, shape = rules.size_of(x.shape[rank:]), call.shape
    if behind is None:
        return LOST
    fitting = [
        k for k in range(1, len(shape) + 1) if rules.size_of(shape[k:]) == behind
    ]
    if not fitting:
        return LOST
    if rank in fitting and tuple(shape[:rank]) == tuple(x.shape[:rank]):
        return KEPT
    if rank > fitting[-1] and x.shape[rank - 1] == 1:
        return USED_UP
    new = call["newshape"]
    new = tuple(new) if isinstance(new, list | tuple) else (new,)
    first = new[: fitting[-1]]
    return lambda mask: ops.reshape(mask, first)


def same_along(call: Call, x: Any, rank: int) -> Any:
    """The op does to the mask what it does to the tensor along one axis."""
    axes = call.axes(x)
    if call["axis"] is None or len(axes) != 1:
        return LOST
    if axes[0] >= rank:
        return KEPT
    arguments = {**call.arguments, "axis": axes[0]}
    del arguments[next(iter(arguments))]
    return lambda mask: call.op(mask, **arguments)


def flipped(call: Call, x: Any, rank: int) -> Any:
    """Axes are reversed: those of the mask as well."""
    fixed = {"fliplr": (1,), "flipud": (0,)}.get(call.op.name)
    axes = tuple(i for i in fixed or call.axes(x) if i < rank)
    return (lambda mask: ops.flip(mask, axes)) if axes else KEPT


def unstacked(call: Call, x: Any, rank: int) -> Any:
    """One axis goes, and every place of it becomes a result."""
    (axis,) = call.axes(x)
    return USED_UP if axis == rank - 1 else same_along(call, x, rank)


def taken(call: Call, x: Any, rank: int) -> Any:
    """Places of `x`; or a vector for each index."""
    indices = call["indices"]
    if x is indices:
        is_first = call["axis"] is None or call.axes(call["x"]) == (0,)
        return KEPT if is_first else LOST
    is_one = (
        np.ndim(indices) == 0 if not hasattr(indices, "shape") else not indices.shape
    )
    if is_one and call["axis"] is not None and call.axes(x) == (rank - 1,):
        return USED_UP
    return same_along(call, x, rank)


def indexed(call: Call, x: Any, rank: int) -> Any:
    """The mask is indexed by the part of the key for its axes."""
    parts = _one_part_an_axis(call["key"], len(x.shape))
    if parts is None:
        return LOST
    count = 0
    key: list[Any] = []
    while count < rank:
        key.append(parts[len(key)])
        count += key[-1] is not None
    rest = parts[len(key) :]
    arrays = [part for part in parts if _is_array(part)]
    if any(_is_array(part) for part in rest) or (arrays and any(map(_is_one, rest))):
        return LOST
    if _is_one(key[-1]):
        return USED_UP
    if all(isinstance(part, slice) and part == slice(None) for part in key):
        return KEPT
    return lambda mask: ops.get_item(mask, tuple(key))


def _one_part_an_axis(key, rank):
    """Return the key with a part for each axis, and None for new ones."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if any(str(getattr(part, "dtype", "")).endswith("bool") for part in parts):
        return None
    parts = [np.array(part) if isinstance(part, list) else part for part in parts]
    missing = rank - sum(part is not None and part is not Ellipsis for part in parts)
    full = [slice(None)] * missing
    at = [i for i, part in enumerate(parts) if part is Ellipsis] or [len(parts)]
    return [*parts[: at[0]], *full, *parts[at[0] + 1 :]]


def _is_array(part):
    return part is not None and not isinstance(part, slice) and not _is_one(part)


def _is_one(part):
    return part is not None and not isinstance(part, slice) and np.shape(part) == ()


def sliced(call: Call, x: Any, rank: int) -> Any:
    """A block of the tensor: the mask's block has its first axes."""
    start, shape = call["start_indices"], call["shape"]
    return lambda mask: ops.slice(mask, start[:rank], shape[:rank])


def tiled(call: Call, x: Any, rank: int) -> Any:
    """The mask is repeated as its axes are."""
    repeats = call["repeats"]
    repeats = (repeats,) if isinstance(repeats, int) else tuple(repeats)
    repeats = (1,) * (len(x.shape) - len(repeats)) + repeats
    if len(repeats) > len(x.shape):
        return LOST
    if all(count == 1 for count in repeats[:rank]):
        return KEPT
    return lambda mask: ops.tile(mask, repeats[:rank])


def padded(call: Call, x: Any, rank: int) -> Any:
    """Padding is masked, unless it repeats elements of the data."""
    width, mode = call["pad_width"], call["mode"]
    widths = np.broadcast_to(np.asarray(width, "int32"), (len(x.shape), 2))[:rank]
    if not widths.any():
        return KEPT

    def pad(mask):
        wide = ops.pad(ops.cast(mask, "int32"), widths.tolist(), mode=mode)
        return ops.cast(wide, "bool")

    return pad


def joined(call: Call, x: Any, rank: int) -> Any:
    """Along an axis of theirs the masks are joined; a tensor without one is valid."""
    if not isinstance(call.first, list | tuple):
        return LOST
    tensors = list(call.first)
    (axis,) = call.axes(call.result)
    if axis >= rank:
        return KEPT
    have = [y for y in tensors if get_keras_mask(y) is not None]
    if any(len(get_keras_mask(y).shape) != rank for y in have):
        return LOST
    if have and x is not have[0]:
        return USED_UP

    def join(_):
        masks = [get_keras_mask(y) for y in tensors]
        full = [
            _everywhere(y, rank) if mask is None else ops.cast(mask, "bool")
            for y, mask in zip(tensors, masks, strict=True)
        ]
        return call.op(full, axis=axis)

    return join


def linear(call: Call, x: Any, rank: int) -> Any:
    """The last axis of `x` is replaced."""
    last = len(x.shape) - 1
    return moved([*range(last), None], rank) if x is call.first else LOST


def matrix_product(call: Call, x: Any, rank: int) -> Any:
    """`x1` keeps its rows, `x2` its columns; both keep what is before."""
    ranks = [len(y.shape) for y in (call["x1"], call["x2"])]
    total, axes = len(call.shape), len(x.shape)
    if axes == 1:
        return USED_UP
    is_first = x is call["x1"]
    batch = 1 if min(ranks) == 1 else 2
    places = [i + total - batch - (axes - 2) for i in range(axes - 2)]
    pair = [total - batch, None] if is_first else [None, total - 1]
    return moved([*places, *pair], rank)


def dot(call: Call, x: Any, rank: int) -> Any:
    """`x1` keeps all axes but the last."""
    axes = len(x.shape)
    if x is call["x1"]:
        return moved([*range(axes - 1), None], rank)
    return USED_UP if max(axes - 2, 0) < rank else LOST


def tensor_product(call: Call, x: Any, rank: int) -> Any:
    """The axes of `x1` that are not summed over come first."""
    axes, axes_of_x = call["axes"], len(x.shape)
    which = 0 if x is call["x1"] else 1
    if isinstance(axes, int):
        summed = range(axes_of_x - axes, axes_of_x) if which == 0 else range(axes)
    else:
        summed = axes[which] if isinstance(axes[which], list | tuple) else [axes[which]]
    summed = {i % axes_of_x for i in summed}
    offset = 0 if which == 0 else len(call.shape) - (axes_of_x - len(summed))
    rest = iter(range(offset, len(call.shape)))
    return moved([None if i in summed else next(rest) for i in range(axes_of_x)], rank)


def summed_by_letters(call: Call, x: Any, rank: int) -> Any:
    """The letters say where axes go; one that is not in the result is summed over."""
    subscripts, operands = call["subscripts"], call["operands"]
    if not isinstance(subscripts, str):
        return LOST
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    if not arrow or "." in subscripts:
        return LOST
    at = next(i for i, y in enumerate(operands) if y is x)
    letters = inputs.split(",")[at]
    return moved([output.index(c) if c in output else None for c in letters], rank)


def attention(call: Call, x: Any, rank: int) -> Any:
    """The queries stay; the values are summed over."""
    if x is call["query"]:
        return KEPT if rank <= 3 else USED_UP
    return KEPT if rank < 2 else USED_UP


def one_hot(call: Call, x: Any, rank: int) -> Any:
    """A new last axis."""
    return KEPT if call["axis"] in (-1, len(x.shape)) else LOST


def quantile(call: Call, x: Any, rank: int) -> Any:
    """A reduction, with an axis in front where there are several `q`."""
    is_single = np.ndim(call["q"]) == 0
    return reduction(call, x, rank) if is_single or x is call["q"] else LOST


def unknown(call: Call, x: Any, rank: int) -> Any:
    """Nothing is known of a user's function."""
    return LOST


# By the shape rule, which says what kind of op it is; others by name below.
_BY_SHAPE = {
    **dict.fromkeys(
        (
            "same",
            "same_float",
            "bool",
            "compare",
            rules.same_number,
            rules.broadcast,
            rules.broadcast_float,
            rules.broadcast_number,
        ),
        elementwise,
    ),
    **dict.fromkeys(
        (
            "reduce",
            "reduce_float",
            "reduce_bool",
            "reduce_int",
            rules.reduce_sum,
        ),
        reduction,
    ),
    rules.created_like: unrelated,
    rules.accumulate: along,
    rules.flat_or_same: along,
}
_BY_NAME = {
    "angle cast clip imag real saturate_cast select where broadcast_to "
    "binary_crossentropy": elementwise,
    "array batch_normalization convert_to_tensor digitize tril triu": of_first,
    "argpartition argsort diff glu layer_normalization log_softmax normalize "
    "normalize_last rms_normalization rms_normalize_last softmax sparsemax "
    "take_along_axis top_k": along,
    "average count_nonzero moments multi_hot norm trapezoid": reduction,
    "categorical_crossentropy sparse_categorical_crossentropy": reduction_of_output,
    "quantile percentile nanquantile nanpercentile": quantile,
    "allclose ndim size": unrelated,
    "transpose moveaxis swapaxes": permuted,
    "expand_dims": expanded,
    "squeeze": squeezed,
    "reshape": reshaped,
    "array_split repeat roll split": same_along,
    "flip fliplr flipud": flipped,
    "unstack": unstacked,
    "take": taken,
    "get_item": indexed,
    "slice": sliced,
    "tile": tiled,
    "pad": padded,
    "concatenate stack": joined,
    "linear": linear,
    "matmul": matrix_product,
    "dot": dot,
    "tensordot": tensor_product,
    "einsum": summed_by_letters,
    "dot_product_attention": attention,
    "one_hot": one_hot,
    "map": unknown,
    # Their results have the shape of an argument, but do not keep its places.
    "scatter_update slice_update": None,
}
_NAMED = {name: rule for names, rule in _BY_NAME.items() for name in names.split()}


def rule_of(op: Any) -> Any:
    """Return the rule of an op, or None."""
    if op.name in _NAMED:
        return _NAMED[op.name]
    return _BY_SHAPE.get(op.rule)
