"""Lion: steps along the sign of an interpolated momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import LearningRate, Optimizer
from hornbeam.optimizers.shared_arguments import SharedArguments, takes_shared_arguments
from hornbeam.typing import Tensor


class Lion(Optimizer):
    """Lion: every entry moves by the rate, along the sign of a momentum.

    With rate a, gradient g (m is at first 0):

        w <- w - a sign(beta_1 m + (1 - beta_1) g)
        m <- beta_2 m + (1 - beta_2) g

    Variant: the paper's Algorithm 2; weight decay is that of `Optimizer`.

    Args:
        learning_rate: default 0.001; 3 to 10 times less than for Adam is usual.
        beta_1: the weight of the momentum in the step, default 0.9.
        beta_2: the decay of the momentum, default 0.99.
        **kwargs: the other arguments are those of `Optimizer`.

    Reference: Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023
    (https://arxiv.org/abs/2302.06675).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([1.0])
    >>> optimizer = keras.optimizers.Lion(learning_rate=0.5)
    >>> optimizer.apply([keras.ops.array([-7.0])], [variable])
    >>> float(variable[0])
    1.5
    """

    beta_1: float = Hyperparameter(above=0, high=1)
    beta_2: float = Hyperparameter(low=0, high=1)

    @takes_shared_arguments
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        *args: Any,
        **kwargs: Unpack[SharedArguments],
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._momentums = self.add_optimizer_variables(var_list, "momentum")

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        g, b1, b2 = gradient, self.beta_1, self.beta_2
        m = self._momentums[self._get_variable_index(variable)]
        sign = ops.sign(b1 * m.value + (1 - b1) * g)
        self.assign_sub(variable, learning_rate * sign)
        self.assign(m, b2 * m.value + (1 - b2) * g)
