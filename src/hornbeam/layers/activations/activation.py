"""An activation function as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import activations
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import ActivationLike, InputShape, Tensor


class Activation(Layer):
    """Applies an activation function to its input.

    Args:
        activation: a name such as `"relu"`, or a function.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Activation("relu")
    >>> [float(v) for v in layer(keras.ops.array([-1.0, 2.0]))]
    [0.0, 2.0]
    """

    _is_stateless = True

    def __init__(
        self, activation: ActivationLike, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(**kwargs)
        self.activation: Any = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return `activation(inputs)`."""
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape
