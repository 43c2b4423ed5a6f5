"""Shape and dtype rules of several ops, in addition to those of `declare`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hornbeam import backends
from hornbeam.core import dtypes
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.axes import shape_of
from hornbeam.ops.declare import broadcast_shapes, reduced_shape


def weak_dtype(x: Any) -> Any:
    """Return the dtype name of `x`, or its type where it is a Python number."""
    if hasattr(x, "dtype"):
        return dtypes.standardize_dtype(x.dtype)
    if isinstance(x, bool | int | float):
        return type(x)
    return backends.current().dtype_of(x)


def plane(owner: str, shape: Sequence[Any], axis1: int, axis2: int) -> tuple[int, int]:
    """Return the two different axes of a plane, counted from the front."""
    first, second = (i % len(shape) for i in (axis1, axis2))
    if first == second:
        raise ValueError(
            f"{owner}(): `axis1` and `axis2` must differ. "
            f"Received: axis1={axis1}, axis2={axis2}, shape={tuple(shape)}"
        )
    return first, second


def first_two(arguments: dict[str, Any]) -> tuple[Any, Any]:
    """Return the operands of a binary op."""
    values = iter(arguments.values())
    return next(values), next(values)


def _broadcast(arguments, dtype_of_two):
    x1, x2 = first_two(arguments)
    shape = broadcast_shapes(shape_of(x1), shape_of(x2))
    return KerasTensor(shape, dtype_of_two(weak_dtype(x1), weak_dtype(x2)))


def broadcast(arguments: dict[str, Any]) -> KerasTensor:
    """Broadcast; the common dtype."""
    return _broadcast(arguments, dtypes.result_type)


def broadcast_float(arguments: dict[str, Any]) -> KerasTensor:
    """Broadcast; the common dtype, a float."""
    return _broadcast(arguments, lambda a, b: dtypes.result_type(a, b, float))


def broadcast_number(arguments: dict[str, Any]) -> KerasTensor:
    """Broadcast; the common dtype, int32 of booleans."""
    return _broadcast(arguments, lambda a, b: number(dtypes.result_type(a, b)))


def number(dtype: str) -> str:
    """Return "int32" for "bool", else `dtype`."""
    return "int32" if dtype == "bool" else dtype


def summed(dtype: str) -> str:
    """Return the dtype of a sum: integers of fewer than 32 bits get 32."""
    if dtype in ("bool", "int8", "int16"):
        return "int32"
    return "uint32" if dtype in ("uint8", "uint16") else dtype


def same_number(arguments: dict[str, Any]) -> KerasTensor:
    """The shape of the first argument; int32 of booleans."""
    x = next(iter(arguments.values()))
    return KerasTensor(x.shape, number(x.dtype))


def reduce_sum(arguments: dict[str, Any]) -> KerasTensor:
    """Reduce; the dtype of a sum."""
    x = next(iter(arguments.values()))
    shape = reduced_shape(
        tuple(x.shape), arguments.get("axis"), arguments.get("keepdims", False)
    )
    return KerasTensor(shape, arguments.get("dtype") or summed(x.dtype))


def accumulate(arguments: dict[str, Any]) -> KerasTensor:
    """The shape of `x`, flat without an axis; `dtype`, or int32 for booleans."""
    x = flat_or_same(arguments)
    return KerasTensor(x.shape, arguments["dtype"] or number(x.dtype))


def flat_or_same(arguments: dict[str, Any]) -> KerasTensor:
    """The shape and dtype of `x`, flat if `axis` is None."""
    x = arguments["x"]
    if arguments["axis"] is None:
        return KerasTensor((size_of(x.shape),), x.dtype)
    return KerasTensor(x.shape, x.dtype)


def may_be_equal(m: Any, n: Any) -> bool:
    """Whether two sizes, or two shapes, can be equal: None is any size."""
    if isinstance(m, list | tuple):
        return len(m) == len(n) and all(map(may_be_equal, m, n))
    return None in (m, n) or m == n


def size_of(shape: Iterable[Any]) -> Any:
    """Return the number of elements; None if a size is unknown."""
    size = 1
    for d in shape:
        if d is None:
            return None
        size *= d
    return size


def created(arguments: dict[str, Any]) -> KerasTensor:
    """The arguments `shape` and `dtype`."""
    return KerasTensor(arguments["shape"], dtypes.standardize_dtype(arguments["dtype"]))


def created_like(arguments: dict[str, Any]) -> KerasTensor:
    """The shape of `x`; the argument `dtype`, else the dtype of `x`."""
    x = arguments["x"]
    return KerasTensor(x.shape, arguments["dtype"] or x.dtype)
