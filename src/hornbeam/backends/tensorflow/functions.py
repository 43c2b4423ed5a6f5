"""TensorFlow: element by element, reductions, segments.

TensorFlow promotes nothing: operands are brought to the dtype of
`core.dtypes.result_type` here, and what has no kernel runs in a dtype that has one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from hornbeam.backends.functions import Function, named, weak_dtype
from hornbeam.core.config import floatx
from hornbeam.core.dtypes import result_type

from .arrays import cast, convert, dtype_of, tf_dtype

_SUMMED = {
    **dict.fromkeys((tf.bool, tf.int8, tf.int16), tf.int32),
    **dict.fromkeys((tf.uint8, tf.uint16), tf.uint32),
}
_HALF = (tf.float16, tf.bfloat16)


def _array(x: Any) -> tf.Tensor:
    return x if isinstance(x, tf.Tensor) else convert(x)


def _is_inexact(x: Any) -> bool:
    return x.dtype.is_floating or x.dtype.is_complex


def _to_float(x: Any) -> tf.Tensor:
    x = _array(x)
    return x if _is_inexact(x) else tf.cast(x, floatx())


def _weak_dtype(x: Any) -> Any:
    return weak_dtype(x, dtype_of)


def _promoted(*xs: Any, least: tuple = ()) -> list[tf.Tensor]:
    """The operands in their common dtype."""
    dtype = tf_dtype(result_type(*[_weak_dtype(x) for x in xs], *least))
    return [cast(x, dtype) for x in xs]


def _not_bool(xs: list[tf.Tensor]) -> list[tf.Tensor]:
    return [tf.cast(x, tf.int32) for x in xs] if xs[0].dtype == tf.bool else xs


def _through(fn: Callable, dtype: tf.DType, *xs: tf.Tensor) -> tf.Tensor:
    """`fn` computed in `dtype`; the result has the dtype of the first operand."""
    return tf.cast(fn(*[tf.cast(x, dtype) for x in xs]), xs[0].dtype)


def _unary_float(fn: Callable, half: bool = True) -> Callable:
    """Of integers: floats. `half`: whether there is a kernel of short floats."""

    def run(x):
        x = _to_float(x)
        return fn(x) if half or x.dtype not in _HALF else _through(fn, tf.float32, x)

    return named(run, fn)


def _unary_complex(fn: Callable) -> Callable:
    """Of other numbers: themselves."""
    return named(
        lambda x: fn(x) if (x := _array(x)).dtype.is_complex else x, fn.__name__
    )


def _unary_signed(fn: Callable) -> Callable:
    """Of unsigned integers: through int64."""

    def run(x):
        x = _array(x)
        return _through(fn, tf.int64, x) if x.dtype.is_unsigned else fn(x)

    return named(run, fn)


def _test(fn: Callable, of_integers: bool) -> Callable:
    def run(x):
        x = _array(x)
        if x.dtype.is_complex:
            parts = fn(tf.math.real(x)), fn(tf.math.imag(x))
            return (tf.logical_and if of_integers else tf.logical_or)(*parts)
        return fn(x) if x.dtype.is_floating else tf.fill(tf.shape(x), of_integers)

    return named(run, fn)


def _binary(fn: Callable, prepare: Callable = list, least: tuple = ()) -> Callable:
    def run(x1, x2):
        return fn(*prepare(_promoted(x1, x2, least=least)))

    return named(run, fn)


def _binary_on_bools(fn: Callable, of_bools: Callable) -> Callable:
    """`fn`; of booleans, for which it has no kernel, `of_bools`."""

    def run(x1, x2):
        x1, x2 = _promoted(x1, x2)
        return (of_bools if x1.dtype == tf.bool else fn)(x1, x2)

    return named(run, fn)


def _binary_bits(fn: Callable, of_bools: Callable | None = None) -> Callable:
    """`fn`; of booleans `of_bools`, or `fn` of them as int32."""

    def run(x, y):
        x, y = _promoted(x, y)
        if x.dtype == tf.bool and of_bools is not None:
            return of_bools(x, y)
        return fn(*_not_bool([x, y]))

    return named(run, fn)


def _binary_logical(fn: Callable) -> Callable:
    return named(lambda x1, x2: fn(_truth(x1), _truth(x2)), fn.__name__)


def _truth(x: Any) -> tf.Tensor:
    return cast(x, tf.bool)


def _axis(axis: Any) -> Any:
    return list(axis) if isinstance(axis, (tuple, list)) else axis


arccos: Function = _unary_float(tf.acos)
arccosh: Function = _unary_float(tf.acosh)
arcsin: Function = _unary_float(tf.asin)
arcsinh: Function = _unary_float(tf.asinh)
arctan: Function = _unary_float(tf.atan)
arctanh: Function = _unary_float(tf.atanh)
ceil: Function = _unary_float(tf.math.ceil)
cos: Function = _unary_float(tf.cos)
cosh: Function = _unary_float(tf.cosh)
erf: Function = _unary_float(tf.math.erf)
erfc: Function = _unary_float(tf.math.erfc)
erfinv: Function = _unary_float(tf.math.erfinv, half=False)
exp: Function = _unary_float(tf.exp)
exp2: Function = _unary_float(lambda x: tf.pow(tf.constant(2, x.dtype), x))
expm1: Function = _unary_float(tf.math.expm1)
floor: Function = _unary_float(tf.floor)
i0: Function = _unary_float(tf.math.bessel_i0, half=False)
log: Function = _unary_float(tf.math.log)
log10: Function = _unary_float(lambda x: tf.math.log(x) * _like(1 / math.log(10), x))
log1p: Function = _unary_float(tf.math.log1p)
log2: Function = _unary_float(lambda x: tf.math.log(x) * _like(1 / math.log(2), x))
reciprocal: Function = _unary_float(tf.math.reciprocal)
rsqrt: Function = _unary_float(tf.math.rsqrt)
sin: Function = _unary_float(tf.sin)
sinh: Function = _unary_float(tf.sinh)
sqrt: Function = _unary_float(tf.sqrt)
tan: Function = _unary_float(tf.tan)
tanh: Function = _unary_float(tf.tanh)
conj: Function = _unary_complex(tf.math.conj)
real: Function = _unary_complex(tf.math.real)
copy: Function = named(lambda x: tf.identity(_array(x)), "copy")
negative: Function = _unary_signed(tf.negative)
isfinite: Function = _test(tf.math.is_finite, True)
isinf: Function = _test(tf.math.is_inf, False)
isnan: Function = _test(tf.math.is_nan, False)
add: Function = _binary_on_bools(tf.add, tf.logical_or)
multiply: Function = _binary_on_bools(tf.multiply, tf.logical_and)
maximum: Function = _binary_on_bools(tf.maximum, tf.logical_or)
minimum: Function = _binary_on_bools(tf.minimum, tf.logical_and)
subtract: Function = _binary(tf.subtract)
equal: Function = _binary(tf.equal)
not_equal: Function = _binary(tf.not_equal)
greater: Function = _binary(tf.greater, _not_bool)
greater_equal: Function = _binary(tf.greater_equal, _not_bool)
less: Function = _binary(tf.less, _not_bool)
less_equal: Function = _binary(tf.less_equal, _not_bool)
floor_divide: Function = _binary(tf.math.floordiv, _not_bool)
mod: Function = _binary(tf.math.floormod, _not_bool)
arctan2: Function = _binary(tf.atan2, least=(float,))
divide: Function = _binary(tf.divide, least=(float,))
bitwise_and: Function = _binary_bits(tf.bitwise.bitwise_and, tf.logical_and)
bitwise_or: Function = _binary_bits(tf.bitwise.bitwise_or, tf.logical_or)
bitwise_xor: Function = _binary_bits(tf.bitwise.bitwise_xor, tf.math.logical_xor)
left_shift: Function = _binary_bits(tf.bitwise.left_shift)
right_shift: Function = _binary_bits(tf.bitwise.right_shift)
logical_and: Function = _binary_logical(tf.logical_and)
logical_or: Function = _binary_logical(tf.logical_or)
logical_xor: Function = _binary_logical(tf.math.logical_xor)


def _like(value: Any, x: tf.Tensor) -> tf.Tensor:
    return tf.constant(value, x.dtype)


def absolute(x: Any) -> Any:
    x = _array(x)
    return x if x.dtype.is_unsigned or x.dtype == tf.bool else tf.abs(x)


def angle(x: Any) -> Any:
    x = _to_float(x)
    if x.dtype.is_complex:
        return tf.math.angle(x)
    return tf.where(x < 0, _like(math.pi, x), tf.zeros_like(x)) + x * 0


def bitwise_not(x: Any) -> Any:
    x = _array(x)
    return tf.logical_not(x) if x.dtype == tf.bool else tf.bitwise.invert(x)


def imag(x: Any) -> Any:
    x = _array(x)
    return tf.math.imag(x) if x.dtype.is_complex else tf.zeros_like(x)


def logical_not(x: Any) -> Any:
    return tf.logical_not(_truth(x))


def sign(x: Any) -> Any:
    x = _array(x)
    if x.dtype.is_unsigned:
        return tf.cast(x > 0, x.dtype)
    return tf.sign(x)


def signbit(x: Any) -> Any:
    x = _array(x)
    if not x.dtype.is_floating:
        return tf.zeros_like(x, tf.bool) if x.dtype == tf.bool else x < 0
    return tf.bitcast(x, _WORD[x.dtype.size]) < 0


_WORD = {2: tf.int16, 4: tf.int32, 8: tf.int64}


def square(x: Any) -> Any:
    x = _array(x)
    return tf.square(tf.cast(x, tf.int32) if x.dtype == tf.bool else x)


def round(x: Any, decimals: Any = 0) -> Any:
    x = _array(x)
    if decimals == 0:
        return tf.round(x)
    if not _is_inexact(x):
        coarse = lambda v: round(v, decimals)  # noqa: E731
        return x if decimals > 0 else _through(coarse, tf.float64, x)
    scale = _like(10.0 ** abs(decimals), x)
    if decimals > 0:
        return tf.round(x * scale) / scale
    return tf.round(x / scale) * scale


def trunc(x: Any) -> Any:
    x = _array(x)
    return tf.where(x < 0, tf.math.ceil(x), tf.floor(x)) if _is_inexact(x) else x


def fmod(x1: Any, x2: Any) -> Any:
    x1, x2 = _not_bool(_promoted(x1, x2))
    wide = tf.float32 if x1.dtype in _HALF else tf.int64
    if x1.dtype in (tf.int32, tf.int64, tf.float32, tf.float64):
        wide = x1.dtype
    return _through(tf.truncatemod, wide, x1, x2)


def power(x1: Any, x2: Any) -> Any:
    x1, x2 = _not_bool(_promoted(x1, x2))
    return (
        _through(tf.pow, tf.int64, x1, x2) if x1.dtype.is_unsigned else tf.pow(x1, x2)
    )


def hypot(x1: Any, x2: Any) -> Any:
    x1, x2 = (tf.abs(x) for x in _promoted(x1, x2, least=(float,)))
    large, small = tf.maximum(x1, x2), tf.minimum(x1, x2)
    ratio = tf.math.divide_no_nan(small, large)
    result = large * tf.sqrt(1 + ratio * ratio)
    return tf.where(tf.math.is_inf(large), large, result)


def logaddexp(x1: Any, x2: Any) -> Any:
    x1, x2 = _promoted(x1, x2, least=(float,))
    difference = x1 - x2
    result = tf.maximum(x1, x2) + tf.math.softplus(-tf.abs(difference))
    # Two equal infinities have no difference.
    return tf.where(tf.math.is_nan(difference), x1 + x2, result)


def nextafter(x1: Any, x2: Any) -> Any:
    """The float whose bits, as an integer, are one further on."""
    x1, x2 = _promoted(x1, x2, least=(float,))
    word = _WORD[x1.dtype.size]
    step = tf.where((x2 > x1) == (x1 > 0), 1, -1)
    moved = tf.bitcast(tf.bitcast(x1, word) + tf.cast(step, word), x1.dtype)
    tiny = tf.bitcast(tf.constant(1, word), x1.dtype)
    moved = tf.where(x1 == 0, tf.where(x2 > 0, tiny, -tiny), moved)
    unordered = tf.logical_or(tf.math.is_nan(x1), tf.math.is_nan(x2))
    return tf.where(unordered, x1 + x2, tf.where(x1 == x2, x2, moved))


def gcd(x1: Any, x2: Any) -> Any:
    """The greatest common divisor, by Euclid's algorithm."""
    x1, x2 = _promoted(x1, x2)
    dtype = x1.dtype
    zero = tf.zeros_like(x1 + x2)
    pair = absolute(x1 + zero), absolute(x2 + zero)

    def step(a, b):
        safe = tf.where(b == 0, tf.ones_like(b), b)
        return tf.where(b == 0, a, b), tf.where(b == 0, b, tf.math.floormod(a, safe))

    result = tf.while_loop(lambda a, b: tf.reduce_any(b != 0), step, pair)[0]
    return tf.cast(result, dtype)


def lcm(x1: Any, x2: Any) -> Any:
    x1, x2 = _promoted(x1, x2)
    divisor = gcd(x1, x2)
    safe = tf.where(divisor == 0, tf.ones_like(divisor), divisor)
    return absolute(tf.math.floordiv(x1, safe) * x2)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return tf.reduce_all(_truth(x), _axis(axis), keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return tf.reduce_any(_truth(x), _axis(axis), keepdims)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _array(x)
    x = tf.cast(x, _SUMMED.get(x.dtype, x.dtype))
    return tf.reduce_sum(x, _axis(axis), keepdims)


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    x = _array(x)
    x = tf.cast(x, _SUMMED.get(x.dtype, x.dtype)) if dtype is None else cast(x, dtype)
    return tf.reduce_prod(x, _axis(axis), keepdims)


def _extreme(fn: Callable, of_bools: Callable, pair: Callable) -> Callable:
    def run(x, axis=None, keepdims=False, initial=None):
        x = _array(x)
        y = (of_bools if x.dtype == tf.bool else fn)(x, _axis(axis), keepdims)
        return y if initial is None else pair(y, cast(initial, y.dtype))

    return named(run, fn)


max: Function = _extreme(tf.reduce_max, tf.reduce_any, maximum)
min: Function = _extreme(tf.reduce_min, tf.reduce_all, minimum)


def _keys(x: tf.Tensor, above: bool) -> tf.Tensor:
    """Integers in the order of `x`: TensorFlow takes the smallest floats for zero."""
    if x.dtype == tf.bool:
        return tf.cast(x, tf.uint8)
    if x.dtype not in (*_HALF, tf.float32, tf.float64):
        return x
    kind = {2: tf.int16, 4: tf.int32, 8: tf.int64}[x.dtype.size]
    bits = tf.bitcast(x, kind)
    keys = tf.where(bits < 0, kind.min - bits, bits)
    return tf.where(tf.math.is_nan(x), kind.max if above else kind.min, keys)


def _position(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False):
        x = _keys(_array(x), above=fn is tf.argmax)
        if axis is None:
            result = fn(tf.reshape(x, (-1,)), 0, tf.int32)
            return tf.reshape(result, (1,) * x.ndim) if keepdims else result
        result = fn(x, axis, tf.int32)
        return tf.expand_dims(result, axis) if keepdims else result

    return named(run, fn)


argmax: Function = _position(tf.argmax)
argmin: Function = _position(tf.argmin)


def _moment(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False):
        x = _to_float(x)
        moment = lambda v: fn(v, _axis(axis), keepdims)  # noqa: E731
        return _through(moment, tf.float32, x) if x.dtype in _HALF else moment(x)

    return named(run, fn)


mean: Function = _moment(tf.reduce_mean)
var: Function = _moment(tf.math.reduce_variance)
logsumexp: Function = _moment(tf.reduce_logsumexp)


def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return _accumulated(tf.cumsum, x, axis, dtype)


def cumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return _accumulated(tf.math.cumprod, x, axis, dtype)


def _accumulated(fn, x, axis, dtype):
    x = _array(x) if dtype is None else cast(x, dtype)
    x = tf.cast(x, tf.int32) if x.dtype == tf.bool else x
    result = fn(tf.reshape(x, (-1,))) if axis is None else fn(x, axis)
    return result if dtype is None else cast(result, dtype)


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    given = [b for b in (x_min, x_max) if b is not None]
    x, *bounds = _not_bool(_promoted(x, *given))
    if x_min is not None:
        x = tf.maximum(x, bounds[0])
    return x if x_max is None else tf.minimum(x, bounds[-1])


def _segment(fn: Callable, empty: Callable | None = None) -> Callable:
    def run(data, segment_ids, num_segments=None, sorted=False):
        data, ids = _array(data), cast(segment_ids, tf.int32)
        if num_segments is None:
            num_segments = tf.reduce_max(ids) + 1 if tf.size(ids) else 0
        # Ids out of range are dropped, as negative ones are.
        ids = tf.where(ids < num_segments, ids, -1)
        result = fn(data, ids, num_segments)
        if empty is None or not data.dtype.is_floating:
            return result
        # An empty segment has an infinity, not the largest number.
        return tf.where(result == empty(data.dtype), _like(empty(1.0), data), result)

    return named(run, fn)


def _lowest(of):
    return -math.inf if of == 1.0 else of.min


def _highest(of):
    return math.inf if of == 1.0 else of.max


segment_sum: Function = _segment(tf.math.unsorted_segment_sum)
segment_prod: Function = _segment(tf.math.unsorted_segment_prod)
segment_max: Function = _segment(tf.math.unsorted_segment_max, _lowest)
segment_min: Function = _segment(tf.math.unsorted_segment_min, _highest)
