"""The program of passes over data on the device, as a function of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hornbeam.core import scopes, tree

if TYPE_CHECKING:
    from hornbeam.training.binding.binding import Binding
    from hornbeam.training.execution.step_plan import StepPlan

# Passes over the data in one call, at most.
MOST_PASSES = 128
# Which arguments of a program are each stack member's own: state, numbers, data, order,
# position, span.
OWN_ARGUMENTS = (True, True, False, True, True, False)


class PassProgram:
    """Some steps of some passes over data on the device, to be compiled.

    Args:
        binding: the model's Binding.
        plan: the StepPlan.
        take_rows: the RowsTaken of the data.
        layout: the form of a batch: `(spec, which of its leaves are there)`.
        batch_size: rows in a batch.
        steps_gathered: for how many steps rows are gathered at once.
        many_passes: whether a call may make several passes, each with logs of its own
            and with metrics that start anew.

    Attributes:
        output_spec: the form of the logs, known once the program was traced.
    """

    def __init__(
        self,
        binding: Binding,
        plan: StepPlan,
        take_rows: Any,
        layout: Any,
        batch_size: int,
        steps_gathered: int,
        many_passes: bool,
    ) -> None:
        self.engine: Any = binding.engine
        self.plan = plan
        self.take_rows = take_rows
        self.spec: Any = layout[0]
        self.present: tuple[bool, ...] = layout[1]
        self.batch_size = batch_size
        self.steps_gathered = steps_gathered
        self.passes: Any = MOST_PASSES if many_passes else 1
        self.output_spec: Any = None
        self._step = binding.pure(self._masked_step)
        self._finish = binding.pure(plan.finish) if plan.finish else None
        self._reset = binding.pure(plan.reset) if plan.resets else None
        self._watched = None
        if plan.watched is not None:
            is_watched = [v is plan.watched for v in binding.variables]
            self._watched = is_watched.index(True)

    def trace(
        self, state: Any, numbers: Any, data: Any, order: Any, position: Any, span: Any
    ) -> Any:
        """Run the steps; return the state, the logs of each pass, the first NaN step.

        Args:
            state: the values of the variables.
            numbers: the values of the hyperparameters.
            data: the rows on the device.
            order: the numbers of the rows in the order in which they are visited.
            position: `[rows of a pass, passes made before]`.
            span: `[first step, last step (not included), passes, rows from the start
                of a pass to that of the next]`.
        """
        engine = self.engine
        rows, before = position[0], position[1]
        first, last, passes, stride = (span[i] for i in range(4))
        inputs = _Inputs(numbers, data, order, rows, first, last, stride)
        logs = engine.infer(lambda: self._logs(state, inputs))
        specs, self.output_spec = tree.flatten_with_spec(logs)
        logs = [engine.zeros((self.passes, *x.shape), dtype=x.dtype) for x in specs]
        carry = (state, logs, engine.convert(np.int32(-1)))
        return engine.fori_loop(
            0, passes, lambda i, carry: self._pass(before + i, carry, inputs), carry
        )

    def _logs(self, state, inputs):
        """Return the logs, to learn their form."""
        if self._finish is not None:
            return self._finish(state, inputs.numbers)[0]
        batches = self._gather(inputs, 0)
        logs = self._step(state, inputs.numbers, batches, 0, 0, inputs.rows)[0]
        # A user's step may return plain numbers.
        return tree.map_structure(self.engine.convert, logs)

    def _pass(self, number, carry, inputs):
        """Do the steps of one pass."""
        engine, gathered = self.engine, self.steps_gathered
        first, last = inputs.first, inputs.last
        state, logs, bad = carry
        if self._reset is not None:
            _, fresh = self._reset(state, inputs.numbers)
            state = [
                old if new is old else engine.where(first == 0, new, old)
                for new, old in zip(fresh, state, strict=True)
            ]
        begin = number * inputs.stride
        state, logs, bad = engine.fori_loop(
            first // gathered,
            (last + gathered - 1) // gathered,
            lambda i, carry: self._steps_of_chunk(i, carry, begin, inputs),
            (state, logs, bad),
        )
        if self._finish is not None:
            new_logs = self._finish(state, inputs.numbers)[0]
            logs = self._put_logs(logs, new_logs, number)
        return state, logs, bad

    def _steps_of_chunk(self, chunk, carry, begin, inputs):
        """Do those of the steps `first` to `last` whose rows are gathered at once."""
        engine, gathered = self.engine, self.steps_gathered
        start = chunk * gathered
        batches = self._gather(inputs, begin + start * self.batch_size)

        def one_step(i, carry):
            state, logs, bad = carry
            new_logs, state = self._step(
                state, inputs.numbers, batches, start, i, inputs.rows
            )
            if self._watched is not None:
                is_bad = engine.isnan(state[self._watched]) & (bad < 0)
                bad = engine.where(is_bad, begin // self.batch_size + i, bad)
            if self._finish is None:
                logs = self._put_logs(logs, new_logs, 0)
            return state, logs, bad

        if gathered == 1:
            return one_step(chunk, carry)
        low = engine.maximum(inputs.first, start)
        high = engine.minimum(inputs.last, start + gathered)
        return engine.fori_loop(low, high, one_step, carry)

    def _gather(self, inputs, begin):
        """Return the rows of some batches, of which the first begins at `begin`."""
        engine = self.engine
        size = self.steps_gathered * self.batch_size
        places = begin + engine.arange(size, dtype="int32")
        chosen = engine.take(inputs.order, places, axis=0)
        return self.take_rows(engine, inputs.data, chosen)

    def _masked_step(self, batches, start, i, rows):
        """Do step `i` on its batch of those gathered, which begin with step `start`."""
        engine = self.engine
        batch = iter([self._batch(x, i - start) for x in batches])
        leaves = [next(batch) if present else None for present in self.present]
        batch = tree.unflatten(self.spec, leaves)
        if not self.plan.masked:
            return self.plan.step(batch)
        places = i * self.batch_size + engine.arange(self.batch_size, dtype="int32")
        with scopes.batch_mask_scope(engine.cast(places < rows, "float32")):
            return self.plan.step(batch)

    def _batch(self, rows, number):
        """Return the batch of this number of those gathered."""
        if self.steps_gathered == 1:
            return rows
        engine = self.engine
        window = (self.batch_size, *engine.shape_of(rows)[1:])
        start = (number * self.batch_size, *[0] * (len(window) - 1))
        return engine.dynamic_slice(rows, start, window)

    def _put_logs(self, buffers, logs, number):
        """Return the buffers with the leaves of `logs` as row `number`."""
        pairs = zip(buffers, tree.flatten(logs), strict=True)
        return [self._put(buffer, leaf, number) for buffer, leaf in pairs]

    def _put(self, buffer, value, number):
        engine = self.engine
        value = engine.cast(value, engine.dtype_of(buffer))
        if self.passes == 1:
            return engine.reshape(value, engine.shape_of(buffer))
        shape = (self.passes,) + (1,) * len(engine.shape_of(value))
        places = engine.reshape(engine.arange(self.passes, dtype="int32"), shape)
        return engine.where(places == number, value, buffer)


class _Inputs(NamedTuple):
    """What the steps of a call have in common."""

    numbers: Any
    data: Any
    order: Any
    rows: Any
    first: Any
    last: Any
    stride: Any
