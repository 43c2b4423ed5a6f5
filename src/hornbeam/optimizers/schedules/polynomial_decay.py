"""PolynomialDecay: from one rate to another along a power of time."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.core.config import floatx
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.typing import Tensor


class PolynomialDecay(LearningRateSchedule):
    """From the initial to the end rate as `(1 - step / decay_steps) ** power`.

        rate = (initial - end) * (1 - min(step, decay_steps) / decay_steps)**power + end

    With `cycle`, `decay_steps` is first multiplied by the least whole number (at least
    1) that makes it reach `step`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: the number of updates until the end rate.
        end_learning_rate: the last rate (default 0.0001).
        power: the exponent; 1.0 is a straight line.
        cycle: whether the rate starts again after `decay_steps`.
        name: a name.

    >>> import hornbeam as keras
    >>> rate = keras.optimizers.schedules.PolynomialDecay(0.1, 10, 0.0)
    >>> round(float(rate(5)), 4)
    0.05
    """

    initial_learning_rate: float = Hyperparameter(low=0)
    decay_steps: float = Hyperparameter(above=0)
    end_learning_rate: float = Hyperparameter(low=0)
    power: float = Hyperparameter(low=0)

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Tensor) -> Tensor:
        step = ops.cast(step, floatx())
        if self.cycle:
            p = step / self.decay_steps
            p = p / ops.maximum(ops.ceil(p), 1.0)
        else:
            p = ops.minimum(step / self.decay_steps, 1.0)
        span = self.initial_learning_rate - self.end_learning_rate
        return span * ops.power(1.0 - p, self.power) + self.end_learning_rate
