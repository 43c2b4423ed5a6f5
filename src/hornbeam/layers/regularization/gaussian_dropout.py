"""Multiplicative noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.layers.regularization.noise import Noise

if TYPE_CHECKING:
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Seed, Tensor


class GaussianDropout(Noise):
    """Multiplies its inputs by normal numbers of mean 1 while training.

    Their standard deviation is `sqrt(rate / (1 - rate))`, that of the factors of
    Dropout. Source: Srivastava et al., "Dropout: a simple way to prevent neural
    networks from overfitting" (2014), section 10.

    Args:
        rate: the drop rate of a Dropout with equal variance, from 0 to 1.
        seed: an integer; default: generated.

    Call arguments: `inputs` of any shape; `training`: whether to add noise.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GaussianDropout(0.5, seed=1)
    >>> layer(keras.ops.ones((2, 3)), training=True).shape
    (2, 3)
    """

    rate: float = Hyperparameter(low=0, high=1)

    def __init__(
        self, rate: float, seed: Seed = None, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.rate = rate

    def noisy(self, inputs: Tensor, key: Tensor) -> Tensor:
        """Return the inputs with noise."""
        # At rate 1 a large number stands for the infinite one; there is no branch.
        stddev = ops.sqrt(self.rate / ops.maximum(1.0 - self.rate, 2.0**-24))
        factor = random.normal(ops.shape(inputs), 1.0, stddev, "float32", key)
        return inputs * ops.cast(factor, inputs.dtype)
