"""LossScaleOptimizer: the loss is scaled so that small gradients do not vanish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from hornbeam import ops
from hornbeam.core.configurable import init_arguments
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.serialization import deserialize_keras_object
from hornbeam.core.variable import Variable
from hornbeam.optimizers.gradients import present
from hornbeam.optimizers.optimizer import LearningRate, Optimizer
from hornbeam.optimizers.state import constant, update_if
from hornbeam.typing import Config, CustomObjects, Tensor, TensorLike


class LossScaleOptimizer(Optimizer):
    """Wraps an optimizer and adapts the loss scale automatically.

    The loss is multiplied by a scale, and the gradients are divided by it, so that
    those of float16 keep their small values. A gradient that is not finite halves the
    scale and skips the update; `dynamic_growth_steps` finite updates in a row double
    the scale.

    Args:
        inner_optimizer: the optimizer that updates. Its own `loss_scale_factor` is set
            to None.
        initial_scale: the first scale, default 32768.
        dynamic_growth_steps: default 2000.
        name: default: generated from the class name.

    Reference: Micikevicius et al., "Mixed Precision Training", 2018
    (https://arxiv.org/abs/1710.03740).

    >>> import hornbeam as keras
    >>> optimizer = keras.optimizers.LossScaleOptimizer(
    ...     keras.optimizers.SGD(learning_rate=0.5), initial_scale=8.0
    ... )
    >>> variable = keras.Variable([1.0])
    >>> optimizer.apply([keras.ops.array([8.0])], [variable])
    >>> float(variable[0])
    0.5
    """

    holds_optimizers = True

    initial_scale: float = Hyperparameter(above=0)
    dynamic_growth_steps: int = Hyperparameter(low=1)

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 32768.0,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ):
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(
                "Argument `inner_optimizer` of LossScaleOptimizer must be an optimizer "
                f"such as `keras.optimizers.Adam()`. Received: {inner_optimizer!r}"
            )
        _check_arguments(kwargs)
        super().__init__(learning_rate=0.0, name=name)
        inner_optimizer.loss_scale_factor = None
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        self.step_counter: Variable = self.add_variable(
            (), dtype="int32", name="step_counter"
        )
        self.dynamic_scale: Variable = self.add_variable(
            (), constant(self.initial_scale), name="dynamic_scale"
        )
        self.inner_optimizer.build(var_list)
        super().build(var_list)

    def structure_key(self) -> tuple[Any, ...]:
        """Return what a compiled step depends on besides the arguments."""
        return self.inner_optimizer.structure_key()

    @property
    def variables(self) -> list[Variable]:
        """The scale's variables, then those of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    def _variables_before_build(self) -> list[Variable]:
        inner = self.inner_optimizer._variables_before_build()
        return [*super()._variables_before_build(), *inner]

    @property
    def iterations(self) -> Tensor:
        """The number of updates of the inner optimizer."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Variable | Tensor:
        """The rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: LearningRate | TensorLike) -> None:
        self.inner_optimizer.learning_rate = value

    def scale_loss(self, loss: Any) -> Tensor:
        """Return the loss times the scale."""
        scale = self.dynamic_scale.value if self.built else self.initial_scale
        return loss * scale

    def check_finite(self, grads: Sequence[Any]) -> Tensor:
        """Whether all entries of all gradients are finite numbers: a scalar tensor."""
        finite = [ops.all(ops.isfinite(g)) for g in grads if g is not None]
        return ops.all(ops.stack(finite))

    def apply(
        self,
        grads: Sequence[Any],
        trainable_variables: Sequence[Variable] | None = None,
    ) -> None:
        """Update with gradients of the scaled loss, unless they are not finite."""
        grads = list(grads)
        if not grads:
            return
        variables = self._variables_for(grads, trainable_variables)
        grads, variables = present(grads, variables)
        finite = self.check_finite(grads)
        inner = self.inner_optimizer

        def update():
            scale = 1.0 / self.dynamic_scale.value
            unscaled = [
                g if v.overwrite_with_gradient else g * ops.cast(scale, v.dtype)
                for g, v in zip(grads, variables, strict=True)
            ]
            inner._apply_unscaled(unscaled, variables)

        update_if(finite, update, [*variables, *inner.variables])
        self._adjust_scale(finite)

    def _adjust_scale(self, finite):
        count, scale = self.step_counter.value + 1, self.dynamic_scale.value
        grows = ops.greater_equal(count, self.dynamic_growth_steps)
        keep = ops.logical_and(finite, ops.logical_not(grows))
        factor = ops.where(finite, ops.where(grows, 2.0, 1.0), 0.5)
        self.step_counter.assign(ops.where(keep, count, 0))
        self.dynamic_scale.assign(scale * factor)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Set the variables to what the inner optimizer's training ends with."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> Config:
        """Return the arguments that make an equal optimizer."""
        # The base's arguments belong to the inner optimizer.
        config = super().get_config()
        return {k: v for k, v in config.items() if k in _ARGUMENTS}

    @classmethod
    def from_config(cls, config: Config, custom_objects: CustomObjects = None) -> Self:
        """Make an optimizer from what `get_config` returned."""
        config = {k: v for k, v in config.items() if k in _ARGUMENTS}
        config["inner_optimizer"] = deserialize_keras_object(
            config["inner_optimizer"], custom_objects=custom_objects
        )
        return cls(**config)


_ARGUMENTS = ("name", "inner_optimizer", "initial_scale", "dynamic_growth_steps")


def _check_arguments(kwargs):
    if not kwargs.pop("dynamic", True):
        raise ValueError(
            "LossScaleOptimizer always adapts its scale. For a constant scale, "
            "set `loss_scale_factor` on the optimizer itself. Received: dynamic=False"
        )
    shared = [k for k in kwargs if k in init_arguments(Optimizer)]
    if shared:
        names = ", ".join(f"`{k}`" for k in shared)
        raise ValueError(
            f"LossScaleOptimizer does not take {names}: set it on the "
            "`inner_optimizer`."
        )
    if kwargs:
        names = ", ".join(f"`{k}`" for k in kwargs)
        raise ValueError(
            f"LossScaleOptimizer received unexpected arguments: {names}. Expected "
            f"some of {', '.join(_ARGUMENTS)}."
        )
