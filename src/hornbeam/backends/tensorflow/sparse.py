"""TensorFlow: sparse tensors are `tf.SparseTensor`, or the rows of `tf.IndexedSlices`.

A program with them runs as a graph: how many entries there are varies, and XLA wants
to know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .arrays import convert, is_sparse


def sparse_tensor(
    indices: Any, values: Any, shape: Any, valid: Any = None, unique: bool = False
) -> tf.SparseTensor:
    """The tensor of `shape` with `values` at the rows of the matrix `indices`."""
    indices, values = convert(indices, "int64"), convert(values)
    if valid is not None:
        indices = tf.boolean_mask(indices, valid)
        values = tf.boolean_mask(values, valid)
    if not unique:
        indices, values = _summed(indices, values, shape)
    return tf.SparseTensor(indices, values, tuple(shape))


def _summed(indices: Any, values: Any, shape: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """The coordinates in order, with the values at equal places summed."""
    rank = len(shape)
    if not rank:
        total = tf.reduce_sum(values, keepdims=True)
        return tf.zeros((1, 0), tf.int64), total
    flat = tf.zeros_like(indices[:, 0])
    for axis, size in enumerate(shape):
        flat = flat * tf.cast(size, tf.int64) + indices[:, axis]
    order = tf.argsort(flat, stable=True)
    flat, values = tf.gather(flat, order), tf.gather(values, order)
    places, segments = tf.unique(flat)
    kind = values.dtype
    if kind.is_bool:
        values = tf.cast(values, tf.int32)
    values = tf.math.segment_sum(values, segments)
    values = values if values.dtype == kind else tf.cast(values, kind)
    columns = []
    for size in reversed(tuple(shape)):
        columns.append(places % tf.cast(size, tf.int64))
        places = places // tf.cast(size, tf.int64)
    return tf.stack(columns[::-1], axis=1), values


def coordinates(x: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """`(indices, values)` of a sparse tensor, in order and each place once."""
    if isinstance(x, tf.IndexedSlices):
        x = tf.sparse.from_dense(to_dense(x))
    x = tf.sparse.reorder(x)
    return x.indices, x.values


def map_values(fn: Callable, x: Any) -> Any:
    """The sparse tensor of `fn` of each element of `x`, where `fn(0)` is 0."""
    if isinstance(x, tf.IndexedSlices):
        return tf.IndexedSlices(fn(x.values), x.indices, x.dense_shape)
    return x.with_values(fn(x.values))


def to_dense(x: Any) -> tf.Tensor:
    """The sparse tensor `x` as a dense one."""
    if isinstance(x, tf.IndexedSlices):
        return tf.convert_to_tensor(x)
    if x.shape.rank == 0:
        return tf.reduce_sum(x.values)
    return tf.sparse.to_dense(tf.sparse.reorder(x))


def sparse_matmul(a: Any, b: Any) -> Any:
    """The product of two matrices of one dtype, of which at least one is sparse."""
    if is_sparse(a) and is_sparse(b):
        return _sparse_product(a, b)
    if is_sparse(a):
        return tf.sparse.sparse_dense_matmul(a, b)
    product = tf.sparse.sparse_dense_matmul(tf.sparse.transpose(b), tf.transpose(a))
    return tf.transpose(product)


def _sparse_product(a: tf.SparseTensor, b: tf.SparseTensor) -> tf.SparseTensor:
    """The product of two sparse matrices, through their compressed rows."""
    kind = a.dtype
    wide = kind if kind in (tf.float32, tf.float64) else tf.float64
    rows = [
        tf.raw_ops.SparseTensorToCSRSparseMatrix(
            indices=x.indices, values=tf.cast(x.values, wide), dense_shape=x.dense_shape
        )
        for x in map(tf.sparse.reorder, (a, b))
    ]
    product = tf.raw_ops.SparseMatrixSparseMatMul(a=rows[0], b=rows[1], type=wide)
    result = tf.raw_ops.CSRSparseMatrixToSparseTensor(sparse_matrix=product, type=wide)
    shape = (a.shape[0], b.shape[1])
    return tf.SparseTensor(result.indices, tf.cast(result.values, kind), shape)
