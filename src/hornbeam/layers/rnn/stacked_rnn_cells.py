"""Cells on top of each other, as one cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core.serialization import deserialize_keras_object
from hornbeam.layers.layer import Layer
from hornbeam.layers.rnn.protocol import (
    Cell,
    as_list,
    check_cell,
    initial_states,
    options_of_call,
    output_shape,
    run_over_time,
)
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Self, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.layers.rnn.loop import Loop
    from hornbeam.typing import Config, InputShape, Tensor


class StackedRNNCells(Cell):
    """Stacks cells: the output of one is the input of the next.

    The states are a list with a list of states for each cell. Along a sequence in `RNN`
    each cell runs over all steps before the next one begins, which gives the same.

    Args:
        cells: a list of cells.

    Call arguments: `inputs`: one step, `(batch, ...)`; `states`; `training`.

    >>> import hornbeam as keras
    >>> cells = [keras.layers.LSTMCell(4), keras.layers.GRUCell(3)]
    >>> keras.layers.RNN(cells)(keras.ops.ones((2, 5, 8))).shape
    (2, 3)
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Unpack[LayerArguments]) -> None:
        super().__init__(**kwargs)
        self.cells: list[Any] = list(cells)
        for cell in self.cells:
            check_cell(cell)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states, an entry for each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        size = output_shape(self.cells[-1], None)[1:]
        return size[0] if len(size) == 1 else size

    def build(self, input_shape: InputShape) -> None:
        """Build each cell for the output of the one before."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            input_shape = output_shape(cell, input_shape[0])

    def get_initial_state(self, batch_size: Any = None) -> Any:
        """Return a list of states for each cell: zeros, unless the cells say."""
        return [initial_states(c, batch_size, self.compute_dtype) for c in self.cells]

    @overridable
    def call(
        self, inputs: Tensor, states: Any, training: bool | None = False, **kwargs: Any
    ) -> Any:
        """Return the last cell's output, and the new states."""
        new_states = []
        for cell, cell_states in zip(self.cells, states, strict=True):
            options = {**kwargs, **options_of_call(cell, training)}
            inputs, new = cell(inputs, as_list(cell_states), **options)
            new_states.append(as_list(new))
        return inputs, new_states

    def over_time(
        self, loop: Loop, sequences: Tensor, states: Any, training: bool | None
    ) -> Any:
        """Return the outputs and last states of whole sequences, steps first."""
        last = []
        for cell, cell_states in zip(self.cells, states, strict=True):
            sequences, new = run_over_time(
                cell, loop, sequences, as_list(cell_states), training
            )
            last.append(new)
        return sequences, last

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make the cells, and the stack of them, from a config."""
        cells = [
            deserialize_keras_object(c, custom_objects=custom_objects)
            if isinstance(c, dict)
            else c
            for c in config["cells"]
        ]
        return super().from_config({**config, "cells": cells})
