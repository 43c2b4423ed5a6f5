"""The layer that runs any recurrent cell along sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core import masking, scopes, tree
from hornbeam.core.serialization import deserialize_keras_object
from hornbeam.core.variable import Variable
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer
from hornbeam.layers.layer import Layer
from hornbeam.layers.rnn.loop import Loop
from hornbeam.layers.rnn.protocol import (
    as_list,
    check_cell,
    initial_states,
    output_shape,
    run_over_time,
    state_shapes,
)
from hornbeam.layers.rnn.stacked_rnn_cells import StackedRNNCells
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Config, InputShape, Tensor


class RNN(Layer):
    """Runs a cell along the steps of sequences.

    A cell is a layer (or any object) with `call(inputs, states)`, which returns
    `(output, new_states)` for one step, and `state_size`: a number, or a list of them
    for several states. It may have `output_size`, and
    `get_initial_state(batch_size=None)`; without that the states begin as zeros.
    `states` and `new_states` are lists.

    What a cell assigns to its variables in a step (seeds, statistics) is kept from step
    to step. `SimpleRNNCell`, `LSTMCell`, `GRUCell` and stacks of them compute the
    inputs' part of all steps as one product, and use the engine's fused kernel where
    there is one; see `LSTM`.

    Args:
        cell: a cell, or a list of cells that are stacked.
        return_sequences: whether to return the outputs of all steps. Default: False,
            the last one.
        return_state: whether to return the last states behind the output. Default:
            False.
        go_backwards: whether to go from the last step to the first; outputs are then in
            that order. Default: False.
        stateful: whether a row of a batch starts with the last state of that row of the
            batch before. The batch size must be known. Default: False.
        unroll: whether a compiled program repeats the step instead of looping: faster
            for short sequences, slower to compile. Default: False.
        zero_output_for_mask: whether outputs of masked steps are zeros. Default: False,
            the output of the step before.

    Call arguments: `sequences`; `initial_state`: a tensor or a list of them, one for
    each state; `mask`: booleans `(batch, steps)`: where False, the step is skipped;
    `training`.

    Input shape: `(batch, steps, ...)`. Output shape: `(batch, output size)`, or
    `(batch, steps, output size)`; with `return_state` a tuple with the states behind.

    >>> import hornbeam as keras
    >>> layer = keras.layers.RNN([keras.layers.LSTMCell(4), keras.layers.GRUCell(3)])
    >>> layer(keras.ops.ones((2, 5, 8))).shape
    (2, 3)
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.cell: Any = (
            StackedRNNCells(cell) if isinstance(cell, list | tuple) else cell
        )
        check_cell(self.cell)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.state_size: Any = self.cell.state_size
        self.single_state: bool = not isinstance(self.state_size, list | tuple)
        # The Variables of a stateful layer: state, but no weights.
        self._rnn_states = None
        self.supports_masking = True

    @property
    def accepts_padding(self) -> bool:
        """Whether a batch may be padded with rows: kept states have their number."""
        return not self.stateful

    @property
    def states(self) -> Any:
        """The Variables that a stateful layer keeps, in the nest of its states."""
        return self._rnn_states

    def _own_states(self):
        return [*super()._own_states(), *tree.flatten(self._rnn_states or [])]

    def build(
        self, sequences_shape: InputShape, initial_state_shape: Any = None
    ) -> None:
        """Build the cell for one step."""
        step_shape = (sequences_shape[0], *sequences_shape[2:])
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build(step_shape)
            self._build_by_step(step_shape)
        if self.stateful:
            if sequences_shape[0] is None:
                raise ValueError(
                    f"Layer {self.path!r}: stateful=True needs a known batch size. "
                    f"Received: inputs of shape {tuple(sequences_shape)}. Give it, for "
                    "example in `keras.Input(shape=..., batch_size=...)`."
                )
            self._make_states(sequences_shape[0])

    def _build_by_step(self, step_shape):
        """Make what is inside a cell without a `build` of its own."""
        if type(self.cell).build is not Layer.build or not self.cell._layers:
            return
        symbols = tree.map_structure(
            lambda s: KerasTensor(s.shape, self.compute_dtype),
            [ops.zeros((1, *step_shape[1:])), *self.get_initial_state(1)],
        )
        infer(self.cell.call, (symbols[0], symbols[1:]), {})

    def _make_states(self, batch_size):
        with scopes.name_scope(self.name, caller=self):
            self._rnn_states = tree.map_structure(
                lambda x: Variable(
                    lambda shape, dtype: ops.zeros(shape, dtype),
                    shape=tuple(x.shape),
                    dtype=self.variable_dtype,
                    trainable=False,
                    name="rnn_state",
                ),
                self.get_initial_state(batch_size),
            )

    def get_initial_state(self, batch_size: Any) -> Any:
        """Return the states before the first step, as a list."""
        return initial_states(self.cell, batch_size, self.compute_dtype)

    def reset_state(self) -> None:
        """Set the states that a stateful layer keeps to zero."""
        for variable in tree.flatten(self._rnn_states or []):
            variable.assign(ops.zeros(variable.shape, variable.dtype))

    def reset_states(self) -> None:
        """Do what `reset_state` does."""
        self.reset_state()

    @overridable
    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = False,
    ) -> Any:
        """Return the output of the last step or of all steps, and the states."""
        if isinstance(mask, list | tuple):
            mask = mask[0]
        states = self._starting_states(sequences, initial_state)
        with masking.set_aside(sequences):
            last, outputs, states = self.inner_loop(
                sequences=sequences, initial_state=states, mask=mask, training=training
            )
        states = as_list(states)
        if self.stateful:
            kept = tree.flatten(self._rnn_states)
            for variable, value in zip(kept, tree.flatten(states), strict=True):
                variable.assign(ops.cast(value, variable.dtype))
        output = outputs if self.return_sequences else last
        output = ops.cast(output, self.compute_dtype)
        return (output, *states) if self.return_state else output

    def _starting_states(self, sequences, initial_state):
        batch = sequences.shape[0]
        if initial_state is not None:
            states = as_list(initial_state)
            expected = 1 if self.single_state else len(self.state_size)
            if len(states) != expected:
                raise ValueError(
                    f"Layer {self.path!r} ({type(self).__name__}): argument "
                    f"`initial_state` must hold one tensor for each state. Expected "
                    f"{expected}. Received: {len(states)}"
                )
        elif self.stateful:
            states = tree.map_structure(lambda v: v.value, self._rnn_states)
            if states and tree.flatten(states)[0].shape[0] != batch:
                raise ValueError(
                    f"Layer {self.path!r} ({type(self).__name__}) is stateful: the "
                    "batch size of the inputs must be that of the kept states. "
                    f"Expected: {tree.flatten(states)[0].shape[0]}. Received: {batch}"
                )
        else:
            states = self.get_initial_state(ops.shape(sequences)[0])
        return tree.map_structure(lambda s: ops.cast(s, self.compute_dtype), states)

    def inner_loop(
        self,
        sequences: Tensor,
        initial_state: Any,
        mask: Any,
        training: bool | None = False,
    ) -> tuple[Any, Any, Any]:
        """Return `(last output, outputs, last states)`; made to be overridden."""
        sequences = ops.swapaxes(sequences, 0, 1)
        if mask is not None:
            mask = ops.swapaxes(ops.cast(mask, "bool"), 0, 1)
        if self.go_backwards:
            sequences = ops.flip(sequences, 0)
            mask = None if mask is None else ops.flip(mask, 0)
        loop, states = Loop(mask, self.unroll), as_list(initial_state)
        outputs, states = run_over_time(self.cell, loop, sequences, states, training)
        if self.zero_output_for_mask and mask is not None:
            kept = ops.reshape(mask, (*mask.shape, *[1] * (len(outputs.shape) - 2)))
            outputs = ops.where(kept, outputs, ops.zeros_like(outputs))
        return outputs[-1], ops.swapaxes(outputs, 0, 1), states

    def compute_mask(self, _: Any, mask: Any) -> Any:
        """Return the mask of the outputs: that of the inputs, if all are returned."""
        if isinstance(mask, list | tuple):
            mask = mask[0]
        mask = mask if self.return_sequences else None
        if not self.return_state:
            return mask
        return [mask] + [None] * len(tree.flatten(self.state_size))

    def compute_output_shape(
        self, sequences_shape: InputShape, initial_state_shape: Any = None
    ) -> Any:
        """Return the shape of the output, with those of the states behind."""
        batch, steps, *rest = sequences_shape
        output, states = self._step_shapes((batch, *rest))
        if self.return_sequences:
            output = (batch, steps, *output[1:])
        return (output, *states) if self.return_state else output

    def _step_shapes(self, step_shape):
        """Return the shape of the output of a step, and those of the states."""
        batch = step_shape[0]
        return output_shape(self.cell, batch), state_shapes(self.state_size, batch)

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make the layer from what `get_config` returned."""
        if isinstance(config.get("cell"), dict):
            cell = deserialize_keras_object(
                config["cell"], custom_objects=custom_objects
            )
            config = {**config, "cell": cell}
        return super().from_config(config)
