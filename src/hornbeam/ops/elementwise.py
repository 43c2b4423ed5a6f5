"""Functions of each element: arithmetic, powers, logarithms, angles."""

from __future__ import annotations

import numpy as np

from hornbeam.core import dtypes
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.comparison import equal, isnan, less
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.declare import composite, primitive
from hornbeam.ops.indexing import where
from hornbeam.ops.transcendental import exp2, sin


def to_float(x):
    """Return `x` as a tensor of floats: integers and booleans become floatx."""
    x = convert_to_tensor(x)
    if dtypes.is_inexact_dtype(x.dtype):
        return x
    return cast(x, dtypes.result_type(dtypes.standardize_dtype(x.dtype), float))


def as_result_type(*xs, least=()):
    """Return the operands as tensors of their common dtype."""
    dtype = dtypes.result_type(*[rules.weak_dtype(x) for x in xs], *least)
    return [convert_to_tensor(x, dtype) for x in xs]


def _real_spec(a):
    dtype = a["x"].dtype
    names = {"complex64": "float32", "complex128": "float64"}
    return KerasTensor(a["x"].shape, names.get(dtype, dtype))


@primitive("same_float")
def ceil(x):
    """The smallest whole number that is not below each element, as a float.

    >>> import hornbeam as keras
    >>> float(keras.ops.ceil(1.2))
    2.0
    """


@primitive("same_float")
def floor(x):
    """The largest whole number that is not above each element, as a float.

    >>> import hornbeam as keras
    >>> float(keras.ops.floor(1.8))
    1.0
    """


@primitive("same_float")
def reciprocal(x):
    """1 divided by each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.reciprocal(4.0))
    0.25
    """


@primitive("same_float")
def sqrt(x):
    """The square root of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.sqrt(9.0))
    3.0
    """


@primitive("same")
def absolute(x):
    """The absolute value of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.absolute(-2.0))
    2.0
    """


@composite(rule="same")
def abs(x):
    """The absolute value of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.abs(-2.0))
    2.0
    """
    return absolute(x)


@composite(rule="same_float")
def fabs(x):
    """The absolute value of each element, as a float.

    >>> import hornbeam as keras
    >>> float(keras.ops.fabs(-2))
    2.0
    """
    return absolute(to_float(x))


@composite(rule="same_float")
def cbrt(x):
    """The cube root of each element.

    >>> import hornbeam as keras
    >>> print(f"{float(keras.ops.cbrt(-8.0)):.4f}")
    -2.0000
    """
    return _cube_root(to_float(x))


@primitive("same")
def negative(x):
    """Each element with the other sign.

    >>> import hornbeam as keras
    >>> float(keras.ops.negative(2.0))
    -2.0
    """


@primitive("same")
def sign(x):
    """-1, 0 or 1 by the sign of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.sign(-3.0))
    -1.0
    """


@primitive(rules.same_number)
def square(x):
    """The square of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.square(3.0))
    9.0
    """


@primitive("same")
def trunc(x):
    """Each element without its fraction.

    >>> import hornbeam as keras
    >>> float(keras.ops.trunc(-1.7))
    -1.0
    """


@primitive("same")
def conj(x):
    """The complex conjugate of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.conj(2.0))
    2.0
    """


@composite(rule="same")
def conjugate(x):
    """The complex conjugate of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.conjugate(2.0))
    2.0
    """
    return conj(x)


@primitive(_real_spec)
def real(x):
    """The real part of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.real(2.0))
    2.0
    """


@primitive(_real_spec)
def imag(x):
    """The imaginary part of each element; 0 of real numbers.

    >>> import hornbeam as keras
    >>> float(keras.ops.imag(2.0))
    0.0
    """


@primitive()
def angle(x):
    """The angle in the complex plane: 0 or pi of real numbers.

    >>> import hornbeam as keras
    >>> float(keras.ops.angle(2.0))
    0.0
    """


@composite(rule="same_float")
def deg2rad(x):
    """Degrees as radians.

    >>> import hornbeam as keras
    >>> print(f"{float(keras.ops.deg2rad(180.0)):.4f}")
    3.1416
    """
    return multiply(to_float(x), np.pi / 180)


