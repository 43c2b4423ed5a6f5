"""The plain recurrent network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.layers.arguments import known_size, positive_integer
from hornbeam.layers.rnn.cell import RecurrentCell
from hornbeam.layers.rnn.cell_layer import CellLayer, OfCell

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Unpack

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


class SimpleRNNCell(RecurrentCell):
    """One step of a plain recurrent network: `h' = activation(x W + h U + b)`.

    Source: Elman, "Finding structure in time" (1990).

    Args:
        units: the size of the state, which is the output.
        activation: a function. Default: "tanh".
        use_bias: whether to add a bias. Default: True.
        kernel_initializer, kernel_regularizer, kernel_constraint: for the kernel of the
            inputs. Default: "glorot_uniform", none, none.
        recurrent_initializer, recurrent_regularizer, recurrent_constraint: for the
            kernel of the state. Default: "orthogonal", none, none.
        bias_initializer, bias_regularizer, bias_constraint: for the bias. Default:
            "zeros", none, none.
        dropout: the fraction of the inputs to drop while training, the same elements at
            all steps. Default: 0.
        recurrent_dropout: the fraction of the state to drop in its product with the
            recurrent kernel. Default: 0.
        seed: an integer for the dropout. Default: generated.

    Call arguments: `inputs`: one step, `(batch, features)`; `states`: a list of
    one tensor `(batch, units)`; `training`. Returns `(output, new states)`.

    >>> import hornbeam as keras
    >>> cell = keras.layers.SimpleRNNCell(4)
    >>> output, states = cell(keras.ops.ones((2, 3)), [keras.ops.zeros((2, 4))])
    >>> output.shape
    (2, 4)
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
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
        self.state_size: Any = positive_integer(self, "units", units)
        self.output_size: Any = self.state_size

    @property
    def fused_kind(self) -> str | None:
        """The engine's kernel for the activation."""
        name = getattr(self.activation, "__name__", None)
        return name if name in ("tanh", "relu") else None

    def build(self, input_shape: InputShape) -> None:
        """Make the weights for inputs of this shape."""
        size = known_size(self, input_shape, -1)
        u = self.units
        self._add_weights((size, u), (u, u), (u,))

    def step(self, x: Tensor, states: Any, recur: Callable[..., Tensor]) -> Any:
        """Return the new state as output and as state."""
        h = self.activation(x + recur(states[0]))
        return h, [h]


class SimpleRNN(CellLayer):
    """A plain recurrent network: `h[t] = activation(x[t] W + h[t-1] U + b)`.

    Source: Elman, "Finding structure in time" (1990).

    Args:
        units: the size of the state, which is the output.
        activation: a function. Default: "tanh".
        use_bias: whether to add a bias. Default: True.
        kernel_initializer, kernel_regularizer, kernel_constraint: for the kernel of the
            inputs. Default: "glorot_uniform", none, none.
        recurrent_initializer, recurrent_regularizer, recurrent_constraint: for the
            kernel of the state. Default: "orthogonal", none, none.
        bias_initializer, bias_regularizer, bias_constraint: for the bias. Default:
            "zeros", none, none.
        activity_regularizer: penalty on the output.
        dropout: the fraction of the inputs to drop while training, the same elements at
            all steps. Default: 0.
        recurrent_dropout: the fraction of the state to drop in its product with the
            recurrent kernel. Default: 0.
        seed: an integer for the dropout. Default: generated.
        return_sequences, return_state, go_backwards, stateful, unroll: see `RNN`.

    Call arguments: `sequences`; `initial_state`: the state before the
    first step; `mask`: booleans
    `(batch, steps)`: where False, the step is skipped; `training`.

    Input shape: `(batch, steps, features)`. Output shape: `(batch, units)`, or
    `(batch, steps, units)` with `return_sequences`.

    **Speed.** As for `LSTM`; the engine's kernel is used for "tanh" and "relu".

    >>> import hornbeam as keras
    >>> layer = keras.layers.SimpleRNN(4, return_sequences=True)
    >>> layer(keras.ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    cell_class: Any = SimpleRNNCell
    cell_name = "simple_rnn_cell"
    units: OfCell = OfCell()

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: Seed = None,
        **kwargs: Unpack[RecurrentArguments],
    ) -> None:
        self._init(locals())
