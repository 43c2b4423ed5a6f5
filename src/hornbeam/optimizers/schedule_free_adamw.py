"""ScheduleFreeAdamW: Adam that needs no falling rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import LearningRate, Optimizer
from hornbeam.optimizers.shared_arguments import SharedArguments, takes_shared_arguments
from hornbeam.typing import Tensor


class ScheduleFreeAdamW(Optimizer):
    """Schedule-free AdamW: averaging of the iterates in place of a falling rate.

    With rate a, gradient g at w and t = 1, 2, ... (z is at first w, v is 0):

        a_t = a min(1, t / warmup_steps)
        v <- beta_2 v + (1 - beta_2) g**2
        x = (w - (1 - beta_1) z) / beta_1
        z <- z - a_t g / (sqrt(v / (1 - beta_2**t)) + epsilon)
        x <- x + (z - x) / t
        w <- (1 - beta_1) z + beta_1 x

    Variant: the average x weighs all steps alike, and weight decay is that of
    `Optimizer`, applied to w before, as in Keras. The variables hold w (the
    reference's y); x is not kept, and no switch to it is made for evaluation.

    Args:
        learning_rate: default 0.0025.
        beta_1: the weight of the average in w, in (0, 1], default 0.9.
        beta_2: the decay of the mean of squares, default 0.999.
        epsilon: keeps the quotient finite, default 1e-8.
        warmup_steps: the number of updates in which the rate rises, default 0.
        **kwargs: the other arguments are those of `Optimizer`.

    Reference: Defazio et al., "The Road Less Scheduled", 2024
    (https://arxiv.org/abs/2405.15682).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([1.0])
    >>> optimizer = keras.optimizers.ScheduleFreeAdamW(learning_rate=0.1)
    >>> optimizer.apply([keras.ops.array([5.0])], [variable])
    >>> round(float(variable[0]), 4)
    0.9
    """

    beta_1: float = Hyperparameter(above=0, high=1)
    beta_2: float = Hyperparameter(low=0, below=1)
    epsilon: float = Hyperparameter(low=0)
    warmup_steps: int = Hyperparameter(low=0)

    @takes_shared_arguments
    def __init__(
        self,
        learning_rate: LearningRate = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        *args: Any,
        **kwargs: Unpack[SharedArguments],
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = self.add_optimizer_variables(
            var_list, ("momentum", "velocity")
        )
        for z, variable in zip(self._momentums, var_list, strict=True):
            # A copy: an engine may give a variable's memory to its next program.
            self.assign(z, ops.copy(variable))

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        i = self._get_variable_index(variable)
        g, b1, b2, w = gradient, self.beta_1, self.beta_2, variable.value
        t = ops.cast(self.iterations + 1, variable.dtype)
        warmup = ops.maximum(ops.cast(self.warmup_steps, variable.dtype), 1.0)
        a = learning_rate * ops.minimum(1.0, t / warmup)
        z = self._momentums[i].value
        v = b2 * self._velocities[i] + (1 - b2) * ops.square(g)
        self.assign(self._velocities[i], v)
        x = (w - (1 - b1) * z) / b1
        root = ops.sqrt(v / (1 - b2**t))
        z = z - a * g / (root + self.epsilon)
        self.assign(self._momentums[i], z)
        x = x + (z - x) / t
        self.assign(variable, (1 - b1) * z + b1 * x)
