"""Layers that multiply: files of ConvNeXt and Inception-ResNet name them."""

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


class CustomScaleLayer(Layer):
    """Return the first input plus the second, multiplied by a number.

    Args:
        scale: the number.

    Source: Szegedy et al., "Inception-v4, Inception-ResNet and the impact of residual
    connections on learning", 2017, https://arxiv.org/abs/1602.07261, section 3.3
    """

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: Any) -> Any:
        """Return the sum."""
        return inputs[0] + inputs[1] * self.scale

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the first input."""
        return input_shape[0]
