"""Adadelta: steps in the units of the variable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import LearningRate, Optimizer
from hornbeam.optimizers.shared_arguments import SharedArguments, takes_shared_arguments
from hornbeam.typing import Tensor


class Adadelta(Optimizer):
    """Adadelta: the gradient scaled by the running size of past steps over its own.

    With rate a, gradient g (s and d are at first 0):

        s <- rho s + (1 - rho) g**2
        x = -sqrt(d + epsilon) / sqrt(s + epsilon) g
        d <- rho d + (1 - rho) x**2
        w <- w + a x

    Variant: Algorithm 1 of the reference is a = 1.

    Args:
        learning_rate: default 0.001; the reference's method has 1.0.
        rho: the decay of the means, default 0.95.
        epsilon: keeps the quotient finite and the first steps going, default 1e-7.
        **kwargs: the other arguments are those of `Optimizer`.

    Reference: Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012
    (https://arxiv.org/abs/1212.5701).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([1.0])
    >>> optimizer = keras.optimizers.Adadelta(1.0, rho=0.75, epsilon=1.0)
    >>> optimizer.apply([keras.ops.array([-2.0])], [variable])
    >>> round(float(variable[0]), 4)
    2.4142
    """

    rho: float = Hyperparameter(low=0, high=1)
    epsilon: float = Hyperparameter(low=0)

    @takes_shared_arguments
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        *args: Any,
        **kwargs: Unpack[SharedArguments],
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._squares, self._deltas = self.add_optimizer_variables(
            var_list, ("accumulated_grad", "accumulated_delta_var")
        )

    def update_step(
        self, grad: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        i = self._get_variable_index(variable)
        g, rho, epsilon = grad, self.rho, self.epsilon
        d = self._deltas[i].value
        s = rho * self._squares[i] + (1 - rho) * ops.square(g)
        x = -ops.sqrt((d + epsilon) / (s + epsilon)) * g
        self.assign(self._squares[i], s)
        self.assign(self._deltas[i], rho * d + (1 - rho) * ops.square(x))
        self.assign_add(variable, learning_rate * x)
