"""`EarlyStopping`: end training when a value no longer improves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from hornbeam.callbacks.monitor import MonitorCallback
from hornbeam.core.errors import check_number
from hornbeam.typing import Logs
from hornbeam.utils.printing import print_message


class EarlyStopping(MonitorCallback):
    """Ends training when the watched value has not improved for `patience` epochs.

    Args:
        monitor: the name of the value. Default: `"val_loss"`
        min_delta: smaller changes do not count as improvement. Default: 0
        patience: number of epochs to wait without improvement. Default: 0
        verbose: 1 prints a message when it acts. Default: 0
        mode: `"min"`, `"max"` or `"auto"`. Default: `"auto"`
        baseline: epochs that are not better than this count as without improvement.
            Default: None
        restore_best_weights: whether the model ends with the weights of the best
            epoch. Default: False
        start_from_epoch: epochs before this one are ignored. Default: 0

    >>> import hornbeam as keras
    >>> stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    """

    state_attributes: Mapping[str, type] = {
        "best": float,
        "best_epoch": int,
        "wait": int,
        "stopped_epoch": int,
        "best_weights": list,
    }

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: Literal["auto", "min", "max"] = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        name = type(self).__name__
        check_number(name, "patience", patience, low=0)
        check_number(name, "start_from_epoch", start_from_epoch, low=0)
        if baseline is not None:
            check_number(name, "baseline", baseline)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self):
        self.best: float | None = None
        self.best_epoch: int = 0
        self.best_weights: list[Any] | None = None
        self.wait: int = 0
        self.stopped_epoch: int = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Reset the state."""
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Stop if the value has not improved for `patience` epochs."""
        self._set_monitor_op(logs)
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._is_improvement(value, self.best):
            self.best = value
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_improvement(value, self.baseline):
                self.wait = 0
                return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Put the best weights back."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print_message(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print_message(
                    f"Weights of the best epoch, {self.best_epoch + 1}, kept."
                )
            self.model.set_weights(self.best_weights)
