"""Additive noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.layers.regularization.noise import Noise

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Seed, Tensor


class GaussianNoise(Noise):
    """Adds normal numbers of mean 0 to its inputs while training.

    Args:
        stddev: the standard deviation of the noise, from 0 to 1.
        seed: an integer; default: generated.

    Call arguments: `inputs` of any shape; `training`: whether to add noise.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GaussianNoise(0.5, seed=1)
    >>> layer(keras.ops.ones((2, 3)), training=True).shape
    (2, 3)
    """

    stddev: float = Hyperparameter(low=0, high=1)

    def __init__(
        self, stddev: float, seed: Seed = None, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.stddev = stddev

    def noisy(self, inputs: Tensor, key: Tensor) -> Tensor:
        """Return the inputs with noise."""
        noise = random.normal(ops.shape(inputs), 0.0, self.stddev, "float32", key)
        return inputs + ops.cast(noise, inputs.dtype)
