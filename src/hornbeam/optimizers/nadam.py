"""Nadam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from hornbeam import ops
from hornbeam.core.config import floatx
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import LearningRate, Optimizer
from hornbeam.optimizers.shared_arguments import SharedArguments, takes_shared_arguments
from hornbeam.typing import Tensor


class Nadam(Optimizer):
    """Nadam: Adam with Nesterov's momentum.

    With rate a, gradient g and t = 1, 2, ... (m and v are at first 0):

        u_t = beta_1 (1 - 0.96**t / 2),   p_t = u_1 u_2 ... u_t
        m <- beta_1 m + (1 - beta_1) g
        v <- beta_2 v + (1 - beta_2) g**2
        m' = u_{t+1} m / (1 - p_{t+1}) + (1 - u_t) g / (1 - p_t)
        w <- w - a m' / (sqrt(v / (1 - beta_2**t)) + epsilon)

    Variant: the reference's warming momentum u_t enters the look-ahead alone; m decays
    by the constant beta_1, as in Keras.

    Args:
        learning_rate: default 0.001.
        beta_1: the decay of the mean of gradients, default 0.9.
        beta_2: the decay of the mean of squares, default 0.999.
        epsilon: keeps the quotient finite, default 1e-7.
        **kwargs: the other arguments are those of `Optimizer`.

    Reference: Dozat, "Incorporating Nesterov Momentum into Adam", 2016
    (https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([1.0])
    >>> optimizer = keras.optimizers.Nadam(learning_rate=0.1)
    >>> optimizer.apply([keras.ops.array([5.0])], [variable])
    >>> round(float(variable[0]), 4)
    0.8937
    """

    beta_1: float = Hyperparameter(low=0, below=1)
    beta_2: float = Hyperparameter(low=0, below=1)
    epsilon: float = Hyperparameter(low=0)

    @takes_shared_arguments
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *args: Any,
        **kwargs: Unpack[SharedArguments],
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = self.add_optimizer_variables(
            var_list, ("momentum", "velocity")
        )
        self._u_product = Variable(1.0, dtype=floatx(), trainable=False)

    def update_all(
        self,
        gradients: Sequence[Tensor],
        variables: Sequence[Variable],
        learning_rate: Tensor,
    ) -> None:
        t = ops.cast(self.iterations + 1, self._u_product.dtype)
        self.assign(self._u_product, self._u_product.value * self._u(t))
        super().update_all(gradients, variables, learning_rate)

    def restore_product(self) -> None:
        """Set the product of the momentums so far by the number of iterations."""
        t = np.arange(1, int(self.iterations.numpy()) + 1)
        self._u_product.assign(np.prod(self._u(t)))

    def _u(self, t):
        return self.beta_1 * (1 - 0.5 * 0.96**t)

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        i = self._get_variable_index(variable)
        g, b1, b2 = gradient, self.beta_1, self.beta_2
        t = ops.cast(self.iterations + 1, variable.dtype)
        p = ops.cast(self._u_product, variable.dtype)
        m = b1 * self._momentums[i] + (1 - b1) * g
        v = b2 * self._velocities[i] + (1 - b2) * ops.square(g)
        self.assign(self._momentums[i], m)
        self.assign(self._velocities[i], v)
        u, next_u = self._u(t), self._u(t + 1)
        m_hat = next_u * m / (1 - p * next_u) + (1 - u) * g / (1 - p)
        root = ops.sqrt(v / (1 - b2**t))
        self.assign_sub(variable, learning_rate * m_hat / (root + self.epsilon))
