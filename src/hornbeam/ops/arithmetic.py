"""Arithmetic of two operands, and conversion to a common dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core import dtypes
from hornbeam.ops import rules
from hornbeam.ops.comparison import equal, isnan, less
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.declare import composite, primitive
from hornbeam.ops.indexing import where
from hornbeam.ops.transcendental import exp2
from hornbeam.typing import Tensor, TensorLike


def to_float(x: TensorLike) -> Tensor:
    """Return `x` as a tensor of floats: integers and booleans become floatx."""
    x = convert_to_tensor(x)
    if dtypes.is_inexact_dtype(x.dtype):
        return x
    return cast(x, dtypes.result_type(dtypes.standardize_dtype(x.dtype), float))


def as_result_type(*xs: TensorLike, least: tuple[Any, ...] = ()) -> list[Tensor]:
    """Return the operands as tensors of their common dtype."""
    dtype = dtypes.result_type(*[rules.weak_dtype(x) for x in xs], *least)
    return [convert_to_tensor(x, dtype) for x in xs]


@primitive(rules.broadcast)
def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sums of the elements; sizes of 1 stretch to fit.

    >>> import hornbeam as keras
    >>> float(keras.ops.add(1.0, 2.0))
    3.0
    """


@primitive(rules.broadcast)
def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The differences of the elements.

    >>> import hornbeam as keras
    >>> float(keras.ops.subtract(3.0, 2.0))
    1.0
    """


@primitive(rules.broadcast)
def multiply(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The products of the elements.

    >>> import hornbeam as keras
    >>> float(keras.ops.multiply(3.0, 2.0))
    6.0
    """


@primitive(rules.broadcast_float)
def divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The quotients of the elements, as floats.

    >>> import hornbeam as keras
    >>> float(keras.ops.divide(3, 2))
    1.5
    """


@composite(rule=rules.broadcast_float)
def true_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The quotients of the elements, as floats.

    >>> import hornbeam as keras
    >>> float(keras.ops.true_divide(3, 2))
    1.5
    """
    return divide(x1, x2)


@composite(rule=rules.broadcast_float)
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The quotients of the elements, 0 where the divisor is 0.

    >>> import hornbeam as keras
    >>> float(keras.ops.divide_no_nan(3.0, 0.0))
    0.0
    """
    return _divide_no_nan(x1, x2)


@primitive(rules.broadcast_number)
def floor_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The largest integer not above each quotient.

    >>> import hornbeam as keras
    >>> float(keras.ops.floor_divide(7, 2))
    3.0
    """


@primitive(rules.broadcast_number)
def mod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The remainder of a division, with the sign of the divisor.

    >>> import hornbeam as keras
    >>> float(keras.ops.mod(-7, 3))
    2.0
    """


@primitive(rules.broadcast_number)
def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The remainder of a division, with the sign of the dividend.

    >>> import hornbeam as keras
    >>> float(keras.ops.fmod(-7, 3))
    -1.0
    """


@primitive(rules.broadcast_number)
def power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1` to the power of `x2`.

    >>> import hornbeam as keras
    >>> float(keras.ops.power(2.0, 3.0))
    8.0
    """


@primitive(rules.broadcast)
def maximum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of two elements; nan if one is nan.

    >>> import hornbeam as keras
    >>> float(keras.ops.maximum(2.0, 3.0))
    3.0
    """


@primitive(rules.broadcast)
def minimum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of two elements; nan if one is nan.

    >>> import hornbeam as keras
    >>> float(keras.ops.minimum(2.0, 3.0))
    2.0
    """


@composite(rule=rules.broadcast)
def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of two elements; the other one if one is nan.

    >>> import hornbeam as keras
    >>> float(keras.ops.fmax(2.0, float("nan")))
    2.0
    """
    return _ignoring_nan(maximum, x1, x2)


@composite(rule=rules.broadcast)
def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of two elements; the other one if one is nan.

    >>> import hornbeam as keras
    >>> float(keras.ops.fmin(2.0, float("nan")))
    2.0
    """
    return _ignoring_nan(minimum, x1, x2)


@primitive(rules.broadcast_float)
def arctan2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The angle of the point (x2, x1), in (-pi, pi].

    >>> import hornbeam as keras
    >>> float(keras.ops.arctan2(0.0, 1.0))
    0.0
    """


@primitive(rules.broadcast_float)
def hypot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """sqrt(x1^2 + x2^2), without overflow.

    >>> import hornbeam as keras
    >>> float(keras.ops.hypot(3.0, 4.0))
    5.0
    """


@primitive(rules.broadcast_float)
def logaddexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """log(exp(x1) + exp(x2)), without overflow.

    >>> import hornbeam as keras
    >>> float(keras.ops.logaddexp(0.0, -1000.0))
    0.0
    """


@composite(rule=rules.broadcast_float)
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """log2(2^x1 + 2^x2), without overflow.

    >>> import hornbeam as keras
    >>> float(keras.ops.logaddexp2(1.0, 1.0))
    2.0
    """
    return _logaddexp2(x1, x2)


@primitive(rules.broadcast_float)
def nextafter(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The next number that a float can hold from `x1` towards `x2`.

    >>> import hornbeam as keras
    >>> float(keras.ops.nextafter(1.0, 2.0))
    1.0000001192092896
    """


@composite(rule=rules.broadcast_float)
def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """0 below 0, 1 above 0, and `x2` at 0.

    >>> import hornbeam as keras
    >>> float(keras.ops.heaviside(0.0, 0.5))
    0.5
    """
    return _heaviside(x1, x2)


@composite(rule=rules.broadcast_float)
def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1` times 2 to the power of the integers `x2`.

    >>> import hornbeam as keras
    >>> float(keras.ops.ldexp(3.0, 2))
    12.0
    """
    return _ldexp(x1, x2)


@primitive(rules.broadcast)
def gcd(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The greatest common divisor of two integers.

    >>> import hornbeam as keras
    >>> float(keras.ops.gcd(12, 18))
    6.0
    """


@primitive(rules.broadcast)
def lcm(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The least common multiple of two integers.

    >>> import hornbeam as keras
    >>> float(keras.ops.lcm(4, 6))
    12.0
    """


def _divide_no_nan(x1, x2):
    x1, x2 = as_result_type(x1, x2, least=(float,))
    zero = equal(x2, 0)
    # The divisor is safe before the division, so that the gradient is finite.
    safe = where(zero, cast(1, x2.dtype), x2)
    return where(zero, cast(0, x2.dtype), divide(x1, safe))


def _ignoring_nan(choose, x1, x2):
    x1, x2 = as_result_type(x1, x2)
    return where(isnan(x1), x2, where(isnan(x2), x1, choose(x1, x2)))


def _logaddexp2(x1, x2):
    x1, x2 = as_result_type(x1, x2, least=(float,))
    log_2 = float(np.log(2))
    return divide(logaddexp(multiply(x1, log_2), multiply(x2, log_2)), log_2)


def _heaviside(x1, x2):
    x1, x2 = as_result_type(x1, x2, least=(float,))
    step = where(less(x1, 0), cast(0, x1.dtype), cast(1, x1.dtype))
    return where(equal(x1, 0), x2, where(isnan(x1), x1, step))


def _ldexp(x1, x2):
    if not dtypes.is_int_dtype(convert_to_tensor(x2).dtype):
        raise TypeError(
            f"ldexp() takes integers as `x2`. Received: x2 of {rules.weak_dtype(x2)}"
        )
    (x1,) = as_result_type(x1, least=(float,))
    return multiply(x1, exp2(cast(x2, x1.dtype)))
