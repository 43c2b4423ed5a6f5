"""`find_lr`: the learning-rate range test."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.core.errors import check_number
from hornbeam.core.lazy import public
from hornbeam.core.variable import Variable
from hornbeam.core.warning import warn
from hornbeam.diagnosis.trial import batches_of, loss_of, one_step, trial
from hornbeam.typing import PathLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The test ends when the smoothed loss is so many times the least one.
_DIVERGED = 4.0
_SMOOTHING = 0.9
_FEWEST = 10


class LearningRates:
    """The loss at rising learning rates, and the rate that they suggest.

    Attributes:
        rates: the learning rate of each step.
        losses: the loss of each step, before its update.
        smoothed: their exponential moving average, without its bias to 0.
        suggestion: a tenth of the rate at which the smoothed loss was least: there it
            is about to rise, and the average lags behind. None if that is below the
            rates that were tried: the loss did not fall before.
    """

    def __init__(self, rates: list[float], losses: list[float]):
        self.rates = rates
        self.losses = losses
        self.smoothed: list[float] = _smooth(losses)
        self.suggestion: float | None = _suggested(rates, self.smoothed)

    def plot(self, ax: Axes | None = None, path: PathLike | None = None) -> Axes:
        """Draw the curve; return the axes. Needs matplotlib.

        Args:
            ax: the axes to draw on. Default: new ones.
            path: where the picture is written. Default: it is not written.
        """
        return public("visualization", "plot_learning_rates")(self, path, ax)

    def __repr__(self) -> str:
        best = "None" if self.suggestion is None else f"{self.suggestion:.2g}"
        return (
            f"<LearningRates suggestion={best}, {len(self.rates)} steps "
            f"from {self.rates[0]:.2g} to {self.rates[-1]:.2g}>"
        )


def find_lr(
    model: Any,
    x: Any,
    y: Any = None,
    batch_size: int | None = None,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    class_weight: Any = None,
    sample_weight: Any = None,
) -> LearningRates:
    """Return the losses at rising learning rates; see `Doctor.find_lr`."""
    owner = f"find_lr() of model {model.name!r}"
    _check_arguments(owner, model, batch_size, low, high, steps)
    rates: list[float] = []
    losses: list[float] = []
    planned = np.geomspace(low, high, steps).tolist()
    with (
        trial(model, "find_lr", x, y, batch_size, class_weight, sample_weight) as data,
        _settable_rate(model, low) as rate,
    ):
        for value, batch in zip(planned, batches_of(data), strict=False):
            rate.assign(value)
            loss = loss_of(model, one_step(model, batch), "find_lr")
            if not losses and not math.isfinite(loss):
                raise ValueError(
                    f"{owner}: the loss of the first step is {loss}, before any update."
                    " `model.diagnose(x, y)` tells where that comes from."
                )
            rates.append(value)
            losses.append(loss)
            if _has_diverged(losses):
                break
    found = LearningRates(rates, losses)
    if len(rates) < steps and not _has_diverged(losses):
        found.suggestion = None
        warn(
            f"{owner}: the data ended after {len(rates)} of {steps} steps, at the rate "
            f"{rates[-1]:.2g}: there is no suggestion. Give data that can be read "
            "again, or fewer `steps`."
        )
    elif found.suggestion is None:
        warn(
            f"{owner} has no suggestion: a tenth of the rate at which the loss was "
            f"least is below the rates that were tried, {rates[0]:.2g} to "
            f"{rates[-1]:.2g}. Either the loss did not fall, then `model.diagnose(x, y)"
            "` may tell why; or it rose at once: give a smaller `low`."
        )
    return found


def _check_arguments(owner, model, batch_size, low, high, steps):
    if isinstance(batch_size, float):
        raise TypeError(
            f"{owner} takes the learning rates by name, `low=...` and `high=...`. What "
            f"follows `y` is the number of rows. Received: batch_size={batch_size}"
        )
    check_number(owner, "steps", steps, low=_FEWEST, integer=True)
    check_number(owner, "low", low, low=0, finite=True)
    check_number(owner, "high", high, low=0, finite=True)
    if not 0 < low < high:
        raise ValueError(
            f"{owner} goes from `low` to `high`, both above 0. Received: low={low}, "
            f"high={high}"
        )
    if getattr(model, "optimizer", None) is None:
        raise ValueError(f"{owner} needs an optimizer: compile the model with one.")


@contextlib.contextmanager
def _settable_rate(model, start) -> Iterator[Variable]:
    """A block with the Variable of the rate; a schedule makes way for one."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    rate = optimizer._learning_rate
    if isinstance(rate, Variable):
        yield rate
        return
    variables = list(optimizer._variables)
    optimizer._learning_rate = optimizer._rate_from(start)
    model._forget_programs()
    try:
        yield optimizer._learning_rate
    finally:
        optimizer._learning_rate = rate
        optimizer._variables = variables
        model._forget_programs()


def _smooth(losses):
    mean, smoothed = 0.0, []
    for step, loss in enumerate(losses, 1):
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
        smoothed.append(mean / (1 - _SMOOTHING**step))
    return smoothed


def _has_diverged(losses):
    if not math.isfinite(losses[-1]):
        return True
    smoothed = _smooth(losses)
    least = min(smoothed)
    # A loss may be negative: what counts is how far it rose.
    return (
        len(losses) > _FEWEST
        and smoothed[-1] - least > (_DIVERGED - 1) * max(abs(least), 1e-8)
        and smoothed[-1] > smoothed[0]
    )


def _suggested(rates, smoothed):
    known = [(x, rate) for x, rate in zip(smoothed, rates, strict=True)
             if math.isfinite(x)]  # fmt: skip
    rate = min(known)[1] / 10
    return rate if rate >= rates[0] else None
