"""Exponentials, logarithms, trigonometric functions of each element."""

from __future__ import annotations

from hornbeam.ops.declare import primitive
from hornbeam.typing import Tensor, TensorLike


@primitive("same_float")
def arccos(x: TensorLike) -> Tensor:
    """The inverse cosine of each element, in [0, pi].

    >>> import hornbeam as keras
    >>> float(keras.ops.arccos(1.0))
    0.0
    """


@primitive("same_float")
def arccosh(x: TensorLike) -> Tensor:
    """The inverse hyperbolic cosine of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.arccosh(1.0))
    0.0
    """


@primitive("same_float")
def arcsin(x: TensorLike) -> Tensor:
    """The inverse sine of each element, in [-pi/2, pi/2].

    >>> import hornbeam as keras
    >>> float(keras.ops.arcsin(0.0))
    0.0
    """


@primitive("same_float")
def arcsinh(x: TensorLike) -> Tensor:
    """The inverse hyperbolic sine of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.arcsinh(0.0))
    0.0
    """


@primitive("same_float")
def arctan(x: TensorLike) -> Tensor:
    """The inverse tangent of each element, in (-pi/2, pi/2).

    >>> import hornbeam as keras
    >>> float(keras.ops.arctan(0.0))
    0.0
    """


@primitive("same_float")
def arctanh(x: TensorLike) -> Tensor:
    """The inverse hyperbolic tangent of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.arctanh(0.0))
    0.0
    """


@primitive("same_float")
def cos(x: TensorLike) -> Tensor:
    """The cosine of each element, in radians.

    >>> import hornbeam as keras
    >>> float(keras.ops.cos(0.0))
    1.0
    """


@primitive("same_float")
def cosh(x: TensorLike) -> Tensor:
    """The hyperbolic cosine of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.cosh(0.0))
    1.0
    """


@primitive("same_float")
def exp(x: TensorLike) -> Tensor:
    """e to the power of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.exp(0.0))
    1.0
    """


@primitive("same_float")
def exp2(x: TensorLike) -> Tensor:
    """2 to the power of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.exp2(3.0))
    8.0
    """


@primitive("same_float")
def expm1(x: TensorLike) -> Tensor:
    """e to the power of each element, minus 1; exact near 0.

    >>> import hornbeam as keras
    >>> float(keras.ops.expm1(0.0))
    0.0
    """


@primitive("same_float")
def i0(x: TensorLike) -> Tensor:
    """The modified Bessel function of the first kind and order 0.

    >>> import hornbeam as keras
    >>> round(float(keras.ops.i0(0.0)), 4)
    1.0
    """


@primitive("same_float")
def log(x: TensorLike) -> Tensor:
    """The natural logarithm of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.log(1.0))
    0.0
    """


@primitive("same_float")
def log10(x: TensorLike) -> Tensor:
    """The logarithm to the base 10 of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.log10(1.0))
    0.0
    """


@primitive("same_float")
def log1p(x: TensorLike) -> Tensor:
    """The natural logarithm of 1 plus each element; exact near 0.

    >>> import hornbeam as keras
    >>> float(keras.ops.log1p(0.0))
    0.0
    """


@primitive("same_float")
def log2(x: TensorLike) -> Tensor:
    """The logarithm to the base 2 of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.log2(8.0))
    3.0
    """


@primitive("same_float")
def sin(x: TensorLike) -> Tensor:
    """The sine of each element, in radians.

    >>> import hornbeam as keras
    >>> float(keras.ops.sin(0.0))
    0.0
    """


@primitive("same_float")
def sinh(x: TensorLike) -> Tensor:
    """The hyperbolic sine of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.sinh(0.0))
    0.0
    """


@primitive("same_float")
def tan(x: TensorLike) -> Tensor:
    """The tangent of each element, in radians.

    >>> import hornbeam as keras
    >>> float(keras.ops.tan(0.0))
    0.0
    """


@primitive("same_float")
def tanh(x: TensorLike) -> Tensor:
    """The hyperbolic tangent of each element.

    >>> import hornbeam as keras
    >>> float(keras.ops.tanh(0.0))
    0.0
    """
