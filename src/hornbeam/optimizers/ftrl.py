"""Ftrl: follow the regularised leader."""

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


class Ftrl(Optimizer):
    """Ftrl: "follow the regularised leader", which gives sparse weights with L1.

    With rate a, gradient g, exponent p = -learning_rate_power (z is at first 0, n is
    `initial_accumulator_value`), and l1, l2, s the three strengths:

        z <- z + g + 2 s w - (n'**p - n**p) / a w,   n' = n + g**2
        w <- (clip(z, -l1, l1) - z) / (n'**p / a + 2 l2 + beta / a)
        n <- n'

    Variant: `beta` is that of the reference's Algorithm 1; the shrinkage s acts on z
    alone and not on n, as in TensorFlow and Keras.

    Args:
        learning_rate: default 0.001.
        learning_rate_power: how the rate falls, not positive, default -0.5.
        initial_accumulator_value: the first n, not negative, default 0.1.
        l1_regularization_strength: l1, not negative, default 0.
        l2_regularization_strength: l2, not negative, default 0.
        l2_shrinkage_regularization_strength: s, not negative, default 0.
        beta: default 0.
        **kwargs: the other arguments are those of `Optimizer`.

    Reference: McMahan et al., "Ad Click Prediction: a View from the Trenches", 2013
    (https://research.google.com/pubs/archive/41159.pdf).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([0.0])
    >>> optimizer = keras.optimizers.Ftrl(0.1, initial_accumulator_value=0.0)
    >>> optimizer.apply([keras.ops.array([5.0])], [variable])
    >>> round(float(variable[0]), 4)
    -0.1
    """

    learning_rate_power: float = Hyperparameter(high=0)
    l1_regularization_strength: float = Hyperparameter(low=0)
    l2_regularization_strength: float = Hyperparameter(low=0)
    l2_shrinkage_regularization_strength: float = Hyperparameter(low=0)
    beta: float = Hyperparameter(low=0)

    @takes_shared_arguments
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        *args: Any,
        **kwargs: Unpack[SharedArguments],
    ):
        super().__init__(learning_rate, *args, **kwargs)
        check_number(
            "Ftrl", "initial_accumulator_value", initial_accumulator_value, low=0
        )
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._sums, self._linears = self.add_optimizer_variables(
            var_list,
            ("accumulator", "linear"),
            (constant(self.initial_accumulator_value), "zeros"),
        )

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        i = self._get_variable_index(variable)
        a, g, w, p = learning_rate, gradient, variable.value, -self.learning_rate_power
        l1 = self.l1_regularization_strength
        l2 = self.l2_regularization_strength + self.beta / (2 * a)
        n, z = self._sums[i].value, self._linears[i].value
        old, new = ops.power(n, p), ops.power(n + ops.square(g), p)
        shrunk = g + 2 * self.l2_shrinkage_regularization_strength * w
        z = z + shrunk - (new - old) / a * w
        self.assign(self._sums[i], n + ops.square(g))
        self.assign(self._linears[i], z)
        self.assign(variable, (ops.clip(z, -l1, l1) - z) / (new / a + 2 * l2))
