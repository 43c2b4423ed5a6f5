"""Uniform and normal numbers."""

from __future__ import annotations

import numbers

import ml_dtypes
import numpy as np

from hornbeam import backends, ops
from hornbeam.core.normal import quantile, truncated_quantile
from hornbeam.core.random import draw_seed
from hornbeam.random.draw import float_dtype, random_words, shape_of, signed
from hornbeam.typing import DTypeLike, Seed, ShapeLike, Tensor, TensorLike


def uniform(
    shape: ShapeLike,
    minval: TensorLike = 0.0,
    maxval: TensorLike = 1.0,
    dtype: DTypeLike = None,
    seed: Seed = None,
) -> Tensor:
    """Draw numbers uniformly from [minval, maxval).

    Args:
        shape: the shape of the result.
        minval: the lower end. Default: 0.
        maxval: the upper end. Default: 1.
        dtype: a float dtype. Default: `keras.config.floatx()`.
        seed: an integer (the same draw each time), a `SeedGenerator`, or None for the
            global generator.

    >>> import hornbeam as keras
    >>> [round(float(v), 3) for v in keras.random.uniform((3,), seed=1)]
    [0.859, 0.679, 0.894]
    """
    dtype = float_dtype("uniform", dtype)
    shape = shape_of("uniform", shape)
    unit = backends.current().random_uniform(draw_seed(seed), shape)
    values = ops.cast(ops.add(ops.multiply(unit, _span(minval, maxval)), minval), dtype)
    if isinstance(minval, numbers.Real) and isinstance(maxval, numbers.Real):
        # Rounding may reach the upper end.
        values = ops.minimum(values, _below(maxval, minval, dtype))
    return values


def _span(low, high):
    return high - low


def _below(value, towards, dtype):
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype)).type
    return float(np.nextafter(kind(value), kind(towards)))


def normal(
    shape: ShapeLike,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DTypeLike = None,
    seed: Seed = None,
) -> Tensor:
    """Draw numbers from a normal distribution.

    Args:
        shape: the shape of the result.
        mean: the mean. Default: 0.
        stddev: the standard deviation. Default: 1.
        dtype: a float dtype. Default: `keras.config.floatx()`.
        seed: an integer (the same draw each time), a `SeedGenerator`, or None for the
            global generator.

    >>> import hornbeam as keras
    >>> keras.random.normal((2, 3), mean=10.0, seed=1).shape
    (2, 3)
    """
    return _normal("normal", quantile, shape, mean, stddev, dtype, seed)


def truncated_normal(
    shape: ShapeLike,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DTypeLike = None,
    seed: Seed = None,
) -> Tensor:
    """Draw numbers from a normal distribution cut off at two standard deviations.

    Args:
        shape: the shape of the result.
        mean: the mean. Default: 0.
        stddev: the standard deviation before the cut. Default: 1.
        dtype: a float dtype. Default: `keras.config.floatx()`.
        seed: an integer (the same draw each time), a `SeedGenerator`, or None for the
            global generator.

    >>> import hornbeam as keras
    >>> [round(float(v), 3) for v in keras.random.truncated_normal((3,), seed=1)]
    [0.169, 0.394, -0.127]
    """
    return _normal(
        "truncated_normal", truncated_quantile, shape, mean, stddev, dtype, seed
    )


def _normal(function, size_of, shape, mean, stddev, dtype, seed):
    dtype = float_dtype(function, dtype)
    words = random_words(shape_of(function, shape), seed)
    values = ops.add(ops.multiply(signed(words, size_of), stddev), mean)
    return ops.cast(values, dtype)
