"""New tensors: constants, ranges, windows, diagonals."""

from __future__ import annotations

import operator

import numpy as np

from hornbeam.core import dtypes
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.arithmetic import (
    add,
    as_result_type,
    divide,
    multiply,
    power,
    subtract,
)
from hornbeam.ops.core import cast, convert_to_tensor, shape
from hornbeam.ops.declare import composite, primitive
from hornbeam.ops.elementwise import sign
from hornbeam.ops.shaping import expand_dims, moveaxis, reshape
from hornbeam.ops.transcendental import log10
from hornbeam.typing import DTypeLike, ShapeLike, Tensor, TensorLike


@primitive(rules.created)
def zeros(shape: int | ShapeLike, dtype: DTypeLike = None) -> Tensor:
    """A tensor of zeros; `dtype` is `floatx()` by default.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.zeros((2, 3)).shape)
    (2, 3)
    """


@primitive(rules.created)
def ones(shape: int | ShapeLike, dtype: DTypeLike = None) -> Tensor:
    """A tensor of ones; `dtype` is `floatx()` by default.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.ones((2, 3)).shape)
    (2, 3)
    """


@composite(rule=rules.created)
def empty(shape: int | ShapeLike, dtype: DTypeLike = None) -> Tensor:
    """A tensor whose values do not matter: zeros.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.empty((2, 3)).shape)
    (2, 3)
    """
    return zeros(shape, dtype)


@primitive(rules.created)
def full(
    shape: int | ShapeLike, fill_value: TensorLike, dtype: DTypeLike = None
) -> Tensor:
    """A tensor of `fill_value`; `dtype` is `floatx()` by default.

    >>> import hornbeam as keras
    >>> float(keras.ops.full((2, 3), 7.0)[0, 0])
    7.0
    """


def _dtype_like(x, dtype):
    return dtype or dtypes.standardize_dtype(x.dtype)


@composite(rule=rules.created_like)
def zeros_like(x: TensorLike, dtype: DTypeLike = None) -> Tensor:
    """Zeros in the shape, and by default the dtype, of `x`.

    >>> import hornbeam as keras
    >>> int(keras.ops.zeros_like([1, 2])[0])
    0
    """
    x = convert_to_tensor(x)
    return zeros(shape(x), _dtype_like(x, dtype))


@composite(rule=rules.created_like)
def ones_like(x: TensorLike, dtype: DTypeLike = None) -> Tensor:
    """Ones in the shape, and by default the dtype, of `x`.

    >>> import hornbeam as keras
    >>> int(keras.ops.ones_like([1, 2])[0])
    1
    """
    x = convert_to_tensor(x)
    return ones(shape(x), _dtype_like(x, dtype))


@composite(rule=rules.created_like)
def empty_like(x: TensorLike, dtype: DTypeLike = None) -> Tensor:
    """A tensor in the shape of `x` whose values do not matter.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.empty_like([1, 2]).shape)
    (2,)
    """
    return zeros_like(x, dtype)


@composite(rule=rules.created_like)
def full_like(x: TensorLike, fill_value: TensorLike, dtype: DTypeLike = None) -> Tensor:
    """`fill_value` in the shape, and by default the dtype, of `x`.

    >>> import hornbeam as keras
    >>> int(keras.ops.full_like([1, 2], 7)[0])
    7
    """
    x = convert_to_tensor(x)
    return full(shape(x), fill_value, _dtype_like(x, dtype))


@composite
def array(x: TensorLike, dtype: DTypeLike = None) -> Tensor:
    """`x` as a tensor.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.array([1, 2]).shape)
    (2,)
    """
    return convert_to_tensor(x, dtype)


@primitive()
def arange(
    start: TensorLike,
    stop: TensorLike | None = None,
    step: TensorLike | None = None,
    dtype: DTypeLike = None,
) -> Tensor:
    """The numbers from `start` (default 0) up to but without `stop`.

    Args:
        start: the first number; the end, if it is the only argument.
        stop: the end.
        step: the distance. Default: 1.
        dtype: the dtype. Default: "int32" of integers, `floatx()` of floats.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.arange(3)]
    [0, 1, 2]
    """


