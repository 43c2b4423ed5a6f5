"""The rectifier with a trained slope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.layers.arguments import keep_weight_arguments, known_size, normalized_axes
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.core.variable import Variable
    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import (
        ConstraintLike,
        InitializerLike,
        InputShape,
        RegularizerLike,
        Tensor,
    )


class PReLU(Layer):
    """Rectifier with a trained slope: `x` where positive, else `alpha * x`.

    Source: He et al., "Delving deep into rectifiers", arXiv:1502.01852.

    Args:
        alpha_initializer: for the slopes, one for each element of a sample.
        alpha_regularizer: penalty on the slopes.
        alpha_constraint: projection of the slopes after each update.
        shared_axes: axes along which one slope is shared; `[1, 2]` gives one slope
            for each channel of an image.

    >>> import hornbeam as keras
    >>> layer = keras.layers.PReLU(alpha_initializer="ones")
    >>> [float(v) for v in layer(keras.ops.array([[-2.0, 1.0]]))[0]]
    [-2.0, 1.0]
    """

    alpha: Variable
    alpha_initializer: Any
    alpha_regularizer: Any
    alpha_constraint: Any

    def __init__(
        self,
        alpha_initializer: InitializerLike = "Zeros",
        alpha_regularizer: RegularizerLike = None,
        alpha_constraint: ConstraintLike = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        keep_weight_arguments(
            self,
            alpha_initializer=alpha_initializer,
            alpha_regularizer=alpha_regularizer,
            alpha_constraint=alpha_constraint,
        )
        if isinstance(shared_axes, int):
            shared_axes = [shared_axes]
        self.shared_axes: list[int] | None = (
            None if shared_axes is None else list(shared_axes)
        )
        self.supports_masking = True

    def build(self, input_shape: InputShape) -> None:
        """Make the slopes for inputs of this shape."""
        rank = len(input_shape)
        axes = self.shared_axes or ()
        shared = set(normalized_axes(self, axes, rank, argument="shared_axes"))
        axes = [axis for axis in range(1, rank) if axis not in shared]
        sizes = {axis: known_size(self, input_shape, axis) for axis in axes}
        self.alpha = self.add_weight(
            name="alpha",
            shape=tuple(sizes.get(axis, 1) for axis in range(1, rank)),
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        self.input_spec = InputSpec(ndim=rank, axes=sizes)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the rectified inputs."""
        return ops.relu(inputs) - self.alpha * ops.relu(-inputs)

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape
