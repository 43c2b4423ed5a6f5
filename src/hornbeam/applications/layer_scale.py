"""A layer that multiplies each channel by a weight; ConvNeXt begins with small ones."""

from __future__ import annotations

from typing import Any

from hornbeam.initializers import Constant
from hornbeam.layers.layer import Layer


class LayerScale(Layer):
    """Multiply each channel by a weight.

    Args:
        init_values: the weights at the start.
        projection_dim: how many channels there are.

    Source: Touvron et al., "Going deeper with image transformers", 2021,
    https://arxiv.org/abs/2103.17239
    """

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = projection_dim

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        self.gamma = self.add_weight(
            shape=(self.projection_dim,),
            initializer=Constant(self.init_values),
            trainable=True,
        )

    def call(self, x: Any) -> Any:
        """Return `x` with its channels multiplied."""
        return x * self.gamma
