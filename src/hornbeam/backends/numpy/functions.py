"""NumPy: element by element, reductions, shapes, indexing.

NumPy alone would turn integers into float64 and warn where the result is inf or nan;
here results have the dtypes of `core.dtypes.result_type`, in silence.
"""

from __future__ import annotations

import builtins
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


def sort(x, axis=-1):
    return np.sort(_array(x), axis=axis)


def argsort(x, axis=-1):
    return np.argsort(_array(x), axis=axis, kind="stable").astype("int32")


def argpartition(x, kth, axis=-1):
    return np.argpartition(_array(x), kth, axis).astype("int32")


def top_k(x, k, sorted=True):
    x = _array(x)
    # From the back of the reversed row, so that of equal values the first comes first.
    order = np.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1][..., :k]
    indices = x.shape[-1] - 1 - order
    return np.take_along_axis(x, indices, -1), indices.astype("int32")


def searchsorted(sorted_sequence, values, side="left"):
    sequence, values = _promoted(sorted_sequence, values)
    return np.searchsorted(sequence, values, side=side).astype("int32")


def nonzero(x):
    return tuple(i.astype("int32") for i in np.nonzero(_array(x)))


def unique(
    x,
    sorted=True,
    return_index=False,
    return_inverse=False,
    return_counts=False,
    axis=None,
    size=None,
    fill_value=None,
):
    asked = (return_index, return_inverse, return_counts)
    found = np.unique(_array(x), *asked, axis=axis)
    values, *rest = found if isinstance(found, tuple) else (found,)
    rest = [r.astype("int32") for r in rest]
    if size is not None:
        values = _of_size(values, axis or 0, size, fill_value)
        names = [
            n for n, a in zip("index inverse counts".split(), asked, strict=True) if a
        ]
        rest = [
            r if name == "inverse" else _of_size(r, 0, size, 0)
            for name, r in zip(names, rest, strict=True)
        ]
    return (values, *rest) if rest else values


def _of_size(x, axis, size, fill_value):
    """`x` cut or filled to `size` along `axis`; the first entry fills by default."""
    x = np.take(x, range(builtins.min(size, x.shape[axis])), axis)
    missing = size - x.shape[axis]
    if not missing:
        return x
    filler = np.take(x, [0], axis)
    if fill_value is not None:
        filler = np.full_like(filler, fill_value)
    return np.concatenate([x, np.repeat(filler, missing, axis)], axis)


def count_integers(x, weights=None, minlength=0):
    x = _array(x)
    dtype = np.dtype("int32") if weights is None else _array(weights).dtype
    length = builtins.max(int(x.max()) + 1 if x.size else 0, minlength)
    counts = np.zeros((*x.shape[:-1], length), dtype)
    *lead, _ = np.indices(x.shape, sparse=True)
    np.add.at(counts, (*lead, x), 1 if weights is None else weights)
    return counts


def reshape(x, newshape):
    return np.reshape(_array(x), newshape)


def transpose(x, axes=None):
    return np.transpose(_array(x), axes)


def expand_dims(x, axis):
    return np.expand_dims(_array(x), _axis(axis))


def squeeze(x, axis=None):
    return np.squeeze(_array(x), _axis(axis))


def broadcast_to(x, shape):
    return np.broadcast_to(_array(x), shape)


def concatenate(xs, axis=0):
    return np.concatenate(_promoted(*[_array(x) for x in xs]), axis)


def stack(x, axis=0):
    return np.stack(_promoted(*[_array(v) for v in x]), axis)


def split(x, indices_or_sections, axis=0):
    if not isinstance(indices_or_sections, int):
        indices_or_sections = [int(i) for i in indices_or_sections]
    return np.split(_array(x), indices_or_sections, axis)


def flip(x, axis=None):
    return np.flip(_array(x), _axis(axis))


def roll(x, shift, axis=None):
    return np.roll(_array(x), shift, _axis(axis))


def repeat(x, repeats, axis=None):
    return np.repeat(_array(x), repeats, axis)


def tile(x, repeats):
    return np.tile(_array(x), repeats)


def padded(x, pad_width, mode="constant", constant_values=None):
    options = {} if constant_values is None else {"constant_values": constant_values}
    return np.pad(_array(x), pad_width, mode, **options)


def take(x, indices, axis=None):
    return np.take(_array(x), _array(indices).astype("int64"), axis)


def take_along_axis(x, indices, axis=None):
    return np.take_along_axis(_array(x), _array(indices).astype("int64"), axis)


def get_item(x, key):
    return _array(x)[key]


def where(condition, x1=None, x2=None):
    if x1 is None and x2 is None:
        return nonzero(condition)
    return np.where(_truth(condition), *_promoted(x1, x2))


def clip(x, x_min, x_max):
    # Not with `numpy.clip`, which may write into its bounds.
    given = [b for b in (x_min, x_max) if b is not None]
    x, *bounds = _not_bool(_promoted(x, *given))
    if x_min is not None:
        x = np.maximum(x, bounds[0])
    return x if x_max is None else np.minimum(x, bounds[-1])


def dynamic_slice(inputs, start_indices, shape):
    inputs = _array(inputs)
    return inputs[_window(inputs, start_indices, shape)]


def _window(x, start, shape):
    window = []
    for first, size, total in zip(start, shape, x.shape, strict=True):
        first = builtins.max(0, builtins.min(int(first), total - size))
        window.append(builtins.slice(first, first + size))
    return tuple(window)


def dynamic_update(inputs, start_indices, updates):
    result, updates = np.array(inputs), _array(updates)
    result[_window(result, start_indices, updates.shape)] = updates
    return result


_SCATTERED = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}


def scatter_into(inputs, indices, updates, reduction=None):
    result = np.array(inputs)
    places = tuple(np.moveaxis(_array(indices).astype("int64"), -1, 0))
    updates = cast(updates, result.dtype)
    if reduction is None:
        result[places] = updates
    else:
        _SCATTERED[reduction].at(result, places, updates)
    return result


def zeros(shape, dtype=None):
    return np.zeros(shape, numpy_dtype(dtype))


def ones(shape, dtype=None):
    return np.ones(shape, numpy_dtype(dtype))


def full(shape, fill_value, dtype=None):
    return np.full(shape, fill_value, numpy_dtype(dtype))


def arange(start, stop=None, step=None, dtype=None):
    given = [v for v in (start, stop, step) if v is not None]
    if dtype is None:
        dtype = result_type(*(_weak_dtype(v) for v in given))
    start, stop = (0, start) if stop is None else (start, stop)
    return cast(np.arange(start, stop, step), dtype)


def eye(N, M=None, k=0, dtype=None):
    return np.eye(N, M, k, dtype=numpy_dtype(dtype))


def tri(N, M=None, k=0, dtype=None):
    return np.tri(N, M, k, dtype=numpy_dtype(dtype))


def tril(x, k=0):
    return np.tril(_array(x), k)


def triu(x, k=0):
    return np.triu(_array(x), k)


def diag(x, k=0):
    return np.diag(_array(x), k)


def diagonal(x, offset=0, axis1=0, axis2=1):
    return np.diagonal(_array(x), offset, axis1, axis2)


def view(x, dtype=None):
    return _array(x).view(numpy_dtype(dtype))


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
    return np.tensordot(*_promoted(x1, x2), axes)


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
