"""CosineDecay: half a cosine wave from the initial rate down, after a warm-up."""

from __future__ import annotations

import math

from hornbeam import ops
from hornbeam.core.config import floatx
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.typing import Tensor


class CosineDecay(LearningRateSchedule):
    """Half a cosine wave down to `alpha` of the rate, after an optional warm-up.

        p = min(step, decay_steps) / decay_steps
        rate = initial * ((1 - alpha) * (1 + cos(pi * p)) / 2 + alpha)

    With `warmup_target`, the rate first goes in a straight line from the initial rate
    to the target in `warmup_steps` updates, and the wave starts there from the target.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: the number of updates of the half wave.
        alpha: the last rate as a fraction of the first (default 0).
        name: a name.
        warmup_target: the rate at the end of the warm-up. None: no warm-up.
        warmup_steps: the number of updates of the warm-up.

    Reference: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm
    Restarts", 2017 (https://arxiv.org/abs/1608.03983), without restarts.

    >>> import hornbeam as keras
    >>> rate = keras.optimizers.schedules.CosineDecay(0.1, 1000)
    >>> round(float(rate(500)), 4)
    0.05
    """

    initial_learning_rate: float = Hyperparameter(low=0)
    decay_steps: float = Hyperparameter(above=0)
    alpha: float = Hyperparameter(low=0)
    warmup_target: float | None = Hyperparameter(optional=True, low=0)
    warmup_steps: float = Hyperparameter(low=0)

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Tensor) -> Tensor:
        step = ops.cast(step, floatx())
        first = self.initial_learning_rate
        if self.warmup_target is None:
            return self._wave(first, step)
        target, w = self.warmup_target, self.warmup_steps
        line = first + (target - first) * step / ops.maximum(w, 1.0)
        return ops.where(step < w, line, self._wave(target, step - w))

    def _wave(self, top, step):
        p = ops.clip(step / self.decay_steps, 0.0, 1.0)
        wave = 0.5 * (1.0 + ops.cos(math.pi * p))
        return top * ((1.0 - self.alpha) * wave + self.alpha)
