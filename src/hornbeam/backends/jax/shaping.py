"""JAX: shapes, indexing, order, creation."""

from __future__ import annotations

import functools
import operator

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbeam.core.dtypes import result_type

from .arrays import convert, jax_dtype
from .functions import _array, _axis, _operand, _weak_dtype


def searchsorted(sorted_sequence, values, side="left"):
    return jnp.searchsorted(_array(sorted_sequence), _array(values), side=side)


def nonzero(x):
    return tuple(jnp.nonzero(_array(x)))


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
    return jnp.unique(
        _array(x),
        return_index=return_index,
        return_inverse=return_inverse,
        return_counts=return_counts,
        axis=axis,
        size=size,
        fill_value=fill_value,
        equal_nan=False,
    )


def count_integers(x, weights=None, minlength=0):
    x = _array(x)
    if weights is not None:
        weights = _array(weights)
    if x.ndim == 1:
        # A compiled program must know the length beforehand.
        traced = isinstance(x, jax.core.Tracer) and minlength > 0
        length = minlength if traced else None
        return jnp.bincount(x, weights, minlength=minlength, length=length)
    # Rows share a length, that of the largest value.
    rows = x.reshape(-1, x.shape[-1])
    length = minlength
    if not isinstance(x, jax.core.Tracer) and x.size:
        length = np.maximum(int(x.max()) + 1, minlength)
    count = functools.partial(jnp.bincount, length=length)
    if weights is None:
        counts = jax.vmap(count)(rows)
    else:
        counts = jax.vmap(count)(rows, weights.reshape(rows.shape))
    return counts.reshape(*x.shape[:-1], length)


def reshape(x, newshape):
    return jnp.reshape(_array(x), newshape)


def transpose(x, axes=None):
    return jnp.transpose(_array(x), axes)


def expand_dims(x, axis):
    return jnp.expand_dims(_array(x), _axis(axis))


def squeeze(x, axis=None):
    return jnp.squeeze(_array(x), _axis(axis))


def broadcast_to(x, shape):
    return jnp.broadcast_to(_array(x), shape)


def concatenate(xs, axis=0):
    return jnp.concatenate([_array(x) for x in xs], axis)


def stack(x, axis=0):
    return jnp.stack([_array(v) for v in x], axis)


def split(x, indices_or_sections, axis=0):
    return jnp.split(_array(x), _static(indices_or_sections), axis)


def _static(x):
    return x if isinstance(x, int) else tuple(operator.index(i) for i in x)


def flip(x, axis=None):
    return jnp.flip(_array(x), _axis(axis))


def roll(x, shift, axis=None):
    return jnp.roll(_array(x), shift, _axis(axis))


def repeat(x, repeats, axis=None):
    return jnp.repeat(_array(x), repeats, axis)


def tile(x, repeats):
    return jnp.tile(_array(x), repeats)


def padded(x, pad_width, mode="constant", constant_values=None):
    options = {} if constant_values is None else {"constant_values": constant_values}
    return jnp.pad(_array(x), pad_width, mode, **options)


def take(x, indices, axis=None):
    return jnp.take(_array(x), _array(indices), axis=axis)


def take_along_axis(x, indices, axis=None):
    return jnp.take_along_axis(_array(x), _array(indices), axis=axis)


def get_item(x, key):
    return _array(x)[key]


def where(condition, x1=None, x2=None):
    condition = _array(condition)
    if x1 is None and x2 is None:
        return tuple(jnp.nonzero(condition))
    return jnp.where(condition.astype(bool), _operand(x1), _operand(x2))


def dynamic_slice(inputs, start_indices, shape):
    return lax.dynamic_slice(_array(inputs), start_indices, shape)


def dynamic_update(inputs, start_indices, updates):
    inputs = _array(inputs)
    return lax.dynamic_update_slice(
        inputs, convert(updates, inputs.dtype), start_indices
    )


def scatter_into(inputs, indices, updates, reduction=None):
    inputs = _array(inputs)
    place = inputs.at[tuple(jnp.moveaxis(_array(indices), -1, 0))]
    updates = convert(updates, inputs.dtype)
    name = {None: "set", "mul": "multiply"}.get(reduction, reduction)
    return getattr(place, name)(updates)


def zeros(shape, dtype=None):
    return jnp.zeros(shape, jax_dtype(dtype))


def ones(shape, dtype=None):
    return jnp.ones(shape, jax_dtype(dtype))


def full(shape, fill_value, dtype=None):
    return jnp.full(shape, fill_value, jax_dtype(dtype))


def arange(start, stop=None, step=None, dtype=None):
    if dtype is None:
        given = [_weak_dtype(v) for v in (start, stop, step) if v is not None]
        dtype = result_type(*given)
    return jnp.arange(start, stop, step, dtype=jax_dtype(dtype))


def eye(N, M=None, k=0, dtype=None):
    return jnp.eye(N, M, k, dtype=jax_dtype(dtype))


def tri(N, M=None, k=0, dtype=None):
    return jnp.tri(N, M, k, dtype=jax_dtype(dtype))


def tril(x, k=0):
    return jnp.tril(_array(x), k)


def triu(x, k=0):
    return jnp.triu(_array(x), k)


def diag(x, k=0):
    return jnp.diag(_array(x), k)


def diagonal(x, offset=0, axis1=0, axis2=1):
    return jnp.diagonal(_array(x), offset, axis1, axis2)


def view(x, dtype=None):
    return _array(x).view(jax_dtype(dtype))
