"""JAX: sparse tensors are BCOO. An entry outside of the shape is padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from .arrays import convert


def sparse_tensor(
    indices: Any, values: Any, shape: Any, valid: Any = None, unique: bool = False
) -> Any:
    """The BCOO of `shape` with `values` at the rows of the matrix `indices`."""
    from jax.experimental import sparse

    shape = tuple(int(size) for size in shape)
    indices, values = convert(indices), convert(values)
    if valid is not None:
        outside = jnp.asarray(shape, indices.dtype)
        indices = jnp.where(valid[:, None], indices, outside)
        values = jnp.where(valid, values, jnp.zeros((), values.dtype))
    return sparse.BCOO(
        (values, indices), shape=shape, indices_sorted=unique, unique_indices=unique
    )


def coordinates(x: Any) -> tuple[jax.Array, jax.Array]:
    """`(indices, values)` of a sparse tensor, in order and each place once."""
    from jax.experimental import sparse

    if not isinstance(x, sparse.BCOO):
        x = sparse.BCOO.fromdense(x.todense()) if x.ndim != 2 else x.to_bcoo()
    if x.n_batch or x.n_dense:
        x = _with_every_batch(x)
        x = x.update_layout(n_batch=0, n_dense=0, on_inefficient=None)
    if not (x.unique_indices and x.indices_sorted):
        x = _summed(x)
    return x.indices, x.data


def _with_every_batch(x: Any) -> Any:
    """`x`, whose batches may be one that counts for all, with each of them."""
    from jax.experimental import sparse

    batch, n = x.shape[: x.n_batch], x.n_batch
    data = jnp.broadcast_to(x.data, (*batch, *x.data.shape[n:]))
    indices = jnp.broadcast_to(x.indices, (*batch, *x.indices.shape[n:]))
    return sparse.BCOO((data, indices), shape=x.shape)


def _summed(x: Any) -> Any:
    """`x` in order with each place once; entries of zero stay, as rules count on."""
    traced = isinstance(x.data, jax.core.Tracer)
    return x.sum_duplicates(nse=x.nse if traced else None, remove_zeros=False)


def map_values(fn: Callable, x: Any) -> Any:
    """The sparse tensor of `fn` of each element of `x`, where `fn(0)` is 0."""
    if not x.unique_indices:
        x = _summed(x)
    leaves, structure = jax.tree.flatten(x)
    return jax.tree.unflatten(structure, [fn(leaves[0]), *leaves[1:]])


def to_dense(x: Any) -> jax.Array:
    """The sparse tensor `x` as a dense one."""
    return x.todense()


def sparse_matmul(a: Any, b: Any) -> Any:
    """The product of two matrices of one dtype, of which at least one is sparse."""
    return a @ b
