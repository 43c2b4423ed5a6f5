"""SGD: gradient descent, with momentum."""

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


class SGD(Optimizer):
    """Gradient descent, with classical or Nesterov momentum.

    With rate a, momentum b, gradient g and velocity m (at first 0):

        without momentum:   w <- w - a g
        with momentum:      m <- b m - a g,   w <- w + m
        with Nesterov's:    m <- b m - a g,   w <- w + b m - a g

    Variant: the rate is inside the velocity, as in the reference; PyTorch's SGD
    multiplies outside, which differs when the rate changes.

    Args:
        learning_rate: default 0.01.
        momentum: in [0, 1], default 0. Whether there are velocities is decided when
            the optimizer is built.
        nesterov: whether to use Nesterov's momentum (default False).
        **kwargs: the other arguments are those of `Optimizer`.

    Reference: Sutskever et al., "On the importance of initialization and momentum in
    deep learning", 2013 (https://proceedings.mlr.press/v28/sutskever13.html).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([1.0])
    >>> optimizer = keras.optimizers.SGD(learning_rate=0.5)
    >>> optimizer.apply([keras.ops.array([1.0])], [variable])
    >>> float(variable[0])
    0.5
    """

    momentum: float = Hyperparameter(low=0, high=1)

    @takes_shared_arguments
    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        *args: Any,
        **kwargs: Unpack[SharedArguments],
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.momentum = momentum
        self.nesterov: bool = nesterov

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        has_momentum = self.momentum != 0
        self._momentums = (
            self.add_optimizer_variables(variables, "momentum") if has_momentum else []
        )

    def update_all(
        self,
        gradients: Sequence[Tensor],
        variables: Sequence[Variable],
        learning_rate: Tensor,
    ) -> None:
        native = native_update("sgd_update", variables)
        made = native is not None and native(
            [v.value for v in variables],
            gradients,
            [self._momentums[self._positions[id(v)]].value for v in variables]
            if self._momentums
            else [],
            learning_rate=learning_rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
        )
        if not made:
            super().update_all(gradients, variables, learning_rate)

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        a, g = learning_rate, gradient
        if not self._momentums:
            self.assign_sub(variable, a * g)
            return
        b, slot = self.momentum, self._momentums[self._get_variable_index(variable)]
        m = ops.subtract(b * slot, a * g)
        self.assign(slot, m)
        self.assign_add(variable, ops.subtract(b * m, a * g) if self.nesterov else m)
