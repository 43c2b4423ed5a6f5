"""Averages, quantiles, histograms, differences."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Collection
from typing import Any, Literal, TypeAlias, get_args

from hornbeam.core import dtypes
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.arithmetic import (
    add,
    as_result_type,
    divide,
    maximum,
    minimum,
    multiply,
    subtract,
    to_float,
)
from hornbeam.ops.axes import several
from hornbeam.ops.comparison import (
    isnan,
    logical_not,
    not_equal,
)
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.creation import diagonal
from hornbeam.ops.declare import composite, reduced_shape
from hornbeam.ops.elementwise import ceil, clip, conj, floor, imag, round, sqrt
from hornbeam.ops.indexing import sort, take, take_along_axis, where
from hornbeam.ops.joining import stack
from hornbeam.ops.products import matmul
from hornbeam.ops.reductions import any, mean, sum
from hornbeam.ops.shaping import (
    broadcast_to,
    expand_dims,
    moveaxis,
    pad,
    ravel,
    reshape,
    transpose,
)
from hornbeam.ops.vectorized import Vectorized
from hornbeam.typing import Axes, Tensor, TensorLike

QuantileMethod: TypeAlias = Literal["linear", "lower", "higher", "midpoint", "nearest"]
METHODS = get_args(QuantileMethod)


def _average_spec(a):
    x, weights = a["x"], a["weights"]
    if weights is not None:
        _check_weights(rules.shape_of(x), rules.shape_of(weights), a["axis"])
    kinds = [rules.weak_dtype(v) for v in (x, weights) if v is not None]
    shape = reduced_shape(rules.shape_of(x), a["axis"], False)
    return KerasTensor(shape, dtypes.result_type(*kinds, float))


def _check_weights(shape, weights, axis):
    if len(shape) != len(weights) and (axis is None or len(weights) != 1):
        raise ValueError(
            "average(): `weights` must have the shape of `x`, or be of rank 1 along "
            f"`axis`. Received: shapes {shape} and {weights}, axis={axis}"
        )


@composite(rule=_average_spec)
def average(
    x: TensorLike, axis: Axes = None, weights: TensorLike | None = None
) -> Tensor:
    """The mean, in which each element counts by its weight.

    Args:
        x: a tensor.
        axis: an axis or several. Default: None, all.
        weights: a tensor of the shape of `x`, or of rank 1 along `axis`.

    >>> import hornbeam as keras
    >>> float(keras.ops.average([1.0, 3.0], weights=[3.0, 1.0]))
    1.5
    """
    if weights is None:
        return mean(to_float(x), axis)
    x, weights = as_result_type(x, weights, least=(float,))
    _check_weights(tuple(x.shape), tuple(weights.shape), axis)
    if len(weights.shape) != len(x.shape):
        around = [1] * len(x.shape)
        (along,) = several(axis)
        around[along] = -1
        weights = broadcast_to(reshape(weights, around), x.shape)
    return divide(sum(multiply(x, weights), axis), sum(weights, axis))


def _quantile_spec(a, q=None):
    x, q = a["x"], rules.shape_of(a["q"])
    shape = reduced_shape(rules.shape_of(x), a["axis"], a["keepdims"])
    return KerasTensor((*q, *shape), dtypes.result_type(rules.weak_dtype(x), float))


@composite(rule=_quantile_spec)
def quantile(
    x: TensorLike,
    q: TensorLike,
    axis: Axes = None,
    method: QuantileMethod = "linear",
    keepdims: bool = False,
) -> Tensor:
    """The value below which a fraction `q` of the elements lies.

    Args:
        x: a tensor.
        q: a fraction in [0, 1], or a tensor of them, whose axes come first.
        axis: an axis or several. Default: None, all.
        method: between two elements: "linear" (default), "lower", "higher",
            "midpoint" or "nearest".
        keepdims: keep the axes with size 1. Default: False.

    >>> import hornbeam as keras
    >>> float(keras.ops.quantile([1.0, 2.0, 3.0], 0.5))
    2.0
    """
    check_choice("quantile()", "method", method, METHODS)
    x = to_float(x)
    row, kept = _in_one_row(x, axis)
    ordered = sort(row, -1)
    # Nan is sorted last, and a row that contains it gives nan.
    spoiled = any(isnan(row), -1)
    result = _at_fraction(ordered, to_float(q), row.shape[-1] - 1, method, x.dtype)
    result = where(spoiled, cast(float("nan"), x.dtype), result)
    if keepdims:
        result = reshape(result, (*rules.shape_of(q), *kept))
    return result


def _in_one_row(x, axis):
    """`x` with the axes to reduce joined as the last; its shape with sizes of 1."""
    rank = len(x.shape)
    if axis is None:
        axes = list(range(rank))
    else:
        axes = [range(rank)[i] for i in several(axis)]
    others = [i for i in range(rank) if i not in axes]
    kept = [1 if i in axes else d for i, d in enumerate(x.shape)]
    moved = transpose(x, [*others, *axes])
    size = math.prod(x.shape[i] for i in axes)
    row = reshape(moved, (*(x.shape[i] for i in others), size))
    if size == 0:
        # Without elements the quantile is nan.
        row = pad(row, [*[(0, 0)] * len(others), (0, 1)], constant_values=math.nan)
    return row, kept


def _at_fraction(ordered, q, last, method, dtype):
    """The elements at the places `q * last` of sorted rows; the axes of q first."""
    place = multiply(cast(q, "float64" if dtype == "float64" else "float32"), last)
    below, above = floor(place), ceil(place)
    if method == "nearest":
        below = above = round(place)
    if method == "lower":
        above = below
    if method == "higher":
        below = above

    def pick(position):
        index = cast(clip(position, 0, last), "int32")
        # The axes of q are the last ones; they go to the front.
        picked = take(ordered, ravel(index), axis=-1)
        picked = moveaxis(picked, -1, 0)
        return reshape(picked, (*q.shape, *ordered.shape[:-1]))

    low, high = pick(below), pick(above)
    if method in ("lower", "higher", "nearest"):
        return low
    weight = 0.5 if method == "midpoint" else cast(subtract(place, below), dtype)
    if method == "linear" and len(q.shape):
        weight = reshape(weight, (*q.shape, *(1,) * (len(ordered.shape) - 1)))
    return _between(low, high, weight)


def _between(low, high, weight):
    """low + weight (high - low), also where both are the same infinity."""
    step = where(low == high, cast(0, low.dtype), subtract(high, low))
    return add(low, multiply(step, weight))


@composite(rule=_quantile_spec)
def percentile(
    x: TensorLike,
    q: TensorLike,
    axis: Axes = None,
    method: QuantileMethod = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Like `quantile`, with `q` in percent.

    >>> import hornbeam as keras
    >>> float(keras.ops.percentile([1.0, 2.0, 3.0], 50))
    2.0
    """
    return quantile(x, divide(q, 100), axis, method, keepdims)


