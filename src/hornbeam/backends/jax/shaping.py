"""JAX: shapes, indexing, order, creation."""

from __future__ import annotations

import functools
import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbeam.core.dtypes import result_type

from .arrays import convert, jax_dtype
from .functions import _array, _axis, _operand, _weak_dtype


def searchsorted(sorted_sequence: Any, values: Any, side: Any = "left") -> Any:
    return jnp.searchsorted(_array(sorted_sequence), _array(values), side=side)


def nonzero(x: Any) -> Any:
    return tuple(jnp.nonzero(_array(x)))


def unique(
    x: Any,
    sorted: Any = True,
    return_index: Any = False,
    return_inverse: Any = False,
    return_counts: Any = False,
    axis: Any = None,
    size: Any = None,
    fill_value: Any = None,
) -> Any:
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


def count_integers(x: Any, weights: Any = None, minlength: Any = 0) -> Any:
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


def reshape(x: Any, newshape: Any) -> Any:
    return jnp.reshape(_array(x), newshape)


def transpose(x: Any, axes: Any = None) -> Any:
    return jnp.transpose(_array(x), axes)


def expand_dims(x: Any, axis: Any) -> Any:
    return jnp.expand_dims(_array(x), _axis(axis))


def squeeze(x: Any, axis: Any = None) -> Any:
    return jnp.squeeze(_array(x), _axis(axis))


def broadcast_to(x: Any, shape: Any) -> Any:
    return jnp.broadcast_to(_array(x), shape)


def concatenate(xs: Any, axis: Any = 0) -> Any:
    return jnp.concatenate([_array(x) for x in xs], axis)


def stack(x: Any, axis: Any = 0) -> Any:
    return jnp.stack([_array(v) for v in x], axis)


def split(x: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    return jnp.split(_array(x), _static(indices_or_sections), axis)


def _static(x):
    return x if isinstance(x, int) else tuple(operator.index(i) for i in x)


def flip(x: Any, axis: Any = None) -> Any:
    return jnp.flip(_array(x), _axis(axis))


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    return jnp.roll(_array(x), shift, _axis(axis))


def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    return jnp.repeat(_array(x), repeats, axis)


def tile(x: Any, repeats: Any) -> Any:
    return jnp.tile(_array(x), repeats)


def padded(
    x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = None
) -> Any:
    options = {} if constant_values is None else {"constant_values": constant_values}
    return jnp.pad(_array(x), pad_width, mode, **options)


def take(x: Any, indices: Any, axis: Any = None) -> Any:
    x, indices = _array(x), _array(indices)
    if not x.size and not indices.size:  # JAX returns `x`
        shape = np.empty(x.shape, bool).take(np.empty(indices.shape, int), axis).shape
        return jnp.zeros(shape, x.dtype)
    return jnp.take(x, indices, axis=axis)


def rows_at(x: Any, index: Any) -> Any:
    # `take` looks for places outside, which takes a third of the time of a sampling.
    return _array(x).at[index].get(mode="promise_in_bounds")


def take_along_axis(x: Any, indices: Any, axis: Any = None) -> Any:
    return jnp.take_along_axis(_array(x), _array(indices), axis=axis)


def get_item(x: Any, key: Any) -> Any:
    return _array(x)[key]


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    condition = _array(condition)
    if x1 is None and x2 is None:
        return tuple(jnp.nonzero(condition))
    return jnp.where(condition.astype(bool), _operand(x1), _operand(x2))


def dynamic_slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    return lax.dynamic_slice(_array(inputs), start_indices, shape)


def dynamic_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    inputs = _array(inputs)
    return lax.dynamic_update_slice(
        inputs, convert(updates, inputs.dtype), start_indices
    )


def scatter_into(inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Any:
    inputs = _array(inputs)
    place = inputs.at[tuple(jnp.moveaxis(_array(indices), -1, 0))]
    updates = convert(updates, inputs.dtype)
    name = {None: "set", "mul": "multiply"}.get(reduction, reduction)
    return getattr(place, name)(updates)


def zeros(shape: Any, dtype: Any = None) -> Any:
    return jnp.zeros(shape, jax_dtype(dtype))


def ones(shape: Any, dtype: Any = None) -> Any:
    return jnp.ones(shape, jax_dtype(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    return jnp.full(shape, fill_value, jax_dtype(dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    if dtype is None:
        given = [_weak_dtype(v) for v in (start, stop, step) if v is not None]
        dtype = result_type(*given)
    return jnp.arange(start, stop, step, dtype=jax_dtype(dtype))


def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    return jnp.eye(N, M, k, dtype=jax_dtype(dtype))


def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    return jnp.tri(N, M, k, dtype=jax_dtype(dtype))


def tril(x: Any, k: Any = 0) -> Any:
    return jnp.tril(_array(x), k)


def triu(x: Any, k: Any = 0) -> Any:
    return jnp.triu(_array(x), k)


def diag(x: Any, k: Any = 0) -> Any:
    return jnp.diag(_array(x), k)


def diagonal(x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    return jnp.diagonal(_array(x), offset, axis1, axis2)


def view(x: Any, dtype: Any = None) -> Any:
    return _array(x).view(jax_dtype(dtype))
