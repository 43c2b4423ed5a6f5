"""Reductions that leave out nan."""

from __future__ import annotations

from hornbeam.core import dtypes
from hornbeam.ops import rules
from hornbeam.ops.arithmetic import divide, subtract, to_float
from hornbeam.ops.comparison import isnan, logical_not
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.declare import composite
from hornbeam.ops.elementwise import sqrt, square
from hornbeam.ops.indexing import where
from hornbeam.ops.reductions import (
    all,
    argmax,
    argmin,
    cumprod,
    cumsum,
    max,
    min,
    prod,
    sum,
)
from hornbeam.typing import Axes, DTypeLike, Tensor, TensorLike


@composite(rule=rules.accumulate)
def nancumsum(
    x: TensorLike, axis: int | None = None, dtype: DTypeLike = None
) -> Tensor:
    """The running sums along an axis, without nan.

    Args:
        x: a tensor.
        axis: the axis. Default: None, the flat tensor.
        dtype: of the result. Default: that of `x`, int32 of booleans.

    >>> import hornbeam as keras
    >>> float(keras.ops.nancumsum([1.0, float("nan")])[1])
    1.0
    """
    return cumsum(_filled(x, 0), axis, dtype)


@composite(rule=rules.accumulate)
def nancumprod(
    x: TensorLike, axis: int | None = None, dtype: DTypeLike = None
) -> Tensor:
    """The running products along an axis, without nan.

    Args:
        x: a tensor.
        axis: the axis. Default: None, the flat tensor.
        dtype: of the result. Default: that of `x`, int32 of booleans.

    >>> import hornbeam as keras
    >>> float(keras.ops.nancumprod([2.0, float("nan")])[1])
    2.0
    """
    return cumprod(_filled(x, 1), axis, dtype)


@composite(rule=rules.reduce_sum)
def nansum(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The sum of the elements that are not nan.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.nansum([1.0, 3.0, float("nan")]))
    4.0
    """
    return sum(_filled(x, 0), axis, keepdims)


@composite(rule=rules.reduce_sum)
def nanprod(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The product of the elements that are not nan.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanprod([1.0, 3.0, float("nan")]))
    3.0
    """
    return prod(_filled(x, 1), axis, keepdims)


@composite(rule="reduce_float")
def nanmean(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The mean of the elements that are not nan.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanmean([1.0, 3.0, float("nan")]))
    2.0
    """
    return divide(
        nansum(to_float(x), axis, keepdims), _count(to_float(x), axis, keepdims)
    )


@composite(rule="reduce_float")
def nanvar(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The variance of the elements that are not nan.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanvar([1.0, 3.0, float("nan")]))
    1.0
    """
    x = to_float(x)
    return nanmean(square(subtract(x, nanmean(x, axis, True))), axis, keepdims)


@composite(rule="reduce_float")
def nanstd(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The standard deviation of the elements that are not nan.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanstd([1.0, 3.0, float("nan")]))
    1.0
    """
    return sqrt(nanvar(x, axis, keepdims))


@composite(rule="reduce")
def nanmax(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The largest element that is not nan; nan if there is none.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanmax([1.0, 3.0, float("nan")]))
    3.0
    """
    return _nan_extreme(max, -float("inf"), x, axis, keepdims)


@composite(rule="reduce")
def nanmin(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The smallest element that is not nan; nan if there is none.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanmin([1.0, 3.0, float("nan")]))
    1.0
    """
    return _nan_extreme(min, float("inf"), x, axis, keepdims)


@composite(rule="reduce_int")
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the largest element that is not nan; -1 if there is none.

    Args:
        x: a tensor.
        axis: an axis. Default: None, the flat tensor.
        keepdims: keep the axis with size 1; default False.

    >>> import hornbeam as keras
    >>> int(keras.ops.nanargmax([1.0, 3.0, float("nan")]))
    1
    """
    return _nan_position(argmax, -float("inf"), x, axis, keepdims)


@composite(rule="reduce_int")
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the smallest element that is not nan; -1 if there is none.

    Args:
        x: a tensor.
        axis: an axis. Default: None, the flat tensor.
        keepdims: keep the axis with size 1; default False.

    >>> import hornbeam as keras
    >>> int(keras.ops.nanargmin([1.0, 3.0, float("nan")]))
    0
    """
    return _nan_position(argmin, float("inf"), x, axis, keepdims)


def _filled(x, value):
    """`x` with `value` in place of nan."""
    x = convert_to_tensor(x)
    if not dtypes.is_inexact_dtype(x.dtype):
        return x
    return where(isnan(x), cast(value, x.dtype), x)


def _count(x, axis, keepdims):
    return sum(cast(logical_not(isnan(x)), x.dtype), axis, keepdims)


def _nan_extreme(reduce, neutral, x, axis, keepdims):
    x = convert_to_tensor(x)
    if not dtypes.is_inexact_dtype(x.dtype):
        return reduce(x, axis, keepdims)
    result = reduce(_filled(x, neutral), axis, keepdims)
    return where(all(isnan(x), axis, keepdims), cast(float("nan"), x.dtype), result)


def _nan_position(find, neutral, x, axis, keepdims):
    x = convert_to_tensor(x)
    if not dtypes.is_inexact_dtype(x.dtype):
        return find(x, axis, keepdims)
    position = find(_filled(x, neutral), axis, keepdims)
    return where(all(isnan(x), axis, keepdims), cast(-1, "int32"), position)
