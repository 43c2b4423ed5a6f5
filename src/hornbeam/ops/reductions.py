"""Reductions over axes, running sums, and their variants that skip nan."""

from __future__ import annotations

from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.arithmetic import subtract
from hornbeam.ops.comparison import not_equal
from hornbeam.ops.core import cast
from hornbeam.ops.declare import composite, primitive, reduced_shape
from hornbeam.ops.elementwise import sqrt
from hornbeam.typing import Axes, DTypeLike, Tensor, TensorLike


def _count_spec(a):
    return KerasTensor(reduced_shape(tuple(a["x"].shape), a["axis"], False), "int32")


@primitive(rules.reduce_sum)
def sum(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The sum of the elements.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.sum([1.0, 2.0]))
    3.0
    """


@primitive("reduce_float")
def mean(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The mean of the elements.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.mean([1.0, 2.0]))
    1.5
    """


@primitive("reduce_float")
def var(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The variance: the mean squared distance from the mean.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.var([1.0, 3.0]))
    1.0
    """


@composite(rule="reduce_float")
def std(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The standard deviation: the root of the variance.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.std([1.0, 3.0]))
    1.0
    """
    return sqrt(var(x, axis, keepdims))


@primitive("reduce")
def max(
    x: TensorLike,
    axis: Axes = None,
    keepdims: bool = False,
    initial: TensorLike | None = None,
) -> Tensor:
    """The largest element.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.
        initial: a value that takes part as well. Default: None.

    >>> import hornbeam as keras
    >>> float(keras.ops.max([1.0, 2.0]))
    2.0
    """


@primitive("reduce")
def min(
    x: TensorLike,
    axis: Axes = None,
    keepdims: bool = False,
    initial: TensorLike | None = None,
) -> Tensor:
    """The smallest element.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.
        initial: a value that takes part as well. Default: None.

    >>> import hornbeam as keras
    >>> float(keras.ops.min([1.0, 2.0]))
    1.0
    """


@composite(rule="reduce")
def amax(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The largest element.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.amax([1.0, 2.0]))
    2.0
    """
    return max(x, axis, keepdims)


@composite(rule="reduce")
def amin(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The smallest element.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.amin([1.0, 2.0]))
    1.0
    """
    return min(x, axis, keepdims)


@composite(rule="reduce")
def ptp(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The distance of the largest and the smallest element.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> float(keras.ops.ptp([1.0, 4.0]))
    3.0
    """
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


@primitive(rules.reduce_sum)
def prod(
    x: TensorLike, axis: Axes = None, keepdims: bool = False, dtype: DTypeLike = None
) -> Tensor:
    """The product of the elements.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.
        dtype: of the result; integers get 32 bits at least.

    >>> import hornbeam as keras
    >>> float(keras.ops.prod([2.0, 3.0]))
    6.0
    """


@primitive("reduce_bool")
def all(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are true.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> bool(keras.ops.all([True, False]))
    False
    """


@primitive("reduce_bool")
def any(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether at least one element is true.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        keepdims: keep the axes with size 1; default False.

    >>> import hornbeam as keras
    >>> bool(keras.ops.any([True, False]))
    True
    """


@primitive("reduce_int")
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the largest element, of the first where there are several.

    Args:
        x: a tensor.
        axis: an axis. Default: None, the flat tensor.
        keepdims: keep the axis with size 1; default False.

    >>> import hornbeam as keras
    >>> int(keras.ops.argmax([1.0, 3.0, 2.0]))
    1
    """


@primitive("reduce_int")
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the smallest element, of the first where there are several.

    Args:
        x: a tensor.
        axis: an axis. Default: None, the flat tensor.
        keepdims: keep the axis with size 1; default False.

    >>> import hornbeam as keras
    >>> int(keras.ops.argmin([1.0, 3.0, 0.0]))
    2
    """


@composite(rule=_count_spec)
def count_nonzero(x: TensorLike, axis: Axes = None) -> Tensor:
    """The number of elements that are not 0.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.

    >>> import hornbeam as keras
    >>> int(keras.ops.count_nonzero([1, 0, 2]))
    2
    """
    return sum(cast(not_equal(x, 0), "int32"), axis)


@primitive(rules.accumulate)
def cumsum(x: TensorLike, axis: int | None = None, dtype: DTypeLike = None) -> Tensor:
    """The running sums along an axis.

    Args:
        x: a tensor.
        axis: the axis. Default: None, the flat tensor.
        dtype: of the result. Default: that of `x`, int32 of booleans.

    >>> import hornbeam as keras
    >>> float(keras.ops.cumsum([1.0, 2.0])[1])
    3.0
    """


@primitive(rules.accumulate)
def cumprod(x: TensorLike, axis: int | None = None, dtype: DTypeLike = None) -> Tensor:
    """The running products along an axis.

    Args:
        x: a tensor.
        axis: the axis. Default: None, the flat tensor.
        dtype: of the result. Default: that of `x`, int32 of booleans.

    >>> import hornbeam as keras
    >>> float(keras.ops.cumprod([2.0, 3.0])[1])
    6.0
    """
