"""The binomial distribution."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.random.draw import (
    first_accepted,
    float_dtype,
    random_words,
    shape_of,
    tail,
)
from hornbeam.typing import DTypeLike, Seed, ShapeLike, Tensor, TensorLike

# Each is accepted with probability 0.8 or more: 16 in a row fail once in 1e11 draws.
_TRIES = 16
# Below this mean the probabilities are added up, above it candidates are rejected.
_SMALL_MEAN = 10.0
# With a mean below 10, larger counts have a probability of 1e-15.
_LARGEST_OF_SMALL = 45


def binomial(
    shape: ShapeLike,
    counts: TensorLike,
    probabilities: TensorLike,
    dtype: DTypeLike = None,
    seed: Seed = None,
) -> Tensor:
    """Draw how many of `counts` trials succeed.

    Small means: inversion. Others: the transformed rejection with squeeze (BTRS) of
    W. Hoermann, "The generation of binomial random variates" (1993), with a fixed
    number of tries.

    Args:
        shape: the shape of the result.
        counts: the number of trials; broadcast to `shape`.
        probabilities: the probability of a success; broadcast to `shape`.
        dtype: a float dtype. Default: `keras.config.floatx()`.
        seed: an integer (the same draw each time), a `SeedGenerator`, or None for the
            global generator.

    >>> import hornbeam as keras
    >>> x = keras.random.binomial((5,), counts=10, probabilities=0.5, seed=1)
    >>> [int(v) for v in x]
    [4, 7, 7, 5, 5]
    """
    dtype = float_dtype("binomial", dtype)
    shape = shape_of("binomial", shape)
    n = ops.broadcast_to(ops.cast(counts, "float32"), shape)
    probability = ops.broadcast_to(ops.cast(probabilities, "float32"), shape)
    flipped = probability > 0.5
    p = ops.where(flipped, 1.0 - probability, probability)
    words = random_words((2 * _TRIES + 1, *shape), seed)
    uniform = tail(words)
    small = n * p < _SMALL_MEAN
    # Where the other method's result is used, a method gets harmless parameters.
    few = _by_inversion(n, ops.where(small, p, 0.0), uniform[-1])
    many_n = ops.where(small, 4.0 * _SMALL_MEAN, n)
    many_p = ops.where(small, 0.5, p)
    many = _by_rejection(many_n, many_p, uniform[:_TRIES], uniform[_TRIES:-1])
    successes = ops.where(small, few, many)
    return ops.cast(ops.where(flipped, n - successes, successes), dtype)


def _by_inversion(n, p, u):
    """Count the values whose cumulative probability is below `u`."""

    def step(k, state):
        probability, cumulative, count = state
        count = count + ops.cast(u > cumulative, "float32")
        k = ops.cast(k, "float32")
        probability = probability * ops.maximum(n - k, 0.0) / (k + 1.0) * odds
        return probability, cumulative + probability, count

    odds = p / (1.0 - p)
    none = ops.exp(n * ops.log1p(-p))
    start = (none, none, ops.zeros_like(none))
    count = ops.fori_loop(0, _LARGEST_OF_SMALL, step, start)[2]
    return ops.minimum(count, n)


def _by_rejection(n, p, u, v):
    """BTRS, in the letters of the paper."""
    q = 1.0 - p
    spq = ops.sqrt(n * p * q)
    b = 1.15 + 2.53 * spq
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    alpha = (2.83 + 5.1 / b) * spq
    m = ops.floor((n + 1.0) * p)
    u = u - 0.5
    us = ops.maximum(0.5 - ops.absolute(u), 1e-7)
    k = ops.floor((2.0 * a / us + b) * u + c)
    inside = ops.logical_and(k >= 0.0, k <= n)
    k = ops.clip(k, 0.0, n)
    # The logarithm of the ratio of the probabilities of k and of m, the mode.
    ratio = (
        (m + 0.5) * ops.log((m + 1.0) / (p / q * (n - m + 1.0)))
        + (n + 1.0) * ops.log((n - m + 1.0) / (n - k + 1.0))
        + (k + 0.5) * ops.log(p / q * (n - k + 1.0) / (k + 1.0))
        + (_stirling(m) + _stirling(n - m) - _stirling(k) - _stirling(n - k))
    )
    under = ops.log(v * alpha / (a / (us * us) + b)) <= ratio
    squeezed = ops.logical_and(us >= 0.07, v <= 0.92 - 4.2 / b)
    accepted = ops.logical_and(inside, ops.logical_or(squeezed, under))
    return first_accepted(k, accepted)


def _stirling(k):
    """What Stirling's formula leaves out of log(k!)."""
    square = (k + 1.0) * (k + 1.0)
    return (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / square) / square) / (k + 1.0)
