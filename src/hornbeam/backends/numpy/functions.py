"""NumPy: element by element, reductions, shapes, indexing.

NumPy alone would turn integers into float64 and warn where the result is inf or nan;
here results have the dtypes of `core.dtypes.result_type`, in silence.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.backends.functions import Function, named, weak_dtype
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
    return weak_dtype(x, dtype_of)


def _promoted(*xs: Any, least: tuple = ()) -> list[np.ndarray]:
    """The operands in their common dtype."""
    dtype = result_type(*[_weak_dtype(x) for x in xs], *least)
    return [cast(x, dtype) for x in xs]


def _not_bool(xs: list[np.ndarray]) -> list[np.ndarray]:
    return [x.astype("int32") for x in xs] if xs[0].dtype == bool else xs


def _like(y: Any, x: np.ndarray) -> np.ndarray:
    return y if y.dtype == x.dtype else y.astype(x.dtype)


def _unary(fn: Callable) -> Callable:
    return named(lambda x: fn(_array(x)), fn)


def _unary_float(fn: Callable) -> Callable:
    def run(x):
        x = _to_float(x)
        with np.errstate(all="ignore"):
            return _like(fn(x), x)

    return named(run, fn)


def _binary(fn: Callable, prepare: Callable = list, least: tuple = ()) -> Callable:
    def run(x1, x2):
        with np.errstate(all="ignore"):
            return fn(*prepare(_promoted(x1, x2, least=least)))

    return named(run, fn)


def _binary_bits(fn: Callable, prepare: Callable = list) -> Callable:
    return named(lambda x, y: fn(*prepare(_promoted(x, y))), fn)


def _binary_logical(fn: Callable) -> Callable:
    return named(lambda x1, x2: fn(_truth(x1), _truth(x2)), fn)


def _truth(x: Any) -> np.ndarray:
    return _array(x).astype(bool)


def _reduction(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False):
        return fn(_array(x), axis=_axis(axis), keepdims=keepdims)

    return named(run, fn)


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


arccos: Function = _unary_float(np.arccos)
arccosh: Function = _unary_float(np.arccosh)
arcsin: Function = _unary_float(np.arcsin)
arcsinh: Function = _unary_float(np.arcsinh)
arctan: Function = _unary_float(np.arctan)
arctanh: Function = _unary_float(np.arctanh)
cbrt: Function = _unary_float(np.cbrt)
ceil: Function = _unary_float(np.ceil)
cos: Function = _unary_float(np.cos)
cosh: Function = _unary_float(np.cosh)
erf: Function = _special("erf")
erfc: Function = _special("erfc")
erfinv: Function = _special("erfinv")
exp: Function = _unary_float(np.exp)
exp2: Function = _unary_float(np.exp2)
expm1: Function = _unary_float(np.expm1)
floor: Function = _unary_float(np.floor)
i0: Function = _special("i0")
log: Function = _unary_float(np.log)
log10: Function = _unary_float(np.log10)
log1p: Function = _unary_float(np.log1p)
log2: Function = _unary_float(np.log2)
reciprocal: Function = _unary_float(np.reciprocal)
sin: Function = _unary_float(np.sin)
sinh: Function = _unary_float(np.sinh)
sqrt: Function = _unary_float(np.sqrt)
tan: Function = _unary_float(np.tan)
tanh: Function = _unary_float(np.tanh)
absolute: Function = _unary(np.absolute)
bitwise_not: Function = _unary(np.bitwise_not)
copy: Function = _unary(np.copy)
imag: Function = _unary(np.imag)
isfinite: Function = _unary(np.isfinite)
isinf: Function = _unary(np.isinf)
isnan: Function = _unary(np.isnan)
logical_not: Function = named(lambda x: np.logical_not(_truth(x)), np.logical_not)
negative: Function = _unary(np.negative)
real: Function = _unary(np.real)
sign: Function = _unary(np.sign)
trunc: Function = named(
    lambda x: np.trunc(x) if _is_inexact(x := _array(x)) else x, np.trunc
)
add: Function = _binary(np.add)
equal: Function = _binary(np.equal)
gcd: Function = _binary(np.gcd)
greater: Function = _binary(np.greater)
greater_equal: Function = _binary(np.greater_equal)
lcm: Function = _binary(np.lcm)
less: Function = _binary(np.less)
less_equal: Function = _binary(np.less_equal)
maximum: Function = _binary(np.maximum)
minimum: Function = _binary(np.minimum)
multiply: Function = _binary(np.multiply)
not_equal: Function = _binary(np.not_equal)
subtract: Function = _binary(np.subtract)
floor_divide: Function = _binary(np.floor_divide, _not_bool)
fmod: Function = _binary(np.fmod, _not_bool)
mod: Function = _binary(np.mod, _not_bool)
power: Function = _binary(np.power, _not_bool)
arctan2: Function = _binary(np.arctan2, least=(float,))
divide: Function = _binary(np.divide, least=(float,))
hypot: Function = _binary(np.hypot, least=(float,))
logaddexp: Function = _binary(np.logaddexp, least=(float,))
nextafter: Function = _binary(np.nextafter, least=(float,))
bitwise_and: Function = _binary_bits(np.bitwise_and)
bitwise_or: Function = _binary_bits(np.bitwise_or)
bitwise_xor: Function = _binary_bits(np.bitwise_xor)
left_shift: Function = _binary_bits(np.left_shift, _not_bool)
right_shift: Function = _binary_bits(np.right_shift, _not_bool)
logical_and: Function = _binary_logical(np.logical_and)
logical_or: Function = _binary_logical(np.logical_or)
logical_xor: Function = _binary_logical(np.logical_xor)
all: Function = _reduction(np.all)
any: Function = _reduction(np.any)


def rsqrt(x: Any) -> Any:
    return reciprocal(sqrt(x))


def conj(x: Any) -> Any:
    x = _array(x)
    return np.conj(x) if x.dtype.kind == "c" else x


def signbit(x: Any) -> Any:
    x = _array(x)
    return np.signbit(x) if _is_inexact(x) else x < 0


def angle(x: Any) -> Any:
    x = _to_float(x)
    return np.arctan2(imag(x), real(x))


def square(x: Any) -> Any:
    x = _array(x)
    return np.square(x.astype("int32") if x.dtype == bool else x)


def round(x: Any, decimals: Any = 0) -> Any:
    x = _array(x)
    return _like(np.round(x, decimals), x)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _array(x)
    dtype = numpy_dtype(_SUMMED.get(x.dtype.name, x.dtype.name))
    return np.sum(x, axis=_axis(axis), keepdims=keepdims, dtype=dtype)


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    x = _array(x)
    dtype = numpy_dtype(dtype or _SUMMED.get(x.dtype.name, x.dtype.name))
    return np.prod(x, axis=_axis(axis), keepdims=keepdims, dtype=dtype)


def _extreme(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False, initial=None):
        options = {} if initial is None else {"initial": initial}
        return fn(_array(x), axis=_axis(axis), keepdims=keepdims, **options)

    return named(run, fn)


max: Function = _extreme(np.max)
min: Function = _extreme(np.min)


def _position(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False):
        return np.int32(fn(_array(x), axis=axis, keepdims=keepdims))

    return named(run, fn)


argmax: Function = _position(np.argmax)
argmin: Function = _position(np.argmin)


def _moment(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False):
        x = _to_float(x)
        wide = x.astype("float32") if _is_half(x) else x
        with np.errstate(all="ignore"):
            return _like(fn(wide, axis=_axis(axis), keepdims=keepdims), x)

    return named(run, fn)


mean: Function = _moment(np.mean)
var: Function = _moment(np.var)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x, axis = _to_float(x), _axis(axis)
    largest = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, np.zeros_like(largest))
    with np.errstate(all="ignore"):
        y = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return _like(y if keepdims else np.squeeze(y, axis), x)


def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return _accumulated(np.cumsum, x, axis, dtype)


def cumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return _accumulated(np.cumprod, x, axis, dtype)


def _accumulated(fn, x, axis, dtype):
    x = _array(x)
    if dtype is None:
        dtype = "int32" if x.dtype == bool else x.dtype.name
    return fn(x, axis=axis, dtype=numpy_dtype(dtype))


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    # Not with `numpy.clip`, which may write into its bounds.
    given = [b for b in (x_min, x_max) if b is not None]
    x, *bounds = _not_bool(_promoted(x, *given))
    if x_min is not None:
        x = np.maximum(x, bounds[0])
    return x if x_max is None else np.minimum(x, bounds[-1])


def matmul(x1: Any, x2: Any) -> Any:
    return _product(np.matmul, x1, x2)


# Sums of products of int8 overflow; NumPy's einsum has none of bfloat16.
_WIDE = {"int8": "int32", "bfloat16": "float32"}


def _product(fn, *xs):
    xs = [_array(x) for x in xs]
    factors = _promoted(*xs)
    wide = _WIDE.get(factors[0].dtype.name)
    if wide is None:
        return fn(*factors)
    result = fn(*[x.astype(wide) for x in factors])
    of_int8 = builtins.all(x.dtype == np.int8 for x in xs)
    return result if of_int8 else result.astype(factors[0].dtype)


def dot(x1: Any, x2: Any) -> Any:
    return np.dot(*_promoted(x1, x2))


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    x1, x2 = _promoted(x1, x2)
    return np.tensordot(x1, x2, axes)


def einsum(subscripts: Any, *operands: Any, **kwargs: Any) -> Any:
    return _product(lambda *xs: np.einsum(subscripts, *xs, optimize=True), *operands)


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


segment_sum: Function = _segment(np.add, lambda dtype: 0)
segment_prod: Function = _segment(np.multiply, lambda dtype: 1)
segment_max: Function = _segment(np.maximum, _lowest)
segment_min: Function = _segment(np.minimum, _highest)