@composite(rule="same_float")
def rad2deg(x):
    """Radians as degrees.

    >>> import hornbeam as keras
    >>> float(keras.ops.rad2deg(0.0))
    0.0
    """
    return multiply(to_float(x), 180 / np.pi)


@composite(rule="same_float")
def sinc(x):
    """sin(pi x) / (pi x), which is 1 at 0.

    >>> import hornbeam as keras
    >>> float(keras.ops.sinc(0.0))
    1.0
    """
    return _sinc(to_float(x))


@primitive("same")
def copy(x):
    """A copy of the tensor.

    >>> import hornbeam as keras
    >>> float(keras.ops.copy(2.0))
    2.0
    """


@primitive(rules.broadcast)
def add(x1, x2):
    """The sums of the elements; sizes of 1 stretch to fit.

    >>> import hornbeam as keras
    >>> float(keras.ops.add(1.0, 2.0))
    3.0
    """


@primitive(rules.broadcast)
def subtract(x1, x2):
    """The differences of the elements.

    >>> import hornbeam as keras
    >>> float(keras.ops.subtract(3.0, 2.0))
    1.0
    """


@primitive(rules.broadcast)
def multiply(x1, x2):
    """The products of the elements.

    >>> import hornbeam as keras
    >>> float(keras.ops.multiply(3.0, 2.0))
    6.0
    """


@primitive(rules.broadcast_float)
def divide(x1, x2):
    """The quotients of the elements, as floats.

    >>> import hornbeam as keras
    >>> float(keras.ops.divide(3, 2))
    1.5
    """


@composite(rule=rules.broadcast_float)
def true_divide(x1, x2):
    """The quotients of the elements, as floats.

    >>> import hornbeam as keras
    >>> float(keras.ops.true_divide(3, 2))
    1.5
    """
    return divide(x1, x2)


@composite(rule=rules.broadcast_float)
def divide_no_nan(x1, x2):
    """The quotients of the elements, 0 where the divisor is 0.

    >>> import hornbeam as keras
    >>> float(keras.ops.divide_no_nan(3.0, 0.0))
    0.0
    """
    return _divide_no_nan(x1, x2)


@primitive(rules.broadcast_number)
def floor_divide(x1, x2):
    """The largest whole number not above each quotient.

    >>> import hornbeam as keras
    >>> float(keras.ops.floor_divide(7, 2))
    3.0
    """


@primitive(rules.broadcast_number)
def mod(x1, x2):
    """The remainder of a division, with the sign of the divisor.

    >>> import hornbeam as keras
    >>> float(keras.ops.mod(-7, 3))
    2.0
    """


@primitive(rules.broadcast_number)
def fmod(x1, x2):
    """The remainder of a division, with the sign of the dividend.

    >>> import hornbeam as keras
    >>> float(keras.ops.fmod(-7, 3))
    -1.0
    """


@primitive(rules.broadcast_number)
def power(x1, x2):
    """`x1` to the power of `x2`.

    >>> import hornbeam as keras
    >>> float(keras.ops.power(2.0, 3.0))
    8.0
    """


@primitive(rules.broadcast)
def maximum(x1, x2):
    """The larger of two elements; nan if one is nan.

    >>> import hornbeam as keras
    >>> float(keras.ops.maximum(2.0, 3.0))
    3.0
    """


@primitive(rules.broadcast)
def minimum(x1, x2):
    """The smaller of two elements; nan if one is nan.

    >>> import hornbeam as keras
    >>> float(keras.ops.minimum(2.0, 3.0))
    2.0
    """


@composite(rule=rules.broadcast)
def fmax(x1, x2):
    """The larger of two elements; the other one if one is nan.

    >>> import hornbeam as keras
    >>> float(keras.ops.fmax(2.0, float("nan")))
    2.0
    """
    return _ignoring_nan(maximum, x1, x2)


@composite(rule=rules.broadcast)
def fmin(x1, x2):
    """The smaller of two elements; the other one if one is nan.

    >>> import hornbeam as keras
    >>> float(keras.ops.fmin(2.0, float("nan")))
    2.0
    """
    return _ignoring_nan(minimum, x1, x2)


@primitive(rules.broadcast_float)
def arctan2(x1, x2):
    """The angle of the point (x2, x1), in (-pi, pi].

    >>> import hornbeam as keras
    >>> float(keras.ops.arctan2(0.0, 1.0))
    0.0
    """


