"""InverseTimeDecay: the rate falls as 1 / (1 + time)."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.core.config import floatx
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.typing import Tensor


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: the unit of time, in updates.
        decay_rate: how fast the divisor grows with time.
        staircase: whether time is rounded down to whole units.
        name: a name.

    >>> import hornbeam as keras
    >>> rate = keras.optimizers.schedules.InverseTimeDecay(0.1, 10, 1.0)
    >>> round(float(rate(10)), 4)
    0.05
    """

    initial_learning_rate: float = Hyperparameter(low=0)
    decay_steps: float = Hyperparameter(above=0)
    decay_rate: float = Hyperparameter(low=0)

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Tensor) -> Tensor:
        p = ops.cast(step, floatx()) / self.decay_steps
        if self.staircase:
            p = ops.floor(p)
        return self.initial_learning_rate / (1.0 + self.decay_rate * p)