def _spaced_shape(a):
    shape = list(rules.broadcast_shapes(*map(rules.shape_of, (a["start"], a["stop"]))))
    shape.insert(a["axis"] % (len(shape) + 1), a["num"])
    return shape


def _spaced_dtype(a):
    kinds = (rules.weak_dtype(a["start"]), rules.weak_dtype(a["stop"]))
    return a["dtype"] or dtypes.result_type(*kinds, float)


def _linspace_spec(a):
    spaced = KerasTensor(_spaced_shape(a), _spaced_dtype(a))
    if not a.get("retstep"):
        return spaced
    shape = rules.broadcast_shapes(*map(rules.shape_of, (a["start"], a["stop"])))
    return spaced, KerasTensor(shape, spaced.dtype)


@composite(rule=_linspace_spec)
def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike = None,
    axis: int = 0,
) -> Tensor:
    """`num` numbers at equal distances.

    Args:
        start: the first number or tensor.
        stop: the end.
        num: how many. Default: 50.
        endpoint: whether `stop` is the last one; default True.
        retstep: also return the distance. Default: False.
        dtype: the dtype. Default: a float.
        axis: where the new axis goes. Default: 0.

    >>> import hornbeam as keras
    >>> [float(x) for x in keras.ops.linspace(0, 1, 3)]
    [0.0, 0.5, 1.0]
    """
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"linspace(): `num` cannot be negative. Received: num={num}")
    start, stop = as_result_type(start, stop, least=(float,))
    gaps = num - 1 if endpoint else num
    width = subtract(stop, start)
    step = divide(width, gaps) if gaps > 0 else multiply(width, float("nan"))
    rank = max(len(start.shape), len(stop.shape))
    fractions = np.arange(num).reshape((num,) + (1,) * rank) / max(gaps, 1)
    places = convert_to_tensor(fractions, start.dtype)
    # Both ends are exact, and errors of the step do not add up.
    from_start = add(multiply(start, subtract(1, places)), multiply(stop, places))
    result = from_start if axis == 0 else moveaxis(from_start, 0, axis)
    if dtype is not None and dtypes.is_int_dtype(dtype):
        from hornbeam.ops.elementwise import floor

        result = floor(result)
    result = cast(result, dtype or start.dtype)
    return (result, step) if retstep else result


@composite(rule=_linspace_spec)
def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    base: TensorLike = 10,
    dtype: DTypeLike = None,
    axis: int = 0,
) -> Tensor:
    """`base` to the power of `num` numbers at equal distances.

    Args:
        start: the first exponent.
        stop: the last exponent.
        num: how many. Default: 50.
        endpoint: whether `stop` counts; default True.
        base: the base of the powers. Default: 10.
        dtype: the dtype. Default: a float.
        axis: where the new axis goes. Default: 0.

    >>> import hornbeam as keras
    >>> [round(float(x)) for x in keras.ops.logspace(0, 2, 3)]
    [1, 10, 100]
    """
    exponents = linspace(start, stop, num, endpoint=endpoint, axis=axis)
    result = power(cast(base, exponents.dtype), exponents)
    return result if dtype is None else cast(result, dtype)


@composite(rule=_linspace_spec)
def geomspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike = None,
    axis: int = 0,
) -> Tensor:
    """`num` numbers at equal ratios.

    Args:
        start: the first number.
        stop: the last number.
        num: how many. Default: 50.
        endpoint: whether `stop` counts; default True.
        dtype: the dtype. Default: a float.
        axis: where the new axis goes. Default: 0.

    >>> import hornbeam as keras
    >>> [round(float(x)) for x in keras.ops.geomspace(1, 100, 3)]
    [1, 10, 100]
    """
    start, stop = as_result_type(start, stop, least=(float,))
    side = sign(start)
    ends = (log10(multiply(side, start)), log10(multiply(side, stop)))
    result = logspace(*ends, num, endpoint=endpoint, axis=axis)
    if len(side.shape):
        side = expand_dims(side, axis)
    result = multiply(side, result)
    return result if dtype is None else cast(result, dtype)


def _matrix_spec(a):
    rows = operator.index(a["N"])
    columns = rows if a["M"] is None else operator.index(a["M"])
    return KerasTensor((rows, columns), dtypes.standardize_dtype(a["dtype"]))


