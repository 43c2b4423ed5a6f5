"""`CSVLogger`: the logs of each epoch as a line of a file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hornbeam.callbacks.callback import Callback
from hornbeam.core.errors import check_path
from hornbeam.core.replacing import append, file_to_write, replacing
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

    state_attributes: Mapping[str, type] = {"keys": list, "_end": int}

    def __init__(self, filename: PathLike, separator: str = ",", append: bool = False):
        super().__init__()
        check_path("CSVLogger", "filename", filename)
        self.filename: str = os.fspath(filename)
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(
                "Argument `separator` of CSVLogger must be one character, such as ','. "
                f"Received: separator={separator!r}"
            )
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        # The size of the file after the last line, once there is one. What a training
        # that is resumed has written after its backup is written again.
        self._end: int | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Reset; the first line is written after the first epoch."""
        file_to_write("CSVLogger", "filename", self.filename)
        self.keys = None
        self._end = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write the line of the epoch."""
        logs = logs or {}
        # A resumed training has its keys and continues its file.
        goes_on = self.append or self.keys is not None
        self.keys = _columns(logs) if self.keys is None else self.keys
        line = self._line([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])
        if goes_on and os.path.exists(self.filename):
            self._end = append(self.filename, line, self._end)
        else:
            with replacing(Path(self.filename)) as temporary:
                temporary.write_bytes(self._line(["epoch", *self.keys]) + line)
            self._end = os.path.getsize(self.filename)

    def _line(self, cells):
        text = io.StringIO()
        csv.writer(text, delimiter=self.sep, lineterminator="\n").writerow(cells)
        return text.getvalue().encode()


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
