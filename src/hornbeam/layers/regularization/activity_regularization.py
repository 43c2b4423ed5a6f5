"""A penalty of activities as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.layers.layer import Layer
from hornbeam.regularizers import L1L2

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import NamedArguments
    from hornbeam.typing import Config, InputShape, Tensor


class ActivityRegularization(Layer):
    """Passes its inputs on and adds a penalty of them to the loss.

    The penalty is `l1 * sum(|x|) + l2 * sum(x**2)`, divided by the batch size.

    Args:
        l1: the factor of the absolute values. Default: 0.
        l2: the factor of the squares. Default: 0.

    >>> import hornbeam as keras
    >>> layer = keras.layers.ActivityRegularization(l2=0.5)
    >>> _ = layer(keras.ops.ones((2, 3)))
    >>> float(layer.losses[0])
    1.5
    """

    l1: float = Hyperparameter()
    l2: float = Hyperparameter()

    def __init__(
        self, l1: float = 0.0, l2: float = 0.0, **kwargs: Unpack[NamedArguments]
    ) -> None:
        super().__init__(activity_regularizer=L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = self.activity_regularizer.l1
        self.l2 = self.activity_regularizer.l2
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs."""
        return inputs

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape

    def get_config(self) -> Config:
        """Return the arguments; the regularizer follows from them."""
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return config
