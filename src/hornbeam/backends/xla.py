"""What engines share that compile with XLA."""

from __future__ import annotations

from typing import Any

# From so many rows on, the gradient of the inputs' product is cheap inside the loop.
_ROWS_FOR_GRADIENT = 32


def projects_in_loop(shape: Any, units: int, gates: int, training: bool) -> bool:
    """Whether sequences (steps, rows, features) are best projected step by step.

    This is for CPUs. Where the loop reads the product of all steps, XLA reads the
    step's part of it anew for each gate, in kernels that it does not vectorise: with 64
    rows, features and units an LSTM took twice as long forward, a GRU 2.3 times (jaxlib
    0.10). A matrix of one row is read faster once than at every step. While training,
    the gradient of a wide kernel is added up at every step, which costs more than it
    saves.
    """
    _, rows, features = shape
    if training:
        return rows >= _ROWS_FOR_GRADIENT and features <= units and gates > 1
    return rows > 1 and gates > 1
