"""NumPy: sparse tensors are those of `scipy.sparse`; made here, coordinate arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import convert, is_sparse


def sparse_tensor(
    indices: Any, values: Any, shape: Any, valid: Any = None, unique: bool = False
) -> Any:
    """The `coo_array` of `shape` with `values` at the rows of the matrix `indices`."""
    import scipy.sparse

    indices, values = convert(indices), convert(values)
    if valid is not None:
        indices, values = indices[valid], values[valid]
    x = scipy.sparse.coo_array((values, tuple(indices.T)), shape=tuple(shape))
    x.has_canonical_format = unique
    return x


def coordinates(x: Any) -> tuple[np.ndarray, np.ndarray]:
    """`(indices, values)` of a sparse tensor, in order and each place once."""
    import scipy.sparse

    x = scipy.sparse.coo_array(x, copy=True)
    x.has_canonical_format = False
    x.sum_duplicates()
    # SciPy sorts by the last axis first.
    indices = np.stack(x.coords, axis=1)
    order = np.lexsort(x.coords[::-1])
    return indices[order], x.data[order]


def map_values(fn: Callable, x: Any) -> Any:
    """The sparse tensor of `fn` of each element of `x`, where `fn(0)` is 0."""
    indices, values = coordinates(x)
    return sparse_tensor(indices, fn(values), x.shape, unique=True)


def to_dense(x: Any) -> np.ndarray:
    """The sparse tensor `x` as a dense one."""
    return x.toarray()


def sparse_matmul(a: Any, b: Any) -> Any:
    """The product of two matrices of one dtype, of which at least one is sparse."""
    import scipy.sparse

    a, b = (scipy.sparse.csr_array(x) if is_sparse(x) else x for x in (a, b))
    product = a @ b
    return scipy.sparse.coo_array(product) if is_sparse(product) else product
