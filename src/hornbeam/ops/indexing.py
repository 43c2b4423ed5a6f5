"""Picking, ordering and finding elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from hornbeam.core import dtypes
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.core import convert_to_tensor
from hornbeam.ops.declare import broadcast_shapes, composite, primitive
from hornbeam.typing import Tensor, TensorLike


def _found_spec(x):
    return tuple(KerasTensor((None,), "int32") for _ in rules.shape_of(x))


def _check_both(x1, x2):
    if (x1 is None) != (x2 is None):
        raise ValueError(
            "where(): arguments `x1` and `x2` either both should be `None`, or both "
            f"be given. Received: x1={x1}, x2={x2}"
        )


def _where_spec(a):
    _check_both(a["x1"], a["x2"])
    if a["x1"] is None:
        return _found_spec(a["condition"])
    shape = rules.shape_of(a["condition"])
    for x in (a["x1"], a["x2"]):
        shape = broadcast_shapes(shape, rules.shape_of(x))
    dtype = dtypes.result_type(*(rules.weak_dtype(a[x]) for x in ("x1", "x2")))
    return KerasTensor(shape, dtype)


@primitive(_where_spec)
def where(
    condition: TensorLike, x1: TensorLike | None = None, x2: TensorLike | None = None
) -> Tensor:
    """Elements of `x1` where `condition` is true, of `x2` elsewhere.

    Without `x1` and `x2`: the indices where `condition` is true, one tensor an axis.

    >>> import hornbeam as keras
    >>> int(keras.ops.where(True, 1, 2))
    1
    """


@primitive(lambda a: _found_spec(a["x"]))
def nonzero(x: TensorLike) -> tuple[Tensor, ...]:
    """The indices of the elements that are not 0, one tensor an axis.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.nonzero([0, 3, 4])[0]]
    [1, 2]
    """


def _take_spec(a):
    x, indices, axis = a["x"], rules.shape_of(a["indices"]), a["axis"]
    if not hasattr(x, "shape"):
        return NotImplemented
    if axis is None:
        return KerasTensor(indices, x.dtype)
    axis %= len(x.shape)
    shape = tuple(x.shape[:axis]) + tuple(indices) + tuple(x.shape[axis + 1 :])
    return KerasTensor(shape, x.dtype)


@primitive(_take_spec)
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Slices of `x` at `indices` along `axis`; of the flat tensor without an axis.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.take(keras.ops.ones((5, 3)), [[0, 1], [2, 3]], axis=0).shape)
    (2, 2, 3)
    """


def _take_along_axis_spec(a):
    x, axis = a["x"], a["axis"]
    if not hasattr(x, "shape"):
        return NotImplemented
    indices = rules.shape_of(a["indices"])
    if axis is None:
        return KerasTensor(indices, x.dtype)
    if len(indices) != len(x.shape):
        raise ValueError(
            "take_along_axis(): `x` and `indices` must have the same rank. "
            f"Received: shapes {tuple(x.shape)} and {indices}"
        )
    axis %= len(x.shape)
    around = [1 if i == axis else d for i, d in enumerate(x.shape)]
    free = [1 if i == axis else d for i, d in enumerate(indices)]
    shape = list(broadcast_shapes(around, free))
    shape[axis] = indices[axis]
    return KerasTensor(shape, x.dtype)


@primitive(_take_along_axis_spec)
def take_along_axis(
    x: TensorLike, indices: TensorLike, axis: int | None = None
) -> Tensor:
    """Elements of `x` at positions along `axis`, as `argsort` and `argmax` give them.

    >>> import hornbeam as keras
    >>> float(keras.ops.take_along_axis([[3.0, 4.0]], [[1]], axis=1)[0, 0])
    4.0
    """


def _get_item_spec(a):
    x, key = a["x"], a["key"]
    key = key if isinstance(key, tuple) else (key,)
    if not all(k is None or k is Ellipsis or type(k) in (int, slice) for k in key):
        return NotImplemented
    shape, taken = tuple(x.shape), sum(type(k) in (int, slice) for k in key)
    if taken > len(shape) or key.count(Ellipsis) > 1:
        raise ValueError(
            f"Too many indices for a tensor of shape {shape}. Received: {key}"
        )
    if Ellipsis not in key:
        key = (*key, Ellipsis)
    result, rest = [], list(shape)
    for k in key:
        if k is None:
            result.append(1)
        elif k is Ellipsis:
            count = len(shape) - taken
            result += rest[:count]
            rest = rest[count:]
        elif isinstance(k, slice):
            result.append(_sliced_size(k, rest.pop(0)))
        else:
            _check_index(k, rest.pop(0), shape)
    return KerasTensor(result, x.dtype)


def _sliced_size(part, size):
    if size is None:
        return None
    return len(range(*part.indices(size)))


def _check_index(index, size, shape):
    if size is not None and not -size <= index < size:
        raise ValueError(
            f"Index {index} is out of bounds for a tensor of shape {shape}."
        )


@primitive(_get_item_spec)
def get_item(x: TensorLike, key: Any) -> Tensor:
    """`x[key]`, with integers, slices, None, an ellipsis or tensors.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.get_item(keras.ops.ones((3, 2)), 0).shape)
    (2,)
    """