@primitive(rules.broadcast_float)
def hypot(x1, x2):
    """sqrt(x1^2 + x2^2), without overflow.

    >>> import hornbeam as keras
    >>> float(keras.ops.hypot(3.0, 4.0))
    5.0
    """


@primitive(rules.broadcast_float)
def logaddexp(x1, x2):
    """log(exp(x1) + exp(x2)), without overflow.

    >>> import hornbeam as keras
    >>> float(keras.ops.logaddexp(0.0, -1000.0))
    0.0
    """


@composite(rule=rules.broadcast_float)
def logaddexp2(x1, x2):
    """log2(2^x1 + 2^x2), without overflow.

    >>> import hornbeam as keras
    >>> float(keras.ops.logaddexp2(1.0, 1.0))
    2.0
    """
    return _logaddexp2(x1, x2)


@primitive(rules.broadcast_float)
def nextafter(x1, x2):
    """The next number that a float can hold from `x1` towards `x2`.

    >>> import hornbeam as keras
    >>> bool(keras.ops.nextafter(1.0, 2.0) > 1)
    True
    """


@composite(rule=rules.broadcast_float)
def heaviside(x1, x2):
    """0 below 0, 1 above 0, and `x2` at 0.

    >>> import hornbeam as keras
    >>> float(keras.ops.heaviside(0.0, 0.5))
    0.5
    """
    return _heaviside(x1, x2)


@composite(rule=rules.broadcast_float)
def ldexp(x1, x2):
    """`x1` times 2 to the power of the integers `x2`.

    >>> import hornbeam as keras
    >>> float(keras.ops.ldexp(3.0, 2))
    12.0
    """
    return _ldexp(x1, x2)


@primitive(rules.broadcast)
def gcd(x1, x2):
    """The greatest common divisor of two integers.

    >>> import hornbeam as keras
    >>> float(keras.ops.gcd(12, 18))
    6.0
    """


@primitive(rules.broadcast)
def lcm(x1, x2):
    """The least common multiple of two integers.

    >>> import hornbeam as keras
    >>> float(keras.ops.lcm(4, 6))
    12.0
    """


@primitive("same")
def round(x, decimals=0):
    """Each element rounded to `decimals` places (default 0); halves go to even.

    >>> import hornbeam as keras
    >>> float(keras.ops.round(2.5))
    2.0
    """


def _clip_spec(a):
    bounds = [rules.weak_dtype(b) for b in (a["x_min"], a["x_max"]) if b is not None]
    shape = rules.shape_of(a["x"])
    for bound in (a["x_min"], a["x_max"]):
        shape = rules.broadcast_shapes(shape, rules.shape_of(bound))
    dtype = dtypes.result_type(rules.weak_dtype(a["x"]), *bounds)
    return KerasTensor(shape, rules.number(dtype))


@primitive(_clip_spec)
def clip(x, x_min, x_max):
    """Each element, but not below `x_min` and not above `x_max`.

    >>> import hornbeam as keras
    >>> float(keras.ops.clip(5.0, 0.0, 1.0))
    1.0
    """


@composite(rule="same")
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """Replace nan, inf and -inf by numbers.

    Args:
        x: a tensor.
        nan: what replaces nan; default 0.
        posinf: what replaces inf; default the largest number of the dtype.
        neginf: what replaces -inf; default the smallest number of the dtype.

    >>> import hornbeam as keras
    >>> float(keras.ops.nan_to_num(float("nan"), nan=7.0))
    7.0
    """
    x = convert_to_tensor(x)
    dtype = dtypes.standardize_dtype(x.dtype)
    if not dtypes.is_inexact_dtype(dtype):
        return x
    import ml_dtypes

    limits = ml_dtypes.finfo(dtype)
    x_no_nan = where(isnan(x), cast(nan, dtype), x)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    inf = float("inf")
    y = where(equal(x, inf), cast(high, dtype), x_no_nan)
    return where(equal(x, -inf), cast(low, dtype), y)


def _cube_root(x):
    return multiply(sign(x), power(absolute(x), 1 / 3))


def _sinc(x):
    at_zero = equal(x, 0)
    angle = multiply(where(at_zero, cast(1, x.dtype), x), np.pi)
    return where(at_zero, cast(1, x.dtype), divide(sin(angle), angle))


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
