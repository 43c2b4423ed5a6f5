"""Dropout as a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam import backends, ops
from hornbeam.core.random import draw_seed
from hornbeam.ops.declare import composite
from hornbeam.typing import Seed, Shape, Tensor, TensorLike


def dropout(
    inputs: TensorLike,
    rate: TensorLike,
    noise_shape: Sequence[int | None] | None = None,
    seed: Seed = None,
) -> Tensor:
    """Set a fraction of the elements to 0 and multiply the others by `1 / (1 - rate)`.

    Source: Srivastava et al., "Dropout" (2014).

    Args:
        inputs: a float tensor.
        rate: the probability that an element is set to 0; a number or a scalar tensor.
        noise_shape: the shape of the mask, which is broadcast to the inputs; None is
            the size of the inputs. Default: the inputs' shape.
        seed: an integer (the same draw each time), a `SeedGenerator`, or None for the
            global generator.

    >>> import hornbeam as keras
    >>> x = keras.random.dropout(keras.ops.ones((5, 20)), 0.5, seed=1)
    >>> sorted(set(keras.ops.convert_to_numpy(x).ravel().tolist()))
    [0.0, 2.0]
    """
    inputs = ops.convert_to_tensor(inputs)
    key = draw_seed(seed)
    factor = keep_factor(key, complete_shape(noise_shape, inputs.shape), rate)
    return inputs * ops.cast(factor, inputs.dtype)


def complete_shape(
    noise_shape: Sequence[int | None] | None, shape: Sequence[Any]
) -> tuple[Any, ...]:
    """Return `noise_shape` with the sizes of `shape` where it has None."""
    if noise_shape is None:
        return tuple(shape)
    noise_shape = tuple(noise_shape)
    if len(noise_shape) != len(shape):
        raise ValueError(
            "Argument `noise_shape` of dropout must have one size per axis of the "
            f"inputs. Received: noise_shape={noise_shape} and inputs of shape "
            f"{tuple(shape)}"
        )
    pairs = zip(noise_shape, shape, strict=True)
    return tuple(size if wanted is None else wanted for wanted, size in pairs)


@composite
def keep_factor(key: Tensor, shape: Shape, rate: Tensor) -> Tensor:
    """Return 0 with probability `rate`, else `1 / (1 - rate)`, as float32.

    At rate 1 all are 0, and nothing is infinite: `rate` may be traced, so there is no
    branch on it. Below 1 the difference to 1 is at least 2**-24 in float32.
    """
    kept = backends.current().random_uniform(key, shape) >= rate
    remaining = 1.0 - rate
    largest = max if isinstance(remaining, float) else ops.maximum
    scale = 1.0 / largest(remaining, 2.0**-24)
    return ops.where(kept, scale, 0.0)
