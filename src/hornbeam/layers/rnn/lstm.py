"""Long short-term memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import initializers, ops
from hornbeam.layers.arguments import known_size, positive_integer
from hornbeam.layers.rnn.cell import RecurrentCell
from hornbeam.layers.rnn.cell_layer import CellLayer, OfCell

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, Unpack

    from hornbeam.layers.keyword_arguments import CellArguments, RecurrentArguments
    from hornbeam.typing import (
        ActivationLike,
        ConstraintLike,
        InitializerLike,
        InputShape,
        RegularizerLike,
        Seed,
        Tensor,
    )


class LSTMCell(RecurrentCell):
    """One step of long short-term memory, with hidden state h and cell state c.

    With `z = x W + h U + b`, cut into four gates i, f, g and o of `units` columns:

        c' = s(f) * c + s(i) * a(g)
        h' = s(o) * a(c')

    where s is the recurrent activation and a the activation. The output is h'. Source:
    Hochreiter and Schmidhuber, "Long short-term memory" (1997), with the forget gate of
    Gers et al. (2000).

    Args:
        units: the size of each state.
        activation: the function a. Default: "tanh".
        recurrent_activation: the function s of the gates. Default: "sigmoid".
        use_bias: whether to add a bias. Default: True.
        kernel_initializer, kernel_regularizer, kernel_constraint: for the kernel of the
            inputs. Default: "glorot_uniform", none, none.
        recurrent_initializer, recurrent_regularizer, recurrent_constraint: for the
            kernel of the state. Default: "orthogonal", none, none.
        bias_initializer, bias_regularizer, bias_constraint: for the bias. Default:
            "zeros", none, none.
        unit_forget_bias: whether the bias of f starts at 1, as Jozefowicz et al. (2015)
            advise. Default: True.
        dropout: the fraction of the inputs to drop while training, the same elements at
            all steps. Default: 0.
        recurrent_dropout: the fraction of the state to drop in its product with the
            recurrent kernel. Default: 0.
        seed: an integer for the dropout. Default: generated.

    Call arguments: `inputs`: one step, `(batch, features)`; `states`: a list of
    two, h and c, `(batch, units)`; `training`. Returns `(output, new states)`.

    >>> import hornbeam as keras
    >>> cell = keras.layers.LSTMCell(4)
    >>> states = cell.get_initial_state(batch_size=2)
    >>> output, states = cell(keras.ops.ones((2, 3)), states)
    >>> output.shape, len(states)
    ((2, 4), 2)
    """

    gates = 4
    unit_forget_bias: bool

    def __init__(
        self,
        units: int,
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
        positive_integer(self, "units", units)
        self.state_size: Any = [units, units]
        self.output_size: Any = units

    @property
    def fused_kind(self) -> str | None:
        """The engine's kernel, which is for the usual activations."""
        return "lstm" if self.has_activations("tanh", "sigmoid") else None

    def build(self, input_shape: InputShape) -> None:
        """Make the weights for inputs of this shape."""
        size = known_size(self, input_shape, -1)
        u = self.units
        self._add_weights((size, 4 * u), (u, 4 * u), (4 * u,), self.first_bias())

    def first_bias(self) -> Any:
        """Return the initializer of the bias, with ones for the gate f."""
        if not self.unit_forget_bias:
            return self.bias_initializer

        def initial(shape, dtype=None):
            n = shape[0] // 4
            ones = initializers.Ones()
            makers = [
                (self.bias_initializer, n),
                (ones, n),
                (self.bias_initializer, 2 * n),
            ]
            return ops.concatenate([make((k,), dtype) for make, k in makers])

        return initial

    def step(self, x: Tensor, states: Any, recur: Callable[..., Tensor]) -> Any:
        """Return h, and h and c as the new states."""
        h, c = states
        i, f, g, o = ops.split(x + recur(h), 4, axis=self.gate_axis)
        s, a = self.recurrent_activation, self.activation
        c = s(f) * c + s(i) * a(g)
        h = s(o) * a(c)
        return h, [h, c]


class LSTM(CellLayer):
    """Long short-term memory along sequences.

    At each step, with `z = x W + h U + b` cut into four gates i, f, g and o:

        c' = s(f) * c + s(i) * a(g)
        h' = s(o) * a(c')

    where s is the recurrent activation and a the activation; h is the output. Source:
    Hochreiter and Schmidhuber, "Long short-term memory" (1997), with the forget gate of
    Gers et al. (2000).

    **Speed.** The product of the inputs with W is made once for all steps, or in the
    loop where a compiled program on a CPU is faster so (JAX, TensorFlow). On PyTorch
    all steps are one call of the engine's fused kernel where the activations are "tanh"
    and "sigmoid", `unroll` is False and no recurrent dropout is in force; masks and
    dropout of the inputs (unless `implementation=1` draws it anew for each gate) are
    fine. It gives the same numbers. On other engines, and with other arguments, the
    steps are one loop. `use_cudnn=False` asks for the loop; `True` raises where there
    is no fused kernel.

    Args:
        units: the size of h and c.
        activation: the function a. Default: "tanh".
        recurrent_activation: the function s of the gates. Default: "sigmoid".
        use_bias: whether to add a bias. Default: True.
        kernel_initializer, kernel_regularizer, kernel_constraint: for the kernel of the
            inputs. Default: "glorot_uniform", none, none.
        recurrent_initializer, recurrent_regularizer, recurrent_constraint: for the
            kernel of the state. Default: "orthogonal", none, none.
        bias_initializer, bias_regularizer, bias_constraint: for the bias. Default:
            "zeros", none, none.
        unit_forget_bias: whether the bias of f starts at 1, as Jozefowicz et al. (2015)
            advise. Default: True.
        activity_regularizer: penalty on the output.
        dropout: the fraction of the inputs to drop while training, the same elements at
            all steps. Default: 0.
        recurrent_dropout: the fraction of the state to drop in its product with the
            recurrent kernel. Default: 0.
        seed: an integer for the dropout. Default: generated.
        return_sequences, return_state, go_backwards, stateful, unroll: see `RNN`.
        use_cudnn: whether to use the engine's fused kernel. Default: "auto".

    Call arguments: `sequences`; `initial_state`: the list [h, c] before the
    first step; `mask`: booleans
    `(batch, steps)`: where False, the step is skipped; `training`.

    Input shape: `(batch, steps, features)`. Output shape: `(batch, units)`, or
    `(batch, steps, units)` with `return_sequences`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.LSTM(4, return_sequences=True, return_state=True)
    >>> outputs, h, c = layer(keras.ops.ones((2, 5, 3)))
    >>> outputs.shape, h.shape
    ((2, 5, 4), (2, 4))
    """

    cell_class: Any = LSTMCell
    cell_name = "lstm_cell"
    units: OfCell = OfCell()
    recurrent_activation: OfCell = OfCell()
    use_cudnn: OfCell = OfCell(settable=True)
    unit_forget_bias: OfCell = OfCell()

    def __init__(
        self,
        units: int,
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
        unroll: bool = False,
        use_cudnn: bool | Literal["auto"] = "auto",
        **kwargs: Unpack[RecurrentArguments],
    ) -> None:
        self._init(locals())
