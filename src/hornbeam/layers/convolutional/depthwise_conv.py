"""Convolutions that treat each channel by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import activations, ops
from hornbeam.layers.arguments import (
    channel_axis,
    keep_weight_arguments,
    known_size,
    positive_integer,
)
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


class DepthwiseConv(Convolution):
    """A convolution with `depth_multiplier` kernels for each channel."""

    kernel: Variable
    depthwise_initializer: Any
    depthwise_regularizer: Any
    depthwise_constraint: Any

    def __init__(
        self,
        kernel_size: IntOrInts,
        strides: IntOrInts = 1,
        padding: Padding | Literal["causal"] = "valid",
        depth_multiplier: int = 1,
        data_format: DataFormat | None = None,
        dilation_rate: IntOrInts = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        depthwise_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[NamedArguments],
    ) -> None:
        """Each channel has `depth_multiplier` kernels of its own.

        Args:
        kernel_size: size of the window along each spatial axis; an int for all.
        strides: step of the window along each axis; an int for all. Default: 1.
        padding: "valid" (default), "same", or for sequences "causal": an output
            depends on no later inputs.
        depth_multiplier: output channels per input channel. Default: 1.
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.
        dilation_rate: distance between the window's elements. Default: 1.
        activation: a function of the result. Default: none.
        use_bias: whether to add a bias. Default: True.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: for the
            kernel. Default: "glorot_uniform", none, none.
        bias_initializer, bias_regularizer, bias_constraint: for the bias. Default:
            "zeros", none, none.
        activity_regularizer: penalty on the output. Default: none.
        """
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.keep_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier: int = positive_integer(
            self, "depth_multiplier", depth_multiplier
        )
        self.activation: Any = activations.get(activation)
        self.use_bias = use_bias
        keep_weight_arguments(
            self,
            depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: InputShape) -> None:
        """Make the kernel and the bias for inputs of this shape."""
        channels = self.input_channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.add_bias(channels * self.depth_multiplier)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the convolution, with bias and activation."""
        outputs = ops.depthwise_conv(inputs, self.kernel, **self.window_settings())
        return self.finish(outputs)

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the shape of the output."""
        axis = channel_axis(self.data_format)
        channels = known_size(self, input_shape, axis, "number of channels")
        return self.output_shape_of(input_shape, channels * self.depth_multiplier)


class DepthwiseConv1D(DepthwiseConv):
    """Convolution along sequences, each channel by itself.

    Input shape: `(batch, steps, channels)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.DepthwiseConv1D(
    ...     3, depth_multiplier=2, data_format="channels_last"
    ... )
    >>> layer(keras.ops.ones((2, 8, 3))).shape
    (2, 6, 6)
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """Convolution of images, each channel by itself.

    Input shape: `(batch, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.DepthwiseConv2D(
    ...     3, depth_multiplier=2, data_format="channels_last"
    ... )
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 6, 6, 6)
    """

    rank = 2
