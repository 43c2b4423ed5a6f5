"""Runners: how the steps of a pass over the data are carried out.

Every runner has `steps` (None where it is not known), `start(epoch)`, and
`run_steps(first, last) -> logs`, which gives None when the data has ended. One that can
make several passes in one call has `run_passes`, one that knows how long a step takes
`seconds_per_step`, one whose passes start the metrics anew `resets`. A `Pass` knows
nothing else of engines, programs or data.
"""

import numpy as np

from hornbeam.core import tree
from hornbeam.training.execution.compiled import (
    CompiledBatch,
    CompiledSteps,
    rounded_up,
)
from hornbeam.training.execution.eager import EagerBatch, EagerRunner

# Data of up to so many bytes always fits on the device.
_LITTLE_BYTES = 1 << 26
# Fewer rows than these are padded up to the batch size.
_FEW_ROWS = 32


class CompiledRunner:
    """Steps over data in memory, compiled."""

    def __init__(self, binding, plan, data):
        self.data = data
        self.steps = data.steps
        # A mask in every program: then one serves all numbers of rows.
        most = max(_FEW_ROWS, rounded_up(data.rows)) if plan.masked else data.rows
        self.batch_size = min(data.batch_size, most)
        self.full_steps = self.steps
        self.last = None
        visited = min(data.rows, self.steps * self.batch_size)
        if not plan.masked and visited % self.batch_size != 0:
            self.last = CompiledBatch(binding, plan.step, False, (plan.kind, "one"))
            self.full_steps = visited // self.batch_size
        self.program = CompiledSteps(
            binding, plan, data.arrays, self.batch_size, plan.masked
        )
        self.most_passes = 1 if self.last else self.program.most_passes
        self.resets = self.program.resets
        self.plan = plan
        self.order = None

    @property
    def seconds_per_step(self):
        """The seconds that a step is known to take, or None."""
        return self.program.seconds_per_step

    def start(self, epoch, passes=1):
        orders = [self.data.order(epoch + i) for i in range(passes)]
        self.order = np.asarray(orders[0], np.int32)
        self.program.start(orders)

    def run_steps(self, first, last):
        full = min(last, self.full_steps)
        logs = None
        if first < full:
            logs = nth_logs(self.program.run_steps(first, full), 0)
        if last > full and self.last is not None:
            rows = self.order[self.full_steps * self.batch_size :]
            batch = tree.map_structure(
                lambda x: None if x is None else x[rows], self.data.arrays
            )
            logs, _ = self.last.run_batch(batch)
            if self.plan.finish is not None:
                logs = self.plan.finish()
        return logs

    def run_passes(self, passes):
        """Run whole passes in one call; return the logs of each."""
        logs = self.program.run_steps(0, self.steps, passes)
        return [nth_logs(logs, i) for i in range(passes)]

    def nan_step(self):
        return self.program.nan_step()


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

    def run_steps(self, first, last):
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


def batch_runner(binding, plan, compiled):
    """Return what runs one batch: compiled or eagerly."""
    if compiled:
        kind = (plan.kind, "one")
        # predict changes nothing, unless a part may keep state (stateful, a user's).
        assigns = plan.mode != "predict" or not plan.masked
        return CompiledBatch(binding, plan.step, plan.masked, kind, assigns)
    return EagerBatch(binding, plan)


def make_runner(binding, plan, data, compiled):
    """Return the runner of a pass over `data`.

    Data in memory is on the device as a whole, unless there is not room for it.
    """
    if data.in_memory and _has_room(binding.engine, data):
        if compiled:
            return CompiledRunner(binding, plan, data)
        return EagerRunner(binding, plan, data)
    one = batch_runner(binding, plan, compiled)
    return StreamRunner(lambda batch: one.run_batch(batch)[0], plan, data)


def _has_room(engine, data):
    """Whether the device has room for a copy of the data, and as much again."""
    size = sum(leaf.nbytes for leaf in tree.flatten(data.arrays) if leaf is not None)
    return size <= _LITTLE_BYTES or 2 * size <= engine.free_bytes()
