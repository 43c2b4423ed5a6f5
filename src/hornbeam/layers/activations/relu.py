"""The rectifier with its variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import activations
from hornbeam.core.errors import check_number
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, Tensor


class ReLU(Layer):
    """Rectifier: `x` above `threshold`, at most `max_value`, a slope below.

    `f(x) = max_value if x >= max_value`, `x if threshold < x < max_value`, else
    `negative_slope * (x - threshold)`. Source: Nair and Hinton, "Rectified linear units
    improve restricted Boltzmann machines" (2010).

    Args:
        max_value: the largest output; None: no limit.
        negative_slope: slope below the threshold. Defaults to 0.
        threshold: below it inputs are damped. Defaults to 0.

    >>> import hornbeam as keras
    >>> layer = keras.layers.ReLU(max_value=2.0, negative_slope=0.5)
    >>> layer(keras.ops.array([-1.0, 1.0, 3.0])).tolist()
    [-0.5, 1.0, 2.0]
    """

    _is_stateless = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None:
            check_number("ReLU", "max_value", max_value, low=0)
        self.max_value = max_value
        self.negative_slope: float = check_number(
            "ReLU", "negative_slope", negative_slope, low=0
        )
        self.threshold: float = check_number("ReLU", "threshold", threshold, low=0)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return the rectified inputs."""
        return activations.relu(
            inputs,
            negative_slope=self.negative_slope,
            max_value=self.max_value,
            threshold=self.threshold,
        )

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape
