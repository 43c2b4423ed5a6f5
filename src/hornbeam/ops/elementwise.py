"""Functions of each element: rounding, powers, signs, complex parts."""

from __future__ import annotations

import numpy as np

from hornbeam.core import dtypes
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.arithmetic import divide, multiply, power, to_float
from hornbeam.ops.comparison import equal, isnan
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.declare import composite, primitive
from hornbeam.ops.indexing import where
from hornbeam.ops.transcendental import sin
from hornbeam.typing import Tensor, TensorLike


def _real_spec(a):
    dtype = a["x"].dtype
    names = {"complex64": "float32", "complex128": "float64"}
    return KerasTensor(a["x"].shape, names.get(dtype, dtype))


@primitive("same_float")
def ceil(x: TensorLike) -> Tensor:
    """The smallest integer not below each element, as a float.

    >>> import hornbeam as keras
    >>> float(keras.ops.ceil(1.2))
    2.0
    """


@primitive("same_float")
def floor(x: TensorLike) -> Tensor:
    """The largest integer not above each element, as a float.

    >>> import hornbeam as keras
    >>> float(keras.ops.floor(1.8))
    1.0
    """


@primitive("same_float")
def reciprocal(x: TensorLike) -> Tensor:
    """1 divided by each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.reciprocal(4.0))
    0.25
    """


@primitive("same_float")
def sqrt(x: TensorLike) -> Tensor:
    """The square root of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.sqrt(9.0))
    3.0
    """


@primitive("same")
def absolute(x: TensorLike) -> Tensor:
    """The absolute value of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.absolute(-2.0))
    2.0
    """


@composite(rule="same")
def abs(x: TensorLike) -> Tensor:
    """The absolute value of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.abs(-2.0))
    2.0
    """
    return absolute(x)


@composite(rule="same_float")
def fabs(x: TensorLike) -> Tensor:
    """The absolute value of each element, as a float.

    >>> import hornbeam as keras
    >>> float(keras.ops.fabs(-2))
    2.0
    """
    return absolute(to_float(x))


@composite(rule="same_float")
def cbrt(x: TensorLike) -> Tensor:
    """The cube root of each element.

    >>> import hornbeam as keras
    >>> print(f"{float(keras.ops.cbrt(-8.0)):.4f}")
    -2.0000
    """
    return _cube_root(to_float(x))


@primitive("same")
def negative(x: TensorLike) -> Tensor:
    """Each element with the other sign.

    >>> import hornbeam as keras
    >>> float(keras.ops.negative(2.0))
    -2.0
    """


@primitive("same")
def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1 by the sign of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.sign(-3.0))
    -1.0
    """


@primitive(rules.same_number)
def square(x: TensorLike) -> Tensor:
    """The square of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.square(3.0))
    9.0
    """


@primitive("same")
def trunc(x: TensorLike) -> Tensor:
    """Each element without its fraction.

    >>> import hornbeam as keras
    >>> float(keras.ops.trunc(-1.7))
    -1.0
    """


@primitive("same")
def conj(x: TensorLike) -> Tensor:
    """The complex conjugate of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.conj(2.0))
    2.0
    """


@composite(rule="same")
def conjugate(x: TensorLike) -> Tensor:
    """The complex conjugate of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.conjugate(2.0))
    2.0
    """
    return conj(x)


@primitive(_real_spec)
def real(x: TensorLike) -> Tensor:
    """The real part of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.real(2.0))
    2.0
    """


@primitive(_real_spec)
def imag(x: TensorLike) -> Tensor:
    """The imaginary part of each element; 0 of real numbers.

    >>> import hornbeam as keras
    >>> float(keras.ops.imag(2.0))
    0.0
    """


@primitive()
def angle(x: TensorLike) -> Tensor:
    """The angle in the complex plane: 0 or pi of real numbers.

    >>> import hornbeam as keras
    >>> float(keras.ops.angle(2.0))
    0.0
    """


@composite(rule="same_float")
def deg2rad(x: TensorLike) -> Tensor:
    """Degrees as radians.

    >>> import hornbeam as keras
    >>> print(f"{float(keras.ops.deg2rad(180.0)):.4f}")
    3.1416
    """
    return multiply(to_float(x), np.pi / 180)


@composite(rule="same_float")
def rad2deg(x: TensorLike) -> Tensor:
    """Radians as degrees.

    >>> import hornbeam as keras
    >>> float(keras.ops.rad2deg(0.0))
    0.0
    """
    return multiply(to_float(x), 180 / np.pi)


@composite(rule="same_float")
def sinc(x: TensorLike) -> Tensor:
    """sin(pi x) / (pi x), which is 1 at 0.

    >>> import hornbeam as keras
    >>> float(keras.ops.sinc(0.0))
    1.0
    """
    return _sinc(to_float(x))


@primitive("same")
def copy(x: TensorLike) -> Tensor:
    """A copy of the tensor.

    >>> import hornbeam as keras
    >>> float(keras.ops.copy(2.0))
    2.0
    """


@primitive("same")
def round(x: TensorLike, decimals: int = 0) -> Tensor:
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
def clip(x: TensorLike, x_min: TensorLike, x_max: TensorLike) -> Tensor:
    """Each element, but not below `x_min` and not above `x_max`.

    >>> import hornbeam as keras
    >>> float(keras.ops.clip(5.0, 0.0, 1.0))
    1.0
    """


@composite(rule="same")
def nan_to_num(
    x: TensorLike,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """Replace nan, inf and -inf by numbers.

    Args:
        x: a tensor.
        nan: what replaces nan. Default: 0.
        posinf: what replaces inf; default the largest number of the dtype.
        neginf: what replaces -inf. Default: the smallest number of the dtype.

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