@primitive(_matrix_spec)
def eye(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike = None) -> Tensor:
    """A matrix with ones on the `k`th diagonal and zeros elsewhere.

    Args:
        N: number of rows.
        M: number of columns. Default: `N`.
        k: 0 (default) is the main diagonal, 1 the one above it.
        dtype: the dtype. Default: `floatx()`.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.eye(2, 3).shape)
    (2, 3)
    """


@composite(rule=lambda a: _matrix_spec({"N": a["n"], "M": None, **a}))
def identity(n: int, dtype: DTypeLike = None) -> Tensor:
    """The square matrix with ones on the diagonal.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.identity(3).shape)
    (3, 3)
    """
    return eye(n, dtype=dtype)


@primitive(_matrix_spec)
def tri(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike = None) -> Tensor:
    """A matrix with ones on and below the `k`th diagonal.

    >>> import hornbeam as keras
    >>> float(keras.ops.tri(3)[2, 0])
    1.0
    """


@primitive("same")
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """`x` with zeros above the `k`th diagonal of its last two axes.

    >>> import hornbeam as keras
    >>> float(keras.ops.tril(keras.ops.ones((2, 2)))[0, 1])
    0.0
    """


@primitive("same")
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """`x` with zeros below the `k`th diagonal of its last two axes.

    >>> import hornbeam as keras
    >>> float(keras.ops.triu(keras.ops.ones((2, 2)))[1, 0])
    0.0
    """


def _diag_spec(a):
    x, k = a["x"], a["k"]
    if len(x.shape) == 1:
        size = None if x.shape[0] is None else x.shape[0] + abs(k)
        return KerasTensor((size, size), x.dtype)
    if len(x.shape) == 2:
        return KerasTensor((_diagonal_length(x.shape, k),), x.dtype)
    raise ValueError(f"diag() needs rank 1 or 2. Received: shape={tuple(x.shape)}")


def _diagonal_length(sizes, offset):
    rows, columns = sizes
    if rows is None or columns is None:
        return None
    free = min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns)
    return max(free, 0)


@primitive(_diag_spec)
def diag(x: TensorLike, k: int = 0) -> Tensor:
    """The `k`th diagonal of a matrix, or a matrix with `x` on that diagonal.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.diag([1, 2]).shape)
    (2, 2)
    """


def _diagonal_spec(a):
    shape = list(a["x"].shape)
    if len(shape) < 2:
        raise ValueError(
            f"diagonal() needs rank 2 or more. Received: shape={tuple(shape)}"
        )
    axes = rules.plane("diagonal", shape, a["axis1"], a["axis2"])
    kept = [d for i, d in enumerate(shape) if i not in axes]
    length = _diagonal_length([shape[i] for i in axes], a["offset"])
    return KerasTensor([*kept, length], a["x"].dtype)


@primitive(_diagonal_spec)
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonals of the planes of two axes, along a new last axis.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.diagonal(keras.ops.ones((3, 3))).shape)
    (3,)
    """


def _vander_spec(a):
    x, n = a["x"], a["N"]
    return KerasTensor((x.shape[0], x.shape[0] if n is None else n), x.dtype)


@composite(rule=_vander_spec)
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of each element, one row per element (Vandermonde matrix).

    Args:
        x: a tensor of rank 1.
        N: number of powers. Default: the length of `x`.
        increasing: whether the power 0 comes first; default False.

    >>> import hornbeam as keras
    >>> [int(i) for i in keras.ops.vander([2], 3)[0]]
    [4, 2, 1]
    """
    x = convert_to_tensor(x)
    exponents = np.arange(x.shape[0] if N is None else N)
    exponents = exponents if increasing else exponents[::-1].copy()
    return power(reshape(x, (-1, 1)), convert_to_tensor(exponents, x.dtype))


@primitive()
def view(x: TensorLike, dtype: DTypeLike = None) -> Tensor:
    """The bytes of `x` read as another dtype.

    >>> import hornbeam as keras
    >>> tuple(keras.ops.view(keras.ops.ones((2,), "float32"), "int32").shape)
    (2,)
    """
