"""Whole recurrences in one call. Optional: an engine may have none of them."""

from __future__ import annotations

from typing import Any


def recurrence(
    kind: str,
    sequences: Any,
    states: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
) -> Any:
    """`(outputs, last states)` of a recurrent network, None if not for these arguments.

    `kind` is "lstm" (gates i, f, g, o; states h, c), "gru" (gates z, r, g, whose reset
    comes after the product; `bias` has a row for the inputs and one for the state),
    "tanh" or "relu". `sequences` is (steps, batch, features), `mask` (steps, batch):
    where it is False, the states stay and the output is that of the step before, at
    first the state.
    """
