"""Normalisation over the features of each sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.layers.arguments import known_size, normalized_axes
from hornbeam.layers.normalization.affine import Affine, in_full_precision

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import (
        ConstraintLike,
        InitializerLike,
        InputShape,
        RegularizerLike,
        Tensor,
    )


class LayerNormalization(Affine):
    """Gives each sample mean 0 and variance 1 along `axis`.

    `y = gamma * (x - mean(x)) / sqrt(var(x) + epsilon) + beta`, where mean and variance
    are taken along `axis`. Source: Ba, Kiros and Hinton, "Layer normalization",
    arXiv:1607.06450.

    Args:
        axis: the axis or axes to normalise along. Defaults to -1.
        epsilon: added to the variance. Defaults to 0.001.
        center: whether to add `beta`. Defaults to True.
        scale: whether to multiply with `gamma`. Defaults to True.
        beta_initializer, beta_regularizer, beta_constraint: for `beta`.
        gamma_initializer, gamma_regularizer, gamma_constraint: for `gamma`.
        rms_scaling: whether only to divide, by the root of the variance, and neither
            to subtract the mean nor to add `beta`; RMSNormalization is the usual form.

    >>> import hornbeam as keras
    >>> y = keras.layers.LayerNormalization()(keras.ops.array([[1.0, 3.0]]))
    >>> [round(float(v), 2) for v in y[0]]
    [-1.0, 1.0]
    """

    epsilon: float = Hyperparameter(low=0)

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        beta_constraint: ConstraintLike = None,
        gamma_constraint: ConstraintLike = None,
        rms_scaling: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(axis, int | list | tuple):
            raise TypeError(
                "Argument `axis` of LayerNormalization must be an integer or a list of "
                f"integers. Received: axis={axis!r}"
            )
        self.axis: Any = list(axis) if isinstance(axis, list | tuple) else axis
        self.epsilon = epsilon
        self.rms_scaling = rms_scaling
        self.keep_affine_arguments(
            center,
            scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )
        self.supports_masking = True

    def build(self, input_shape: InputShape) -> None:
        """Make the scale and the offset for inputs of this shape."""
        axes = normalized_axes(self, self.axis, len(input_shape))
        shape = tuple(known_size(self, input_shape, axis) for axis in axes)
        self.add_affine_weights(shape, offset=not self.rms_scaling)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the normalised inputs."""
        if self.rms_scaling:
            return ops.cast(self._scaled(in_full_precision(inputs)), self.compute_dtype)
        outputs = ops.layer_normalization(
            in_full_precision(inputs),
            gamma=in_full_precision(self.gamma),
            beta=in_full_precision(self.beta),
            axis=self.axis,
            epsilon=self.epsilon,
        )
        return ops.cast(outputs, self.compute_dtype)

    def _scaled(self, x):
        axes = normalized_axes(self, self.axis, len(x.shape))
        variance = ops.var(x, axis=axes, keepdims=True)
        x = x * ops.rsqrt(variance + self.epsilon)
        if self.gamma is None:
            return x
        shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
        return x * ops.reshape(in_full_precision(self.gamma), shape)

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        normalized_axes(self, self.axis, len(input_shape))
        return input_shape
