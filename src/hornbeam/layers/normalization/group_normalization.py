"""Normalisation over groups of channels of each sample."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.layers.arguments import known_size, positive_integer
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.normalization.affine import Affine

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import (
        ConstraintLike,
        InitializerLike,
        InputShape,
        RegularizerLike,
        Tensor,
    )


class GroupNormalization(Affine):
    """Gives each group of channels of each sample mean 0 and variance 1.

    `y = gamma * (x - mean) / sqrt(var + epsilon) + beta`, where mean and variance are
    those of one sample's group over all its places. Source: Wu and He, "Group
    normalization", arXiv:1803.08494. One group gives layer normalisation, as many
    groups as channels instance normalisation.

    Args:
        groups: number of groups; it must divide the number of channels; -1: one for
            each channel. Defaults to 32.
        axis: the axis of the channels. Defaults to -1.
        epsilon: added to the variance. Defaults to 0.001.
        center: whether to add `beta`. Defaults to True.
        scale: whether to multiply with `gamma`. Defaults to True.
        beta_initializer, beta_regularizer, beta_constraint: for `beta`.
        gamma_initializer, gamma_regularizer, gamma_constraint: for `gamma`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GroupNormalization(groups=2)
    >>> layer(keras.ops.ones((1, 3, 3, 4))).shape
    (1, 3, 3, 4)
    """

    epsilon: float = Hyperparameter(low=0)

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        beta_constraint: ConstraintLike = None,
        gamma_constraint: ConstraintLike = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        # The sums are taken in float32: values that overflow halves may come in.
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)
        if not isinstance(axis, numbers.Integral):
            raise TypeError(
                "Argument `axis` of GroupNormalization must be an integer. Received: "
                f"axis={axis!r}"
            )
        if groups != -1:
            positive_integer(self, "groups", groups)
        self.groups: int = groups
        self.axis: int = axis
        self.epsilon = epsilon
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
        channels = known_size(self, input_shape, self.axis, "number of channels")
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ValueError(
                f"GroupNormalization {self.path!r}: `groups` must divide the number of "
                f"channels. Received: groups={self.groups} for an input of "
                f"{channels} channels (input_shape={tuple(input_shape)})."
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self.add_affine_weights((channels,))

    def call(self, inputs: Tensor) -> Tensor:
        """Return the normalised inputs."""
        shape = ops.shape(inputs)
        channel_axis = self.axis % len(shape)
        wide = "float64" if self.compute_dtype == "float64" else "float32"
        x = ops.reshape(ops.cast(inputs, wide), self._grouped(shape, channel_axis))
        axes = [a for a in range(1, len(shape) + 1) if a != channel_axis]
        mean, variance = ops.moments(x, axes=axes, keepdims=True)
        x = (x - mean) * ops.rsqrt(variance + self.epsilon)
        x = ops.reshape(x, shape)
        along_channels = [1] * len(shape)
        along_channels[channel_axis] = -1
        if self.gamma is not None:
            x = x * ops.reshape(ops.cast(self.gamma, wide), along_channels)
        if self.beta is not None:
            x = x + ops.reshape(ops.cast(self.beta, wide), along_channels)
        return ops.cast(x, self.compute_dtype)

    def _grouped(self, shape, channel_axis):
        """Return the shape with the channels split into groups and their members."""
        split = (self.groups, shape[channel_axis] // self.groups)
        return (*shape[:channel_axis], *split, *shape[channel_axis + 1 :])

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape
