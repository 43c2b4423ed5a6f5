"""`ModelCheckpoint`: save the model while it trains."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

from hornbeam.callbacks.monitor import MonitorCallback
from hornbeam.core.errors import did_you_mean
from hornbeam.typing import Logs, PathLike
from hornbeam.utils.printing import print_message


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, every epoch or after a number of batches.

    Args:
        filepath: the file, ending in `.keras`, or `.weights.h5` for weights. It may
            hold `{epoch}`, `{batch}` (counted from 1) and names of the logs:
            `"model.{epoch:02d}-{val_loss:.2f}.keras"`.
        monitor: the watched value. Default: `"val_loss"`
        verbose: 1 prints a message when it saves. Default: 0
        save_best_only: whether to save only when the value has improved.
            Default: False
        save_weights_only: whether only weights are saved. Default: False
        mode: `"min"`, `"max"` or `"auto"`. Default: `"auto"`
        save_freq: `"epoch"`, or a number of batches, which are counted through the
            epochs. Default: `"epoch"`
        initial_value_threshold: the value to beat at first. Default: None

    >>> import hornbeam as keras
    >>> save = keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True)
    """

    state_attributes: Mapping[str, type] = {
        "best": float,
        "_batches_since_saving": int,
        "_last_batch": int,
    }

    def __init__(
        self,
        filepath: PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: Literal["auto", "min", "max"] = "auto",
        save_freq: Literal["epoch"] | int = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath: str = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._current_epoch = 0
        self._batches_since_saving = 0
        self._last_batch = -1
        is_count = isinstance(save_freq, int) and not isinstance(save_freq, bool)
        if save_freq != "epoch" and not (is_count and save_freq > 0):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq!r}. Expected 'epoch' or a number "
                "of batches."
            )
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            raise ValueError(
                f"`filepath` of ModelCheckpoint must end in {ending!r} where "
                f"save_weights_only={save_weights_only}. Received: {self.filepath!r}"
            )

    @property
    def uses_batch_methods(self) -> bool:
        """Whether `save_freq` counts batches."""
        return self.save_freq != "epoch"

    @property
    def batches_to_wait(self) -> int:
        """How many batches from now on the model is to be saved."""
        if self.save_freq == "epoch":
            return 1
        return max(1, int(self.save_freq) - self._batches_since_saving)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note the epoch."""
        self._current_epoch = epoch
        self._last_batch = -1

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save after every `save_freq` batches."""
        if self.save_freq == "epoch":
            return
        self._batches_since_saving += batch - self._last_batch
        self._last_batch = batch
        if self._batches_since_saving >= self.save_freq:
            self._batches_since_saving = 0
            self._save_if_due(self._current_epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save after the epoch."""
        if self.save_freq == "epoch":
            self._save_if_due(epoch, None, logs)

    def _save_if_due(self, epoch, batch, logs):
        logs = logs or {}
        path = self._path(epoch, batch, logs)
        note = f"Epoch {epoch + 1}: "
        if self.save_best_only:
            self._set_monitor_op(logs)
            value = self.get_monitor_value(logs)
            if value is not None and not self._is_improvement(value, self.best):
                if self.verbose > 0:
                    print_message(
                        f"{note}{self.monitor} did not improve from {self.best:.5f}"
                    )
                return
            if value is not None:
                start = "nothing" if self.best is None else f"{self.best:.5f}"
                note += f"{self.monitor} improved from {start} to {value:.5f}, "
                self.best = value
        if self.verbose > 0:
            print_message(f"{note}saving to {path}")
        self._save(path)

    def _save(self, path):
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _path(self, epoch, batch, logs):
        fields = {**logs, "epoch": epoch + 1}
        if batch is not None:
            fields["batch"] = batch + 1
        try:
            return self.filepath.format(**fields)
        except KeyError as error:
            name = error.args[0]
            raise KeyError(
                f"`filepath` of ModelCheckpoint, {self.filepath!r}, asks for {name!r}. "
                f"Available: {', '.join(fields)}.{did_you_mean(name, fields)}"
            ) from None
