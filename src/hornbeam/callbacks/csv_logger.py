"""`CSVLogger`: the logs of each epoch as a line of a file."""

from __future__ import annotations

import csv
import os

import numpy as np

from hornbeam.callbacks.callback import Callback
from hornbeam.typing import Logs, PathLike


class CSVLogger(Callback):
    """Writes the logs of each epoch to a CSV file.

    Args:
        filename: the file.
        separator: what separates the values. Default: `","`
        append: whether lines are added to a file that exists. Default: False

    >>> import hornbeam as keras
    >>> logger = keras.callbacks.CSVLogger("training.csv")
    """

    state_attributes: tuple[str, ...] = ("keys",)

    def __init__(self, filename: PathLike, separator: str = ",", append: bool = False):
        super().__init__()
        self.filename: str = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Reset; the first line is written after the first epoch."""
        self.keys = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write the line of the epoch."""
        logs = logs or {}
        # A resumed training has its keys and continues its file.
        goes_on = self.append or self.keys is not None
        keys = _columns(logs) if self.keys is None else self.keys
        self.keys = keys
        if not (goes_on and os.path.exists(self.filename)):
            self._write(["epoch", *keys], "w")
        self._write([epoch, *(_cell(logs.get(key, "NA")) for key in keys)], "a")

    def _write(self, row, mode):
        # Closed after each line, so that the file is complete whatever happens next.
        with open(self.filename, mode, newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.sep, lineterminator="\n").writerow(row)


def _columns(logs):
    """An epoch without validation leaves room for those that have it."""
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    return names + [f"val_{name}" for name in names]


def _cell(value):
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return '"[{}]"'.format(", ".join(str(item) for item in np.ravel(value)))
