"""Steps that are compiled: passes over data on the device, and single batches."""

import functools
import time

import numpy as np

from hornbeam.core import scopes, tree
from hornbeam.data.sparse import SparseForm, SparseRows, entry_room
from hornbeam.training.binding.binding import finding_variables
from hornbeam.training.binding.device_rows import (
    ROOM_ROWS,
    DeviceRows,
    padded,
    rounded_up,
    shapes_of,
)
from hornbeam.training.execution.programs import Program

# Rows are gathered for so many steps at once, if they are not more bytes than that. XLA
# on a CPU gathers from much data with several threads: waking them for each small batch
# took longer than all the rest of a small network's step.
_MOST_GATHERED = 32
_GATHERED_BYTES = 1 << 18
# Passes over the data in one call, at most.
MOST_PASSES = 128
# Which arguments of a program are each member's own: state, numbers, data, order,
# [rows, passes before], where.
OWN_ARGUMENTS = (True, True, False, True, True, False)


class CompiledSteps:
    """Passes over data that is on the device, many steps and passes in one call.

    Args:
        binding: the model's Binding.
        plan: the StepPlan.
        arrays: the tree of host arrays.
        batch_size: rows in a batch.
        masked: whether batches are masked, and the last one padded; else it must be
            full.
    """

    def __init__(self, binding, plan, arrays, batch_size, masked):
        self.binding = binding
        self.plan = plan
        self.masked = masked
        leaves, self.spec = tree.flatten_with_spec(arrays)
        self.present = tuple(x is not None for x in leaves)
        self.data = DeviceRows(binding.engine, [x for x in leaves if x is not None])
        # Fits of one program share dense rows alone.
        self.worker = None if self.data.is_sparse else scopes.worker()
        if self.worker is not None:
            self.data = self.worker.scheduler.shared(self.data)
        self.batch_size = batch_size
        steps = -(-self.data.rows // self.batch_size)
        self.order_size = max(ROOM_ROWS, rounded_up(steps) * self.batch_size)
        batch_bytes = self.batch_size * self.data.bytes_per_row
        self.gathered = max(1, min(_MOST_GATHERED, _GATHERED_BYTES // batch_bytes))
        if self.data.is_sparse:
            self.gathered = 1
        # Whether a pass that begins with its first step starts the metrics anew.
        self.resets = plan.finish is not None and plan.reset is not None
        fitting = self.order_size // (steps * self.batch_size)
        self.most_passes = min(MOST_PASSES, fitting) if self.resets else 1
        self._programs = {}
        self._bad = -1

    def start(self, orders):
        """Visit the rows in these orders, one for each pass, from now on."""
        self.visited = len(orders[0])
        steps = -(-self.visited // self.batch_size)
        self.stride = steps * self.batch_size
        room = self.order_size + self.gathered * self.batch_size
        self.order = np.full(room, self.data.filler, np.int32)
        for number, rows in enumerate(orders):
            begin = number * self.stride
            self.order[begin : begin + self.visited] = rows
        self.data.make_room(self.order[: begin + self.stride], self.batch_size)

    def run_steps(self, first, last, passes=1):
        """Run the steps from `first` up to `last` (not included) of each pass.

        Returns the logs of each pass, their leaves stacked along axis 0.
        """
        call = ProgramCall(self, first, last, passes)
        if self.worker is None:
            call.execute()
        else:
            self.worker.execute(call)
        self.binding.store(call.state)
        self._bad = call.bad
        return call.logs

    def nan_step(self):
        """Return the first step of the last run at which the loss was NaN, or None."""
        step = int(self._bad)
        return None if step < 0 else step

    def program(self, arguments, width=None):
        """Return the program, for `width` members or for this one alone."""
        data = self.data.shapes if width is None else shapes_of(arguments[2])
        if (data, width) not in self._programs:
            self._programs[data, width] = self.binding.cache.get(
                (*self.key, data, width), lambda: self._compile(arguments, data, width)
            )
        return self._programs[data, width]

    @property
    def seconds_per_step(self):
        """The seconds that a step is known to take, or None."""
        known = self.binding.cache.find((*self.key, self.data.shapes, None))
        return known and known.seconds_per_step

    @functools.cached_property
    def key(self):
        """Hashable: what the program is, but for the room of the data."""
        return self._key()

    def _key(self):
        rows = self.data.row_forms()
        return (
            self.plan.kind, self.binding.key(), rows, self.spec, self.present,
            self.batch_size, self.order_size, self.masked, self.most_passes > 1,
        )  # fmt: skip

    def _compile(self, arguments, data, width):
        engine = self.binding.engine

        def alone():
            run, out = self._program()
            known = (self.binding.state(), *arguments[1:])
            return Program(engine.compile(run, known, donate=(0,)), out["spec"])

        def stacked():
            run, out = self._program()
            axes = [0 if own else None for own in OWN_ARGUMENTS]
            run = engine.vmap(run, in_axes=tuple(axes))
            if len(engine.devices()) > 1:
                program = engine.compile_over_devices(run, arguments, OWN_ARGUMENTS)
            else:
                program = engine.compile(run, arguments, donate=(0,))
            return Program(program, out["spec"])

        return finding_variables(
            self.binding,
            lambda: (*self._key(), data, width),
            stacked if width else alone,
        )

    def _program(self):
        """Return the program as a function, and where it puts the form of its logs."""
        binding, plan = self.binding, self.plan
        engine = binding.engine
        watched = None
        if plan.watched is not None:
            watched = [v is plan.watched for v in binding.variables].index(True)
        step = binding.pure(self._masked_step)
        finish = binding.pure(plan.finish) if plan.finish else None
        reset = binding.pure(plan.reset) if self.resets else None
        room = MOST_PASSES if self.most_passes > 1 else 1
        out = {}

        def put_logs(logs, leaves, number):
            pairs = zip(logs, leaves, strict=True)
            return [_put(engine, room, number, *pair) for pair in pairs]

        def run(state, numbers, data, order, own, where):
            rows, before = own[0], own[1]
            first, last, passes, stride = (where[i] for i in range(4))
            gathered = self.gathered

            def some_steps(begin, number, carry):
                """Do those of the steps `first` to `last` that share a gathering."""
                start = number * gathered
                batches = self._gather(data, order, begin + start * self.batch_size)

                def one_step(i, carry):
                    state, logs, bad = carry
                    new_logs, state = step(state, numbers, batches, start, i, rows)
                    if watched is not None:
                        is_bad = engine.isnan(state[watched]) & (bad < 0)
                        bad = engine.where(is_bad, begin // self.batch_size + i, bad)
                    if finish is None:
                        logs = put_logs(logs, tree.flatten(new_logs), 0)
                    return state, logs, bad

                if gathered == 1:
                    return one_step(number, carry)
                low = engine.maximum(first, start)
                high = engine.minimum(last, start + gathered)
                return engine.fori_loop(low, high, one_step, carry)

            def one_pass(number, carry):
                state, logs, bad = carry
                number = before + number
                begin = number * stride
                if reset is not None:
                    _, fresh = reset(state, numbers)
                    state = [
                        old if new is old else engine.where(first == 0, new, old)
                        for new, old in zip(fresh, state, strict=True)
                    ]
                state, logs, bad = engine.fori_loop(
                    first // gathered,
                    (last + gathered - 1) // gathered,
                    lambda chunk, carry: some_steps(begin, chunk, carry),
                    (state, logs, bad),
                )
                if finish is not None:
                    leaves = tree.flatten(finish(state, numbers)[0])
                    logs = put_logs(logs, leaves, number)
                return state, logs, bad

            def results():
                if finish is not None:
                    return finish(state, numbers)[0]
                batches = self._gather(data, order, 0)
                logs = step(state, numbers, batches, 0, 0, rows)[0]
                # A user's step may return plain numbers.
                return tree.map_structure(engine.convert, logs)

            specs, out["spec"] = tree.flatten_with_spec(engine.infer(results))
            logs = [engine.zeros((room, *x.shape), dtype=x.dtype) for x in specs]
            carry = (state, logs, engine.convert(np.int32(-1)))
            return engine.fori_loop(0, passes, one_pass, carry)

        return run, out

    def _gather(self, data, order, begin):
        """Return the rows of some batches, of which the first begins at `begin`."""
        engine = self.binding.engine
        inside = engine.arange(self.gathered * self.batch_size, dtype="int32")
        chosen = engine.take(order, begin + inside, axis=0)
        return self.data.take(data, chosen)

    def _batch(self, rows, number):
        """Return the batch of this number of those gathered."""
        if self.gathered == 1:
            return rows
        engine = self.binding.engine
        window = (self.batch_size, *engine.shape_of(rows)[1:])
        start = (number * self.batch_size, *[0] * (len(window) - 1))
        return engine.dynamic_slice(rows, start, window)

    def _masked_step(self, batches, start, i, rows):
        """Do step `i` on its batch of those gathered, which begin with step `start`."""
        engine = self.binding.engine
        first = i * self.batch_size
        inside = engine.arange(self.batch_size, dtype="int32")
        batch = iter([self._batch(x, i - start) for x in batches])
        leaves = [next(batch) if present else None for present in self.present]
        batch = tree.unflatten(self.spec, leaves)
        if not self.masked:
            return self.plan.step(batch)
        mask = engine.cast(first + inside < rows, "float32")
        with scopes.batch_mask_scope(mask):
            return self.plan.step(batch)


class ProgramCall:
    """A call of a CompiledSteps: some steps of some passes, in one go or in several.

    Attributes:
        state: the values of the variables: before, then afterwards. What the model's
            binding holds, until something was run.
        passes_left: how many passes remain to be run.
        bad: the first step at which the loss was NaN, or -1.
        seconds: how long its program ran; of a stack, this call's part of it.
    """

    def __init__(self, steps, first, last, passes):
        self.steps = steps
        self.engine = steps.binding.engine
        self.passes = self.passes_left = passes
        self._steps_per_pass = last - first
        self._state = None
        self.numbers = steps.binding.structure.values()
        self.where = np.array([first, last, passes, steps.stride], np.int32)
        self.bad = -1
        self.seconds = 0.0
        self._logs = []

    @property
    def state(self):
        """The values of the variables, which compiling may find more of."""
        return self.steps.binding.state() if self._state is None else self._state

    def stack_key(self):
        """Hashable: equal for calls that can be members of one stack."""
        first, last, _, stride = self.where.tolist()
        binding = self.steps.binding
        own = None if binding.structure.shareable else id(binding)
        return self.steps.key, own, first, last, stride

    @property
    def steps_left(self):
        """How many steps remain to be run."""
        return self._steps_per_pass * self.passes_left

    def position(self):
        """Return the number of rows of a pass and the number of passes made."""
        return np.array([self.steps.visited, self.passes - self.passes_left], np.int32)

    def execute(self):
        """Run the program on this call's values."""
        steps = self.steps
        where = self.where.copy()
        where[2] = self.passes_left
        rest = (
            self.numbers, steps.data.tensors, steps.order,
            self.position(), where,
        )  # fmt: skip
        # Compiling may find more variables: their values come after it.
        program = steps.program((None, *rest))
        started = time.perf_counter()
        state, logs, bad = program.executable(self.state, *rest)
        logs = [self.engine.to_numpy(x) for x in logs]
        ended = time.perf_counter()
        program.record(self.steps_left, ended - started)
        self.seconds += ended - started
        self.store(state, logs, bad, program.output_spec, self.passes_left)

    def store(self, state, logs, bad, spec, passes):
        """Take what a program gave for the next passes."""
        done = self.passes - self.passes_left
        self._state = state
        self._logs.append([x[done : done + passes] for x in logs])
        self.bad = self.bad if self.bad >= 0 else int(bad)
        self.passes_left -= passes
        self._spec = spec

    @property
    def logs(self):
        """The logs of each pass, NumPy arrays stacked along axis 0."""
        parts = zip(*self._logs, strict=True)
        leaves = [x[0] if len(x) == 1 else np.concatenate(x) for x in parts]
        return tree.unflatten(self._spec, leaves)


class CompiledBatch:
    """One step on one batch that comes from the host.

    A batch smaller than the largest so far is padded where `masked` allows it. A mask
    says which rows count, unless nothing is assigned: outputs are cut to their rows.
    """

    def __init__(self, binding, step, masked, kind, assigns=True):
        self.binding = binding
        self.step = step
        self.masked = masked
        self.kind = kind
        self.assigns = assigns
        self.batch_size = 0
        self.rooms = {}
        self.programs = {}

    def run_batch(self, batch):
        """Run the step on `batch`, a tree of host arrays; return what it returned."""
        binding = self.binding
        leaves, spec = tree.flatten_with_spec(batch)
        present = tuple(x is not None for x in leaves)
        leaves = [x for x in leaves if x is not None]
        rows = len(leaves[0])
        size = max(rows, self.batch_size) if self.masked else rows
        self.batch_size = max(self.batch_size, size)
        forms = [SparseForm(x) if isinstance(x, SparseRows) else None for x in leaves]
        data = [self._argument(i, x, size) for i, x in enumerate(leaves)]
        numbers = binding.structure.values()
        masked = self.masked and self.assigns
        short = (
            spec, present, masked, size, tuple(form and form.key() for form in forms),
            tuple((x.shape, x.dtype) for x in tree.flatten(data)),
        )  # fmt: skip
        program = self.programs.get(short)
        if program is None:
            key = lambda: (self.kind, binding.key(), short)  # noqa: E731
            program = binding.cache.get(
                key(),
                lambda: self._compile(
                    key, data, forms, size, spec, present, masked, numbers
                ),
            )
            self.programs[short] = program
        values = binding.state() if self.assigns else binding.values()
        state, outputs = program.executable(values, numbers, data, np.int32(rows))
        if self.assigns:
            binding.store(state)
        return tree.unflatten(program.output_spec, outputs), rows

    def _argument(self, i, x, size):
        """Return the rows as a program takes them, padded to `size`."""
        as_argument = self.binding.engine.as_argument
        if not isinstance(x, SparseRows):
            return as_argument(padded(x, size))
        entries = len(x.values)
        self.rooms[i] = room = entry_room(entries, self.rooms.get(i, 0))
        return tuple(map(as_argument, SparseForm(x).arguments(x, room)))

    def _compile(self, key, *arguments):
        make = lambda: self._compile_once(*arguments)  # noqa: E731
        return finding_variables(self.binding, key, make)

    def _compile_once(self, data, forms, size, spec, present, masked, numbers):
        binding = self.binding
        engine = binding.engine
        out = {}

        def step(data, rows):
            values = iter(
                x if form is None else form.batch(engine, x, size)
                for x, form in zip(data, forms, strict=True)
            )
            leaves = [next(values) if there else None for there in present]
            batch = tree.unflatten(spec, leaves)
            if not masked:
                return self.step(batch)
            mask = engine.cast(engine.arange(size, dtype="int32") < rows, "float32")
            with scopes.batch_mask_scope(mask):
                return self.step(batch)

        run = binding.pure(step)

        def flat(state, numbers, data, rows):
            outputs, state = run(state, numbers, data, rows)
            leaves, out["spec"] = tree.flatten_with_spec(outputs)
            return (state if self.assigns else []), leaves

        arguments = (binding.state(), numbers, data, np.int32(1))
        executable = engine.compile(
            flat, arguments, donate=(0,) if self.assigns else ()
        )
        return Program(executable, out["spec"])


def _put(engine, room, number, buffer, value):
    """Return the buffer with `value` as its row `number`."""
    value = engine.cast(value, engine.dtype_of(buffer))
    if room == 1:
        return engine.reshape(value, engine.shape_of(buffer))
    shape = (room,) + (1,) * len(engine.shape_of(value))
    here = engine.reshape(engine.arange(room, dtype="int32"), shape) == number
    return engine.where(here, value, buffer)
