"""`MetricsLogger`: hand the metrics of a training to loggers."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from hornbeam.callbacks.callback import Callback
from hornbeam.callbacks.rates import rates_for_logs
from hornbeam.core.errors import check_choice, check_number, shown
from hornbeam.core.warning import warn
from hornbeam.typing import Logs

Log = Callable[[int, dict[str, float]], Any]


class MetricsLogger(Callback):
    """Hands the metrics to functions, such as those for MLflow and Weights & Biases.

    After each epoch each function is called with a step and `{name: number}`: what
    `History` has (`loss`, `val_loss` ...), and `learning_rate`. The step is the number
    of the epoch, from 0. With `update_freq` it is the number of batches, and the
    metrics so far come besides, as `batch_loss` ...

    A logger that raises does not end the training: it is warned of once, it is called
    again the next time, and at the end a warning says how many calls were lost.

    Args:
        *loggers: functions `log(step, values)`. `MetricsLogger.mlflow()` and
            `MetricsLogger.wandb()` make two.
        update_freq: `"epoch"`, `"batch"`, or a number of batches. Default: `"epoch"`
        on_error: `"warn"`, or `"raise"` to end the training. Default: `"warn"`

    >>> import hornbeam as keras
    >>> def log(step, values):
    ...     print(step, sorted(values))
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> logger = keras.callbacks.MetricsLogger(log)
    >>> history = model.fit([[1.0]], [[2.0]], epochs=2, verbose=0, callbacks=[logger])
    0 ['learning_rate', 'loss']
    1 ['learning_rate', 'loss']
    """

    state_attributes: Mapping[str, type] = {"_batches": int, "_last_batch": int}

    def __init__(
        self,
        *loggers: Log,
        update_freq: Literal["epoch", "batch"] | int = "epoch",
        on_error: Literal["warn", "raise"] = "warn",
    ):
        super().__init__()
        for log in loggers:
            if not callable(log):
                raise TypeError(
                    "`loggers` of MetricsLogger must be functions `log(step, values)`. "
                    f"Received: {log!r}"
                )
        if not loggers:
            raise TypeError(
                "MetricsLogger needs a function `log(step, values)`, such as "
                "`MetricsLogger.mlflow()`. Received none."
            )
        self.loggers: tuple[Log, ...] = loggers
        self.update_freq = 1 if update_freq == "batch" else update_freq
        if self.update_freq != "epoch":
            self.update_freq = int(
                check_number(
                    "MetricsLogger", "update_freq", self.update_freq, 1, integer=True
                )
            )
        check_choice("MetricsLogger", "on_error", on_error, ("warn", "raise"))
        self.on_error = on_error
        self._batches = 0
        self._last_batch = -1
        self._failures: dict[int, int] = {}

    @staticmethod
    def mlflow(run_id: str | None = None) -> Log:
        """Return a logger for MLflow.

        Args:
            run_id: the run. Default: the active one; one is started where none is.
        """
        mlflow = _package("mlflow")

        def log_to_mlflow(step: int, values: dict[str, float]) -> None:
            mlflow.log_metrics(values, step=step, run_id=run_id)

        return log_to_mlflow

    @staticmethod
    def wandb(run: Any = None) -> Log:
        """Return a logger for Weights & Biases.

        Args:
            run: what `wandb.init()` returned. Default: the active one; one is started
                at the first values where none is. `WANDB_MODE=offline` keeps it here.
        """
        wandb = _package("wandb")

        def log_to_wandb(step: int, values: dict[str, float]) -> None:
            (run or wandb.run or wandb.init()).log(values, step=step)

        return log_to_wandb

    @property
    def uses_batch_methods(self) -> bool:
        """Whether `update_freq` counts batches."""
        return self.update_freq != "epoch"

    @property
    def batches_to_wait(self) -> int:
        """How many batches may pass until the metrics are handed on."""
        if not isinstance(self.update_freq, int):
            return 1
        return self.update_freq - self._batches % self.update_freq

    def on_train_begin(self, logs: Logs = None) -> None:
        """Count from the start."""
        self._batches = 0
        self._failures = {}

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note the start of the epoch."""
        self._last_batch = -1

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Hand on the metrics so far, after every `update_freq` batches."""
        if not isinstance(self.update_freq, int):
            return
        self._batches += batch - self._last_batch
        self._last_batch = batch
        if self._batches % self.update_freq == 0:
            values = {f"batch_{name}": value for name, value in (logs or {}).items()}
            self._log(self._batches, values)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Hand on the metrics of the epoch."""
        values = dict(logs or {})
        if getattr(self.model, "optimizer", None) is not None:
            values |= rates_for_logs(self.model.optimizer)
        self._log(epoch if self.update_freq == "epoch" else self._batches, values)

    def on_train_end(self, logs: Logs = None) -> None:
        """Say what was lost."""
        for number, count in self._failures.items():
            if count > 1:
                warn(f"{_name(self.loggers[number])} failed {count} times in all.")

    def _log(self, step, values):
        numbers = {
            name: float(value) for name, value in values.items() if np.size(value) == 1
        }
        for number, log in enumerate(self.loggers):
            try:
                log(step, dict(numbers))
            except Exception as error:
                if self.on_error == "raise":
                    raise
                self._failures[number] = self._failures.get(number, 0) + 1
                if self._failures[number] == 1:
                    warn(
                        f"{_name(log)} failed at step {step}: {type(error).__name__}: "
                        f"{shown(str(error))}. The training goes on, and it is called "
                        "again; `on_error='raise'` would have ended it."
                    )


def _name(log):
    name = getattr(log, "__name__", type(log).__name__)
    return f"The logger {name!r} of MetricsLogger"


def _package(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"`MetricsLogger.{name}()` needs the package {name}: `pip install {name}`."
        ) from error
