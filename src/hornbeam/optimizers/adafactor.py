"""Adafactor: Adam's scaling from row and column means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import LearningRate, Optimizer
from hornbeam.optimizers.shared_arguments import SharedArguments, takes_shared_arguments
from hornbeam.typing import Tensor


class Adafactor(Optimizer):
    """Adafactor: the mean of squares is kept as its row and column means.

    With rate a, gradient g and t = 1, 2, ... (r, c and v are at first 0; rms(x) is the
    root mean square of all entries):

        a_t = max(epsilon_2, rms(w)) min(a, 1 / sqrt(t))
        b_t = 1 - t**beta_2_decay,   q = g**2 + epsilon_1
        matrices and above, over the last two axes:
            r <- b_t r + (1 - b_t) row means of q,   c: the same of column means
            v <- r c / mean(r)
        vectors: v <- b_t v + (1 - b_t) q
        u = g / sqrt(v)
        w <- w - a_t u / max(1, rms(u) / clip_threshold)

    Variant: Algorithm 4 of the reference, with `learning_rate` for its 0.01; without
    `relative_step`, a stands in place of min(a, 1 / sqrt(t)). The product r c is kept
    as a slot, so that files are exchanged with Keras.

    Args:
        learning_rate: default 0.001.
        beta_2_decay: the exponent in b_t, default -0.8.
        epsilon_1: keeps the quotient finite, default 1e-30.
        epsilon_2: the least size of a variable for its steps, default 0.001.
        clip_threshold: the greatest root mean square of a step, default 1.0.
        relative_step: whether the rate falls as 1 / sqrt(t) (default True).
        **kwargs: the other arguments are those of `Optimizer`.

    Reference: Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear
    Memory Cost", 2018 (https://arxiv.org/abs/1804.04235).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([2.0, 2.0])
    >>> optimizer = keras.optimizers.Adafactor(learning_rate=0.5)
    >>> optimizer.apply([keras.ops.array([3.0, 3.0])], [variable])
    >>> round(float(variable[0]), 4)
    1.0
    """

    beta_2_decay: float = Hyperparameter()
    epsilon_1: float = Hyperparameter(low=0)
    epsilon_2: float = Hyperparameter(low=0)
    clip_threshold: float = Hyperparameter(above=0)

    @takes_shared_arguments
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 0.001,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        *args: Any,
        **kwargs: Unpack[SharedArguments],
    ):
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._rows, self._columns, self._velocities = [], [], []
        for variable in var_list:
            self._rows.append(self._mean_slot(variable, -1))
            self._columns.append(self._mean_slot(variable, -2))
            self._velocities.append(
                self.add_variable_from_reference(variable, "velocity")
            )

    def _mean_slot(self, variable, axis):
        """A slot for the means over `axis`; a mere place holder for a vector."""
        if len(variable.shape) < 2:
            return self.add_variable((), dtype="int32", name=variable.name)
        shape = list(variable.shape)
        del shape[axis]
        return self.add_variable(shape, dtype=variable.dtype, name=variable.name)

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        i = self._get_variable_index(variable)
        g, t = gradient, ops.cast(self.iterations + 1, variable.dtype)
        rate = learning_rate
        if self.relative_step:
            rate = ops.minimum(rate, 1 / ops.sqrt(t))
        a = ops.maximum(self.epsilon_2, _rms(variable.value)) * rate
        b = 1 - ops.power(t, self.beta_2_decay)
        q = ops.add(ops.square(g), self.epsilon_1)
        if len(variable.shape) < 2:
            v = b * self._velocities[i] + (1 - b) * q
        else:
            r = b * self._rows[i] + (1 - b) * ops.mean(q, axis=-1)
            c = b * self._columns[i] + (1 - b) * ops.mean(q, axis=-2)
            self.assign(self._rows[i], r)
            self.assign(self._columns[i], c)
            r = r / ops.mean(r, axis=-1, keepdims=True)
            v = ops.expand_dims(r, -1) * ops.expand_dims(c, -2)
        self.assign(self._velocities[i], v)
        u = ops.divide(g, ops.sqrt(v))
        u = ops.divide(u, ops.maximum(1.0, _rms(u) / self.clip_threshold))
        self.assign_sub(variable, ops.multiply(a, u))


def _rms(x):
    return ops.sqrt(ops.mean(ops.square(x)))
