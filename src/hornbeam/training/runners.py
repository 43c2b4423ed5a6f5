"""Runners: how the steps of a pass over the data are carried out.

Every runner has `steps` (None where it is not known), `start(epoch)`, and
`run(first, last) -> logs`, which gives None when the data has ended. One that can make
several passes in one call has `run_passes`. The loop knows nothing else of engines,
programs or data.
"""

import numpy as np

from hornbeam.core import tree
from hornbeam.training.compiled import CompiledBatch, CompiledSteps


class StepPlan:
    """What one step is, for a model and a mode.

    Args:
        mode: "train", "test" or "predict".
        step: `step(batch) -> logs` (or outputs), on tensors.
        finish: `finish() -> logs`, or None where a step's logs are all there is.
        reset: `reset()` starts the metrics anew, or None where it is the user's.
        watched: the Variable that turns NaN with the loss, or None.
        kind: a hashable that names step and finish in a program's key.
        masked: whether a batch may be padded and masked.
    """

    def __init__(self, mode, step, finish, reset, watched, kind, masked):
        self.mode = mode
        self.step = step
        self.finish = finish
        self.reset = reset
        self.watched = watched
        self.kind = kind
        self.masked = masked


class CompiledRunner:
    """Steps over data in memory, compiled."""

    def __init__(self, binding, plan, data):
        self.data = data
        self.steps = data.steps
        self.batch_size = min(data.batch_size, data.rows)
        self.full_steps = self.steps
        self.last = None
        visited = min(data.rows, self.steps * self.batch_size)
        masked = visited % self.batch_size != 0
        if masked and not plan.masked:
            self.last = CompiledBatch(binding, plan.step, False, (plan.kind, "one"))
            self.full_steps = visited // self.batch_size
            masked = False
        self.program = CompiledSteps(
            binding, plan, data.arrays, self.batch_size, masked
        )
        self.most_passes = 1 if self.last else self.program.most_passes
        self.plan = plan
        self.order = None

    def start(self, epoch, passes=1):
        orders = [self.data.order(epoch + i) for i in range(passes)]
        self.order = np.asarray(orders[0], np.int32)
        self.program.start(orders)

    def run(self, first, last):
        full = min(last, self.full_steps)
        logs = None
        if first < full:
            logs = nth_logs(self.program.run(first, full), 0)
        if last > full and self.last is not None:
            rows = self.order[self.full_steps * self.batch_size :]
            batch = tree.map_structure(
                lambda x: None if x is None else x[rows], self.data.arrays
            )
            logs, _ = self.last.run(batch)
            if self.plan.finish is not None:
                logs = self.plan.finish()
        return logs

    def run_passes(self, passes):
        """Run whole passes in one call; return the logs of each."""
        logs = self.program.run(0, self.steps, passes)
        return [nth_logs(logs, i) for i in range(passes)]

    def nan_step(self):
        return self.program.nan_step() if self.program.program else None


def nth_logs(logs, number):
    """Return the logs of one pass of those that a program gives."""
    return tree.map_structure(lambda x: np.asarray(x)[number], logs)


class StreamRunner:
    """Steps over batches that come from the host one by one, compiled or not."""

    def __init__(self, run_batch, plan, data):
        self.run_batch = run_batch
        self.plan = plan
        self.data = data
        self.steps = data.steps
        self.batches = iter(())
        self.count = 0

    most_passes = 1

    def start(self, epoch, passes=1):
        self.data.on_epoch_begin(epoch)
        self.batches = iter(self.data)
        self.count = 0

    def run(self, first, last):
        logs = None
        for _ in range(first, last):
            batch = next(self.batches, None)
            if batch is None:
                break
            logs = self.run_batch(batch)
            self.count += 1
        if logs is not None and self.plan.finish is not None:
            logs = self.plan.finish()
        return logs

    def nan_step(self):
        watched = self.plan.watched
        if watched is None or not np.isnan(float(watched.value)):
            return None
        return self.count - 1


class EagerRunner:
    """Steps over data in memory, one after the other on the live variables."""

    def __init__(self, engine, plan, data):
        self.engine = engine
        self.plan = plan
        self.data = data
        self.steps = data.steps
        self.batch_size = data.batch_size
        self.leaves, self.spec = tree.flatten_with_spec(data.arrays)
        self.tensors = [None if x is None else engine.convert(x) for x in self.leaves]
        self.order = None
        self.flags = []

    most_passes = 1

    def start(self, epoch, passes=1):
        order = np.asarray(self.data.order(epoch))
        self.ordered = bool(np.array_equal(order, np.arange(len(order))))
        self.order = self.engine.convert(order.astype(np.int64))

    def run(self, first, last):
        engine, size, watched = self.engine, self.batch_size, self.plan.watched
        logs = None
        self.flags, self.first = [], first
        for i in range(first, last):
            begin, end = i * size, (i + 1) * size
            if self.ordered:
                leaves = [None if x is None else x[begin:end] for x in self.tensors]
            else:
                rows = self.order[begin:end]
                leaves = [
                    None if x is None else engine.take(x, rows, axis=0)
                    for x in self.tensors
                ]
            logs = self.plan.step(tree.unflatten(self.spec, leaves))
            if watched is not None:
                self.flags.append(engine.isnan(watched._value))
        if self.plan.finish is not None:
            logs = self.plan.finish()
        return logs

    def nan_step(self):
        if not self.flags:
            return None
        bad = self.engine.to_numpy(self.engine.stack(self.flags))
        return self.first + int(bad.argmax()) if bad.any() else None


class BatchRunner:
    """One step on one batch of host arrays: `run(batch) -> (outputs, rows)`."""

    def __init__(self, engine, plan):
        self.engine = engine
        self.plan = plan

    def run(self, batch):
        rows = len(next(x for x in tree.flatten(batch) if x is not None))
        convert = self.engine.convert
        batch = tree.map_structure(lambda x: None if x is None else convert(x), batch)
        return self.plan.step(batch), rows


def batch_runner(binding, plan, compiled):
    """Return what runs one batch: compiled or eagerly."""
    if compiled:
        kind = (plan.kind, "one")
        assigns = plan.mode != "predict"
        return CompiledBatch(binding, plan.step, plan.masked, kind, assigns)
    return BatchRunner(binding.engine, plan)


def make_runner(binding, plan, data, compiled):
    """Return the runner of a pass over `data`."""
    if data.in_memory:
        if compiled:
            return CompiledRunner(binding, plan, data)
        return EagerRunner(binding.engine, plan, data)
    one = batch_runner(binding, plan, compiled)
    return StreamRunner(lambda batch: one.run(batch)[0], plan, data)
