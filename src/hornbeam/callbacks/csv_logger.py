"""`CSVLogger`: the logs of each epoch as a line of a file."""

import csv
import os

import numpy as np

from hornbeam.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes the logs of each epoch to a file of separated values.

    Args:
        filename: the file.
        separator: what separates the values. Default: `","`
        append: whether lines are added to a file that exists. Default: False

    >>> import hornbeam as keras
    >>> logger = keras.callbacks.CSVLogger("training.csv")
    """

    state_attributes = ("keys",)

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys = None
        self._file = None

    def on_train_begin(self, logs=None):
        """Start anew; the file is opened with the first line."""
        self.keys = None
        self._file = None

    def _open(self, logs):
        """Open the file; a training that is resumed has `keys` and goes on in it."""
        goes_on = self.append or self.keys is not None
        has_header = (
            goes_on and os.path.exists(self.filename) and os.path.getsize(self.filename)
        )
        self._file = open(  # noqa: SIM115 (it is open while training)
            self.filename, "a" if goes_on else "w", newline="", encoding="utf-8"
        )
        if self.keys is None:
            names = sorted(logs)
            # An epoch without validation leaves room for one that has it.
            if not any(name.startswith("val_") for name in names):
                names += [f"val_{name}" for name in names]
            self.keys = names
        if not has_header:
            self._write(["epoch", *self.keys])

    def _write(self, row):
        csv.writer(self._file, delimiter=self.sep, lineterminator="\n").writerow(row)
        self._file.flush()

    def on_epoch_end(self, epoch, logs=None):
        """Write the line of the epoch."""
        logs = logs or {}
        if self._file is None:
            self._open(logs)
        self._write([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])

    def on_train_end(self, logs=None):
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _cell(value):
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return '"[{}]"'.format(", ".join(str(item) for item in np.ravel(value)))
