"""A dataset for test_streams.py; worker processes import it and little else."""

import time

import numpy as np

from hornbeam.data import PyDataset


class Numbered(PyDataset):
    """Batches that hold their number; one of them may fail."""

    def __init__(self, count=6, fails_at=None, delay=0.0, **kwargs):
        super().__init__(**kwargs)
        self.count = count
        self.fails_at = fails_at
        self.delay = delay
        self.events = []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        # The first batches take longest, so unordered results would be seen.
        time.sleep(self.delay * (self.count - index))
        if index == self.fails_at:
            raise KeyError("nothing there")
        return np.full((2, 1), float(index)), np.ones(2)

    def on_epoch_begin(self):
        self.events.append("begin")

    def on_epoch_end(self):
        self.events.append("end")
