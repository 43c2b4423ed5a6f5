"""Adagrad: steps that shrink with the sum of squared gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.errors import check_number
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import LearningRate, Optimizer
from hornbeam.optimizers.shared_arguments import SharedArguments, takes_shared_arguments
from hornbeam.optimizers.state import constant
from hornbeam.typing import Tensor


class Adagrad(Optimizer):
    """Adagrad: the gradient over the root of the sum of its squares so far.

    With rate a, gradient g (s is at first `initial_accumulator_value`):

        s <- s + g**2
        w <- w - a g / sqrt(s + epsilon)

    Variant: `epsilon` is inside the root, as in Keras; PyTorch adds it outside, and
    starts with s = 0.

    Args:
        learning_rate: default 0.001.
        initial_accumulator_value: the first s, not negative, default 0.1.
        epsilon: keeps the quotient finite, default 1e-7.
        **kwargs: the other arguments are those of `Optimizer`.

    Reference: Duchi et al., "Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization", 2011
    (https://www.jmlr.org/papers/volume12/duchi11a/duchi11a.pdf).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([1.0])
    >>> optimizer = keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.0)
    >>> optimizer.apply([keras.ops.array([5.0])], [variable])
    >>> round(float(variable[0]), 4)
    0.9
    """

    epsilon: float = Hyperparameter(low=0)

    @takes_shared_arguments
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        *args: Any,
        **kwargs: Unpack[SharedArguments],
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.initial_accumulator_value: float = check_number(
            "Adagrad", "initial_accumulator_value", initial_accumulator_value, low=0
        )
        self.epsilon = epsilon

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._sums = self.add_optimizer_variables(
            var_list,
            "accumulator",
            constant(self.initial_accumulator_value),
        )

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        g = gradient
        slot = self._sums[self._get_variable_index(variable)]
        self.assign_add(slot, ops.square(g))
        step = ops.divide(learning_rate * g, ops.sqrt(slot + self.epsilon))
        self.assign_sub(variable, step)
