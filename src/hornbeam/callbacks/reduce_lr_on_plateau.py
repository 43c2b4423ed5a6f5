"""`ReduceLROnPlateau`: lower the learning rate when a value no longer improves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict, Unpack

import numpy as np

from hornbeam.callbacks.monitor import MonitorCallback
from hornbeam.callbacks.rates import (
    current_rate,
    rates_for_logs,
    single_optimizers,
)
from hornbeam.core.errors import check_number
from hornbeam.core.warning import warn
from hornbeam.typing import Logs
from hornbeam.utils.printing import print_message


class _RenamedArguments(TypedDict, total=False):
    epsilon: float


class ReduceLROnPlateau(MonitorCallback):
    """Lowers the learning rate after `patience` epochs without improvement.

    With a MultiOptimizer, the rates of all optimizers are lowered.

    Args:
        monitor: the name of the watched value. Default: `"val_loss"`
        factor: the factor of the rate, less than 1. Default: 0.1
        patience: number of epochs to wait without improvement. Default: 10
        verbose: 1 prints a message when it acts. Default: 0
        mode: `"min"`, `"max"` or `"auto"`. Default: `"auto"`
        min_delta: smaller changes do not count as improvement. Default: 1e-4
        cooldown: epochs after a reduction that are not counted. Default: 0
        min_lr: the rate does not go below this. Default: 0.0

    >>> import hornbeam as keras
    >>> reduce = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=3)
    """

    state_attributes: Mapping[str, type] = {
        "best": float,
        "wait": int,
        "cooldown_counter": int,
    }

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: Literal["auto", "min", "max"] = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Unpack[_RenamedArguments],
    ):
        if "epsilon" in kwargs:
            warn("`epsilon` is now called `min_delta`.")
            min_delta = kwargs.pop("epsilon")
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau has no argument {min(kwargs)!r}.")
        super().__init__(monitor, mode, min_delta=min_delta)
        name = type(self).__name__
        check_number(name, "factor", factor, low=0, below=1)
        check_number(name, "patience", patience, low=0)
        check_number(name, "cooldown", cooldown, low=0)
        check_number(name, "min_lr", min_lr)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def _reset(self):
        self.best = None
        self.wait: int = 0
        self.cooldown_counter: int = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Reset the state."""
        self._reset()

    def in_cooldown(self) -> bool:
        """Whether a recent reduction keeps epochs from being counted."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Lower the rate if the value has not improved for `patience` epochs."""
        logs = {} if logs is None else logs
        self._set_monitor_op(logs)
        value = self.get_monitor_value(logs)
        logs.update(rates_for_logs(self.model.optimizer))
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch):
        optimizers = single_optimizers(self.model.optimizer)
        above = [o for o in optimizers if current_rate(o) > np.float32(self.min_lr)]
        for optimizer in above:
            rate = max(current_rate(optimizer) * self.factor, self.min_lr)
            optimizer.learning_rate = rate
            if self.verbose > 0:
                print_message(
                    f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to "
                    f"{rate}."
                )
        if above:
            self.cooldown_counter = self.cooldown
            self.wait = 0
