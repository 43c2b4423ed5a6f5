"""`Checkpoint`: the base of callbacks that save the model every so often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from hornbeam.callbacks.monitor import MonitorCallback
from hornbeam.typing import Logs
from hornbeam.utils.printing import print_message


class Checkpoint(MonitorCallback):
    """Decides when the model is saved; a subclass says where and how.

    Args:
        monitor: the watched value.
        verbose: 1 prints a message when it saves.
        save_best_only: whether to save only when the value has improved.
        save_weights_only: whether only weights are saved.
        mode: `"min"`, `"max"` or `"auto"`.
        save_freq: `"epoch"`, or a number of batches, which are counted through the
            epochs.
        initial_value_threshold: the value to beat at first.
    """

    state_attributes: Mapping[str, type] = {
        "best": float,
        "_batches_since_saving": int,
        "_last_batch": int,
    }

    def __init__(
        self,
        monitor: str,
        verbose: int,
        save_best_only: bool,
        save_weights_only: bool,
        mode: Literal["auto", "min", "max"],
        save_freq: Literal["epoch"] | int,
        initial_value_threshold: float | None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
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

    def _place(self, epoch: int, batch: int | None, logs: dict) -> str:
        """Return where the model is saved now; `batch` is None after an epoch."""
        raise NotImplementedError

    def _save(self, place: str) -> None:
        """Save the model at what `_place` returned."""
        raise NotImplementedError

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
        place = self._place(epoch, batch, logs)
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
            print_message(f"{note}saving to {place}")
        self._save(place)
