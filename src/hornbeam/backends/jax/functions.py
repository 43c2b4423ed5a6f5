"""JAX: element by element, reductions, shapes, indexing. Mostly `jax.numpy` itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from hornbeam.backends.functions import Function, named, weak_dtype
from hornbeam.core.config import floatx
from hornbeam.core.dtypes import result_type

from .arrays import convert, dtype_of, jax_dtype


def _array(x: Any) -> Any:
    return x if isinstance(x, jax.Array) else convert(x)


def _operand(x: Any) -> Any:
    """`x` for a promoting function: Python scalars stay as they are, weak."""
    if isinstance(x, (jax.Array, int)):
        return x
    if isinstance(x, float):  # numpy.float64 too
        return float(x)
    return convert(x)


def _to_float(x: Any) -> Any:
    x = _array(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(floatx())


def _unary(fn: Callable) -> Callable:
    return named(lambda x: fn(_array(x)), fn)


def _unary_float(fn: Callable) -> Callable:
    return named(lambda x: fn(_to_float(x)), fn)


def _binary(fn: Callable) -> Callable:
    def run(x1, x2):
        return fn(_operand(x1), _operand(x2))

    return named(run, fn)


def _binary_float(fn: Callable) -> Callable:
    def run(x1, x2):
        dtype = result_type(_weak_dtype(x1), _weak_dtype(x2), float)
        return fn(convert(x1, dtype), convert(x2, dtype))

    return named(run, fn)


def _binary_number(fn: Callable) -> Callable:
    """Of booleans: int32."""

    def run(x1, x2):
        x1, x2 = _operand(x1), _operand(x2)
        if result_type(_weak_dtype(x1), _weak_dtype(x2)) == "bool":
            x1 = jnp.asarray(x1, dtype="int32")
        return fn(x1, x2)

    return named(run, fn)


def _binary_bits(fn: Callable) -> Callable:
    return named(lambda x, y: fn(_operand(x), _operand(y)), fn)


def _weak_dtype(x: Any) -> Any:
    return weak_dtype(x, dtype_of)


def _reduction(fn: Callable) -> Callable:
    def run(x, axis=None, keepdims=False):
        return fn(_array(x), axis=_axis(axis), keepdims=keepdims)

    return named(run, fn)


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


arccos: Function = _unary_float(jnp.arccos)
arccosh: Function = _unary_float(jnp.arccosh)
arcsin: Function = _unary_float(jnp.arcsin)
arcsinh: Function = _unary_float(jnp.arcsinh)
arctan: Function = _unary_float(jnp.arctan)
arctanh: Function = _unary_float(jnp.arctanh)
cbrt: Function = _unary_float(jnp.cbrt)
ceil: Function = _unary_float(jnp.ceil)
cos: Function = _unary_float(jnp.cos)
cosh: Function = _unary_float(jnp.cosh)
erf: Function = _unary_float(lax.erf)
erfc: Function = _unary_float(lax.erfc)
erfinv: Function = _unary_float(lax.erf_inv)
exp: Function = _unary_float(jnp.exp)
exp2: Function = _unary_float(jnp.exp2)
expm1: Function = _unary_float(jnp.expm1)
floor: Function = _unary_float(jnp.floor)
i0: Function = _unary_float(jnp.i0)
log: Function = _unary_float(jnp.log)
log10: Function = _unary_float(jnp.log10)
log1p: Function = _unary_float(jnp.log1p)
log2: Function = _unary_float(jnp.log2)
reciprocal: Function = _unary_float(jnp.reciprocal)
rsqrt: Function = _unary_float(lax.rsqrt)
sin: Function = _unary_float(jnp.sin)
sinh: Function = _unary_float(jnp.sinh)
sqrt: Function = _unary_float(jnp.sqrt)
tan: Function = _unary_float(jnp.tan)
tanh: Function = _unary_float(jnp.tanh)
angle: Function = _unary_float(jnp.angle)
absolute: Function = _unary(jnp.absolute)
bitwise_not: Function = _unary(jnp.bitwise_not)
conj: Function = _unary(jnp.conj)
copy: Function = _unary(jnp.copy)
imag: Function = _unary(jnp.imag)
isfinite: Function = _unary(jnp.isfinite)
isinf: Function = _unary(jnp.isinf)
isnan: Function = _unary(jnp.isnan)
logical_not: Function = _unary(jnp.logical_not)
negative: Function = _unary(jnp.negative)
real: Function = _unary(jnp.real)
sign: Function = _unary(jnp.sign)
signbit: Function = _unary(jnp.signbit)
trunc: Function = _unary(jnp.trunc)
add: Function = _binary(jnp.add)
equal: Function = _binary(jnp.equal)
greater: Function = _binary(jnp.greater)
greater_equal: Function = _binary(jnp.greater_equal)
less: Function = _binary(jnp.less)
less_equal: Function = _binary(jnp.less_equal)
logical_and: Function = _binary(jnp.logical_and)
logical_or: Function = _binary(jnp.logical_or)
logical_xor: Function = _binary(jnp.logical_xor)
maximum: Function = _binary(jnp.maximum)
minimum: Function = _binary(jnp.minimum)
multiply: Function = _binary(jnp.multiply)
not_equal: Function = _binary(jnp.not_equal)
subtract: Function = _binary(jnp.subtract)
gcd: Function = _binary(jnp.gcd)
lcm: Function = _binary(jnp.lcm)
floor_divide: Function = _binary_number(jnp.floor_divide)
fmod: Function = _binary_number(jnp.fmod)
mod: Function = _binary_number(jnp.mod)
power: Function = _binary_number(jnp.power)
arctan2: Function = _binary_float(jnp.arctan2)
divide: Function = _binary_float(jnp.divide)
hypot: Function = _binary_float(jnp.hypot)
logaddexp: Function = _binary_float(jnp.logaddexp)
nextafter: Function = _binary_float(jnp.nextafter)
bitwise_and: Function = _binary_bits(jnp.bitwise_and)
bitwise_or: Function = _binary_bits(jnp.bitwise_or)
bitwise_xor: Function = _binary_bits(jnp.bitwise_xor)
left_shift: Function = named(
    lambda x, y: jnp.left_shift(*_shifted(x, y)), jnp.left_shift
)
right_shift: Function = named(
    lambda x, y: jnp.right_shift(*_shifted(x, y)), jnp.right_shift
)


def _shifted(x, y):
    x, y = _operand(x), _operand(y)
    if result_type(_weak_dtype(x), _weak_dtype(y)) == "bool":
        x = jnp.asarray(x, dtype="int32")
    return x, y


all: Function = _reduction(jnp.all)
any: Function = _reduction(jnp.any)
sum: Function = _reduction(jnp.sum)


def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    return jnp.max(_array(x), axis=_axis(axis), keepdims=keepdims, initial=initial)


def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    return jnp.min(_array(x), axis=_axis(axis), keepdims=keepdims, initial=initial)


def square(x: Any) -> Any:
    x = _array(x)
    return jnp.square(x.astype("int32") if x.dtype == bool else x)


def round(x: Any, decimals: Any = 0) -> Any:
    x = _array(x)
    if decimals < 0 and not jnp.issubdtype(x.dtype, jnp.inexact):
        return jnp.round(x.astype(floatx()), decimals).astype(x.dtype)
    return jnp.round(x, decimals)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return jnp.mean(_to_float(x), axis=_axis(axis), keepdims=keepdims)


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return jnp.var(_to_float(x), axis=_axis(axis), keepdims=keepdims)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return jax.nn.logsumexp(_to_float(x), axis=_axis(axis), keepdims=keepdims)


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    dtype = None if dtype is None else jax_dtype(dtype)
    return jnp.prod(_array(x), axis=_axis(axis), keepdims=keepdims, dtype=dtype)


def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    x = _accumulated(x, dtype)
    return jnp.cumsum(x, axis=axis).astype(x.dtype)


def cumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    x = _accumulated(x, dtype)
    return jnp.cumprod(x, axis=axis).astype(x.dtype)


def _accumulated(x, dtype):
    x = _array(x)
    if dtype is not None:
        return x.astype(jax_dtype(dtype))
    return x.astype("int32") if x.dtype == bool else x


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    bounds = [_operand(b) for b in (x_min, x_max) if b is not None]
    x = _array(x)
    dtype = result_type(dtype_of(x), *(_weak_dtype(b) for b in bounds))
    x = x.astype("int32" if dtype == "bool" else jax_dtype(dtype))
    return jnp.clip(x, x_min, x_max)


def matmul(x1: Any, x2: Any) -> Any:
    x1, x2 = _array(x1), _array(x2)
    if x1.dtype == jnp.int8 and x2.dtype == jnp.int8:
        return jnp.matmul(x1, x2, preferred_element_type=jnp.int32)
    return jnp.matmul(x1, x2)


def dot(x1: Any, x2: Any) -> Any:
    return jnp.dot(_array(x1), _operand(x2))


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    return jnp.tensordot(_array(x1), _array(x2), axes)


def einsum(subscripts: Any, *operands: Any, **kwargs: Any) -> Any:
    operands = [_array(x) for x in operands]
    if operands and {x.dtype for x in operands} == {jnp.dtype("int8")}:
        kwargs.setdefault("preferred_element_type", jnp.int32)
    return jnp.einsum(subscripts, *operands, **kwargs)


def _segments(of_jax):
    def run(data, segment_ids, num_segments=None, sorted=False):
        data, segment_ids = _array(data), _array(segment_ids)
        return of_jax(data, segment_ids, num_segments, bool(sorted))

    return run


segment_sum: Function = _segments(jax.ops.segment_sum)
segment_max: Function = _segments(jax.ops.segment_max)
segment_min: Function = _segments(jax.ops.segment_min)
segment_prod: Function = _segments(jax.ops.segment_prod)
