"""Programs and the memory that they take. Optional: an engine may have none of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def compile_over_devices(fn: Any, arguments: Sequence[Any], split: Sequence[bool]):
    """`fn` compiled for arguments such as these, on all devices.

    Arguments (trees of arrays) that are to be `split` lie on the devices part by part
    along axis 0, which must be a multiple of their number; others lie on each as a
    whole. The program takes host arrays.
    """


def program_bytes(program: Any) -> int:
    """How many bytes a compiled program takes while it runs, its arguments included."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that the memory of the device does not suffice."""


def variable_read(variable: Any) -> None:
    """Learn that a Variable was read, which holds its value as `handle`.

    Of engines whose gradients come from tapes that others open: the tapes watch it.
    """


def record(
    step: Any, state: Sequence[Any], data: Sequence[Any], compiled: bool = False
):
    """Run `step()` on live tensors and return a record of its operations.

    Of engines whose tensors can be changed. `state` are the tensors that the step reads
    and changes, `data` those that are others in every step. The record has `outputs`,
    what `step()` returned; `repeats(other)`, whether two records are of the same
    operations with the same constants; and `program()`, a function
    `run(state, batches)` that repeats the step on each batch and returns the outputs;
    `compiled` asks for a program that is compiled.
    """
