"""`LearningRateScheduler`: the learning rate as a function of the epoch."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable
from typing import Any

from hornbeam.callbacks.callback import Callback
from hornbeam.callbacks.rates import (
    current_rate,
    rates_for_logs,
    single_optimizers,
)
from hornbeam.typing import Logs
from hornbeam.utils.printing import print_message


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch.

    With a MultiOptimizer, the schedule applies to each optimizer's rate.

    Args:
        schedule: a function of the epoch and the current rate (or of the epoch only)
            that returns the new rate, a float.
        verbose: 1 prints the rate. Default: 0

    >>> import hornbeam as keras
    >>> halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0):
        super().__init__()
        if not callable(schedule):
            raise TypeError(
                "Argument `schedule` of LearningRateScheduler must be a function of "
                f"the epoch, or of the epoch and the rate. Received: {schedule!r}"
            )
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Set the rate."""
        optimizers = single_optimizers(self.model.optimizer)
        rates = [self._rate(epoch, optimizer) for optimizer in optimizers]
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.learning_rate = rate
            if self.verbose > 0:
                print_message(
                    f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate "
                    f"to {rate}."
                )

    def _rate(self, epoch, optimizer):
        if not hasattr(optimizer, "learning_rate"):
            raise ValueError(
                f"LearningRateScheduler needs an optimizer with a `learning_rate`, and "
                f"{type(optimizer).__name__} has none."
            )
        arguments = (epoch, current_rate(optimizer))
        rate = self.schedule(*arguments[: _arity(self.schedule)])
        if getattr(rate, "shape", None) == ():
            rate = float(rate)
        if not isinstance(rate, numbers.Real):
            raise ValueError(
                "The `schedule` of LearningRateScheduler must return a float. "
                f"Received: {rate!r} (of type {type(rate).__name__})"
            )
        return float(rate)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Put the rate into the logs."""
        if logs is not None:
            logs.update(rates_for_logs(self.model.optimizer))


def _arity(schedule):
    """Return 2 if the function takes the epoch and the rate, else 1."""
    try:
        inspect.signature(schedule).bind(0, 0.0)
    except TypeError:
        return 1
    except ValueError:  # a builtin without a signature
        return 2
    return 2
