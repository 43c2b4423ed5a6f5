"""Adamax: Adam with the infinity norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import LearningRate, Optimizer
from hornbeam.optimizers.shared_arguments import SharedArguments, takes_shared_arguments
from hornbeam.typing import Tensor


class Adamax(Optimizer):
    """Adamax: Adam with the infinity norm in place of the mean of squares.

    With rate a, gradient g and t = 1, 2, ... (m and u are at first 0):

        m <- beta_1 m + (1 - beta_1) g
        u <- max(beta_2 u, |g|)
        w <- w - a / (1 - beta_1**t) * m / (u + epsilon)

    Variant: `epsilon` is added to the norm, as in Keras; the paper has none.

    Args:
        learning_rate: default 0.001.
        beta_1: the decay of the mean of gradients, default 0.9.
        beta_2: the decay of the norm, default 0.999.
        epsilon: keeps the quotient finite, default 1e-7.
        **kwargs: the other arguments are those of `Optimizer`.

    Reference: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2014,
    section 7.1 (https://arxiv.org/abs/1412.6980).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([1.0])
    >>> optimizer = keras.optimizers.Adamax(learning_rate=0.1)
    >>> optimizer.apply([keras.ops.array([5.0])], [variable])
    >>> round(float(variable[0]), 4)
    0.9
    """

    beta_1: float = Hyperparameter(low=0, below=1)
    beta_2: float = Hyperparameter(low=0, high=1)
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
        self._momentums, self._norms = self.add_optimizer_variables(
            var_list, ("momentum", "norm")
        )

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        i = self._get_variable_index(variable)
        a, g, b1 = learning_rate, gradient, self.beta_1
        t = ops.cast(self.iterations + 1, variable.dtype)
        m = b1 * self._momentums[i] + (1 - b1) * g
        u = ops.maximum(self.beta_2 * self._norms[i], ops.absolute(g))
        self.assign(self._momentums[i], m)
        self.assign(self._norms[i], u)
        self.assign_sub(variable, a / (1 - b1**t) * m / (u + self.epsilon))
