"""Convolutions along one, two and three axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import activations, ops
from hornbeam.core.config import standardize_data_format
from hornbeam.layers.arguments import (
    channel_axis,
    integer_tuple,
    keep_weight_arguments,
    known_size,
    padding_mode,
    positive_integer,
    spatial_axes,
)
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.low_rank import AdaptedWeight, LowRank
from hornbeam.layers.rank_family import RankFamily
from hornbeam.ops import windows

if TYPE_CHECKING:
    from typing import Any, Literal, Unpack

    from hornbeam.layers.keyword_arguments import ConvArguments
    from hornbeam.typing import (
        ActivationLike,
        ConstraintLike,
        DataFormat,
        InitializerLike,
        InputShape,
        IntOrInts,
        OptionalVariable,
        Padding,
        RegularizerLike,
        Shape,
        Tensor,
    )


class Convolution(RankFamily):
    """What all convolutions share: the window's arguments, the bias, the activation."""

    activation: Any
    use_bias: bool
    bias: OptionalVariable
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any

    arguments_per_axis: tuple[str, ...] = ("strides", "dilation_rate")

    def keep_window(
        self,
        kernel_size: IntOrInts,
        strides: IntOrInts,
        padding: Padding | Literal["causal"],
        data_format: DataFormat | None,
        dilation_rate: IntOrInts,
    ) -> None:
        """Check and store the arguments of the window."""
        rank = self.rank
        choices = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
        self.kernel_size: tuple[int, ...] = integer_tuple(
            self, "kernel_size", kernel_size, rank
        )
        self.strides: tuple[int, ...] = integer_tuple(self, "strides", strides, rank)
        self.padding: str = padding_mode(self, padding, choices)
        self.data_format = standardize_data_format(data_format)
        self.dilation_rate: tuple[int, ...] = integer_tuple(
            self, "dilation_rate", dilation_rate, rank
        )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{type(self).__name__}: `strides > 1` not supported in conjunction "
                f"with `dilation_rate > 1`. Received: strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}"
            )
        self.input_spec = InputSpec(ndim=rank + 2)

    def input_channels(self, input_shape: InputShape) -> int:
        """Return how many channels the inputs have, and expect as many from now on."""
        axis = channel_axis(self.data_format)
        channels = known_size(self, input_shape, axis, "number of channels")
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        self.compute_output_shape(input_shape)
        return channels

    def add_bias(self, filters: int) -> None:
        """Make the bias, one number for each filter, if there is to be one."""
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def finish(self, outputs: Tensor) -> Tensor:
        """Add the bias and apply the activation."""
        if self.bias is not None:
            bias = self.bias
            if self.data_format == "channels_first":
                bias = ops.reshape(bias, (1, -1, *[1] * self.rank))
            outputs = outputs + bias
        return outputs if self.activation is None else self.activation(outputs)

    def window_settings(self) -> dict[str, Any]:
        """Return the window's arguments as the ops take them."""
        return {
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
            "data_format": self.data_format,
        }

    def output_shape_of(self, input_shape: InputShape, filters: int) -> Shape:
        """Return the shape after sliding the window, with `filters` channels."""
        shape = list(input_shape)
        shape[channel_axis(self.data_format)] = filters
        for i, axis in enumerate(spatial_axes(self.data_format, self.rank)):
            size = shape[axis] = windows.output_size(
                input_shape[axis],
                self.kernel_size[i],
                self.strides[i],
                self.padding,
                self.dilation_rate[i],
            )
            if size is not None and size < 1:
                raise ValueError(
                    f"Layer {self.path!r} ({type(self).__name__}): the window does not "
                    f"fit. Expected inputs of at least its size, kernel_size="
                    f"{self.kernel_size} with dilation_rate={self.dilation_rate}. "
                    f"Received: input_shape={tuple(input_shape)}. "
                    "Use `padding='same'`, a smaller window, or larger inputs."
                )
        return tuple(shape)


class Conv(LowRank, Convolution):
    """A convolution with `filters` kernels that see all channels of their group."""

    kernel: AdaptedWeight = AdaptedWeight()
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts = 1,
        padding: Padding | Literal["causal"] = "valid",
        data_format: DataFormat | None = None,
        dilation_rate: IntOrInts = 1,
        groups: int = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[ConvArguments],
    ) -> None:
        """The window slides over the spatial axes; each filter has a kernel.

        Args:
        filters: number of output channels.
        kernel_size: size of the window along each spatial axis; an int for all.
        strides: step of the window along each axis; an int for all. Default: 1.
        padding: "valid" (default), "same", or for sequences "causal": an output
            depends on no later inputs.
        data_format: "channels_last" or "channels_first". Default:
            `keras.config.image_data_format()`.
        dilation_rate: distance between the window's elements. Default: 1.
        groups: number of groups of channels that do not mix. Default: 1.
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
        self.groups: int = positive_integer(self, "groups", groups)
        if self.filters % self.groups:
            raise ValueError(
                f"{type(self).__name__}: `groups` must divide `filters`. Received: "
                f"groups={groups}, filters={filters}."
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

    def build(self, input_shape: InputShape) -> None:
        """Make the kernel and the bias for inputs of this shape."""
        channels = self.input_channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"Layer {self.path!r} ({type(self).__name__}): `groups` must divide "
                f"the number of input channels. Received: groups={self.groups} for "
                f"{channels} channels (input_shape={tuple(input_shape)})."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.add_bias(self.filters)

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """Return the convolution of the inputs with a kernel; made to be overridden."""
        return ops.conv(inputs, kernel, **self.window_settings())

    def call(self, inputs: Tensor) -> Tensor:
        """Return the convolution, with bias and activation."""
        return self.finish(self.convolution_op(inputs, self.kernel))

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the shape of the output."""
        return self.output_shape_of(input_shape, self.filters)


class Conv1D(Conv):
    """Convolution along sequences.

    Input shape: `(batch, steps, channels)`. Output: `(batch, new steps, filters)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Conv1D(5, 3, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 2))).shape
    (2, 6, 5)
    """

    rank = 1


class Conv2D(Conv):
    """Convolution of images.

    Input shape: `(batch, height, width, channels)`, or the channels second.
    Output shape: `(batch, new height, new width, filters)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Conv2D(5, 3, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 8, 2))).shape
    (2, 6, 6, 5)
    """

    rank = 2


class Conv3D(Conv):
    """Convolution of volumes.

    Input shape: `(batch, depth, height, width, channels)`, or the channels second.
    Output shape: `(batch, new depth, new height, new width, filters)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Conv3D(5, 3, data_format="channels_last")
    >>> layer(keras.ops.ones((1, 4, 4, 4, 2))).shape
    (1, 2, 2, 2, 5)
    """

    rank = 3
