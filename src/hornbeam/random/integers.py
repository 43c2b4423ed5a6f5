"""Integers: ranges, categories, permutations."""

from __future__ import annotations

import numbers

import numpy as np

from hornbeam import backends, ops
from hornbeam.core import dtypes
from hornbeam.random.draw import random_words, shape_of, tail
from hornbeam.typing import DTypeLike, Seed, ShapeLike, Tensor, TensorLike

_WIDE = ("uint32", "int64", "uint64")


def randint(
    shape: ShapeLike,
    minval: TensorLike,
    maxval: TensorLike,
    dtype: DTypeLike = "int32",
    seed: Seed = None,
) -> Tensor:
    """Draw integers uniformly from `minval`, ..., `maxval - 1`.

    Args:
        shape: the shape of the result.
        minval: the smallest integer.
        maxval: one above the largest; at most 2**32 - 1 above `minval`.
        dtype: an integer dtype. Default: "int32".
        seed: an integer (the same draw each time), a `SeedGenerator`, or None for the
            global generator.

    >>> import hornbeam as keras
    >>> x = keras.random.randint((100,), 1, 7, seed=1)
    >>> int(keras.ops.min(x)), int(keras.ops.max(x))
    (1, 6)
    """
    dtype = dtypes.standardize_dtype(dtype)
    if not dtypes.is_int_dtype(dtype):
        raise ValueError(
            "`keras.random.randint` requires an integer `dtype`. Received: "
            f"dtype={dtype}"
        )
    shape = shape_of("randint", shape)
    minval, span = _range(minval, maxval)
    words = random_words((2, *shape), seed)
    working = dtype if dtype in _WIDE else "int32"
    values = ops.cast(_scaled(words[0], words[1], span), working)
    return ops.cast(ops.add(values, minval), dtype)


def _range(minval, maxval):
    """Return the lower end and the number of integers, as unsigned words."""
    if all(isinstance(x, numbers.Real) for x in (minval, maxval)):
        minval = int(minval)
        span = int(maxval) - minval
        if not 0 < span < 2**32:
            raise ValueError(
                "`keras.random.randint` requires `maxval` to be above `minval`, by "
                f"less than 2**32. Received: minval={minval}, maxval={maxval}"
            )
        return minval, backends.current().convert(np.uint32(span), "uint32")
    minval = ops.cast(minval, "int32")
    return minval, ops.cast(ops.subtract(ops.cast(maxval, "int32"), minval), "uint32")


def _scaled(high, low, span):
    """Return floor(span * f) for the 64-bit fraction f = 0.(high)(low).

    The bias is below 2**-32 for every span. Sixteen bits at a time, so that 32-bit
    words suffice.
    """
    upper, lower = _product(high, span)
    carried, _ = _product(low, span)
    halves = _upper((lower & 0xFFFF) + (carried & 0xFFFF))
    return upper + _upper(halves + _upper(lower) + _upper(carried))


def _upper(word):
    """Return the upper sixteen bits."""
    return ops.right_shift(word, 16)


def _product(a, b):
    """Return the upper and lower word of the product of two words."""
    a0, a1, b0, b1 = a & 0xFFFF, _upper(a), b & 0xFFFF, _upper(b)
    p00, p01, p10, p11 = a0 * b0, a0 * b1, a1 * b0, a1 * b1
    middle = _upper(p00) + (p01 & 0xFFFF) + (p10 & 0xFFFF)
    upper = p11 + _upper(p01) + _upper(p10) + _upper(middle)
    return upper, ops.left_shift(middle & 0xFFFF, 16) | (p00 & 0xFFFF)


def categorical(
    logits: TensorLike, num_samples: int, dtype: DTypeLike = "int32", seed: Seed = None
) -> Tensor:
    """Draw class indices with the probabilities that the logits give.

    Each draw is the class with the largest sum of logit and Gumbel noise.

    Args:
        logits: log-probabilities up to a constant, of shape (batch, classes).
        num_samples: how many to draw for each row.
        dtype: an integer dtype. Default: "int32".
        seed: an integer (the same draw each time), a `SeedGenerator`, or None for the
            global generator.

    Returns:
        A tensor of shape (batch, num_samples).

    >>> import hornbeam as keras
    >>> keras.random.categorical(keras.ops.zeros((2, 5)), 3, seed=1).shape
    (2, 3)
    """
    logits = ops.convert_to_tensor(logits)
    if len(logits.shape) != 2:
        raise ValueError(
            "Argument `logits` of `keras.random.categorical` must have the shape "
            f"(batch, classes). Received: a tensor of shape {tuple(logits.shape)}"
        )
    batch, classes = logits.shape
    words = random_words((batch, num_samples, classes), seed)
    gumbel = -ops.log(-ops.log1p(-tail(words)))
    scores = ops.expand_dims(ops.cast(logits, "float32"), 1) + gumbel
    return ops.cast(ops.argmax(scores, axis=-1), dtype)


def shuffle(x: TensorLike, axis: int = 0, seed: Seed = None) -> Tensor:
    """Put the slices of `x` along an axis in random order.

    Args:
        x: a tensor.
        axis: the axis. Default: 0.
        seed: an integer (the same draw each time), a `SeedGenerator`, or None for the
            global generator.

    >>> import hornbeam as keras
    >>> [int(v) for v in keras.random.shuffle(keras.ops.arange(6), seed=1)]
    [5, 1, 0, 2, 4, 3]
    """
    x = ops.convert_to_tensor(x)
    order = ops.argsort(random_words((x.shape[axis],), seed))
    return ops.take(x, order, axis=axis)
