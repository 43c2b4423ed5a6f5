"""PyTorch: element by element, reductions, shapes, indexing.

Each function first tries the case that training is made of, tensors of one float dtype,
which goes straight to torch; whatever else is converted and promoted before.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from hornbeam.backends.functions import Function, named, weak_dtype
from hornbeam.core.config import floatx
from hornbeam.core.dtypes import result_type

from .arrays import FLOATS, INEXACT, cast, convert, dtype_of, torch_dtype

_INTS_SUMMED = {
    torch.bool: torch.int32,
    torch.int8: torch.int32,
    torch.int16: torch.int32,
    torch.int32: torch.int32,
}
_HALF = (torch.float16, torch.bfloat16)


def _array(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else convert(x)


def _to_float(x: Any) -> Tensor:
    x = _array(x)
    return x if x.dtype in INEXACT else x.to(torch_dtype(floatx()))


def _weak_dtype(x: Any) -> Any:
    return weak_dtype(x, dtype_of)


def _promoted(*xs: Any, least: tuple = ()) -> list[Tensor]:
    """The operands in their common dtype."""
    dtype = torch_dtype(result_type(*[_weak_dtype(x) for x in xs], *least))
    return [convert(x, dtype) for x in xs]


def _not_bool(xs: list[Tensor]) -> list[Tensor]:
    return [x.to(torch.int32) for x in xs] if xs[0].dtype is torch.bool else xs


def _unary(fn: Callable) -> Callable:
    return named(lambda x: fn(x if isinstance(x, Tensor) else convert(x)), fn)


def _unary_float(fn: Callable) -> Callable:
    def run(x):
        if isinstance(x, Tensor) and x.dtype in INEXACT:
            return fn(x)
        return fn(_to_float(x))

    return named(run, fn)


def _unary_exact(fn: Callable) -> Callable:
    """Of booleans and integers: themselves."""

    def run(x):
        x = _array(x)
        return fn(x) if x.dtype in INEXACT else x

    return named(run, fn)


def _binary(fn: Callable) -> Callable:
    def run(x1, x2):
        if isinstance(x1, Tensor) and isinstance(x2, Tensor) and x1.dtype is x2.dtype:
            return fn(x1, x2)
        return fn(*_promoted(x1, x2))

    return named(run, fn)


def _binary_scalar(fn: Callable, least: tuple = (), either: bool = False) -> Callable:
    """Like `_binary`; torch's function takes a Python scalar on the right as well, or
    on `either` side. `least` joins the promotion of other dtypes."""

    def run(x1, x2):
        if isinstance(x1, Tensor):
            if isinstance(x2, Tensor):
                if x1.dtype is x2.dtype and (not least or x1.dtype in INEXACT):
                    return fn(x1, x2)
            elif x1.dtype in FLOATS and isinstance(x2, (int, float)):
                return fn(x1, x2)
        elif either and isinstance(x1, (int, float)) and isinstance(x2, Tensor):
            if x2.dtype in FLOATS:
                return fn(x1, x2)
        return fn(*_promoted(x1, x2, least=least))

    return named(run, fn)


def _binary_number(fn: Callable) -> Callable:
    """Of booleans: int32."""

    def run(x1, x2):
        if isinstance(x1, Tensor) and x1.dtype in FLOATS:
            if isinstance(x2, (int, float)) or (
                isinstance(x2, Tensor) and x1.dtype is x2.dtype
            ):
                return fn(x1, x2)
        return fn(*_not_bool(_promoted(x1, x2)))

    return named(run, fn)


def _binary_float(fn: Callable) -> Callable:
    def run(x1, x2):
        if (
            isinstance(x1, Tensor)
            and isinstance(x2, Tensor)
            and x1.dtype is x2.dtype
            and x1.dtype in INEXACT
        ):
            return fn(x1, x2)
        return fn(*_promoted(x1, x2, least=(float,)))

    return named(run, fn)


def _binary_bits(fn: Callable) -> Callable:
    return named(lambda x, y: fn(*_promoted(x, y)), fn)


def _binary_logical(fn: Callable) -> Callable:
    return named(lambda x1, x2: fn(_array(x1), _array(x2)), fn)


def _reduction(fn: Callable, prepare: Callable = _array) -> Callable:
    def run(x, axis=None, keepdims=False):
        x = prepare(x)
        if axis is None and not keepdims:
            return fn(x)
        return _reduced(fn, x, axis, keepdims)

    return named(run, fn)


def _reduced(fn, x, axis, keepdims, **options):
    dims = _dims(x, axis)
    if isinstance(dims, tuple) and not dims:
        # torch takes no axes for all of them; a new one of size 1 changes nothing.
        return fn(x[None], 0, **options)
    return fn(x, dims, keepdim=keepdims, **options)


def _dims(x: Tensor, axis: Any) -> Any:
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(axis) if isinstance(axis, list) else axis


def _indices(x: Any) -> Tensor:
    return convert(x).to(torch.int64)


def _sign(x):
    # torch.sign says 0 of NaN.
    signs = torch.sign(x)
    return torch.where(torch.isnan(x), x, signs) if x.is_floating_point() else signs


arccos: Function = _unary_float(torch.arccos)
arccosh: Function = _unary_float(torch.arccosh)
arcsin: Function = _unary_float(torch.arcsin)
arcsinh: Function = _unary_float(torch.arcsinh)
arctan: Function = _unary_float(torch.arctan)
arctanh: Function = _unary_float(torch.arctanh)
ceil: Function = _unary_float(torch.ceil)
cos: Function = _unary_float(torch.cos)
cosh: Function = _unary_float(torch.cosh)
erf: Function = _unary_float(torch.erf)
erfc: Function = _unary_float(torch.erfc)
erfinv: Function = _unary_float(torch.erfinv)
exp: Function = _unary_float(torch.exp)
exp2: Function = _unary_float(torch.exp2)
expm1: Function = _unary_float(torch.expm1)
floor: Function = _unary_float(torch.floor)
i0: Function = _unary_float(torch.i0)
log: Function = _unary_float(torch.log)
log10: Function = _unary_float(torch.log10)
log1p: Function = _unary_float(torch.log1p)
log2: Function = _unary_float(torch.log2)
reciprocal: Function = _unary_float(torch.reciprocal)
rsqrt: Function = _unary_float(torch.rsqrt)
sin: Function = _unary_float(torch.sin)
sinh: Function = _unary_float(torch.sinh)
sqrt: Function = _unary_float(torch.sqrt)
tan: Function = _unary_float(torch.tan)
tanh: Function = _unary_float(torch.tanh)
absolute: Function = named(
    lambda x: x if _array(x).dtype is torch.bool else torch.abs(_array(x)), torch.abs
)
bitwise_not: Function = _unary(torch.bitwise_not)
conj: Function = _unary(torch.conj)
copy: Function = _unary(torch.clone)
isfinite: Function = _unary(torch.isfinite)
isinf: Function = _unary(torch.isinf)
isnan: Function = _unary(torch.isnan)
logical_not: Function = _unary(torch.logical_not)
negative: Function = _unary(torch.negative)
real: Function = _unary(torch.real)
sign: Function = _unary(_sign)
signbit: Function = _unary(torch.signbit)
trunc: Function = _unary_exact(torch.trunc)
add: Function = _binary_scalar(torch.add, either=True)
equal: Function = _binary_scalar(torch.eq)
greater: Function = _binary_scalar(torch.gt)
greater_equal: Function = _binary_scalar(torch.ge)
less: Function = _binary_scalar(torch.lt)
less_equal: Function = _binary_scalar(torch.le)
multiply: Function = _binary_scalar(torch.mul, either=True)
not_equal: Function = _binary_scalar(torch.ne)
subtract: Function = _binary_scalar(torch.sub, either=True)
maximum: Function = _binary(torch.maximum)
minimum: Function = _binary(torch.minimum)
gcd: Function = _binary(torch.gcd)
lcm: Function = _binary(torch.lcm)
floor_divide: Function = _binary_number(torch.floor_divide)
fmod: Function = _binary_number(torch.fmod)
mod: Function = _binary_number(torch.remainder)
power: Function = _binary_number(torch.pow)
arctan2: Function = _binary_float(torch.arctan2)
divide: Function = _binary_scalar(torch.true_divide, least=(float,), either=True)
hypot: Function = _binary_float(torch.hypot)
logaddexp: Function = _binary_float(torch.logaddexp)
nextafter: Function = _binary_float(torch.nextafter)
bitwise_and: Function = _binary_bits(torch.bitwise_and)
bitwise_or: Function = _binary_bits(torch.bitwise_or)
bitwise_xor: Function = _binary_bits(torch.bitwise_xor)
left_shift: Function = named(
    lambda x, y: torch.bitwise_left_shift(*_not_bool(_promoted(x, y))),
    torch.bitwise_left_shift,
)
right_shift: Function = named(
    lambda x, y: torch.bitwise_right_shift(*_not_bool(_promoted(x, y))),
    torch.bitwise_right_shift,
)
logical_and: Function = _binary_logical(torch.logical_and)
logical_or: Function = _binary_logical(torch.logical_or)
logical_xor: Function = _binary_logical(torch.logical_xor)
# Of uint8 torch would give uint8.
all: Function = _reduction(torch.all, lambda x: _array(x).to(torch.bool))
any: Function = _reduction(torch.any, lambda x: _array(x).to(torch.bool))
mean: Function = _reduction(torch.mean, _to_float)


def angle(x: Any) -> Any:
    x = _to_float(x)
    # torch has no `angle` of short floats.
    return torch.angle(x.float()).to(x.dtype) if x.dtype in _HALF else torch.angle(x)


def imag(x: Any) -> Any:
    x = _array(x)
    return x.imag if x.is_complex() else torch.zeros_like(x)


def square(x: Any) -> Any:
    x = _array(x)
    return torch.square(x.to(torch.int32) if x.dtype is torch.bool else x)


def round(x: Any, decimals: Any = 0) -> Any:
    x = _array(x)
    if x.dtype in INEXACT:
        return torch.round(x, decimals=decimals)
    if decimals >= 0:
        return x
    return torch.round(x.double(), decimals=decimals).to(x.dtype)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _array(x)
    if x.dtype in INEXACT:
        if axis is None and not keepdims:
            return torch.sum(x)
        return _reduced(torch.sum, x, axis, keepdims)
    dtype = _INTS_SUMMED.get(x.dtype, torch.int64)
    return _reduced(torch.sum, x, axis, keepdims, dtype=dtype)


def _extreme(fn: Callable, pair: Callable) -> Callable:
    def run(x, axis=None, keepdims=False, initial=None):
        x = _array(x)
        if initial is not None and x.numel() == 0:
            shape = _reduced(torch.sum, x, axis, keepdims).shape
            return torch.full(shape, initial, dtype=x.dtype, device=x.device)
        y = _reduced(fn, x, axis, keepdims)
        return y if initial is None else pair(y, convert(initial, y.dtype))

    return named(run, fn)


max: Function = _extreme(torch.amax, torch.maximum)
min: Function = _extreme(torch.amin, torch.minimum)


def _position(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False):
        x = _array(x)
        x = x.to(torch.uint8) if x.dtype is torch.bool else x
        if axis is not None:
            return fn(x, axis, keepdims).to(torch.int32)
        result = fn(x).to(torch.int32)
        return result.reshape((1,) * x.ndim) if keepdims else result

    return named(run, fn)


argmax: Function = _position(torch.argmax)
argmin: Function = _position(torch.argmin)


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _to_float(x)
    return _reduced(torch.var, x, axis, keepdims, correction=0)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = _to_float(x)
    return _reduced(torch.logsumexp, x, axis, keepdims)


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    x = _array(x)
    if dtype is not None:
        x = cast(x, dtype)
    elif x.dtype not in INEXACT:
        x = x.to(_INTS_SUMMED.get(x.dtype, torch.int64))
    dims = _dims(x, axis)
    dims = [dims] if isinstance(dims, int) else [range(x.ndim)[d] for d in dims]
    for dim in sorted_descending(dims):
        x = torch.prod(x, dim, keepdims, dtype=x.dtype)
    return x


def sorted_descending(dims: Sequence[int]) -> list[int]:
    """The axes with the last first, so that removing one moves no other."""
    return builtins.sorted(dims, reverse=True)


def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return _accumulated(torch.cumsum, x, axis, dtype)


def cumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return _accumulated(torch.cumprod, x, axis, dtype)


def _accumulated(fn, x, axis, dtype):
    x = _array(x) if dtype is None else cast(x, dtype)
    x = x.to(torch.int32) if x.dtype is torch.bool else x
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    result = fn(x, axis, dtype=x.dtype)
    return result if dtype is None else cast(result, dtype)


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    if isinstance(x, Tensor) and x.dtype in FLOATS:
        if isinstance(x_min, (int, float)) and isinstance(x_max, (int, float)):
            return torch.clamp(x, x_min, x_max)
    given = [b for b in (x_min, x_max) if b is not None]
    x, *bounds = _not_bool(_promoted(x, *given))
    if x_min is not None:
        x = torch.maximum(x, bounds[0])
    return x if x_max is None else torch.minimum(x, bounds[-1])


def matmul(x1: Any, x2: Any) -> Any:
    if (
        isinstance(x1, Tensor)
        and isinstance(x2, Tensor)
        and x1.dtype is x2.dtype
        and x1.dtype in FLOATS
    ):
        return torch.matmul(x1, x2)
    return _product(torch.matmul, x1, x2)


def _product(fn: Callable, *xs: Any) -> Tensor:
    """A product of matrices; torch has none of booleans, and int8 gives int32."""
    factors = _promoted(*xs)
    dtype = factors[0].dtype
    if dtype not in (torch.bool, torch.int8):
        return fn(*factors)
    result = fn(*[x.to(torch.int32) for x in factors])
    widens = builtins.all(_array(x).dtype is torch.int8 for x in xs)
    return result if widens else result.to(dtype)


def dot(x1: Any, x2: Any) -> Any:
    x1, x2 = _promoted(x1, x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return torch.mul(x1, x2)
    axes = ([x1.ndim - 1], [builtins.max(x2.ndim - 2, 0)])
    dtype = x1.dtype
    return _product(lambda a, b: torch.tensordot(a, b, axes), x1, x2).to(dtype)


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    if not isinstance(axes, int):
        axes = [[a] if isinstance(a, int) else list(a) for a in axes]
    x1, x2 = _promoted(x1, x2)
    dtype = x1.dtype
    return _product(lambda a, b: torch.tensordot(a, b, axes), x1, x2).to(dtype)


def einsum(subscripts: Any, *operands: Any, **kwargs: Any) -> Any:
    operands = [_array(x) for x in operands]
    if len({x.dtype for x in operands}) == 1 and operands[0].dtype in FLOATS:
        return torch.einsum(subscripts, *operands)
    return _product(lambda *xs: torch.einsum(subscripts, *xs), *operands)


def _segment(reduce: str) -> Callable:
    def run(data, segment_ids, num_segments=None, sorted=False):
        data, ids = _array(data), _indices(segment_ids)
        if num_segments is None:
            num_segments = int(ids.max()) + 1 if ids.numel() else 0
        # Ids out of range are dropped: they go to a last row, which is cut off.
        inside = (ids >= 0) & (ids < num_segments)
        ids = torch.where(inside, ids, num_segments)
        ids = ids.reshape(*ids.shape, *(1,) * (data.ndim - 1)).expand(data.shape)
        start = torch.full(
            (num_segments + 1, *data.shape[1:]),
            _neutral(reduce, data.dtype),
            dtype=data.dtype,
            device=data.device,
        )
        return start.scatter_reduce(0, ids, data, reduce)[:num_segments]

    return run


def _neutral(reduce: str, dtype: torch.dtype) -> Any:
    if reduce in ("sum", "prod"):
        return int(reduce == "prod")
    if dtype in FLOATS:
        return float("-inf") if reduce == "amax" else float("inf")
    limits = torch.iinfo(dtype)
    return limits.min if reduce == "amax" else limits.max


segment_sum: Function = _segment("sum")
segment_max: Function = _segment("amax")
segment_min: Function = _segment("amin")
segment_prod: Function = _segment("prod")
