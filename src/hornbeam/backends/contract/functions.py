"""Functions of each element, reductions, products, segments.

Each takes tensors of the engine, NumPy arrays, Python numbers and lists; integers
become floats and operands are promoted as `core.dtypes.result_type` says.
"""

from __future__ import annotations

from typing import Any


def absolute(x: Any) -> Any:
    """The absolute value of each element."""


def add(x1: Any, x2: Any) -> Any:
    """The sums of the elements; sizes of 1 stretch to fit."""


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all elements are true."""


def angle(x: Any) -> Any:
    """The angle in the complex plane: 0 or pi of real numbers."""


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether at least one element is true."""


def arccos(x: Any) -> Any:
    """The inverse cosine of each element, in [0, pi]."""


def arccosh(x: Any) -> Any:
    """The inverse hyperbolic cosine of each element."""


def arcsin(x: Any) -> Any:
    """The inverse sine of each element, in [-pi/2, pi/2]."""


def arcsinh(x: Any) -> Any:
    """The inverse hyperbolic sine of each element."""


def arctan(x: Any) -> Any:
    """The inverse tangent of each element, in (-pi/2, pi/2)."""


def arctan2(x1: Any, x2: Any) -> Any:
    """The angle of the point (x2, x1), in (-pi, pi]."""


def arctanh(x: Any) -> Any:
    """The inverse hyperbolic tangent of each element."""


def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The index of the largest element, of the first where there are several."""


def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The index of the smallest element, of the first where there are several."""


def bitwise_and(x: Any, y: Any) -> Any:
    """The bits that both integers have."""


def bitwise_not(x: Any) -> Any:
    """Every bit turned over."""


def bitwise_or(x: Any, y: Any) -> Any:
    """The bits that at least one of two integers has."""


def bitwise_xor(x: Any, y: Any) -> Any:
    """The bits that exactly one of two integers has."""


def ceil(x: Any) -> Any:
    """The smallest whole number that is not below each element, as a float."""


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Each element, but not below `x_min` and not above `x_max`."""


def conj(x: Any) -> Any:
    """The complex conjugate of each element."""


def copy(x: Any) -> Any:
    """A copy of the tensor."""


def cos(x: Any) -> Any:
    """The cosine of each element, in radians."""


def cosh(x: Any) -> Any:
    """The hyperbolic cosine of each element."""


def cumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """The running products along an axis."""


def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """The running sums along an axis."""


def divide(x1: Any, x2: Any) -> Any:
    """The quotients of the elements, as floats."""


def dot(x1: Any, x2: Any) -> Any:
    """The sum over the last axis of `x1` and the last but one (or only) of `x2`."""


def einsum(subscripts: Any, *operands: Any, **kwargs: Any) -> Any:
    """The sum of products that Einstein's notation describes."""


def equal(x1: Any, x2: Any) -> Any:
    """Whether two elements are equal."""


def erf(x: Any) -> Any:
    """The error function: 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""


def erfc(x: Any) -> Any:
    """1 minus the error function, exact for large elements."""


def erfinv(x: Any) -> Any:
    """The inverse of the error function."""


def exp(x: Any) -> Any:
    """e to the power of each element."""


def exp2(x: Any) -> Any:
    """2 to the power of each element."""


def expm1(x: Any) -> Any:
    """e to the power of each element, minus 1; exact near 0."""


def floor(x: Any) -> Any:
    """The largest whole number that is not above each element, as a float."""


def floor_divide(x1: Any, x2: Any) -> Any:
    """The largest whole number not above each quotient."""


def fmod(x1: Any, x2: Any) -> Any:
    """The remainder of a division, with the sign of the dividend."""


def gcd(x1: Any, x2: Any) -> Any:
    """The greatest common divisor of two integers."""


def greater(x1: Any, x2: Any) -> Any:
    """Whether `x1` is above `x2`."""


def greater_equal(x1: Any, x2: Any) -> Any:
    """Whether `x1` is not below `x2`."""


def hypot(x1: Any, x2: Any) -> Any:
    """sqrt(x1^2 + x2^2), without overflow."""


def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind and order 0."""


def imag(x: Any) -> Any:
    """The imaginary part of each element; 0 of real numbers."""


def isfinite(x: Any) -> Any:
    """Whether an element is neither infinite nor nan."""


def isinf(x: Any) -> Any:
    """Whether an element is infinite."""


