"""Muon: orthogonalised momentum for matrices, Adam for the rest."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from hornbeam import ops
from hornbeam.core import patterns
from hornbeam.core.errors import check_number
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import LearningRate, Optimizer
from hornbeam.typing import Tensor


class Muon(Optimizer):
    """Muon: steps along the nearest orthogonal matrix to the momentum.

    For a matrix w, with rate a and gradient g (m is at first 0):

        m <- momentum m + g
        u = g + momentum m with `nesterov`, else m
        w <- w - a rms_rate sqrt(max(rows, columns)) orthogonal(u)

    orthogonal(u) is approached with `ns_steps` steps of a Newton-Schulz iteration on
    x = u / |u|:  A = x x',  x <- muon_a x + (muon_b A + muon_c A A) x.
    All other variables are updated as by `Adam`, with the rate `adam_lr_ratio` a.

    Variant: the momentum is a plain sum, and the step is scaled to the size of Adam's
    (Moonshot's scaling), as in Keras; `rms_rate=None` leaves it unscaled.

    Args:
        learning_rate: default 0.001.
        adam_beta_1: the decay of Adam's mean of gradients, default 0.9.
        adam_beta_2: the decay of Adam's mean of squares, default 0.999.
        adam_weight_decay: decay of the variables that Adam updates, default 0.004.
        epsilon: keeps the quotients finite, default 1e-7.
        weight_decay: decay of the matrices, default 0.004.
        exclude_layers: patterns (regular expressions) that are searched in the paths of
            variables; variables that match are left to Adam.
        exclude_embeddings: whether embeddings are left to Adam (default True).
        muon_a: coefficient of x, default 3.4445.
        muon_b: coefficient of A x, default -4.775.
        muon_c: coefficient of A A x, default 2.0315.
        adam_lr_ratio: Adam's rate over `learning_rate`, default 1.
        momentum: default 0.95.
        ns_steps: the number of steps of the iteration, default 5.
        nesterov: whether to use Nesterov's momentum (default True).
        rms_rate: the size of a step's entries, default 0.2.
        **kwargs: the other arguments are those of `Optimizer`.

    References: Jordan et al., "Muon: An optimizer for hidden layers", 2024
    (https://kellerjordan.github.io/posts/muon); scaling: Liu et al., "Muon is Scalable
    for LLM Training", 2025 (https://arxiv.org/abs/2502.16982).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([[1.0, 2.0], [3.0, 4.0]])
    >>> optimizer = keras.optimizers.Muon(learning_rate=0.1)
    >>> optimizer.apply([keras.ops.ones((2, 2))], [variable])
    >>> round(float(variable[0, 0]), 4)
    0.9898
    """

    adam_beta_1: float = Hyperparameter(low=0, below=1)
    adam_beta_2: float = Hyperparameter(low=0, below=1)
    adam_weight_decay: float | None = Hyperparameter(optional=True, low=0)
    epsilon: float = Hyperparameter(low=0)
    muon_a: float = Hyperparameter()
    muon_b: float = Hyperparameter()
    muon_c: float = Hyperparameter()
    adam_lr_ratio: float = Hyperparameter(low=0)
    momentum: float = Hyperparameter(low=0, high=1)
    rms_rate: float | None = Hyperparameter(optional=True)

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        for pattern in exclude_layers or ():
            patterns.check(pattern)
        self.exclude_layers: list[str] = list(exclude_layers or [])
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        check_number("Muon", "ns_steps", ns_steps, low=0, integer=True)
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(var_list)
        self._momentums, self._velocities = [], []
        for variable in var_list:
            self._momentums.append(
                self.add_variable_from_reference(variable, "momentum")
            )
            self._velocities.append(
                self.add_variable_from_reference(variable, "velocity")
                if self._should_use_adamw(variable)
                else None
            )

    def _should_use_adamw(self, variable):
        if len(variable.shape) != 2:
            return True
        if self.exclude_embeddings and "embedding" in variable.path.lower():
            return True
        return any(re.search(p, variable.path) for p in self.exclude_layers)

    def structure_key(self) -> tuple[Any, ...]:
        """Return what a compiled step depends on besides the arguments."""
        variables = self._trainable_variables
        return (*super().structure_key(), *map(self._should_use_adamw, variables))

    def update_step(
        self, gradient: Tensor, variable: Variable, learning_rate: Tensor
    ) -> None:
        if self._should_use_adamw(variable):
            self._adam_step(gradient, variable, learning_rate * self.adam_lr_ratio)
        else:
            self._muon_step(gradient, variable, learning_rate)

    def _muon_step(self, g, variable, a):
        slot = self._momentums[self._get_variable_index(variable)]
        m = self.momentum * slot + g
        self.assign(slot, m)
        u = g + self.momentum * m if self.nesterov else m
        x = self.zeropower_via_newtonschulz5(u, self.ns_steps)
        self.assign_sub(variable, a * self.lr_adjust(x))

    def _adam_step(self, g, variable, a):
        i = self._get_variable_index(variable)
        b1, b2 = self.adam_beta_1, self.adam_beta_2
        t = ops.cast(self.iterations + 1, variable.dtype)
        m = b1 * self._momentums[i] + (1 - b1) * g
        v = b2 * self._velocities[i] + (1 - b2) * ops.square(g)
        self.assign(self._momentums[i], m)
        self.assign(self._velocities[i], v)
        a_t = a * ops.sqrt(1 - b2**t) / (1 - b1**t)
        self.assign_sub(variable, a_t * m / (ops.sqrt(v) + self.epsilon))

    def lr_adjust(self, x: Any) -> Any:
        """Scale an orthogonal step so that its entries have the size `rms_rate`."""
        if self.rms_rate is None:
            return x
        return x * (self.rms_rate * math.sqrt(max(x.shape)))

    def transpose_last_axis(self, X: Any) -> Tensor:  # noqa: N803 - the API's name
        """Swap the last two axes."""
        return ops.swapaxes(X, -1, -2)

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Tensor:
        """Return nearly the orthogonal factor of `x`: its singular values set to 1."""
        a, b, c = self.muon_a, self.muon_b, self.muon_c
        is_tall = x.shape[-2] > x.shape[-1]
        if is_tall:
            x = self.transpose_last_axis(x)
        x = x / (ops.sqrt(ops.sum(ops.square(x))) + self.epsilon)
        for _ in range(steps):
            A = ops.matmul(x, self.transpose_last_axis(x))  # noqa: N806 - the paper's
            x = a * x + ops.matmul(b * A + c * ops.matmul(A, A), x)
        return self.transpose_last_axis(x) if is_tall else x

    def _apply_weight_decay(self, variables):
        variables = [v for v in variables if self._use_weight_decay(v)]
        for is_adam, decay in (
            (True, self.adam_weight_decay),
            (False, self.weight_decay),
        ):
            if decay is not None:
                chosen = [v for v in variables if self._should_use_adamw(v) is is_adam]
                self._shrink(chosen, decay)
