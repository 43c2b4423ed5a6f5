"""RMSprop: steps scaled by the running root mean square of the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import LearningRate, Optimizer
from hornbeam.optimizers.shared_arguments import SharedArguments, takes_shared_arguments
from hornbeam.optimizers.state import native_update
from hornbeam.typing import Tensor


class RMSprop(Optimizer):
    """RMSprop: the gradient over its running root mean square.

    With rate a, gradient g (v, c and m are at first 0):

        v <- rho v + (1 - rho) g**2
        d = v, or with `centered`: c <- rho c + (1 - rho) g,   d = v - c**2
        s = a g / sqrt(d + epsilon)
        w <- w - s, or with momentum: m <- momentum m + s,   w <- w - m

    Variant: `epsilon` is inside the root, as in Keras and TensorFlow; PyTorch adds it
    outside.

    Args:
        learning_rate: default 0.001.
        rho: the decay of the means, default 0.9.
        momentum: default 0. Whether there is momentum is decided when the optimizer
            is built.
        epsilon: keeps the quotient finite, default 1e-7.
        centered: whether to divide by the variance in place of the mean square
            (default False).
        **kwargs: the other arguments are those of `Optimizer`.

    References: Hinton, "Neural Networks for Machine Learning", lecture 6e, 2012
    (https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf);
    centered: Graves, 2013 (https://arxiv.org/abs/1308.0850).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([1.0])
    >>> optimizer = keras.optimizers.RMSprop(learning_rate=0.1, rho=0.75)
    >>> optimizer.apply([keras.ops.array([5.0])], [variable])
    >>> round(float(variable[0]), 4)
    0.8
    """

    rho: float = Hyperparameter(low=0, high=1)
    momentum: float = Hyperparameter(low=0, high=1)
    epsilon: float = Hyperparameter(low=0)

    @takes_shared_arguments
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        *args: Any,
        **kwargs: Unpack[SharedArguments],
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._velocities = self.add_optimizer_variables(var_list, "velocity")
        has_momentum = self.momentum != 0
        self._momentums = (
            self.add_optimizer_variables(var_list, "momentum") if has_momentum else []
        )
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(
                var_list, "average_gradient"
            )

    def update_all(
        self,
        gradients: Sequence[Tensor],
        variables: Sequence[Variable],
        learning_rate: Tensor,
    ) -> None:
        native = native_update("rmsprop_update", variables)
        positions = [self._positions[id(v)] for v in variables]
        averages = self._average_gradients if self.centered else []
        slots = self._velocities, averages, self._momentums
        made = native is not None and native(
            [v.value for v in variables],
            gradients,
            *([kind[i].value for i in positions] if kind else [] for kind in slots),
            learning_rate=learning_rate,
            rho=self.rho,
            momentum=self.momentum,
            epsilon=self.epsilon,
        )
        if not made:
            super().update_all(gradients, variables, learning_rate)

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        i = self._get_variable_index(variable)
        g, rho = gradient, self.rho
        d = rho * self._velocities[i] + (1 - rho) * ops.square(g)
        self.assign(self._velocities[i], d)
        if self.centered:
            c = rho * self._average_gradients[i] + (1 - rho) * g
            self.assign(self._average_gradients[i], c)
            d = d - ops.square(c)
        s = learning_rate * g / ops.sqrt(d + self.epsilon)
        if self._momentums:
            s = self.momentum * self._momentums[i] + s
            self.assign(self._momentums[i], s)
        self.assign_sub(variable, s)
