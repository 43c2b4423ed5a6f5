"""Steps on the live variables, of engines that run one operation after the other.

A step that is made of our own parts alone is the same list of operations every time.
So where the engine can `record` them, a step that has run a few times is recorded, and
from then on its operations are run without the layers, wrappers and graphs that led to
them.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from typing import TYPE_CHECKING, Any

from hornbeam.core import tree
from hornbeam.data.sparse import SparseRows, tensor_of

if TYPE_CHECKING:
    from hornbeam.training.binding.binding import Binding
    from hornbeam.training.execution.step_plan import StepPlan

# Steps of one form before it is recorded: recording takes as long as several steps.
_STEPS_BEFORE = 12
# Rows are gathered for several steps at once, up to so many bytes: they stay in the
# processor's cache until they are used.
_GATHERED_BYTES = 1 << 20


class EagerStep:
    """One step, at once or from its record.

    Args:
        binding: the Binding of the model.
        plan: the StepPlan.
    """

    def __init__(self, binding: Binding, plan: StepPlan) -> None:
        self.binding = binding
        self.engine: Any = binding.engine
        self.plan = plan
        self.is_recorded: Any = plan.recorded and self.engine.record is not None
        self.forms: Any = {}
        # The work of a step by the shapes of its batch, where the engine counts it.
        self.work: Any = {}
        self.threads: Any = self.engine.step_threads or _as_they_are
        self.work_of: Any = self.engine.work_of or _uncounted

    def run_batches(self, spec: Any, batches: Any) -> Any:
        """Run the step on each batch, the flat leaves of the nest `spec`.

        Returns a pair for each batch: what the step returned, and the watched value.
        """
        results: list[Any] = []
        with self.binding.steps, self.threads():
            for shapes, group in itertools.groupby(batches, _shapes):
                steps = iter(group)
                if shapes not in self.work:
                    first = itertools.islice(steps, 1)
                    first_results, self.work[shapes] = self.work_of(
                        functools.partial(self._run_form, shapes, spec, first)
                    )
                    results += first_results
                with self.threads(self.work[shapes]):
                    results += self._run_form(shapes, spec, steps)
        return results

    def _run_form(self, shapes, spec, batches):
        """Run the step on batches of these shapes."""
        if self.is_recorded:
            return self._run_alike(self._form(spec, shapes), spec, batches)
        return [self._once(spec, leaves) for leaves in batches]

    def _run_alike(self, form, spec, batches):
        """Run the step on batches of one form: at once until it has a program."""
        results: list[Any] = []
        while form.program is None:
            leaves = next(batches, None)
            if leaves is None:
                return results
            results.append(self._run_and_record(form, spec, leaves))
        return results + form.program(self.binding.values(), map(_present, batches))

    def _once(self, spec, leaves):
        outputs = self.plan.step(tree.unflatten(spec, leaves))
        watched = self.plan.watched
        return outputs, None if watched is None else self.engine.copy(watched._value)

    def _form(self, spec, shapes):
        owners = self.binding.structure.hyperparameters
        numbers = tuple(getattr(owner, name) for owner, name in owners)
        key = (shapes, numbers)
        form = self.forms.get(key)
        if form is None:
            kind = (self.binding.key(), self.plan.kind, self.plan.jit, str(spec), key)
            form = self.forms[key] = _Form(kind)
        return form

    def _run_and_record(self, form, spec, leaves):
        """Run a step; record two that follow each other, and keep what they share."""
        form.steps += 1
        cache = self.binding.cache
        if form.steps == 2:
            # The first step of a model always runs: it may set more than Variables.
            form.program = cache.find(form.key)
        if form.steps <= _STEPS_BEFORE or form.is_hopeless:
            return self._once(spec, leaves)
        recording = self.engine.record(
            lambda: self._once(spec, leaves),
            self.binding.values(),
            _present(leaves),
            compiled=self.plan.jit,
        )
        if form.recording is None:
            form.recording = recording
            form.is_hopeless = recording.problem is not None
        elif form.recording.repeats(recording):
            form.program = recording.program()
            cache.keep(form.key, form.program)
        else:
            form.is_hopeless = True
        if form.is_hopeless or form.program is not None:
            form.recording = None
        return recording.outputs


class _Form:
    """The record of steps on batches of some shapes, with some hyperparameters."""

    def __init__(self, key):
        self.key = key
        self.steps = 0
        self.recording = None
        self.program = None
        self.is_hopeless = False


def _as_they_are(work=0.0):
    return contextlib.nullcontext()


def _uncounted(step):
    return step(), 0.0


def _shapes(leaves):
    # SciPy's sparse arrays, on NumPy, have no device.
    return tuple(
        None if x is None else (x.shape, x.dtype, getattr(x, "device", None))
        for x in leaves
    )


def _present(leaves):
    return [x for x in leaves if x is not None]


class EagerSteps:
    """Steps over data in memory, one after the other on the live variables."""

    most_passes = 1
    resets = False

    def __init__(self, binding: Binding, plan: StepPlan, data: Any) -> None:
        self.engine: Any = binding.engine
        self.step: Any = EagerStep(binding, plan)
        self.plan = plan
        self.data = data
        self.steps: Any = data.steps
        self.batch_size: Any = data.batch_size
        self.spec: Any
        leaves, self.spec = tree.flatten_with_spec(data.arrays)
        self.tensors: Any = [
            x if x is None or isinstance(x, SparseRows) else self.engine.convert(x)
            for x in leaves
        ]
        if any(isinstance(x, SparseRows) for x in leaves):
            # How many entries a batch has would be part of a record.
            self.step.is_recorded = False
        row_bytes = sum(x.nbytes for x in _present(leaves)) // max(1, data.rows)
        self.rows_gathered: Any = self.batch_size * max(
            1, _GATHERED_BYTES // max(1, row_bytes * self.batch_size)
        )
        self.order: Any = None
        self.reached: int = 0
        self.watched: list[Any] = []

    def start(self, epoch: int, passes: int = 1, first: int = 0) -> None:
        order = self.data.order(epoch)
        self.is_ordered: bool = bool((order[1:] > order[:-1]).all()) and len(order) > 0
        self.is_ordered = self.is_ordered and order[-1] == len(order) - 1
        self.host_order = order
        self.order = self.engine.convert(order.astype("int64"))

    def run_steps(self, first: int, last: int) -> Any:
        self.first = first
        results = self.step.run_batches(self.spec, self._batches(first, last))
        self.watched = [watched for _, watched in results]
        self.reached = last
        if self.plan.finish is not None:
            return self.plan.finish()
        return results[-1][0] if results else None

    def _batches(self, first, last):
        """Yield the leaves of each batch."""
        size = self.batch_size
        end = min(last * size, len(self.order))
        for begin in range(first * size, end, self.rows_gathered):
            stop = min(begin + self.rows_gathered, end)
            gathered = [None if x is None else self._rows(x, begin, stop)
                        for x in self.tensors]  # fmt: skip
            for start in range(0, stop - begin, size):
                rows = slice(start, start + size)
                batch = [None if x is None else x[rows] for x in gathered]
                yield [x.tensor(self.engine) if isinstance(x, SparseRows) else x
                       for x in batch]  # fmt: skip

    def _rows(self, x, begin, end):
        if self.is_ordered:
            return x[begin:end]
        if isinstance(x, SparseRows):
            return x[self.host_order[begin:end]]
        return self.engine.take(x, self.order[begin:end], axis=0)

    def batch(self, step: int) -> Any:
        """Return the batch of a step of this pass, host arrays."""
        begin = step * self.batch_size
        return self.data.take(self.host_order[begin : begin + self.batch_size])

    def nan_step(self) -> Any:
        """Return the number of the step whose loss was the first NaN, or None."""
        engine = self.engine
        if self.plan.watched is None or not self.watched:
            return None
        # What is watched is a sum: once it is NaN, it stays so.
        if not bool(engine.isnan(self.watched[-1])):
            return None
        bad = engine.to_numpy(engine.isnan(engine.stack(self.watched)))
        return self.first + int(bad.argmax())


class EagerBatch:
    """One step on one batch of host arrays: `run_batch(batch) -> (outputs, rows)`."""

    def __init__(self, binding: Binding, plan: StepPlan) -> None:
        self.engine: Any = binding.engine
        self.plan = plan
        self.step: Any = EagerStep(binding, plan)

    def run_batch(self, batch: Any) -> Any:
        """Run the step; return what it returned, and the number of rows."""
        leaves, spec = tree.flatten_with_spec(batch)
        tensors = [None if x is None else tensor_of(self.engine, x) for x in leaves]
        rows = len(next(x for x in leaves if x is not None))
        if any(isinstance(x, SparseRows) for x in leaves):
            self.step.is_recorded = False
        [(outputs, _)] = self.step.run_batches(spec, [tensors])
        return outputs, rows

    def logs(self, outputs: Any) -> Any:
        """Return the logs after the last batch, given what `run_batch` returned."""
        return outputs if self.plan.finish is None else self.plan.finish()
