"""JAX: what elements come first, found by integers that are in the order of the floats.

XLA takes the smallest floats (subnormals) for zero where it compares them. On a CPU it
is also four times slower at finding the largest float than the largest integer, and
five times at sorting.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from .functions import _array

_FLOATS = ("float16", "bfloat16", "float32", "float64")


def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _position(_array(x), axis, keepdims, largest=True)


def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _position(_array(x), axis, keepdims, largest=False)


def sort(x: Any, axis: Any = -1) -> Any:
    return _sorted(_array(x), axis)


def argsort(x: Any, axis: Any = -1) -> Any:
    return _sorting(_row(x), axis)


def argpartition(x: Any, kth: Any, axis: Any = -1) -> Any:
    x, axis = (_array(x).reshape(-1), 0) if axis is None else (_array(x), axis)
    return jnp.argpartition(x, kth, axis)


def top_k(x: Any, k: Any, sorted: Any = True) -> Any:
    return tuple(lax.top_k(_array(x), k))


def _row(x: Any) -> jax.Array:
    x = _array(x)
    return x.reshape(1) if x.ndim == 0 else x


def _bits(x: jax.Array) -> jax.Array:
    return lax.bitcast_convert_type(x, f"int{8 * x.dtype.itemsize}")


def _keys(x: jax.Array, above: bool = True) -> jax.Array:
    """Integers in the order of `x`; -0 equals 0, and nan is above all, or below."""
    if x.dtype.name not in _FLOATS:
        return x
    bits = _bits(x)
    limits = jnp.iinfo(bits.dtype)
    keys = jnp.where(bits < 0, limits.min - bits, bits)
    return jnp.where(jnp.isnan(x), limits.max if above else limits.min, keys)


@functools.partial(jax.jit, static_argnums=(1, 2), static_argnames="largest")
def _position(x, axis, keepdims, largest):
    find = jnp.argmax if largest else jnp.argmin
    return find(_keys(x, above=largest), axis=axis, keepdims=keepdims)


@functools.partial(jax.jit, static_argnums=1)
def _sorting(x, axis):
    return jnp.argsort(_keys(x), axis=axis)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _by_bits(x, axis):
    if x.dtype.name not in _FLOATS:
        return jnp.sort(x, axis=axis)
    # The bits of every nan, once they are those of one, are above those of infinity.
    bits = _bits(jnp.where(jnp.isnan(x), jnp.nan, x))
    keys = jnp.sort(_flipped(bits), axis=axis)
    return lax.bitcast_convert_type(_flipped(keys), x.dtype)


def _flipped(bits: jax.Array) -> jax.Array:
    """The bits of floats as integers in their order, and such integers as bits."""
    return jnp.where(bits < 0, bits ^ jnp.iinfo(bits.dtype).max, bits)


@_by_bits.defjvp
def _by_bits_jvp(axis, primals, tangents):
    (x,), (slope,) = primals, tangents
    if axis is None:
        x, slope, axis = x.reshape(-1), slope.reshape(-1), 0
    places = _sorting(x, axis)
    pick = functools.partial(jnp.take_along_axis, indices=places, axis=axis)
    return pick(x), pick(slope)


_sorted = jax.jit(_by_bits, static_argnums=1)


def computed_once(x: Any) -> Any:
    """The small tensor `x`, apart from the loops that use it.

    XLA would compute it anew for each element of what it is broadcast to (a draw for an
    image again for each of its pixels: 20 times slower). A sort it leaves alone; this
    one is by the positions, which are in order.
    """
    flat = jnp.ravel(x)
    places = jnp.arange(flat.size, dtype="int32")
    return jnp.reshape(lax.sort((places, flat), num_keys=1)[1], x.shape)
