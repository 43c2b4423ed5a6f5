"""Products of tensors of which some are sparse."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import backends, ops
from hornbeam.core import dtypes
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.declare import compute_output_spec

HOW = "make it dense with `keras.ops.convert_to_tensor(x, sparse=False)`"


class SparseInputError(ValueError):
    """An op without a sparse form received a sparse tensor."""


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse tensor of the current engine."""
    return backends.current().is_sparse(x)


def to_dense(x: Any) -> Any:
    """Return `x`, made dense if it is sparse."""
    return backends.current().to_dense(x) if is_sparse(x) else x


def shape_of(x: Any) -> tuple[Any, ...]:
    """Return the shape; in a program a size may be a tensor."""
    return tuple(backends.current().shape_of(x))


def _as_one_dtype(x1, x2):
    x1, x2 = ops.convert_to_tensor(x1), ops.convert_to_tensor(x2)
    dtype = dtypes.result_type(*(dtypes.standardize_dtype(x.dtype) for x in (x1, x2)))
    return ops.cast(x1, dtype), ops.cast(x2, dtype)


def matmul(op: Any, x1: Any, x2: Any) -> Any:
    """Products of matrices; a batch of them is one product with blocks as places."""
    engine = backends.current()
    shapes = [KerasTensor(x.shape, dtypes.standardize_dtype(x.dtype)) for x in (x1, x2)]
    spec = compute_output_spec(op, shapes, {})
    x1, x2 = _as_one_dtype(x1, x2)
    ranks = len(x1.shape), len(x2.shape)
    if ranks == (2, 2):
        return engine.cast(engine.sparse_matmul(x1, x2), spec.dtype)
    if min(ranks) < 2:
        if is_sparse(x1) and ranks == (2, 1):
            return ops.reshape(matmul(op, x1, ops.reshape(x2, (-1, 1))), (-1,))
        if is_sparse(x2) and ranks == (1, 2):
            return ops.reshape(matmul(op, ops.reshape(x1, (1, -1)), x2), (-1,))
        return op(to_dense(x1), to_dense(x2))
    *lead, rows, inner = shape_of(x1)
    if ranks[1] == 2:
        product = matmul(op, ops.reshape(x1, (-1, inner)), x2)
        return ops.reshape(product, (*lead, rows, x2.shape[1]))
    if tuple(x1.shape[:-2]) != tuple(x2.shape[:-2]):
        batch = tuple(spec.shape[:-2])
        x1, x2 = (x if is_sparse(x) else ops.broadcast_to(x, (*batch, *x.shape[-2:]))
                  for x in (x1, x2))  # fmt: skip
        if tuple(x1.shape[:-2]) != tuple(x2.shape[:-2]):
            return op(to_dense(x1), to_dense(x2))
    return _batched(x1, x2, spec)


def _batched(x1, x2, spec):
    """A batch of products of which one factor is sparse: its matrices on a diagonal."""
    engine = backends.current()
    if is_sparse(x1):
        product = engine.sparse_matmul(_blocks(x1), ops.reshape(x2, (-1, x2.shape[-1])))
        return ops.reshape(engine.cast(product, spec.dtype), spec.shape)
    swap = [*range(len(x1.shape) - 2), -1, -2]
    swap = [i % len(x1.shape) for i in swap]
    turned = KerasTensor((*spec.shape[:-2], spec.shape[-1], spec.shape[-2]), spec.dtype)
    return ops.transpose(
        _batched(ops.transpose(x2, swap), ops.transpose(x1, swap), turned), swap
    )


def _blocks(x):
    """Return the matrices of a batch as the blocks on the diagonal of one matrix."""
    engine = backends.current()
    *_, rows, inner = x.shape
    x = ops.reshape(x, (-1, rows, inner))
    indices, values = engine.coordinates(x)
    number, row, column = (indices[:, i] for i in range(3))
    places = ops.stack([number * rows + row, number * inner + column], axis=1)
    shape = (x.shape[0] * rows, x.shape[0] * inner)
    return engine.sparse_tensor(places, values, shape, unique=True)


def linear(op: Any, x: Any, kernel: Any, bias: Any = None) -> Any:
    x, kernel = _as_one_dtype(x, kernel)
    if len(x.shape) == 2:
        y = backends.current().sparse_matmul(x, kernel)
    else:
        *lead, size = shape_of(x)
        y = backends.current().sparse_matmul(ops.reshape(x, (-1, size)), kernel)
        y = ops.reshape(y, (*lead, kernel.shape[-1]))
    return y if bias is None else ops.add(y, bias)


def einsum(op: Any, subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Two operands of plain letters: axes are moved so that it is a matmul."""
    inputs, _, output = subscripts.replace(" ", "").partition("->")
    first, _, second = inputs.partition(",")
    plain = f"{inputs}{output}".replace(",", "").isalpha() and "->" in subscripts
    repeats = any(len(set(x)) < len(x) for x in (first, second, output))
    shared = [c for c in first if c in second]
    alone = [c for c in first + second if c not in shared and c not in output]
    if len(operands) != 2 or not plain or repeats or alone:
        raise SparseInputError(
            "ops.einsum takes no sparse tensor, unless it is a product of two tensors "
            f"such as 'ij,jk->ik'. Received: {subscripts!r}. Before the call, {HOW}."
        )
    batch = [c for c in shared if c in output]
    summed = [c for c in shared if c not in output]
    left, right = ([c for c in x if c not in shared] for x in (first, second))
    sizes: dict[str, int] = {}
    for x, letters in zip(operands, (first, second), strict=True):
        sizes |= dict(zip(letters, shape_of(x), strict=True))

    def matrices(x, letters, rows, columns):
        x = ops.transpose(x, [letters.index(c) for c in (*batch, *rows, *columns)])
        lead = [sizes[c] for c in batch]
        return ops.reshape(
            x, (*lead, *(_size(sizes, part) for part in (rows, columns)))
        )

    result = ops.matmul(
        matrices(operands[0], first, left, summed),
        matrices(operands[1], second, summed, right),
    )
    letters = [*batch, *left, *right]
    result = ops.reshape(result, [sizes[c] for c in letters])
    return ops.transpose(result, [letters.index(c) for c in output])


def _size(sizes, letters):
    return math.prod(sizes[c] for c in letters)
