"""CosineDecayRestarts: half cosine waves, each longer than the one before."""

from __future__ import annotations

import math

from hornbeam import ops
from hornbeam.core.config import floatx
from hornbeam.core.errors import check_number
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.typing import Tensor


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosine waves one after the other ("SGDR").

    Wave number i (from 0) takes `first_decay_steps * t_mul**i` updates; with p the part
    of it that is done,

        rate = initial * ((1 - alpha) * m_mul**i * (1 + cos(pi * p)) / 2 + alpha)

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: the number of updates of the first wave.
        t_mul: the length of a wave relative to the one before (default 2).
        m_mul: the initial rate of a wave relative to the one before (default 1).
        alpha: the lowest rate as a fraction of the initial rate (default 0).
        name: a name.

    Reference: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm
    Restarts", 2017 (https://arxiv.org/abs/1608.03983).

    >>> import hornbeam as keras
    >>> rate = keras.optimizers.schedules.CosineDecayRestarts(0.1, 10)
    >>> round(float(rate(5)), 4), round(float(rate(10)), 4), round(float(rate(20)), 4)
    (0.05, 0.1, 0.05)
    """

    initial_learning_rate: float = Hyperparameter(low=0)
    first_decay_steps: float = Hyperparameter(above=0)
    m_mul: float = Hyperparameter(low=0)
    alpha: float = Hyperparameter(low=0)

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        # Structure: it decides whether the waves grow.
        self.t_mul: float = check_number(name, "t_mul", t_mul, above=0)
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Tensor) -> Tensor:
        p = ops.cast(step, floatx()) / self.first_decay_steps
        i, p = self._wave(p)
        wave = 0.5 * ops.power(self.m_mul, i) * (1.0 + ops.cos(math.pi * p))
        return self.initial_learning_rate * ((1.0 - self.alpha) * wave + self.alpha)

    def _wave(self, p):
        """Return the number of the wave at time `p`, and the part of it that is done.

        `p` counts first waves. The waves before number i take the geometric sum
        (q**i - 1) / (q - 1).
        """
        q = self.t_mul
        if q == 1.0:
            i = ops.floor(p)
            return i, p - i

        def start(i):
            return (ops.power(q, i) - 1.0) / (q - 1.0)

        i = ops.floor(ops.log(1.0 + p * (q - 1.0)) / math.log(q))
        # The logarithm may round to the wrong side of a restart.
        i = i + ops.cast(p >= start(i + 1.0), floatx())
        i = i - ops.cast(p < start(i), floatx())
        return i, (p - start(i)) / ops.power(q, i)
