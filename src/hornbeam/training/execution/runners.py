"""Runners: how the steps of a pass over the data are carried out.

Every runner has `data`, `plan`, `steps` (None where it is not known), `most_passes`,
`start(epoch, first)`, and `run_steps(first, last) -> logs`, which gives None when the
data has ended; `reached` is then the number of steps of the pass that are done. One
that can make several passes in one call has `run_passes`, one that knows how long a
step takes `seconds_per_step`, one whose passes start the metrics anew `resets`.
A `Pass` knows nothing else of engines, programs or data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam import ops
from hornbeam.core import tree
from hornbeam.training.execution.compiled import CompiledSteps
from hornbeam.training.execution.compiled_batch import CompiledBatch
from hornbeam.training.execution.eager import EagerBatch, EagerSteps

if TYPE_CHECKING:
    from hornbeam.training.binding.binding import Binding
    from hornbeam.training.execution.step_plan import StepPlan

# Data of up to so many bytes always fits on the device.
_LITTLE_BYTES = 1 << 26
# A batch size for predictions: so that a step is worth its call, and not more bytes.
_SMALLEST, _LARGEST, _BATCH_BYTES = 32, 1024, 1 << 20


class BatchSteps:
    """Steps over batches that come from the host one by one, compiled or not.

    Args:
        one: a CompiledBatch or EagerBatch.
        data: the batches.
    """

    most_passes = 1
    resets = False

    def __init__(self, one: Any, data: Any) -> None:
        self.one = one
        self.plan: StepPlan = one.plan
        self.data = data
        self.steps: Any = data.steps
        self.batches: Any = iter(())
        self.reached: int = 0

    def start(self, epoch: int, passes: int = 1, first: int = 0) -> None:
        """Begin with batch `first` of this epoch."""
        self.data.on_epoch_begin(epoch, first)
        self.batches = iter(self.data)
        self.reached = first

    def run_steps(self, first: int, last: int) -> Any:
        """Run as many steps as from `first` to `last`; return the logs."""
        outputs = None
        for _ in range(first, last):
            batch = next(self.batches, None)
            if batch is None:
                break
            outputs, _ = self.one.run_batch(batch)
            self.reached += 1
        return outputs if outputs is None else self.one.logs(outputs)

    def nan_step(self) -> Any:
        """Return the number of the last step if the loss is NaN since, or None."""
        watched = self.one.plan.watched
        if watched is None or not np.isnan(float(watched.value)):
            return None
        return self.reached - 1


class PredictSteps(BatchSteps):
    """Predicts batch by batch and keeps the outputs.

    Args:
        one: a CompiledBatch or EagerBatch.
        data: the batches.
        logs_outputs: whether logs hold the outputs of the last call.
    """

    resets = True

    def __init__(self, one: Any, data: Any, logs_outputs: bool = False) -> None:
        super().__init__(one, data)
        self.logs_outputs = logs_outputs
        self._outputs: list[Any] = []
        self._padded_size = 0

    def start(self, epoch: int, passes: int = 1, first: int = 0) -> None:
        """Begin with the first batch."""
        super().start(epoch)
        self._outputs = []

    def run_steps(self, first: int, last: int) -> Any:
        """Predict for as many batches as from `first` to `last`."""
        before = len(self._outputs)
        for _ in range(first, last):
            batch = next(self.batches, None)
            if batch is None:
                break
            self._outputs.append(self._run_padded(batch))
            self.reached += 1
        if len(self._outputs) == before:
            return None
        new = self._outputs[before:]
        return {"outputs": _joined(new)} if self.logs_outputs else {}

    def _run_padded(self, batch):
        """Run a batch, padded to a power of two and to the size of those before it.

        So the sizes of calls are few, and so are the programs.
        """
        if isinstance(self.one, CompiledBatch) and self.one.plan.masked:
            rows = len(next(x for x in tree.flatten(batch) if x is not None))
            self._padded_size = max(self._padded_size, 1 << (rows - 1).bit_length())
            self.one.batch_size = self._padded_size
        return self.one.run_batch(batch)

    def outputs(self) -> Any:
        """Return the outputs of all batches of the pass, as NumPy arrays."""
        if not self._outputs:
            raise ValueError("predict() received no data.")
        return _joined(self._outputs)


def _joined(parts):
    """Return the outputs of the batches as arrays, without the padded rows."""

    def join(*outputs):
        arrays = [
            ops.convert_to_numpy(output)[:rows]
            for output, (_, rows) in zip(outputs, parts, strict=True)
        ]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

    return tree.map_structure(join, *[outputs for outputs, _ in parts])


def choose_batch_size(data: Any, one: Any) -> None:
    """Let data in memory come in batches of a size that suits predictions."""
    if not data.in_memory or (isinstance(one, CompiledBatch) and not one.plan.masked):
        return
    leaves = [a for a in tree.flatten(data.arrays) if a is not None]
    bytes_per_row = max(1, sum(a.nbytes for a in leaves) // data.rows)
    size = _SMALLEST
    while size < _LARGEST and size * 2 * bytes_per_row <= _BATCH_BYTES:
        size *= 2
    data.batch_size = min(size, data.rows)
    data.steps = -(-data.rows // data.batch_size)


def make_batch_runner(binding: Binding, plan: StepPlan, compiled: bool) -> Any:
    """Return what runs single batches: compiled or eagerly."""
    return (CompiledBatch if compiled else EagerBatch)(binding, plan)


def make_runner(binding: Binding, plan: StepPlan, data: Any, compiled: bool) -> Any:
    """Return the runner of passes over `data` that train or evaluate.

    Data in memory is on the device as a whole, unless there is not room for it.
    """
    if data.in_memory and _has_room(binding.engine, data):
        return (CompiledSteps if compiled else EagerSteps)(binding, plan, data)
    return BatchSteps(make_batch_runner(binding, plan, compiled), data)


def _has_room(engine, data):
    """Whether the device has room for a copy of the data, and as much again."""
    size = sum(leaf.nbytes for leaf in tree.flatten(data.arrays) if leaf is not None)
    return size <= _LITTLE_BYTES or 2 * size <= engine.free_bytes()
