"""An activation function as a layer."""

from hornbeam import activations
from hornbeam.layers.layer import Layer


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

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs):
        """Return `activation(inputs)`."""
        return self.activation(inputs)

    def compute_output_shape(self, input_shape):
        """Return `input_shape`."""
        return input_shape
