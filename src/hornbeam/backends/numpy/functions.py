"""NumPy: element by element, reductions, shapes, indexing.

NumPy alone would turn integers into float64 and warn where the result is inf or nan;
here results have the dtypes of `core.dtypes.result_type`, in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.core.config import floatx
from hornbeam.core.dtypes import result_type

from .arrays import cast, convert, dtype_of, numpy_dtype

_SUMMED = {
    **dict.fromkeys(("bool", "int8", "int16", "int32"), "int32"),
    **dict.fromkeys(("uint8", "uint16", "uint32"), "uint32"),
}


def _array(x: Any) -> np.ndarray:
    return x if isinstance(x, np.ndarray) else convert(x)


def _to_float(x: Any) -> np.ndarray:
    x = _array(x)
    return x if _is_inexact(x) else x.astype(numpy_dtype(floatx()))


def _is_inexact(x: Any) -> bool:
    # Kind "V" is that of ml_dtypes: bfloat16 and the 8-bit floats.
    return x.dtype.kind in "fcV"


def _is_half(x: Any) -> bool:
    return x.dtype.itemsize < 4 and _is_inexact(x)


def _weak_dtype(x: Any) -> Any:
    for kind in (bool, int, float):
        if isinstance(x, kind):
            return kind
    return dtype_of(x)


def _promoted(*xs: Any, least: tuple = ()) -> list[np.ndarray]:
    """The operands in their common dtype."""
    dtype = result_type(*[_weak_dtype(x) for x in xs], *least)
    return [cast(x, dtype) for x in xs]


def _not_bool(xs: list[np.ndarray]) -> list[np.ndarray]:
    return [x.astype("int32") for x in xs] if xs[0].dtype == bool else xs


def _like(y: Any, x: np.ndarray) -> np.ndarray:
    return y if y.dtype == x.dtype else y.astype(x.dtype)


def _named(run: Callable, fn: Any) -> Callable:
    run.__name__ = run.__qualname__ = fn.__name__
    return run


def _unary(fn: Callable) -> Callable:
    return _named(lambda x: fn(_array(x)), fn)


def _unary_float(fn: Callable) -> Callable:
    def run(x):
        x = _to_float(x)
        with np.errstate(all="ignore"):
            return _like(fn(x), x)

    return _named(run, fn)


def _binary(fn: Callable, prepare: Callable = list, least: tuple = ()) -> Callable:
    def run(x1, x2):
        with np.errstate(all="ignore"):
            return fn(*prepare(_promoted(x1, x2, least=least)))

    return _named(run, fn)


def _binary_bits(fn: Callable, prepare: Callable = list) -> Callable:
    return _named(lambda x, y: fn(*prepare(_promoted(x, y))), fn)


def _binary_logical(fn: Callable) -> Callable:
    return _named(lambda x1, x2: fn(_truth(x1), _truth(x2)), fn)


def _truth(x: Any) -> np.ndarray:
    return _array(x).astype(bool)


def _reduction(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False):
        return fn(_array(x), axis=_axis(axis), keepdims=keepdims)

    return _named(run, fn)


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def _special(name: str) -> Callable:
    def run(x):
        from scipy import special

        x = _to_float(x)
        wide = x.astype("float32") if _is_half(x) else x
        return np.asarray(getattr(special, name)(wide)).astype(x.dtype)

    run.__name__ = run.__qualname__ = name
    return run


arccos = _unary_float(np.arccos)
arccosh = _unary_float(np.arccosh)
arcsin = _unary_float(np.arcsin)
arcsinh = _unary_float(np.arcsinh)
arctan = _unary_float(np.arctan)
arctanh = _unary_float(np.arctanh)
cbrt = _unary_float(np.cbrt)
ceil = _unary_float(np.ceil)
cos = _unary_float(np.cos)
cosh = _unary_float(np.cosh)
erf = _special("erf")
erfc = _special("erfc")
erfinv = _special("erfinv")
exp = _unary_float(np.exp)
exp2 = _unary_float(np.exp2)
expm1 = _unary_float(np.expm1)
floor = _unary_float(np.floor)
i0 = _special("i0")
log = _unary_float(np.log)
log10 = _unary_float(np.log10)
log1p = _unary_float(np.log1p)
log2 = _unary_float(np.log2)
reciprocal = _unary_float(np.reciprocal)
sin = _unary_float(np.sin)
sinh = _unary_float(np.sinh)
sqrt = _unary_float(np.sqrt)
tan = _unary_float(np.tan)
tanh = _unary_float(np.tanh)
absolute = _unary(np.absolute)
bitwise_not = _unary(np.bitwise_not)
copy = _unary(np.copy)
imag = _unary(np.imag)
isfinite = _unary(np.isfinite)
isinf = _unary(np.isinf)
isnan = _unary(np.isnan)
logical_not = _named(lambda x: np.logical_not(_truth(x)), np.logical_not)
negative = _unary(np.negative)
real = _unary(np.real)
sign = _unary(np.sign)
trunc = _named(lambda x: np.trunc(x) if _is_inexact(x := _array(x)) else x, np.trunc)
add = _binary(np.add)
equal = _binary(np.equal)
gcd = _binary(np.gcd)
greater = _binary(np.greater)
greater_equal = _binary(np.greater_equal)
lcm = _binary(np.lcm)
less = _binary(np.less)
less_equal = _binary(np.less_equal)
maximum = _binary(np.maximum)
minimum = _binary(np.minimum)
multiply = _binary(np.multiply)
not_equal = _binary(np.not_equal)
subtract = _binary(np.subtract)
floor_divide = _binary(np.floor_divide, _not_bool)
fmod = _binary(np.fmod, _not_bool)
mod = _binary(np.mod, _not_bool)
power = _binary(np.power, _not_bool)
arctan2 = _binary(np.arctan2, least=(float,))
divide = _binary(np.divide, least=(float,))
hypot = _binary(np.hypot, least=(float,))
logaddexp = _binary(np.logaddexp, least=(float,))
nextafter = _binary(np.nextafter, least=(float,))
bitwise_and = _binary_bits(np.bitwise_and)
bitwise_or = _binary_bits(np.bitwise_or)
bitwise_xor = _binary_bits(np.bitwise_xor)
left_shift = _binary_bits(np.left_shift, _not_bool)
right_shift = _binary_bits(np.right_shift, _not_bool)
logical_and = _binary_logical(np.logical_and)
logical_or = _binary_logical(np.logical_or)
logical_xor = _binary_logical(np.logical_xor)
all = _reduction(np.all)
any = _reduction(np.any)


def rsqrt(x):
    return reciprocal(sqrt(x))


def conj(x):
    x = _array(x)
    return np.conj(x) if x.dtype.kind == "c" else x


def signbit(x):
    x = _array(x)
    return np.signbit(x) if _is_inexact(x) else x < 0


def angle(x):
    x = _to_float(x)
    return np.arctan2(imag(x), real(x))


def square(x):
    x = _array(x)
    return np.square(x.astype("int32") if x.dtype == bool else x)


def round(x, decimals=0):
    x = _array(x)
    return _like(np.round(x, decimals), x)


def sum(x, axis=None, keepdims=False):
    x = _array(x)
    dtype = numpy_dtype(_SUMMED.get(x.dtype.name, x.dtype.name))
    return np.sum(x, axis=_axis(axis), keepdims=keepdims, dtype=dtype)


def prod(x, axis=None, keepdims=False, dtype=None):
    x = _array(x)
    dtype = numpy_dtype(dtype or _SUMMED.get(x.dtype.name, x.dtype.name))
    return np.prod(x, axis=_axis(axis), keepdims=keepdims, dtype=dtype)


def _extreme(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False, initial=None):
        options = {} if initial is None else {"initial": initial}
        return fn(_array(x), axis=_axis(axis), keepdims=keepdims, **options)

    return _named(run, fn)


max = _extreme(np.max)
min = _extreme(np.min)


def _position(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False):
        return np.int32(fn(_array(x), axis=axis, keepdims=keepdims))

    return _named(run, fn)


argmax = _position(np.argmax)
argmin = _position(np.argmin)


def _moment(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False):
        x = _to_float(x)
        wide = x.astype("float32") if _is_half(x) else x
        with np.errstate(all="ignore"):
            return _like(fn(wide, axis=_axis(axis), keepdims=keepdims), x)

    return _named(run, fn)


mean = _moment(np.mean)
var = _moment(np.var)


def logsumexp(x, axis=None, keepdims=False):
    x, axis = _to_float(x), _axis(axis)
    largest = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, np.zeros_like(largest))
    with np.errstate(all="ignore"):
        y = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return _like(y if keepdims else np.squeeze(y, axis), x)


def cumsum(x, axis=None, dtype=None):
    return _accumulated(np.cumsum, x, axis, dtype)


def cumprod(x, axis=None, dtype=None):
    return _accumulated(np.cumprod, x, axis, dtype)


def _accumulated(fn, x, axis, dtype):
    x = _array(x)
    if dtype is None:
        dtype = "int32" if x.dtype == bool else x.dtype.name
    return fn(x, axis=axis, dtype=numpy_dtype(dtype))


def clip(x, x_min, x_max):
    # Not with `numpy.clip`, which may write into its bounds.
    given = [b for b in (x_min, x_max) if b is not None]
    x, *bounds = _not_bool(_promoted(x, *given))
    if x_min is not None:
        x = np.maximum(x, bounds[0])
    return x if x_max is None else np.minimum(x, bounds[-1])


def matmul(x1, x2):
    xs = _promoted(x1, x2)
    return _not_widened(np.matmul(*_without_overflow(xs)), xs)


def _not_widened(result, xs):
    """NumPy widens products of bfloat16 to float32."""
    return result.astype(xs[0].dtype) if xs[0].dtype.name == "bfloat16" else result


def _without_overflow(xs):
    return [x.astype("int32") for x in xs] if xs[0].dtype == np.int8 else xs


def dot(x1, x2):
    return np.dot(*_promoted(x1, x2))


def tensordot(x1, x2, axes=2):
    x1, x2 = _promoted(x1, x2)
    return np.tensordot(x1, x2, axes)


def einsum(subscripts, *operands, **kwargs):
    operands = _promoted(*[_array(x) for x in operands])
    result = np.einsum(subscripts, *_without_overflow(operands), optimize=True)
    return _not_widened(result, operands)


def _segment(combine: np.ufunc, neutral: Callable) -> Callable:
    def run(data, segment_ids, num_segments=None, sorted=False):
        data, ids = _array(data), _array(segment_ids)
        if num_segments is None:
            num_segments = int(ids.max()) + 1 if ids.size else 0
        start = neutral(data.dtype)
        result = np.full((num_segments, *data.shape[1:]), start, data.dtype)
        inside = (ids >= 0) & (ids < num_segments)
        combine.at(result, ids[inside], data[inside])
        return result

    return run


def _lowest(dtype: np.dtype) -> Any:
    return -np.inf if dtype.kind in "fV" else np.iinfo(dtype).min


def _highest(dtype: np.dtype) -> Any:
    return np.inf if dtype.kind in "fV" else np.iinfo(dtype).max


segment_sum = _segment(np.add, lambda dtype: 0)
segment_prod = _segment(np.multiply, lambda dtype: 1)
segment_max = _segment(np.maximum, _lowest)
segment_min = _segment(np.minimum, _highest)
