"""Long short-term memory whose products are convolutions."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.config import standardize_data_format
from hornbeam.layers.arguments import (
    channel_axis,
    integer_tuple,
    known_size,
    padding_mode,
    positive_integer,
    spatial_axes,
)
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.rank_family import RankFamily
from hornbeam.layers.rnn.cell_layer import CellLayer, OfCell
from hornbeam.layers.rnn.lstm import LSTMCell
from hornbeam.ops import windows

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import CellArguments, RecurrentArguments
    from hornbeam.typing import (
        ActivationLike,
        ConstraintLike,
        DataFormat,
        InitializerLike,
        InputShape,
        IntOrInts,
        Padding,
        RegularizerLike,
        Seed,
        Shape,
        Tensor,
    )


class ConvLSTMCell(LSTMCell):
    """One step of `ConvLSTM1D`, `ConvLSTM2D` or `ConvLSTM3D`; `rank` says which.

    It is an `LSTMCell` whose products with the kernels are convolutions: that of the
    inputs with the given window, that of the state with padding "same", so that it
    keeps its size.
    """

    fused_kind: Any = None
    rank: int
    filters: int
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    data_format: DataFormat
    dilation_rate: tuple[int, ...]
    _state_shape: Shape = ()

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts = 1,
        padding: Padding = "valid",
        data_format: DataFormat | None = None,
        dilation_rate: IntOrInts = 1,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Seed = None,
        **kwargs: Unpack[CellArguments],
    ) -> None:
        self._init(locals())
        positive_integer(self, "filters", filters)
        self.kernel_size = integer_tuple(self, "kernel_size", kernel_size, rank)
        self.strides = integer_tuple(self, "strides", strides, rank)
        self.padding = padding_mode(self, padding, ("valid", "same"))
        self.data_format = standardize_data_format(data_format)
        self.dilation_rate = integer_tuple(self, "dilation_rate", dilation_rate, rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "ConvLSTM: `strides` and `dilation_rate` cannot both be above 1. "
                f"Received: strides={strides} and dilation_rate={dilation_rate}"
            )
        # Counted from the end, as for one step and for many.
        self.gate_axis: int = -1 if self.data_format == "channels_last" else -1 - rank
        self.state_size: Any = [filters, filters]
        self.output_size: Any = None

    def build(self, input_shape: InputShape) -> None:
        """Make the weights for inputs of this shape."""
        channels = known_size(self, input_shape, channel_axis(self.data_format))
        for axis in spatial_axes(self.data_format, self.rank):
            known_size(self, input_shape, axis)
        n, window = 4 * self.filters, self.kernel_size
        self._state_shape = self.shape_of_state(input_shape)[1:]
        self._add_weights(
            (*window, channels, n), (*window, self.filters, n), (n,), self.first_bias()
        )

    def shape_of_state(self, input_shape: InputShape) -> Shape:
        """Return the shape of each state for the inputs of a step."""
        shape = list(input_shape)
        shape[channel_axis(self.data_format)] = self.filters
        for i, axis in enumerate(spatial_axes(self.data_format, self.rank)):
            shape[axis] = windows.output_size(
                input_shape[axis],
                self.kernel_size[i],
                self.strides[i],
                self.padding,
                self.dilation_rate[i],
            )
        return tuple(shape)

    def get_initial_state(self, batch_size: Any = None) -> Any:
        """Return the states before the first step: zeros. The cell must be built."""
        shape = (batch_size, *self._state_shape)
        return [ops.zeros(shape, self.compute_dtype) for _ in self.state_size]

    def product(self, x: Tensor, kernel: Tensor, bias: Tensor = None) -> Tensor:
        """Return the convolution of inputs, of one step or of many."""
        steps = x.shape[: len(x.shape) - self.rank - 1]
        folded = ops.reshape(x, (-1, *x.shape[len(steps) :]))
        y = self._conv(
            folded, kernel, bias, self.strides, self.padding, self.dilation_rate
        )
        return ops.reshape(y, (*steps, *y.shape[1:]))

    def recurrent_product(
        self, h: Tensor, kernel: Tensor, bias: Tensor = None
    ) -> Tensor:
        """Return the convolution of a state, which keeps its size."""
        return self._conv(h, kernel, bias, 1, "same", 1)

    def _conv(self, x, kernel, bias, strides, padding, dilation_rate):
        y = ops.conv(x, kernel, strides, padding, self.data_format, dilation_rate)
        if bias is None:
            return y
        ones = [1] * self.rank if self.data_format == "channels_first" else []
        return y + ops.reshape(bias, (-1, *ones))


class ConvLSTM(CellLayer, RankFamily):
    """The base of long short-term memory on maps; see `ConvLSTM2D`."""

    implementation = 1
    cell_name = "conv_lstm_cell"
    filters: OfCell = OfCell()
    kernel_size: OfCell = OfCell()
    strides: OfCell = OfCell()
    padding: OfCell = OfCell()
    data_format: OfCell = OfCell()
    dilation_rate: OfCell = OfCell()
    recurrent_activation: OfCell = OfCell()
    unit_forget_bias: OfCell = OfCell()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "rank" in vars(cls):
            cls.cell_class = functools.partial(ConvLSTMCell, rank=cls.rank)

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts = 1,
        padding: Padding = "valid",
        data_format: DataFormat | None = None,
        dilation_rate: IntOrInts = 1,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Seed = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Unpack[RecurrentArguments],
    ) -> None:
        """An `LSTM` whose products are convolutions: at each step, with
        `z = x * W + h * U + b` (`*` a convolution) cut into four gates i, f, g and o,

            c' = s(f) c + s(i) a(g)
            h' = s(o) a(c')

        where s is the recurrent activation and a the activation; h is the output. U is
        applied with padding "same" and strides of 1. The inputs of all steps are
        convolved at once. Source: Shi et al., "Convolutional LSTM network" (2015),
        without peepholes.

        Args:
            filters: channels of h and c.
            kernel_size: size of the window along each spatial axis; an int for all.
            strides: step of the window on the inputs. Default: 1.
            padding: "valid" (default) or "same", for the inputs.
            data_format: "channels_last" or "channels_first". Default:
                `keras.config.image_data_format()`.
            dilation_rate: distances of the window's elements on the inputs. Default: 1.
            activation: the function a. Default: "tanh".
            recurrent_activation: the function s of the gates. Default: "sigmoid".
            use_bias: whether to add a bias. Default: True.
            kernel_initializer, kernel_regularizer, kernel_constraint: for W. Default:
                "glorot_uniform", none, none.
            recurrent_initializer, recurrent_regularizer, recurrent_constraint: for U.
                Default: "orthogonal", none, none.
            bias_initializer, bias_regularizer, bias_constraint: for b. Default:
                "zeros", none, none.
            unit_forget_bias: whether the bias of f starts at 1. Default: True.
            activity_regularizer: penalty on the output.
            dropout: the fraction of the inputs to drop while training, the same
                elements at all steps. Default: 0.
            recurrent_dropout: the fraction of the state to drop before its
                convolution. Default: 0.
            seed: an integer for the dropout. Default: generated.
            return_sequences, return_state, go_backwards, stateful: see `RNN`.

        Call arguments: `sequences`; `initial_state`: the list [h, c] before the
        first step; `mask`: booleans `(batch, steps)`: where False, the step is skipped;
        `training`.
        """
        self._init(locals())
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def _step_shapes(self, step_shape):
        shape = self.cell.shape_of_state(step_shape)
        return shape, [shape, shape]


class ConvLSTM1D(ConvLSTM):
    """Long short-term memory along sequences of rows of features.

    Input shape: `(batch, steps, length, channels)`, or channels third.
    Output shape: `(batch, new length, filters)`, with the steps second
    for `return_sequences`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.ConvLSTM1D(4, 3, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 3, 8, 2))).shape
    (2, 6, 4)
    """

    rank = 1


class ConvLSTM2D(ConvLSTM):
    """Long short-term memory along sequences of images.

    Input shape: `(batch, steps, height, width, channels)`, or channels third.
    Output shape: `(batch, new height, new width, filters)`, with the steps second
    for `return_sequences`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.ConvLSTM2D(4, 3, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 3, 6, 6, 2))).shape
    (2, 4, 4, 4)
    """

    rank = 2


class ConvLSTM3D(ConvLSTM):
    """Long short-term memory along sequences of volumes.

    Input shape: `(batch, steps, depth, height, width, channels)`, or channels third.
    Output shape: `(batch, new depth, new height, new width, filters)`, with the steps
    second for `return_sequences`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.ConvLSTM3D(4, 3, data_format="channels_last")
    >>> layer(keras.ops.ones((1, 3, 4, 4, 4, 2))).shape
    (1, 2, 2, 2, 4)
    """

    rank = 3
