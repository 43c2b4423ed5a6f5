"""Helpers of the distributions: argument checks, random words to numbers."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from hornbeam import backends, ops
from hornbeam.core import dtypes, normal, tree
from hornbeam.core.random import draw_seed
from hornbeam.core.variable import standardize_shape
from hornbeam.ops.declare import composite
from hornbeam.typing import Seed, Tensor


def float_dtype(function: str, dtype: str) -> str:
    """Return the name of the float dtype that `keras.random.<function>` gives."""
    dtype = dtypes.standardize_dtype(dtype)
    if not dtypes.is_float_dtype(dtype):
        raise ValueError(
            f"`keras.random.{function}` requires a floating point `dtype`. Received: "
            f"dtype={dtype}"
        )
    return dtype


def shape_of(function: str, shape: Sequence[Any]) -> tuple[Any, ...]:
    """Return the shape of a draw as a tuple of integers.

    While a program is traced a size may be a tensor, such as TensorFlow's
    `tf.shape(x)[0]`, and stays one.
    """
    if isinstance(shape, list | tuple) and any(_is_traced(size) for size in shape):
        return tuple(shape)
    shape = standardize_shape(shape)
    if None in shape:
        raise ValueError(
            f"`keras.random.{function}` requires a `shape` of known sizes. Received: "
            f"shape={shape}"
        )
    return shape


def _is_traced(size):
    if not backends.current().is_tensor(size):
        return False
    try:
        operator.index(size)
    except TypeError:
        return True
    return False


def random_words(shape: Sequence[Any], seed: Seed) -> Tensor:
    """Return 32-bit random words."""
    return backends.current().random_bits(draw_seed(seed), shape)


def tail(words: Tensor) -> Tensor:
    """Return a float32 in (0, 1], finest near 0, from the upper 31 bits of words."""
    # Through int32: conversion from unsigned numbers is slow.
    upper = ops.cast(ops.right_shift(words, 1), "int32")
    return normal.tail_of(ops.cast(upper, "float32"))


def signed(words: Tensor, quantile: Callable[..., Any]) -> Tensor:
    """Return `quantile(tail)` with a random sign."""
    size = quantile(tail(words), ops)
    return ops.where((words & 1) == 1, -size, size)


def first_accepted(candidates: Tensor, accepted: Tensor) -> Tensor:
    """Return the first of the candidates (along axis 0) that is accepted.

    The last one is taken as it is.
    """
    result = candidates[-1]
    for k in reversed(range(candidates.shape[0] - 1)):
        result = ops.where(accepted[k], candidates[k], result)
    return result


# What is larger is no draw for an image but one for each of its pixels.
_SMALL = 1 << 16


@composite(rule="same")
def computed_once(x: Tensor) -> Tensor:
    """Return `x`, which a compiler does not compute again where it is used."""
    return x


def settled(drawn: Any) -> Any:
    """Return a nest of draws, of which the small ones are computed once."""

    def of_leaf(x):
        shape = getattr(x, "shape", ())
        small = shape and None not in shape and math.prod(shape) <= _SMALL
        return computed_once(x) if small else x

    return tree.map_structure(of_leaf, drawn)
