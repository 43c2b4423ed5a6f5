"""TensorFlow: products of matrices and tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from .functions import _array, _is_inexact, _promoted, multiply


def _product(fn: Callable, *xs: Any, widens: bool = False) -> tf.Tensor:
    """A product of matrices in a dtype that has one; of int8 alone it may widen."""
    factors = _promoted(*xs)
    dtype = factors[0].dtype
    if _is_inexact(factors[0]) or dtype in (tf.int32, tf.int64):
        return fn(*factors)
    wide = tf.int64 if dtype.size > 2 else tf.int32
    result = fn(*[tf.cast(x, wide) for x in factors])
    widens = widens and all(_array(x).dtype == tf.int8 for x in xs)
    return result if widens else tf.cast(result, dtype)


def matmul(x1: Any, x2: Any) -> Any:
    return _product(_matmul, x1, x2, widens=True)


def _matmul(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """`tf.matmul`, also of vectors."""
    if a.ndim > 1 and b.ndim > 1:
        return tf.matmul(a, b)
    if a.ndim == 1 and b.ndim == 1:
        return tf.tensordot(a, b, 1)
    if a.ndim == 1:
        return tf.squeeze(tf.matmul(a[None], b), -2)
    return tf.linalg.matvec(a, b)


def dot(x1: Any, x2: Any) -> Any:
    x1, x2 = _promoted(x1, x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return multiply(x1, x2)
    axes = [[x1.ndim - 1], [x2.ndim - 2 if x2.ndim > 1 else 0]]
    return _product(lambda a, b: tf.tensordot(a, b, axes), x1, x2)


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    return _product(lambda a, b: tf.tensordot(a, b, axes), x1, x2)


def einsum(subscripts: Any, *operands: Any, **kwargs: Any) -> Any:
    operands = [_array(x) for x in operands]
    return _product(lambda *xs: _einsum(subscripts, *xs), *operands, widens=True)


def _einsum(subscripts, *xs):
    if xs[0].dtype == tf.float16 and tf.executing_eagerly():
        # Without XLA the kernel of TensorFlow 2.21 gives wrong numbers on processors
        # with AMX: `tf.einsum("ax,xy->ay", ...)` of (2, 4) and (4, 3).
        wide = tf.einsum(subscripts, *[tf.cast(x, tf.float32) for x in xs])
        return tf.cast(wide, tf.float16)
    return tf.einsum(subscripts, *xs)
