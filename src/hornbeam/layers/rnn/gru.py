"""The gated recurrent unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


class GRUCell(RecurrentCell):
    """One step of a gated recurrent unit.

    With W, U and b cut into three gates z, r and g of `units` columns:

        z = s(x Wz + h Uz + bz),  r = s(x Wr + h Ur + br)
        g = a(x Wg + bg + r * (h Ug + b'g))
        h' = z * h + (1 - z) * g

    where s is the recurrent activation and a the activation. The output is h'. Without
    `reset_after`, `g = a(x Wg + (r * h) Ug + bg)`. Source: Cho et al., "Learning phrase
    representations using RNN encoder-decoder" (2014), in the version of 2014-06
    (`reset_after=False`) or of cuDNN (`reset_after=True`).

    Args:
        units: the size of the state, which is the output.
        activation: the function a. Default: "tanh".
        recurrent_activation: the function s of the gates. Default: "sigmoid".
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
        reset_after: whether r multiplies the product with U instead of h; the bias then
            has a row for the inputs and one for the state. Default: True.
        seed: an integer for the dropout. Default: generated.

    Call arguments: `inputs`: one step, `(batch, features)`; `states`: a list of
    one tensor `(batch, units)`; `training`. Returns `(output, new states)`.

    >>> import hornbeam as keras
    >>> cell = keras.layers.GRUCell(4)
    >>> output, states = cell(keras.ops.ones((2, 3)), [keras.ops.zeros((2, 4))])
    >>> output.shape
    (2, 4)
    """

    gates = 3
    reset_after: bool

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
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
        reset_after: bool = True,
        seed: Seed = None,
        **kwargs: Unpack[CellArguments],
    ) -> None:
        self._init(locals())
        self.state_size: Any = positive_integer(self, "units", units)
        self.output_size: Any = self.state_size

    @property
    def fused_kind(self) -> str | None:
        """The engine's kernel, which is for the usual activations."""
        usual = self.reset_after and self.has_activations("tanh", "sigmoid")
        return "gru" if usual else None

    def build(self, input_shape: InputShape) -> None:
        """Make the weights for inputs of this shape."""
        size = known_size(self, input_shape, -1)
        u = self.units
        bias = (2, 3 * u) if self.reset_after else (3 * u,)
        self._add_weights((size, 3 * u), (u, 3 * u), bias)

    def biases(self) -> tuple[Any, Any]:
        """Return the bias of the inputs and that of the state."""
        if self.bias is None or not self.reset_after:
            return super().biases()
        bias = self.bias.value
        return bias[0], bias[1]

    def step(self, x: Tensor, states: Any, recur: Callable[..., Tensor]) -> Any:
        """Return the new state as output and as state."""
        (h,), u = states, self.units
        s, a = self.recurrent_activation, self.activation
        if self.reset_after:
            from_h = recur(h)
            gates = s(x[..., : 2 * u] + from_h[..., : 2 * u])
            z, r = gates[..., :u], gates[..., u:]
            g = a(x[..., 2 * u :] + r * from_h[..., 2 * u :])
        else:
            gates = s(x[..., : 2 * u] + recur(h, 0, 2))
            z, r = gates[..., :u], gates[..., u:]
            g = a(x[..., 2 * u :] + recur(r * h, 2, 3))
        h = z * h + (1 - z) * g
        return h, [h]


class GRU(CellLayer):
    """A gated recurrent unit along sequences.

    At each step, with W, U and b cut into three gates z, r and g:

        z = s(x Wz + h Uz + bz),  r = s(x Wr + h Ur + br)
        g = a(x Wg + bg + r * (h Ug + b'g))
        h' = z * h + (1 - z) * g

    where s is the recurrent activation and a the activation; h is the output. Without
    `reset_after`, `g = a(x Wg + (r * h) Ug + bg)`. Source: Cho et al., "Learning phrase
    representations using RNN encoder-decoder" (2014), in the version of 2014-06
    (`reset_after=False`) or of cuDNN (`reset_after=True`).

    **Speed.** The product of the inputs with W is made once for all steps, or in the
    loop where a compiled program on a CPU is faster so (JAX, TensorFlow). On PyTorch
    all steps are one call of the engine's fused kernel where the activations are "tanh"
    and "sigmoid", `reset_after` is True, `unroll` is False and no recurrent dropout is
    in force; masks and dropout of the inputs (unless `implementation=1` draws it anew
    for each gate) are fine. It gives the same numbers. On other engines, and with other
    arguments, the steps are one loop. `use_cudnn=False` asks for the loop; `True`
    raises where there is no fused kernel.

    Args:
        units: the size of h.
        activation: the function a. Default: "tanh".
        recurrent_activation: the function s of the gates. Default: "sigmoid".
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
        reset_after: whether r multiplies the product with U instead of h; the bias then
            has a row for the inputs and one for the state. Default: True.
        use_cudnn: whether to use the engine's fused kernel. Default: "auto".

    Call arguments: `sequences`; `initial_state`: the state before the
    first step; `mask`: booleans
    `(batch, steps)`: where False, the step is skipped; `training`.

    Input shape: `(batch, steps, features)`. Output shape: `(batch, units)`, or
    `(batch, steps, units)` with `return_sequences`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.GRU(4, return_sequences=True)
    >>> layer(keras.ops.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    cell_class: Any = GRUCell
    cell_name = "gru_cell"
    units: OfCell = OfCell()
    recurrent_activation: OfCell = OfCell()
    use_cudnn: OfCell = OfCell(settable=True)
    reset_after: OfCell = OfCell()

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
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
        seed: Seed = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: bool | Literal["auto"] = "auto",
        **kwargs: Unpack[RecurrentArguments],
    ) -> None:
        self._init(locals())
