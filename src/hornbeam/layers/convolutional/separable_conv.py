"""Convolutions split into one of each channel and one across channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import activations, ops
from hornbeam.layers.arguments import keep_weight_arguments, positive_integer
from hornbeam.layers.convolutional.conv import Convolution

if TYPE_CHECKING:
    from typing import Any, Literal, Unpack

    from hornbeam.core.variable import Variable
    from hornbeam.layers.keyword_arguments import NamedArguments
    from hornbeam.typing import (
        ActivationLike,
        ConstraintLike,
        DataFormat,
        InitializerLike,
        InputShape,
        IntOrInts,
        Padding,
        RegularizerLike,
        Shape,
        Tensor,
    )


class SeparableConv(Convolution):
    """A depthwise convolution, then one with a window of 1 that mixes the channels."""

    depthwise_kernel: Variable
    depthwise_initializer: Any
    depthwise_regularizer: Any
    depthwise_constraint: Any
    pointwise_kernel: Variable
    pointwise_initializer: Any
    pointwise_regularizer: Any
    pointwise_constraint: Any

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts = 1,
        padding: Padding | Literal["causal"] = "valid",
        data_format: DataFormat | None = None,
        dilation_rate: IntOrInts = 1,
        depth_multiplier: int = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike = "glorot_uniform",
        pointwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: RegularizerLike = None,
        pointwise_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        depthwise_constraint: ConstraintLike = None,
        pointwise_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[NamedArguments],
    ) -> None:
        """The second one has a window of 1 and mixes the channels.

        Args:
        filters: number of output channels.
        kernel_size: size of the window along each spatial axis; an int for all.
        strides: step of the window along each axis; an int for all. Default: 1.
        padding: "valid" (default), "same", or for sequences "causal": an output
            depends on no later inputs.
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.
        dilation_rate: distance between the window's elements. Default: 1.
        depth_multiplier: depthwise channels per input channel. Default: 1.
        activation: a function of the result. Default: none.
        use_bias: whether to add a bias. Default: True.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: for the
            kernel of each channel. Default: "glorot_uniform", none, none.
        pointwise_initializer, pointwise_regularizer, pointwise_constraint: for the
            kernel across channels. Default: "glorot_uniform", none, none.
        bias_initializer, bias_regularizer, bias_constraint: for the bias. Default:
            "zeros", none, none.
        activity_regularizer: penalty on the output. Default: none.
        """
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters: int = positive_integer(self, "filters", filters)
        self.keep_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier: int = positive_integer(
            self, "depth_multiplier", depth_multiplier
        )
        self.activation: Any = activations.get(activation)
        self.use_bias = use_bias
        keep_weight_arguments(
            self,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: InputShape) -> None:
        """Make both kernels and the bias for inputs of this shape."""
        channels = self.input_channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        window = (1,) * self.rank
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*window, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self.add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the convolution, with bias and activation."""
        outputs = ops.separable_conv(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            **self.window_settings(),
        )
        return self.finish(outputs)

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the shape of the output."""
        return self.output_shape_of(input_shape, self.filters)


class SeparableConv1D(SeparableConv):
    """Depthwise convolution along sequences, then one across channels.

    Input shape: `(batch, steps, channels)`. Output: `(batch, new steps, filters)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.SeparableConv1D(4, 3, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 3))).shape
    (2, 6, 4)
    """

    rank = 1


class SeparableConv2D(SeparableConv):
    """Depthwise convolution of images, then one across channels.

    Input shape: `(batch, height, width, channels)`, or the channels second.
    Output shape: `(batch, new height, new width, filters)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.SeparableConv2D(4, 3, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 6, 6, 4)
    """

    rank = 2