@primitive(rules.flat_or_same)
def sort(x: TensorLike, axis: int = -1) -> Tensor:
    """The elements in rising order along `axis` (default: the last).

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.sort([3, 1, 2])]
    [1, 2, 3]
    """


def _positions_spec(a):
    return KerasTensor(rules.flat_or_same(a).shape, "int32")


@primitive(_positions_spec)
def argsort(x: TensorLike, axis: int = -1) -> Tensor:
    """The indices that put the elements in rising order; equal ones keep theirs.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.argsort([3, 1, 2])]
    [1, 2, 0]
    """


def _partition_spec(a):
    if not isinstance(a["kth"], int):
        raise ValueError(
            f"argpartition(): `kth` must be an integer. Received: kth={a['kth']}"
        )
    spec = _positions_spec(a)
    size = spec.shape[a["axis"] or 0]
    if size is not None and not -size <= a["kth"] < size:
        raise ValueError(
            f"argpartition(): `kth` is out of bounds for an axis of size {size}. "
            f"Received: kth={a['kth']}"
        )
    return spec


@primitive(_partition_spec)
def argpartition(x: TensorLike, kth: int, axis: int = -1) -> Tensor:
    """Indices that put the `kth` smallest in its place, and no larger one before it.

    >>> import hornbeam as keras
    >>> int(keras.ops.argpartition([3, 1, 2], 0)[0])
    1
    """


def _digitize_spec(a):
    if len(rules.shape_of(a["bins"])) > 1:
        raise ValueError(
            "digitize(): `bins` must be of rank 1. "
            f"Received: shape={rules.shape_of(a['bins'])}"
        )
    return KerasTensor(rules.shape_of(a["x"]), "int32")


def _searchsorted_spec(a):
    return KerasTensor(rules.shape_of(a["values"]), "int32")


@composite(rule=_digitize_spec)
def digitize(x: TensorLike, bins: TensorLike) -> Tensor:
    """The index of the bin of each element: `bins[i-1] <= x < bins[i]`.

    Args:
        x: a tensor.
        bins: the rising edges, of rank 1.

    >>> import hornbeam as keras
    >>> int(keras.ops.digitize(1.5, [1.0, 2.0]))
    1
    """
    return searchsorted(bins, x, side="right")


def _unique_spec(a):
    x, size, axis = a["x"], a["size"], a["axis"]
    shape, inverse = [size], x.shape
    if axis is not None:
        shape = list(x.shape)
        axis %= len(shape)
        inverse, shape[axis] = (shape[axis],), size
    specs = [KerasTensor(shape, x.dtype)]
    if a["return_index"]:
        specs.append(KerasTensor((size,), "int32"))
    if a["return_inverse"]:
        specs.append(KerasTensor(inverse, "int32"))
    if a["return_counts"]:
        specs.append(KerasTensor((size,), "int32"))
    return specs[0] if len(specs) == 1 else tuple(specs)


@primitive(_unique_spec)
def unique(
    x: TensorLike,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: TensorLike | None = None,
) -> Tensor:
    """The different elements of `x`, in rising order.

    Args:
        x: a tensor.
        sorted: whether the order matters. Default: True.
        return_index: whether to return the first index of each too.
        return_inverse: also the index among the results of each element.
        return_counts: also how often each occurs.
        axis: compare slices along this axis. Default: None, the flat tensor.
        size: cut or fill the result to this size, which compiled code needs.
        fill_value: what fills. Default: the smallest element.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.unique([3, 1, 3])]
    [1, 3]
    """


@composite
def unravel_index(indices: TensorLike, shape: Sequence[int]) -> tuple[Tensor, ...]:
    """Indices into the flat tensor as indices into a tensor of `shape`.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.unravel_index(5, (2, 3))]
    [1, 2]
    """
    from hornbeam.ops.arithmetic import add, floor_divide, mod

    indices = convert_to_tensor(indices)
    size = rules.size_of(shape)
    rest = where(indices < 0, add(indices, size), indices)
    positions: list[Tensor] = []
    for length in reversed(shape):
        positions.append(mod(rest, length))
        rest = floor_divide(rest, length)
    return tuple(reversed(positions))


@composite
def select(
    condlist: Sequence[TensorLike],
    choicelist: Sequence[TensorLike],
    default: TensorLike = 0,
) -> Tensor:
    """Elements of the first choice whose condition is true, else `default`.

    Args:
        condlist: a list of boolean tensors.
        choicelist: a list of tensors, one per condition.
        default: the value where no condition is true. Default: 0.

    >>> import hornbeam as keras
    >>> float(keras.ops.select([False, True], [1.0, 2.0]))
    2.0
    """
    if len(condlist) != len(choicelist):
        raise ValueError(
            "select() needs as many conditions as choices. Received: "
            f"{len(condlist)} conditions and {len(choicelist)} choices"
        )
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result


@primitive(_searchsorted_spec)
def searchsorted(
    sorted_sequence: TensorLike,
    values: TensorLike,
    side: Literal["left", "right"] = "left",
) -> Tensor:
    """The index at which each value would go into a sorted row.

    Args:
        sorted_sequence: a rising tensor of rank 1.
        values: a tensor.
        side: "left" (default) goes before equal elements, "right" behind them.

    >>> import hornbeam as keras
    >>> int(keras.ops.searchsorted([1, 2, 3], 2))
    1
    """
