"""Transposed convolutions, which enlarge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import activations, ops
from hornbeam.layers.arguments import (
    channel_axis,
    integer_tuple,
    keep_weight_arguments,
    positive_integer,
    spatial_axes,
)
from hornbeam.layers.convolutional.conv import Convolution
from hornbeam.ops import windows

if TYPE_CHECKING:
    from typing import Any, Unpack

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


class ConvTranspose(Convolution):
    """The transpose of a convolution with the same window."""

    kernel: Variable
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts = 1,
        padding: Padding = "valid",
        output_padding: IntOrInts | None = None,
        data_format: DataFormat | None = None,
        dilation_rate: IntOrInts = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[NamedArguments],
    ) -> None:
        """It is the transpose of the convolution with the same window.

        Args:
        filters: number of output channels.
        kernel_size: size of the window along each spatial axis; an int for all.
        strides: factor of enlargement along each axis; an int for all. Default: 1.
        padding: "valid" (default) or "same".
        output_padding: places added at the end of each axis of the output. Default: as
            the padding asks for.
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.
        dilation_rate: distance between the window's elements. Default: 1.
        activation: a function of the result. Default: none.
        use_bias: whether to add a bias. Default: True.
        kernel_initializer, kernel_regularizer, kernel_constraint: for the kernel.
            Default: "glorot_uniform", none, none.
        bias_initializer, bias_regularizer, bias_constraint: for the bias. Default:
            "zeros", none, none.
        activity_regularizer: penalty on the output. Default: none.
        """
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters: int = positive_integer(self, "filters", filters)
        self.keep_window(kernel_size, strides, padding, data_format, dilation_rate)
        self.output_padding: tuple[int, ...] | None = self._checked_output_padding(
            output_padding
        )
        self.activation: Any = activations.get(activation)
        self.use_bias = use_bias
        keep_weight_arguments(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def _checked_output_padding(self, value):
        if value is None:
            return None
        amounts = integer_tuple(self, "output_padding", value, self.rank, low=0)
        if any(a >= s for a, s in zip(amounts, self.strides, strict=True)):
            raise ValueError(
                f"{type(self).__name__}: `output_padding` must be strictly less than "
                f"`strides`. Received: output_padding={value}, strides={self.strides}"
            )
        return amounts

    def build(self, input_shape: InputShape) -> None:
        """Make the kernel and the bias for inputs of this shape."""
        channels = self.input_channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.add_bias(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the transposed convolution, with bias and activation."""
        outputs = ops.conv_transpose(
            inputs,
            self.kernel,
            output_padding=self.output_padding,
            **self.window_settings(),
        )
        return self.finish(outputs)

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the shape of the output."""
        shape = list(input_shape)
        shape[channel_axis(self.data_format)] = self.filters
        extra = self.output_padding or (None,) * self.rank
        for i, axis in enumerate(spatial_axes(self.data_format, self.rank)):
            shape[axis] = windows.transposed_size(
                input_shape[axis],
                self.kernel_size[i],
                self.strides[i],
                self.padding,
                extra[i],
                self.dilation_rate[i],
            )
        return tuple(shape)


class Conv1DTranspose(ConvTranspose):
    """Transposed convolution along sequences, which enlarges them.

    Input shape: `(batch, steps, channels)`. Output: `(batch, new steps, filters)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Conv1DTranspose(
    ...     4, 2, strides=2, data_format="channels_last"
    ... )
    >>> layer(keras.ops.ones((2, 5, 3))).shape
    (2, 10, 4)
    """

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """Transposed convolution of images, which enlarges them.

    Input shape: `(batch, height, width, channels)`, or the channels second.
    Output shape: `(batch, new height, new width, filters)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Conv2DTranspose(
    ...     4, 2, strides=2, data_format="channels_last"
    ... )
    >>> layer(keras.ops.ones((2, 5, 5, 3))).shape
    (2, 10, 10, 4)
    """

    rank = 2


class Conv3DTranspose(ConvTranspose):
    """Transposed convolution of volumes, which enlarges them.

    Input shape: `(batch, depth, height, width, channels)`, or the channels second.
    Output shape: `(batch, new depth, new height, new width, filters)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Conv3DTranspose(
    ...     4, 2, strides=2, data_format="channels_last"
    ... )
    >>> layer(keras.ops.ones((1, 2, 2, 2, 3))).shape
    (1, 4, 4, 4, 4)
    """

    rank = 3

    # The API has these two in another order here than in the other ranks.
    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts = 1,
        padding: Padding = "valid",
        data_format: DataFormat | None = None,
        output_padding: IntOrInts | None = None,
        dilation_rate: IntOrInts = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[NamedArguments],
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
