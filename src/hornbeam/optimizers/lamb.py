"""Lamb: Adam with steps in proportion to the layer's weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import LearningRate, Optimizer
from hornbeam.optimizers.shared_arguments import SharedArguments, takes_shared_arguments
from hornbeam.typing import Tensor


class Lamb(Optimizer):
    """Lamb: Adam whose step, for each variable, is as long as the variable is large.

    With rate a, gradient g and t = 1, 2, ... (m and v are at first 0):

        m <- beta_1 m + (1 - beta_1) g
        v <- beta_2 v + (1 - beta_2) g**2
        r = m / (1 - beta_1**t) / (sqrt(v / (1 - beta_2**t)) + epsilon)
        w <- w - a |w| / |r| r

    where |.| is the Euclidean norm, and |w| / |r| is 1 where one of them is 0.

    Variant: weight decay is that of `Optimizer`, applied before, and not part of r.

    Args:
        learning_rate: default 0.001.
        beta_1: the decay of the mean of gradients, default 0.9.
        beta_2: the decay of the mean of squares, default 0.999.
        epsilon: keeps the quotient finite, default 1e-7.
        **kwargs: the other arguments are those of `Optimizer`.

    Reference: You et al., "Large Batch Optimization for Deep Learning: Training BERT
    in 76 minutes", 2020 (https://arxiv.org/abs/1904.00962).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([4.0])
    >>> optimizer = keras.optimizers.Lamb(learning_rate=0.25)
    >>> optimizer.apply([keras.ops.array([7.0])], [variable])
    >>> round(float(variable[0]), 4)
    3.0
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

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        i = self._get_variable_index(variable)
        g, b1, b2, w = gradient, self.beta_1, self.beta_2, variable.value
        t = ops.cast(self.iterations + 1, variable.dtype)
        m = b1 * self._momentums[i] + (1 - b1) * g
        v = b2 * self._velocities[i] + (1 - b2) * ops.square(g)
        self.assign(self._momentums[i], m)
        self.assign(self._velocities[i], v)
        r = m / (1 - b1**t) / (ops.sqrt(v / (1 - b2**t)) + self.epsilon)
        w_norm, r_norm = _norm(w), _norm(r)
        both = ops.logical_and(w_norm > 0, r_norm > 0)
        ratio = ops.where(both, w_norm / ops.where(both, r_norm, 1.0), 1.0)
        self.assign_sub(variable, learning_rate * ratio * r)


def _norm(x):
    return ops.sqrt(ops.sum(ops.square(x)))
