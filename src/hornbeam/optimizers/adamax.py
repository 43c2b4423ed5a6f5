"""Adamax: Adam with the infinity norm."""

from collections.abc import Sequence

from hornbeam import ops
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import LearningRate, Optimizer


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

    beta_1 = Hyperparameter()
    beta_2 = Hyperparameter()
    epsilon = Hyperparameter()

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs,
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

    def update_step(self, gradient, variable, learning_rate):
        i = self._get_variable_index(variable)
        a, g, b1 = learning_rate, gradient, self.beta_1
        t = ops.cast(self.iterations + 1, variable.dtype)
        m = b1 * self._momentums[i] + (1 - b1) * g
        u = ops.maximum(self.beta_2 * self._norms[i], ops.absolute(g))
        self.assign(self._momentums[i], m)
        self.assign(self._norms[i], u)
        self.assign_sub(variable, a / (1 - b1**t) * m / (u + self.epsilon))
