"""PyTorch: sparse tensors are those of a sparse layout; made here, of coordinates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .arrays import convert, is_sparse
from .devices import current_device


def sparse_tensor(
    indices: Any, values: Any, shape: Any, valid: Any = None, unique: bool = False
) -> torch.Tensor:
    """The tensor of `shape` with `values` at the rows of the matrix `indices`."""
    indices, values = convert(indices, "int64"), convert(values)
    if valid is not None:
        indices, values = indices[valid], values[valid]
    x = torch.sparse_coo_tensor(
        indices.T.contiguous(),
        values,
        tuple(shape),
        device=current_device(),
        check_invariants=False,
        is_coalesced=unique or None,
    )
    return x if unique else x.coalesce()


def coordinates(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`(indices, values)` of a sparse tensor, in order and each place once."""
    x = x.to_sparse_coo().coalesce()
    if x.dense_dim():
        x = x.to_dense().to_sparse_coo().coalesce()
    return x.indices().T, x.values()


def map_values(fn: Callable, x: torch.Tensor) -> torch.Tensor:
    """The sparse tensor of `fn` of each element of `x`, where `fn(0)` is 0."""
    indices, values = coordinates(x)
    return sparse_tensor(indices, fn(values), x.shape, unique=True)


def to_dense(x: torch.Tensor) -> torch.Tensor:
    """The sparse tensor `x` as a dense one."""
    return x.to_dense()


def sparse_matmul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The product of two matrices of one dtype, of which at least one is sparse."""
    if is_sparse(a):
        return torch.sparse.mm(a, b)
    return torch.sparse.mm(b.t(), a.t()).t()