def isnan(x: Any) -> Any:
    """Whether an element is nan."""


def lcm(x1: Any, x2: Any) -> Any:
    """The least common multiple of two integers."""


def left_shift(x: Any, y: Any) -> Any:
    """`x` with its bits moved up by `y` places."""


def less(x1: Any, x2: Any) -> Any:
    """Whether `x1` is below `x2`."""


def less_equal(x1: Any, x2: Any) -> Any:
    """Whether `x1` is not above `x2`."""


def log(x: Any) -> Any:
    """The natural logarithm of each element."""


def log10(x: Any) -> Any:
    """The logarithm to the base 10 of each element."""


def log1p(x: Any) -> Any:
    """The natural logarithm of 1 plus each element; exact near 0."""


def log2(x: Any) -> Any:
    """The logarithm to the base 2 of each element."""


def logaddexp(x1: Any, x2: Any) -> Any:
    """log(exp(x1) + exp(x2)), without overflow."""


def logical_and(x1: Any, x2: Any) -> Any:
    """Whether both elements are true."""


def logical_not(x: Any) -> Any:
    """Whether an element is false."""


def logical_or(x1: Any, x2: Any) -> Any:
    """Whether at least one of two elements is true."""


def logical_xor(x1: Any, x2: Any) -> Any:
    """Whether exactly one of two elements is true."""


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))), without overflow."""


def matmul(x1: Any, x2: Any) -> Any:
    """The product of matrices, over all leading axes."""


def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The largest element."""


def maximum(x1: Any, x2: Any) -> Any:
    """The larger of two elements; nan if one is nan."""


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of the elements."""


def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The smallest element."""


def minimum(x1: Any, x2: Any) -> Any:
    """The smaller of two elements; nan if one is nan."""


def mod(x1: Any, x2: Any) -> Any:
    """The remainder of a division, with the sign of the divisor."""


def multiply(x1: Any, x2: Any) -> Any:
    """The products of the elements."""


def negative(x: Any) -> Any:
    """Each element with the other sign."""


def nextafter(x1: Any, x2: Any) -> Any:
    """The next number that a float can hold from `x1` towards `x2`."""


def not_equal(x1: Any, x2: Any) -> Any:
    """Whether two elements differ."""


def power(x1: Any, x2: Any) -> Any:
    """`x1` to the power of `x2`."""


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The product of the elements."""


def real(x: Any) -> Any:
    """The real part of each element."""


def reciprocal(x: Any) -> Any:
    """1 divided by each element."""


def right_shift(x: Any, y: Any) -> Any:
    """`x` with its bits moved down by `y` places."""


def round(x: Any, decimals: Any = 0) -> Any:
    """Each element rounded to `decimals` places (default 0); halves go to even."""


def rsqrt(x: Any) -> Any:
    """1 divided by the square root of each element."""


def segment_max(
    data: Any, segment_ids: Any, num_segments: Any = None, sorted: Any = False
) -> Any:
    """The largest elements of slices along axis 0 that have the same id."""


def segment_min(
    data: Any, segment_ids: Any, num_segments: Any = None, sorted: Any = False
) -> Any:
    """The smallest elements of slices along axis 0 that have the same id."""


def segment_prod(
    data: Any, segment_ids: Any, num_segments: Any = None, sorted: Any = False
) -> Any:
    """The products of slices along axis 0 that have the same id."""


def segment_sum(
    data: Any, segment_ids: Any, num_segments: Any = None, sorted: Any = False
) -> Any:
    """The sums of slices along axis 0 that have the same id."""


def sign(x: Any) -> Any:
    """-1, 0 or 1 by the sign of each element."""


def signbit(x: Any) -> Any:
    """Whether an element has the minus sign."""


def sin(x: Any) -> Any:
    """The sine of each element, in radians."""


def sinh(x: Any) -> Any:
    """The hyperbolic sine of each element."""


def sqrt(x: Any) -> Any:
    """The square root of each element."""


def square(x: Any) -> Any:
    """The square of each element."""


def subtract(x1: Any, x2: Any) -> Any:
    """The differences of the elements."""


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of the elements."""


def tan(x: Any) -> Any:
    """The tangent of each element, in radians."""


def tanh(x: Any) -> Any:
    """The hyperbolic tangent of each element."""


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """The sum over pairs of axes."""


def trunc(x: Any) -> Any:
    """Each element without its fraction."""


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The variance: the mean squared distance from the mean."""