@composite(rule="reduce_float")
def median(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The value in the middle; of two, their mean.

    >>> import hornbeam as keras
    >>> float(keras.ops.median([3.0, 1.0, 2.0]))
    2.0
    """
    return quantile(x, 0.5, axis, keepdims=keepdims)


@composite(rule=_quantile_spec)
def nanquantile(
    x: TensorLike,
    q: TensorLike,
    axis: Axes = None,
    method: QuantileMethod = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Like `quantile`, of the elements that are not nan.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanquantile([1.0, 3.0, float("nan")], 0.5))
    2.0
    """
    check_choice("nanquantile()", "method", method, METHODS)
    x, q = to_float(x), to_float(q)
    row, kept = _in_one_row(x, axis)
    ordered = sort(row, -1)
    count = sum(cast(logical_not(isnan(row)), "int32"), -1)
    last = cast(maximum(subtract(count, 1), 0), "float32")
    results = [
        _at_own_fraction(ordered, take(ravel(q), i), last, method)
        for i in range(math.prod(q.shape))
    ]
    result = reshape(stack(results), (*q.shape, *ordered.shape[:-1]))
    result = where(count == 0, cast(float("nan"), x.dtype), result)
    return reshape(result, (*q.shape, *kept)) if keepdims else result


def _at_own_fraction(ordered, q, last, method):
    """The elements at the places `q * last`, where each row has its own `last`."""
    place = multiply(cast(q, "float32"), last)
    below, above = floor(place), ceil(place)
    if method == "nearest":
        below = above = round(place)

    def pick(position):
        index = expand_dims(cast(position, "int32"), -1)
        return take_along_axis(ordered, index, axis=-1)[..., 0]

    if method == "higher":
        return pick(above)
    low, high = pick(below), pick(above)
    if method in ("lower", "nearest"):
        return low
    weight = 0.5 if method == "midpoint" else cast(subtract(place, below), low.dtype)
    return _between(low, high, weight)


@composite(rule=_quantile_spec)
def nanpercentile(
    x: TensorLike,
    q: TensorLike,
    axis: Axes = None,
    method: QuantileMethod = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Like `percentile`, of the elements that are not nan.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanpercentile([1.0, 3.0, float("nan")], 50))
    2.0
    """
    return nanquantile(x, divide(q, 100), axis, method, keepdims)


@composite(rule="reduce_float")
def nanmedian(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Like `median`, of the elements that are not nan.

    >>> import hornbeam as keras
    >>> float(keras.ops.nanmedian([1.0, 3.0, float("nan")]))
    2.0
    """
    return nanquantile(x, 0.5, axis, keepdims=keepdims)


def _diff_spec(a):
    shape = list(a["a"].shape)
    axis = a["axis"]
    _check_times(a["n"])
    if shape[axis] is not None:
        shape[axis] = builtins.max(shape[axis] - a["n"], 0)
    return KerasTensor(shape, a["a"].dtype)


def _check_times(n):
    if n < 0:
        raise ValueError(f"diff(): `n` must not be negative. Received: n={n}")


@composite(rule=_diff_spec)
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Tensor:
    """The differences of neighbours, `n` times over.

    Args:
        a: a tensor.
        n: how many times. Default: 1.
        axis: the axis. Default: -1.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.diff([1, 4, 9])]
    [3, 5]
    """
    a = convert_to_tensor(a)
    _check_times(n)
    if n == 0:
        return a
    lead = (slice(None),) * range(len(a.shape))[axis]
    combine = not_equal if dtypes.is_bool_dtype(a.dtype) else subtract
    return diff(combine(a[(*lead, slice(1, None))], a[(*lead, slice(-1))]), n - 1, axis)


def _corrcoef_spec(a):
    x = a["x"]
    dtype = dtypes.result_type(x.dtype, float)
    shape = (x.shape[0],) * 2 if len(x.shape) == 2 else ()
    return KerasTensor(shape, dtype)


@composite(rule=_corrcoef_spec)
def corrcoef(x: TensorLike) -> Tensor:
    """The correlation of each row with each (Pearson): between -1 and 1.

    >>> import hornbeam as keras
    >>> print(f"{float(keras.ops.corrcoef([[1.0, 2.0], [2.0, 1.0]])[0, 1]):.4f}")
    -1.0000
    """
    x = to_float(x)
    rows = x if len(x.shape) == 2 else reshape(x, (1, -1))
    centred = subtract(rows, mean(rows, axis=-1, keepdims=True))
    covariance = matmul(centred, transpose(conj(centred)))
    scale = sqrt(diagonal(covariance))
    result = divide(covariance, multiply(expand_dims(scale, 1), expand_dims(scale, 0)))
    result = maximum(minimum(result, 1), -1)
    return result if len(x.shape) == 2 else reshape(result, ())


def _trace_spec(a):
    shape = a["x"].shape
    axes = rules.plane("trace", shape, a["axis1"], a["axis2"])
    kept = [d for i, d in enumerate(shape) if i not in axes]
    return KerasTensor(kept, rules.summed(a["x"].dtype))


@composite(rule=_trace_spec)
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum along a diagonal of the planes of two axes.

    >>> import hornbeam as keras
    >>> float(keras.ops.trace([[1.0, 2.0], [3.0, 4.0]]))
    5.0
    """
    return sum(diagonal(x, offset, axis1, axis2), -1)


@composite
def trapezoid(
    y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1
) -> Tensor:
    """The area under a curve, by trapezoids.

    Args:
        y: the heights.
        x: their positions. Default: None, `dx` apart.
        dx: the distance; default 1.
        axis: the axis. Default: -1.

    >>> import hornbeam as keras
    >>> float(keras.ops.trapezoid([1.0, 2.0, 3.0]))
    4.0
    """
    y = to_float(y)
    if x is not None:
        x = to_float(x)
        dx = diff(x, axis=0 if len(x.shape) == 1 else axis)
        if len(dx.shape) == 1:
            around = [1] * len(y.shape)
            around[axis] = -1
            dx = reshape(dx, around)
    lead = (slice(None),) * range(len(y.shape))[axis]
    pairs = add(y[(*lead, slice(1, None))], y[(*lead, slice(-1))])
    return sum(multiply(divide(pairs, 2), dx), axis)


@composite(rule=lambda a: KerasTensor((), "int32"))
def size(x: TensorLike) -> Tensor:
    """The number of elements.

    >>> import hornbeam as keras
    >>> keras.ops.size([[1, 2], [3, 4]])
    4
    """
    return rules.size_of(rules.shape_of(x))


def ndim(x: TensorLike) -> int:
    """The number of axes.

    >>> import hornbeam as keras
    >>> keras.ops.ndim([[1, 2], [3, 4]])
    2
    """
    return len(rules.shape_of(x))


@composite(rule="bool")
def isreal(x: TensorLike) -> Tensor:
    """Whether an element has no imaginary part.

    >>> import hornbeam as keras
    >>> bool(keras.ops.isreal(1.0))
    True
    """
    return logical_not(imag(x))


def vectorize(
    pyfunc: Callable[..., Any],
    *,
    excluded: Collection[int | str] | None = None,
    signature: str | None = None,
) -> Callable[..., Any]:
    """Turn a function of single elements into one of tensors.

    Args:
        pyfunc: the function.
        excluded: positions or names of arguments that are passed as they are.
        signature: the axes that `pyfunc` takes itself, for example "(n),(n)->()".

    >>> import hornbeam as keras
    >>> twice = keras.ops.vectorize(lambda x: 2 * x)
    >>> [float(x) for x in twice(keras.ops.ones(2))]
    [2.0, 2.0]
    """
    if not callable(pyfunc):
        raise ValueError(
            f"vectorize(): `pyfunc` must be callable. Received: pyfunc={pyfunc!r}"
        )
    return Vectorized(pyfunc, frozenset(excluded or ()), signature)
