"""ExponentialDecay: the rate is multiplied by a constant at regular intervals."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.core.config import floatx
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.typing import Tensor


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: the number of updates after which the rate is multiplied by
            `decay_rate`.
        decay_rate: the factor.
        staircase: whether the exponent is rounded down, so that the rate goes down
            once in `decay_steps` updates.
        name: a name.

    >>> import hornbeam as keras
    >>> rate = keras.optimizers.schedules.ExponentialDecay(0.1, 1000, 0.5)
    >>> round(float(rate(2000)), 4)
    0.025
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
        name: str = "ExponentialDecay",
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
        return self.initial_learning_rate * ops.power(self.decay_rate, p)
