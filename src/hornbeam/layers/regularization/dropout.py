"""Dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.layers.regularization.noise import (
    Noise,
    check_noise_shape,
)
from hornbeam.random.dropping import complete_shape, keep_factor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Seed, Shape, Tensor


class Dropout(Noise):
    """Sets a fraction of its inputs to 0 while training, and scales the others up.

    The others are multiplied by `1 / (1 - rate)`, so that the expected sum stays. The
    selection is new in each call. Source: Srivastava et al., "Dropout: a simple way to
    prevent neural networks from overfitting" (2014).

    Args:
        rate: the fraction of inputs set to 0, from 0 to 1.
        noise_shape: the shape of the random selection, which is broadcast to the
            inputs; None in it stands for the size of the inputs. Default: the shape
            of the inputs.
        seed: an integer; default: generated.

    Call arguments: `inputs` of any shape; `training`: whether to drop.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Dropout(0.5, seed=1)
    >>> y = layer(keras.ops.ones((4, 50)), training=True)
    >>> float(keras.ops.min(y)), float(keras.ops.max(y))
    (0.0, 2.0)
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
        """Return the inputs with a fraction of them set to 0."""
        shape = complete_shape(self._noise_shape(inputs), ops.shape(inputs))
        return inputs * ops.cast(keep_factor(key, shape, self.rate), inputs.dtype)

    def _noise_shape(self, inputs):
        return self.noise_shape
