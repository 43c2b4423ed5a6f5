"""Adam: steps scaled by running moments of the gradient."""

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


class Adam(Optimizer):
    """Adam: the running mean of the gradient over the root of that of its square.

    With rate a, gradient g and t = 1, 2, ... (m and v are at first 0):

        m <- beta_1 m + (1 - beta_1) g
        v <- beta_2 v + (1 - beta_2) g**2
        w <- w - a_t m / (sqrt(v) + epsilon),
             a_t = a sqrt(1 - beta_2**t) / (1 - beta_1**t)

    With `amsgrad`, the greatest v so far stands in place of v.

    Variant: the form just before section 2.1 of the reference, in which `epsilon` is
    added to the uncorrected root ("epsilon hat"), as in Keras and TensorFlow. PyTorch,
    Optax and the paper's Algorithm 1 add it to the corrected one.

    Args:
        learning_rate: default 0.001.
        beta_1: the decay of the mean of gradients, default 0.9.
        beta_2: the decay of the mean of squares, default 0.999.
        epsilon: keeps the quotient finite, default 1e-7.
        amsgrad: whether to use AMSGrad's maximum (default False).
        **kwargs: the other arguments are those of `Optimizer`.

    References: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2014
    (https://arxiv.org/abs/1412.6980); AMSGrad: Reddi et al., "On the Convergence of
    Adam and Beyond", 2018 (https://arxiv.org/abs/1904.09237).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([1.0])
    >>> optimizer = keras.optimizers.Adam(learning_rate=0.1)
    >>> optimizer.apply([keras.ops.array([5.0])], [variable])
    >>> round(float(variable[0]), 4)
    0.9
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
        amsgrad: bool = False,
        *args: Any,
        **kwargs: Unpack[SharedArguments],
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = self.add_optimizer_variables(
            var_list, ("momentum", "velocity")
        )
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(var_list, "velocity_hat")

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        i = self._get_variable_index(variable)
        g, b1, b2 = gradient, self.beta_1, self.beta_2
        t = ops.cast(self.iterations + 1, variable.dtype)
        a_t = learning_rate * ops.sqrt(1 - b2**t) / (1 - b1**t)
        m = b1 * self._momentums[i] + (1 - b1) * g
        v = b2 * self._velocities[i] + (1 - b2) * ops.square(g)
        self.assign(self._momentums[i], m)
        self.assign(self._velocities[i], v)
        if self.amsgrad:
            v = ops.maximum(self._velocity_hats[i], v)
            self.assign(self._velocity_hats[i], v)
        self.assign_sub(variable, a_t * m / (ops.sqrt(v) + self.epsilon))

    def update_all(
        self,
        gradients: Sequence[Tensor],
        variables: Sequence[Variable],
        learning_rate: Tensor,
    ) -> None:
        if not self._update_natively(gradients, variables, learning_rate):
            super().update_all(gradients, variables, learning_rate)

    def _update_natively(self, gradients, variables, learning_rate):
        """Let the engine update the live variables in one call, if it can."""
        native = native_update("adam_update", variables)
        if native is None:
            return False
        positions = [self._positions[id(v)] for v in variables]
        slots = [self._momentums, self._velocities]
        if self.amsgrad:
            slots.append(self._velocity_hats)
        return native(
            [v.value for v in variables],
            gradients,
            *([kind[i].value for i in positions] for kind in slots),
            step=ops.convert_to_tensor(self.iterations),
            learning_rate=learning_rate,
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
        )
