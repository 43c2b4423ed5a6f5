"""Normalisation by the root of the mean square."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.layers.arguments import known_size, normalized_axes
from hornbeam.layers.layer import Layer
from hornbeam.layers.normalization.affine import in_full_precision

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import InputShape, OptionalVariable, Tensor


class RMSNormalization(Layer):
    """Divides by the root mean square: `scale * x / sqrt(mean(x**2) + epsilon)`.

    Source: Zhang and Sennrich, "Root mean square layer normalization",
    arXiv:1910.07467. Variant: no offset, and epsilon inside the root.

    Args:
        axis: the axis or axes along which the mean is taken. Defaults to -1.
        epsilon: added to the mean square. Defaults to 1e-6.

    >>> import hornbeam as keras
    >>> y = keras.layers.RMSNormalization()(keras.ops.array([[3.0, 4.0]]))
    >>> [round(float(v), 2) for v in y[0]]
    [0.85, 1.13]
    """

    epsilon: float = Hyperparameter(low=0)

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-6,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, input_shape: InputShape) -> None:
        """Make the scale for inputs of this shape."""
        axes = normalized_axes(self, self.axis, len(input_shape))
        self.scale: OptionalVariable = self.add_weight(
            name="scale",
            shape=tuple(known_size(self, input_shape, axis) for axis in axes),
            initializer="ones",
        )

    def call(self, x: Tensor) -> Tensor:
        """Return the normalised inputs."""
        outputs = ops.rms_normalization(
            in_full_precision(x),
            scale=in_full_precision(self.scale),
            axis=self.axis,
            epsilon=self.epsilon,
        )
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        normalized_axes(self, self.axis, len(input_shape))
        return input_shape
