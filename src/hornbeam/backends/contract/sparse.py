"""Sparse tensors: the engine's own kind, made from coordinates and taken apart again.

What ops do with them is composed of these functions (`ops/sparse.py`).
"""

from __future__ import annotations

from typing import Any


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse tensor of this engine."""


def sparse_tensor(
    indices: Any, values: Any, shape: Any, valid: Any = None, unique: bool = False
) -> Any:
    """The tensor of `shape` with `values` at the rows of the matrix `indices`.

    Values at equal places are summed. Of a program, whose sizes are fixed, the mask
    `valid` says which entries count. `unique` promises that the indices are in
    lexicographic order and no two are equal.
    """


def coordinates(x: Any) -> Any:
    """`(indices, values)` of a sparse tensor, in order and each place once.

    A program may give more entries than there are: zeros outside of the shape.
    """


def map_values(fn: Any, x: Any) -> Any:
    """The sparse tensor of `fn` of each element of `x`, where `fn(0)` is 0."""


def to_dense(x: Any) -> Any:
    """The sparse tensor `x` as a dense one."""


def sparse_matmul(a: Any, b: Any) -> Any:
    """The product of two matrices of one dtype, of which at least one is sparse.

    It is sparse where both are.
    """
