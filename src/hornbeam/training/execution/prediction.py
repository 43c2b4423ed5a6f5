"""Prediction: the outputs of a model for data, batch by batch, as NumPy arrays."""

import numpy as np

from hornbeam import ops
from hornbeam.core import tree

# Rows in a step where the caller does not say: as many as make a step worth its call.
_SMALLEST, _LARGEST, _BYTES = 32, 1024, 1 << 20


class PredictRunner:
    """Predicts batch by batch and keeps the outputs; see `runners.py`.

    Args:
        one: runs one batch.
        data: the batches.
        shows_outputs: whether logs hold the outputs of the last call.
    """

    most_passes = 1
    resets = True

    def __init__(self, one, data, shows_outputs=False):
        self.one = one
        self.data = data
        self.steps = data.steps
        self.shows_outputs = shows_outputs
        self.collected = []
        self.padded_size = 0
        self.batches = iter(())

    def start(self, epoch, passes=1):
        self.collected = []
        self.batches = _batches(self.data)

    def run_steps(self, first, last):
        before = len(self.collected)
        for _ in range(first, last):
            batch = next(self.batches, None)
            if batch is None:
                break
            self.collected.append(self._padded_run(batch))
        new = self.collected[before:]
        if not new:
            return None
        return {"outputs": _joined(new)} if self.shows_outputs else {}

    def _padded_run(self, batch):
        """Run a batch, padded to a power of two and to the size of those before it.

        So the sizes of calls are few, and so are the programs.
        """
        if getattr(self.one, "masked", False):
            rows = len(next(x for x in tree.flatten(batch) if x is not None))
            self.padded_size = max(self.padded_size, 1 << (rows - 1).bit_length())
            self.one.batch_size = self.padded_size
        return self.one.run_batch(batch)

    def outputs(self):
        """Return the outputs of all batches of the pass."""
        if not self.collected:
            raise ValueError("predict() received no data.")
        return _joined(self.collected)

    def nan_step(self):
        return None


def choose_batch_size(data):
    """Let data in memory come in batches of as many rows as suit."""
    leaves = [a for a in tree.flatten(data.arrays) if a is not None]
    bytes_per_row = max(1, sum(a.nbytes for a in leaves) // data.rows)
    size = _SMALLEST
    while size < _LARGEST and size * 2 * bytes_per_row <= _BYTES:
        size *= 2
    data.batch_size = min(size, data.rows)
    data.steps = -(-data.rows // data.batch_size)


def _batches(data):
    if not data.in_memory:
        data.on_epoch_begin(0)
        yield from data
        return
    size = data.batch_size
    for step in range(data.steps):
        begin, end = step * size, (step + 1) * size
        yield tree.map_structure(
            lambda a, begin=begin, end=end: None if a is None else a[begin:end],
            data.arrays,
        )


def _joined(collected):
    """Return the outputs of the batches as arrays, without the padded rows."""

    def join(*parts):
        arrays = [
            ops.convert_to_numpy(part)[:rows]
            for part, (_, rows) in zip(parts, collected, strict=True)
        ]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

    return tree.map_structure(join, *[outputs for outputs, _ in collected])
