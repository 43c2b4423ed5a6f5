"""Compiled steps over data in memory: many steps and passes in one call."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.core import scopes, tree
from hornbeam.training.binding.device_rows import (
    ROOM_ROWS,
    DeviceRows,
    rounded_up,
    shapes_of,
)
from hornbeam.training.execution.compiled_batch import CompiledBatch
from hornbeam.training.execution.pass_program import (
    MOST_PASSES,
    OWN_ARGUMENTS,
    PassProgram,
)
from hornbeam.training.execution.programs import Program

if TYPE_CHECKING:
    from hornbeam.training.binding.binding import Binding
    from hornbeam.training.execution.step_plan import StepPlan

# Rows are gathered for so many steps at once, if they are not more bytes than that. XLA
# on a CPU gathers from much data with several threads: waking them for each small batch
# took longer than all the rest of a small network's step.
_MOST_GATHERED = 32
_GATHERED_BYTES = 1 << 18
# Fewer rows than these are padded up to the batch size.
_FEW_ROWS = 32


class CompiledSteps:
    """Carries out the steps of passes over data that is on the device; see runners.py.

    Args:
        binding: the model's Binding.
        plan: the StepPlan. Where it allows no masks, the last batch of a pass, if it
            is smaller, is a program of its own.
        data: the ArrayData.
    """

    # Set by `start`: rows of a pass, rows from its start to that of the next pass, and
    # the numbers of the rows in the order in which they are visited.
    visited: int
    stride: int
    order: np.ndarray

    def __init__(self, binding: Binding, plan: StepPlan, data: Any) -> None:
        self.binding = binding
        self.plan = plan
        self.data = data
        self.steps: Any = data.steps
        self.resets: Any = plan.resets
        # A mask in every program: then one serves all numbers of rows.
        most = max(_FEW_ROWS, rounded_up(data.rows)) if plan.masked else data.rows
        self.batch_size: Any = min(data.batch_size, most)
        leaves, spec = tree.flatten_with_spec(data.arrays)
        self._layout = spec, tuple(x is not None for x in leaves)
        self.rows: Any = DeviceRows(
            binding.engine, [x for x in leaves if x is not None]
        )
        # Fits of one program share dense rows alone.
        self.worker: Any = None if self.rows.is_sparse else scopes.worker()
        if self.worker is not None:
            self.rows = self.worker.scheduler.shared(self.rows)
        all_steps = -(-self.rows.rows // self.batch_size)
        self.order_size: Any = max(ROOM_ROWS, rounded_up(all_steps) * self.batch_size)
        batch_bytes = self.batch_size * self.rows.bytes_per_row
        self._gathered = max(1, min(_MOST_GATHERED, _GATHERED_BYTES // batch_bytes))
        if self.rows.is_sparse:
            self._gathered = 1
        room = self.order_size // (all_steps * self.batch_size)
        self.most_passes: Any = min(MOST_PASSES, room) if self.resets else 1
        self._many_passes = self.most_passes > 1
        visited = min(data.rows, self.steps * self.batch_size)
        self._full_steps, self._last_batch = self.steps, None
        if not plan.masked and visited % self.batch_size != 0:
            self._full_steps = visited // self.batch_size
            self._last_batch = CompiledBatch(binding, plan)
            self.most_passes = 1
        self._programs: dict[Any, Program] = {}
        self._bad = -1
        self._order_on_device: Any = None
        self.reached: int = 0

    def start(self, epoch: int, passes: int = 1, first: int = 0) -> None:
        """Visit the rows in the order of this epoch, or of several from it on."""
        orders = [self.data.order(epoch + i) for i in range(passes)]
        self.visited = len(orders[0])
        self.stride = -(-self.visited // self.batch_size) * self.batch_size
        room = self.order_size + self._gathered * self.batch_size
        self.order = np.full(room, self.rows.filler, np.int32)
        for number, order in enumerate(orders):
            begin = number * self.stride
            self.order[begin : begin + self.visited] = order
        self._order_on_device = None
        self.rows.make_room(self.order[: passes * self.stride], self.batch_size)

    @property
    def order_on_device(self) -> Any:
        """The order as a tensor, made once: a call may run a single step."""
        if self._order_on_device is None:
            self._order_on_device = self.binding.engine.convert(self.order)
        return self._order_on_device

    def run_steps(self, first: int, last: int) -> Any:
        """Run the steps from `first` up to `last` (not included); return their logs."""
        full = min(last, self._full_steps)
        logs = None
        if first < full:
            logs = _logs_of_pass(self._execute(first, full, 1), 0)
        if last > full and self._last_batch is not None:
            begin = self._full_steps * self.batch_size
            batch = self.data.take(self.order[begin : self.visited])
            outputs, _ = self._last_batch.run_batch(batch)
            logs = self._last_batch.logs(outputs)
        self.reached = last
        return logs

    def run_passes(self, passes: int) -> list[Any]:
        """Run whole passes in one call; return the logs of each."""
        logs = self._execute(0, self.steps, passes)
        return [_logs_of_pass(logs, i) for i in range(passes)]

    def _execute(self, first, last, passes):
        """Run steps of several passes; return their logs, stacked along axis 0."""
        call = ProgramCall(self, first, last, passes)
        with self.binding.steps:
            if self.worker is None:
                call.execute()
            else:
                self.worker.execute(call)
            self.binding.store(call.state)
        self._bad = call.bad
        return call.logs

    def nan_step(self) -> Any:
        """Return the first step of the last run at which the loss was NaN, or None."""
        step = int(self._bad)
        return None if step < 0 else step

    def batch(self, step: int) -> Any:
        """Return the batch of a step of this pass, host arrays."""
        begin = step * self.batch_size
        return self.data.take(
            self.order[begin : min(begin + self.batch_size, self.visited)]
        )

    def program(self, arguments: Any, width: int | None = None) -> Any:
        """Return the program, for a stack of `width` calls or for one call alone."""
        shapes = self.rows.shapes if width is None else shapes_of(arguments[2])
        if (shapes, width) not in self._programs:
            self._programs[shapes, width] = self.binding.program(
                lambda: (*self._key(), shapes, width),
                lambda: self._compile(arguments, width),
            )
        return self._programs[shapes, width]

    @property
    def seconds_per_step(self) -> Any:
        """The least seconds that a step has taken, or None."""
        program = self.binding.cache.find((*self.key, self.rows.shapes, None))
        return program and program.seconds_per_step

    @functools.cached_property
    def key(self) -> Any:
        """Hashable: what the program is, but for the room of the data."""
        return self._key()

    def _key(self):
        return (
            self.plan.kind, self.binding.key(), self.rows.row_forms(), *self._layout,
            self.batch_size, self.order_size, self.plan.masked, self._many_passes,
        )  # fmt: skip

    def _compile(self, arguments, width):
        engine = self.binding.engine
        program = PassProgram(
            self.binding, self.plan, self.rows.take_rows, self._layout, self.batch_size,
            self._gathered, self._many_passes,
        )  # fmt: skip
        if width is None:
            binding = self.binding

            def run(owned, lent, *rest):
                return program.trace(binding.join(owned, lent), *rest)

            arguments = (*binding.split(binding.state()), *arguments[1:])
            executable = engine.compile(run, arguments, donate=(0,))
        else:
            axes = tuple(0 if own else None for own in OWN_ARGUMENTS)
            stacked = engine.vmap(program.trace, in_axes=axes)
            if len(engine.devices()) > 1:
                executable = engine.compile_over_devices(
                    stacked, arguments, OWN_ARGUMENTS
                )
            else:
                executable = engine.compile(stacked, arguments, donate=(0,))
        return Program(engine, executable, program.output_spec)


class ProgramCall:
    """A call of a CompiledSteps: some steps of some passes, in one go or in several.

    Attributes:
        passes_left: how many passes remain to be run.
        bad: the first step at which the loss was NaN, or -1; a tensor, perhaps.
        seconds: how long its program ran; of a stack, this call's part of it.
    """

    def __init__(self, steps: Any, first: int, last: int, passes: int) -> None:
        self.steps = steps
        self.engine: Any = steps.binding.engine
        self.passes = passes
        self.passes_left: int = passes
        self._steps_per_pass = last - first
        self._state = None
        self.numbers: Any = steps.binding.structure.values()
        self.span: Any = np.array([first, last, passes, steps.stride], np.int32)
        self.bad: Any = -1
        self.seconds: float = 0.0
        self._logs: list[Any] = []
        self._output_spec = None

    @property
    def state(self) -> Any:
        """The values of the variables: the binding's, until a program was run."""
        return self.steps.binding.state() if self._state is None else self._state

    def stack_key(self) -> Any:
        """Return a hashable that is equal for calls that may be in one stack."""
        first, last, _, stride = self.span.tolist()
        binding = self.steps.binding
        owner = None if binding.structure.shareable else id(binding)
        return self.steps.key, owner, first, last, stride

    @property
    def steps_left(self) -> Any:
        """How many steps remain to be run."""
        return self._steps_per_pass * self.passes_left

    def position(self) -> Any:
        """Return the number of rows of a pass and the number of passes made."""
        return np.array([self.steps.visited, self.passes - self.passes_left], np.int32)

    def execute(self) -> None:
        """Run the program on this call's values alone."""
        steps = self.steps
        span = self.span.copy()
        span[2] = self.passes_left
        rest = (
            self.numbers, steps.rows.tensors, steps.order_on_device,
            self.position(), span,
        )  # fmt: skip
        # Compiling may find more variables: their values come after it.
        program = steps.program((None, *rest))
        started = time.perf_counter()
        state, logs, bad = program.executable(*steps.binding.split(self.state), *rest)
        logs = [self.engine.to_numpy(x) for x in logs]
        ended = time.perf_counter()
        program.record(self.steps_left, ended - started)
        self.seconds += ended - started
        self.store(state, logs, bad, program.output_spec, self.passes_left)

    def store(self, state: Any, logs: Any, bad: Any, spec: Any, passes: int) -> None:
        """Store the results of the next passes."""
        done = self.passes - self.passes_left
        self._state = state
        self._logs.append([x[done : done + passes] for x in logs])
        self.bad = bad if done == 0 or int(self.bad) < 0 else self.bad
        self.passes_left -= passes
        self._output_spec = spec

    @property
    def logs(self) -> Any:
        """The logs of each pass, NumPy arrays stacked along axis 0."""
        parts = zip(*self._logs, strict=True)
        leaves = [x[0] if len(x) == 1 else np.concatenate(x) for x in parts]
        return tree.unflatten(self._output_spec, leaves)


def _logs_of_pass(logs, number):
    """Return the logs of one pass of those that a program gives."""
    return tree.map_structure(lambda x: np.asarray(x)[number], logs)
