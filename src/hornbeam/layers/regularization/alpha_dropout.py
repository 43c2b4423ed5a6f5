"""Dropout for self-normalizing networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import backends, ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.layers.regularization.noise import (
    Noise,
    check_noise_shape,
)
from hornbeam.random.dropping import complete_shape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Seed, Shape, Tensor


# What SELU gives for minus infinity.
_SATURATED = -1.6732632423543772 * 1.0507009873554805


class AlphaDropout(Noise):
    """Sets a fraction of its inputs to SELU's lower limit while training.

    The result is then scaled and shifted so that inputs of mean 0 and variance 1 keep
    both: with s the limit and p the rate, `a (x' - s p)` with
    `a = ((1 - p) (1 + p s**2)) ** -0.5`. Source: Klambauer et al., "Self-normalizing
    neural networks" (2017).

    Args:
        rate: the fraction of inputs replaced, from 0 to 1.
        noise_shape: the shape of the random selection, which is broadcast to the
            inputs; None in it stands for the size of the inputs. Default: the shape
            of the inputs.
        seed: an integer; default: generated.

    Call arguments: `inputs` of any shape; `training`: whether to drop.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AlphaDropout(0.5, seed=1)
    >>> layer(keras.ops.ones((2, 3)), training=True).shape
    (2, 3)
    """

    rate: float = Hyperparameter(low=0, high=1)

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: Seed = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.rate = rate
        self.noise_shape: Shape | None = check_noise_shape(noise_shape)

    def noisy(self, inputs: Tensor, key: Tensor) -> Tensor:
        """Return the inputs with a fraction of them at the limit."""
        shape = complete_shape(self.noise_shape, ops.shape(inputs))
        kept = backends.current().random_uniform(key, shape) >= self.rate
        # Finite at rate 1, without a branch; all are then equal to s p.
        remaining = ops.maximum(1.0 - self.rate, 2.0**-24)
        a = (remaining * (1.0 + self.rate * _SATURATED**2)) ** -0.5
        x = ops.where(kept, ops.cast(inputs, "float32"), _SATURATED)
        return ops.cast(a * (x - _SATURATED * self.rate), inputs.dtype)
