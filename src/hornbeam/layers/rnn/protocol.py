"""The protocol of recurrent cells.

A cell computes one step: `call(inputs, states) -> (output, new states)`, where states
are a list, and `state_size` says how large they are. It may have `output_size` and
`get_initial_state(batch_size)`. A cell may also run itself along whole sequences:
`over_time(loop, sequences, states, training) -> (outputs, states)`, where `sequences`
has the steps in front and `loop` is the `Loop` of the call. There it can do in one go
what does not depend on the states.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core import tree
from hornbeam.layers.call import call_info
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.layers.rnn.loop import Loop
    from hornbeam.typing import Tensor


class Cell(Layer):
    """A base for cells that run themselves along a sequence with `over_time`."""

    over_time: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # A subclass with a `call` of its own means that one, step by step.
        if "call" in vars(cls) and "over_time" not in vars(cls):
            cls.over_time = None


def check_cell(cell: Any) -> None:
    """Raise if `cell` cannot be used as one."""
    for attribute, meaning in (
        ("call", "a `call` method: `call(inputs, states)`"),
        ("state_size", "a `state_size`: an integer, or a list of one for each state"),
    ):
        if not hasattr(cell, attribute):
            raise ValueError(
                f"A recurrent cell must have {meaning}. Received: cell={cell!r} "
                f"(of type {type(cell).__name__})"
            )


def as_list(x: Any) -> list[Any]:
    """Return a list or tuple as a list, and anything else as the only item of one."""
    return list(x) if isinstance(x, list | tuple) else [x]


def state_shapes(size: Any, batch_size: Any) -> list[Any]:
    """Return the list of shapes for the `state_size` of a cell.

    A list holds the sizes of several states, a tuple the axes of one.
    """

    def of(size):
        if isinstance(size, list):
            return [of(s) for s in size]
        return (batch_size, *(size if isinstance(size, tuple) else (size,)))

    return [of(s) for s in (size if isinstance(size, list) else [size])]


def output_shape(cell: Any, batch_size: Any) -> Any:
    """Return the shape of a cell's output: by default, that of its first state."""
    size = getattr(cell, "output_size", None)
    if size is None:
        return state_shapes(cell.state_size, batch_size)[0]
    return (batch_size, *as_list(size))


def initial_states(cell: Any, batch_size: Any, dtype: Any) -> list[Any]:
    """Return the list of states before the first step: zeros, unless the cell says."""
    make = getattr(cell, "get_initial_state", None)
    if make is not None:
        return as_list(make(batch_size=batch_size))
    return [ops.zeros(s, dtype) for s in state_shapes(cell.state_size, batch_size)]


def options_of_call(cell: Any, training: bool | None) -> dict[str, Any]:
    """Return `training` as keyword arguments, if the cell takes it."""
    takes = call_info(type(cell).call).has_training
    return {"training": training} if takes else {}


def run_over_time(
    cell: Any, loop: Loop, sequences: Tensor, states: Any, training: bool | None
) -> tuple[Any, Any]:
    """Return `(outputs, last states)` of any cell; the steps come first."""
    over_time = getattr(cell, "over_time", None)
    if over_time is not None:
        return over_time(loop, sequences, states, training)
    options = options_of_call(cell, training)
    before = tree.flatten(states)[0]
    shape = output_shape(cell, sequences.shape[1])
    if tuple(before.shape) != shape and isinstance(shape, tuple):
        before = ops.zeros(shape, before.dtype)
    hold = contextlib.nullcontext()
    if hasattr(cell, "held_masks"):
        hold = cell.held_masks(sequences[0], states[0], training)
    with hold:
        return loop(lambda x, s: cell(x, s, **options), sequences, states, before)
