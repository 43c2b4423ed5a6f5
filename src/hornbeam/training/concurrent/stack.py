"""Calls of one program as one call of the program vectorised over them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.training.binding.device_rows import DeviceRows

if TYPE_CHECKING:
    from hornbeam.training.execution.compiled import ProgramCall


class Stack:
    """Calls that run together: each is a member with a state and an order.

    The data of all members is on the device once, end to end; the numbers in a member's
    order are moved by the place of its data.

    Args:
        calls: Calls of one `stack_key()`, each with passes left.
        width: the number of members of the program; a smaller
            power of two if the calls are fewer. The rest repeats the first member.
    """

    def __init__(self, calls: list[ProgramCall], width: int) -> None:
        self.calls = calls
        self.engine: Any = calls[0].engine
        devices = len(self.engine.devices())
        fewest = 1 << (len(calls) - 1).bit_length()
        self.width: Any = max(min(width, fewest), devices)
        self.passes: Any = min(call.passes_left for call in calls)
        first, last, _, stride = calls[0].span
        self.span: Any = np.array([first, last, self.passes, stride], np.int32)
        self._steps = int(last - first) * self.passes
        self.members: Any = [*calls, *calls[:1] * (self.width - len(calls))]
        self.arguments: Any = self._arguments()
        self.program: Any = None

    def compile(self) -> None:
        """Get the program, so that `execute` only runs it."""
        self.program = self.calls[0].steps.program(self.arguments, self.width)

    def execute(self) -> None:
        """Run the passes that all members have left."""
        to_numpy = self.engine.to_numpy
        started = time.perf_counter()
        state, logs, bad = self.program.executable(*self.arguments)
        state, logs = [to_numpy(x) for x in state], [to_numpy(x) for x in logs]
        bad = to_numpy(bad)
        seconds = time.perf_counter() - started
        self.program.record(self._steps, seconds)
        for i, call in enumerate(self.calls):
            call.store(
                [x[i] for x in state], [x[i] for x in logs], bad[i],
                self.program.output_spec, self.passes,
            )  # fmt: skip
            call.seconds += seconds / len(self.calls)

    def _arguments(self):
        members = self.members
        rows, places = joined([call.steps.rows for call in members])
        to_numpy = self.engine.to_numpy
        states = [[to_numpy(x) for x in call.state] for call in members]
        orders = [
            call.steps.order + place
            for call, place in zip(members, places, strict=True)
        ]
        return (
            [np.stack(parts) for parts in zip(*states, strict=True)],
            np.stack([call.numbers for call in members]),
            rows.tensors,
            np.stack(orders),
            np.stack([call.position() for call in members]),
            self.span,
        )

    def fits(self) -> bool:
        """Whether the program will not take more than half of the memory left."""
        _, needed = self.engine.program_bytes(self.program.executable)
        return needed <= self.engine.free_bytes() // 2


def joined(parts: Any) -> Any:
    """Return DeviceRows with the rows of all distinct `parts`, and each one's place.

    The result is kept with the first part.
    """
    distinct = list({id(part): part for part in parts}.values())
    first_rows = {}
    total = 0
    for part in distinct:
        first_rows[id(part)] = total
        total += part.rows
    places = [np.int32(first_rows[id(part)]) for part in parts]
    if len(distinct) == 1:
        return distinct[0], places
    parts_and_rows = distinct[0].joined_with
    if parts_and_rows is None or parts_and_rows[0] != distinct:
        arrays = [
            np.concatenate(x) for x in zip(*(p.arrays for p in distinct), strict=True)
        ]
        parts_and_rows = (distinct, DeviceRows(distinct[0].engine, arrays))
        distinct[0].joined_with = parts_and_rows
    return parts_and_rows[1], places
