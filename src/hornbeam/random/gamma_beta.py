"""The gamma and beta distributions."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.core.normal import quantile
from hornbeam.random.draw import (
    first_accepted,
    float_dtype,
    random_words,
    shape_of,
    signed,
    tail,
)
from hornbeam.typing import DTypeLike, Seed, ShapeLike, Tensor, TensorLike

# Each is accepted with probability 0.95 or more: 8 in a row fail once in 2.5e10 draws.
_TRIES = 8
_TINY = 2.0**-126


def gamma(
    shape: ShapeLike, alpha: TensorLike, dtype: DTypeLike = None, seed: Seed = None
) -> Tensor:
    """Draw numbers from the gamma distribution of shape `alpha` and scale 1.

    The method is that of Marsaglia and Tsang, "A simple method for generating gamma
    variables" (2000), with a fixed number of tries.

    Args:
        shape: the shape of the result.
        alpha: the distribution's shape, positive; broadcast to `shape`.
        dtype: a float dtype. Default: `keras.config.floatx()`.
        seed: an integer (the same draw each time), a `SeedGenerator`, or None for the
            global generator.

    >>> import hornbeam as keras
    >>> [round(float(v), 3) for v in keras.random.gamma((3,), alpha=2.0, seed=1)]
    [1.906, 2.26, 1.501]
    """
    dtype = float_dtype("gamma", dtype)
    shape = shape_of("gamma", shape)
    return ops.cast(_gamma(shape, alpha, seed), dtype)


def _gamma(shape, alpha, seed):
    alpha = ops.broadcast_to(ops.cast(alpha, "float32"), shape)
    words = random_words((2 * _TRIES + 1, *shape), seed)
    x = signed(words[:_TRIES], quantile)
    u = tail(words[_TRIES:-1])
    # For alpha < 1: a draw for alpha + 1 times a power of a uniform number.
    small = alpha < 1.0
    d = ops.where(small, alpha + 1.0, alpha) - 1.0 / 3.0
    root = 1.0 + x / ops.sqrt(9.0 * d)
    positive = root > 0.0
    v = ops.where(positive, root, 1.0) ** 3
    accepted = ops.log(u) < 0.5 * x * x + d * (1.0 - v + ops.log(v))
    draws = d * first_accepted(v, ops.logical_and(positive, accepted))
    power = ops.exp(ops.log(tail(words[-1])) / ops.where(small, alpha, 1.0))
    return ops.maximum(ops.where(small, draws * power, draws), _TINY)


def beta(
    shape: ShapeLike,
    alpha: TensorLike,
    beta: TensorLike,
    dtype: DTypeLike = None,
    seed: Seed = None,
) -> Tensor:
    """Draw numbers from the beta distribution on [0, 1].

    It is that of X / (X + Y), where X and Y have gamma distributions of shape `alpha`
    and `beta`.

    Args:
        shape: the shape of the result.
        alpha: the first parameter, positive; broadcast to `shape`.
        beta: the second parameter, positive; broadcast to `shape`.
        dtype: a float dtype. Default: `keras.config.floatx()`.
        seed: an integer (the same draw each time), a `SeedGenerator`, or None for the
            global generator.

    >>> import hornbeam as keras
    >>> x = keras.random.beta((3,), alpha=2.0, beta=3.0, seed=1)
    >>> [round(float(v), 3) for v in x]
    [0.409, 0.446, 0.279]
    """
    dtype = float_dtype("beta", dtype)
    shape = shape_of("beta", shape)
    parameters = [
        ops.broadcast_to(ops.cast(p, "float32"), shape) for p in (alpha, beta)
    ]
    draws = _gamma((2, *shape), ops.stack(parameters), seed)
    return ops.cast(draws[0] / (draws[0] + draws[1]), dtype)
