"""LearningRateSchedule: a rate as a function of the number of updates."""

from __future__ import annotations

from typing import Any

from hornbeam.core.configurable import Configurable
from hornbeam.typing import Tensor


class LearningRateSchedule(Configurable):
    """A learning rate that depends on the number of updates: the base of schedules.

    A subclass keeps its arguments as attributes and defines `__call__(step)`, with ops
    on `step`, which is a scalar tensor.

    >>> import hornbeam as keras
    >>> class Halving(keras.optimizers.schedules.LearningRateSchedule):
    ...     def __init__(self, initial_learning_rate):
    ...         self.initial_learning_rate = initial_learning_rate
    ...
    ...     def __call__(self, step):
    ...         halves = keras.ops.cast(step, "float32")
    ...         return self.initial_learning_rate * 0.5**halves
    >>> optimizer = keras.optimizers.SGD(learning_rate=Halving(0.1))
    >>> round(float(optimizer.learning_rate), 4)
    0.1
    """

    def __call__(self, step: Any) -> Tensor:
        """Return the rate after `step` updates."""
        raise NotImplementedError(
            f"Learning rate schedule {type(self).__name__!r} must define "
            "`__call__(self, step)`."
        )
