"""The leaky rectifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.warning import warn
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Tensor

    class _Arguments(LayerArguments, total=False):
        alpha: float


class LeakyReLU(Layer):
    """Leaky rectifier: `x` where it is positive, else `negative_slope * x`.

    Source: Maas et al., "Rectifier nonlinearities improve neural network acoustic
    models" (2013).

    Args:
        negative_slope: slope for negative inputs. Defaults to 0.3.

    >>> import hornbeam as keras
    >>> layer = keras.layers.LeakyReLU(0.5)
    >>> [float(v) for v in layer(keras.ops.array([-2.0, 1.0]))]
    [-1.0, 1.0]
    """

    _is_stateless = True

    negative_slope: float = Hyperparameter(low=0)

    def __init__(
        self, negative_slope: float = 0.3, **kwargs: Unpack[_Arguments]
    ) -> None:
        if "alpha" in kwargs:
            warn(
                "Argument `alpha` of LeakyReLU is now named `negative_slope`.",
                DeprecationWarning,
            )
            negative_slope = kwargs.pop("alpha")
        others: Any = kwargs
        super().__init__(**others)
        self.negative_slope = negative_slope
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return the leakily rectified inputs."""
        outputs = ops.leaky_relu(inputs, negative_slope=self.negative_slope)
        # Inside a program the slope is a float32 tensor, which would widen halves.
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape
