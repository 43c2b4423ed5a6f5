"""Normalisation over the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import initializers, ops
from hornbeam.core.errors import check_number
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.scopes import batch_mask
from hornbeam.layers.arguments import known_size, normalized_axes
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.normalization.affine import Affine, in_full_precision
from hornbeam.layers.normalization.renorm import (
    add_renorm_weights,
    check_clipping,
    corrected_affine,
)
from hornbeam.ops.normalization import normalize_batch
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Mapping
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


class BatchNormalization(Affine):
    """Gives each channel mean 0 and variance 1 over the batch.

    `y = gamma * (x - mean) / sqrt(var + epsilon) + beta`. In training, mean and
    variance are those of the batch, and the moving statistics follow them:
    `moving = momentum * moving + (1 - momentum) * batch`. Else, and while
    `trainable` is False, the moving statistics are used. Source: Ioffe and Szegedy,
    "Batch normalization", arXiv:1502.03167. Variant: both variances divide by the
    number of values (torch divides the moving one by one less).

    Args:
        axis: the axis of the channels. Defaults to -1.
        momentum: weight of the old value in each update of the moving statistics.
            Defaults to 0.99.
        epsilon: added to the variance. Defaults to 0.001.
        center: whether to add `beta`. Defaults to True.
        scale: whether to multiply with `gamma`. Defaults to True.
        beta_initializer, beta_regularizer, beta_constraint: for `beta`.
        gamma_initializer, gamma_regularizer, gamma_constraint: for `gamma`.
        moving_mean_initializer, moving_variance_initializer: for the statistics.
        renorm: whether to use batch renormalisation (arXiv:1702.03275), which lets
            training see the moving statistics too.
        renorm_clipping: limits `"rmax"`, `"rmin"`, `"dmax"` of its corrections.
        renorm_momentum: the same for the moving statistics of `renorm`. Defaults to
            0.99.
        synchronized: only False: statistics over several devices are not supported.

    Called with a `mask`, the steps that it marks False do not count.

    >>> import hornbeam as keras
    >>> layer = keras.layers.BatchNormalization()
    >>> y = layer(keras.ops.array([[1.0], [3.0]]), training=True)
    >>> [round(float(v), 2) for v in y[:, 0]]
    [-1.0, 1.0]
    """

    momentum: float = Hyperparameter(low=0, high=1)
    epsilon: float = Hyperparameter(low=0)

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        moving_mean_initializer: InitializerLike = "zeros",
        moving_variance_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        beta_constraint: ConstraintLike = None,
        gamma_constraint: ConstraintLike = None,
        renorm: bool = False,
        renorm_clipping: Mapping[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        if synchronized:
            raise ValueError(
                "Argument `synchronized=True` of BatchNormalization needs the "
                "TensorFlow backend. Leave it False."
            )
        self.axis: Any = int(
            check_number(type(self).__name__, "axis", axis, integer=True)
        )
        self.momentum = momentum
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
        self.moving_mean_initializer: Any = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer: Any = initializers.get(
            moving_variance_initializer
        )
        self.renorm = renorm
        self.renorm_clipping: dict[str, float] | None = check_clipping(renorm_clipping)
        self.renorm_momentum = renorm_momentum
        self.synchronized = synchronized
        self.supports_masking = True

    def build(self, input_shape: InputShape) -> None:
        """Make scale, offset and moving statistics for inputs of this shape."""
        (axis,) = normalized_axes(self, self.axis, len(input_shape))
        channels = known_size(self, input_shape, axis, "number of channels")
        self.add_affine_weights((channels,))
        self.moving_mean: Variable = self.add_statistic(
            "moving_mean", self.moving_mean_initializer, channels
        )
        self.moving_variance: Variable = self.add_statistic(
            "moving_variance", self.moving_variance_initializer, channels
        )
        if self.renorm:
            add_renorm_weights(self, channels)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: channels})

    @overridable
    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor = None
    ) -> Tensor:
        """Return the normalised inputs."""
        x = in_full_precision(inputs)
        gamma, beta = in_full_precision(self.gamma), in_full_precision(self.beta)
        if training and self.trainable:
            weights = self._weights(x, mask)
            if weights is None and not self.renorm:
                return self._by_the_batch(x, gamma, beta)
            mean, variance = self._moments(x, weights)
            self.follow(self.moving_mean, mean, self.momentum)
            if self.renorm:
                gamma, beta = corrected_affine(self, mean, variance, gamma, beta)
            else:
                self.follow(self.moving_variance, variance, self.momentum)
        else:
            mean = ops.cast(self.moving_mean, x.dtype)
            variance = ops.cast(self.moving_variance, x.dtype)
        outputs = ops.batch_normalization(
            x,
            mean=mean,
            variance=variance,
            axis=self.axis,
            offset=beta,
            scale=gamma,
            epsilon=self.epsilon,
        )
        return ops.cast(outputs, self.compute_dtype)

    def _by_the_batch(self, x, gamma, beta):
        """Return the inputs normalised by the moments of all of them."""
        outputs, mean, variance = normalize_batch(
            x, gamma, beta, axis=self.axis, epsilon=self.epsilon
        )
        self.follow(self.moving_mean, mean, self.momentum)
        self.follow(self.moving_variance, variance, self.momentum)
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        normalized_axes(self, self.axis, len(input_shape))
        return input_shape

    def add_statistic(self, name: str, initializer: Any, channels: int) -> Variable:
        """Make a moving statistic, one number for each channel."""
        return self.add_weight(
            name=name,
            shape=(channels,),
            initializer=initializer,
            trainable=False,
            autocast=False,
        )

    def follow(self, moving: Any, value: Tensor, momentum: float) -> None:
        """Move a statistic towards the batch's value."""
        value = ops.cast(value, moving.dtype)
        moving.assign(moving * momentum + value * (1.0 - momentum))

    def _moments(self, x, weights):
        """Return mean and variance of the values that count."""
        rank = len(x.shape)
        axes = [a for a in range(rank) if a != self.axis % rank]
        if weights is None:
            return ops.moments(x, axes=axes)
        # A row without any valid step has weight 0: its mean is 0, not 0 / 0.
        total = ops.sum(ops.broadcast_to(weights, ops.shape(x)), axes, keepdims=True)
        fraction = weights / ops.maximum(total, 1e-12)
        mean = ops.sum(x * fraction, axes, keepdims=True)
        variance = ops.sum(ops.square(x - mean) * fraction, axes)
        return ops.squeeze(mean, axes), variance

    def _weights(self, x, mask):
        """Return 1 for each value that counts, broadcastable to `x`, or None."""
        rank = len(x.shape)
        masks = [m for m in (mask, batch_mask()) if m is not None]
        weights = None
        for one in masks:
            one = ops.cast(one, x.dtype)
            one = ops.reshape(one, (*ops.shape(one), *[1] * (rank - len(one.shape))))
            weights = one if weights is None else weights * one
        return weights
