"""The base of layers that add noise while training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core.random import SeedGenerator
from hornbeam.layers.layer import Layer
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Seed, Shape, Tensor


class Noise(Layer):
    """A base for layers that change their inputs while training, and only then.

    A subclass implements `noisy(inputs, key)`, where `key` is the key of a draw.
    """

    def __init__(self, seed: Seed = None, **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator: SeedGenerator = SeedGenerator(seed)
        self.supports_masking = True
        self.built = True
        self._backend_name = self.seed_generator.state.backend.name

    def noisy(self, inputs: Tensor, key: Tensor) -> Tensor:
        """Return the inputs with noise."""
        raise NotImplementedError

    @overridable
    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        """Return the inputs, with noise if `training`."""
        return self.noisy(inputs, self.seed_generator.next()) if training else inputs

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape


def check_noise_shape(noise_shape: Any) -> Shape | None:
    """Return `noise_shape` as a tuple of positive integers and None, or None."""
    if noise_shape is None:
        return None
    problem = None
    if not isinstance(noise_shape, list | tuple):
        problem = "a tuple or list of integers"
    elif not all(size is None or isinstance(size, int) for size in noise_shape):
        problem = "all elements to be integers or None"
    elif not all(size is None or size > 0 for size in noise_shape):
        problem = "all dimensions to be positive integers or None"
    if problem:
        raise ValueError(
            "Invalid value received for argument `noise_shape`. Expected "
            f"{problem}. Received: noise_shape={noise_shape}"
        )
    return tuple(noise_shape)
