"""MultiOptimizer: different optimizers for different variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from hornbeam.core.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.core.variable import Variable
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.optimizers.optimizer_map import OptimizerMap
from hornbeam.typing import Config, CustomObjects, Tensor


class MultiOptimizer(Optimizer):
    """Update each variable with the optimizer that a map gives for it.

    Args:
        optimizer_map: an `OptimizerMap`, or a function from a variable to an optimizer,
            or one optimizer for all.
        loss_scale_factor: as in `Optimizer`; those of the single optimizers are not
            used.
        name: default: generated from the class name.

    >>> import hornbeam as keras
    >>> optimizer = keras.optimizers.MultiOptimizer(
    ...     keras.optimizers.OptimizerMap(
    ...         keras.optimizers.SGD(0.5), {"bias": keras.optimizers.SGD(0.25)}
    ...     )
    ... )
    >>> kernel = keras.Variable([1.0], name="kernel")
    >>> bias = keras.Variable([1.0], name="bias")
    >>> ones = keras.ops.ones((1,))
    >>> optimizer.apply([ones, ones], [kernel, bias])
    >>> float(kernel[0]), float(bias[0])
    (0.5, 0.75)
    """

    holds_optimizers = True

    def __init__(
        self,
        optimizer_map: OptimizerMap | Optimizer | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ):
        if isinstance(optimizer_map, Optimizer):
            optimizer_map = OptimizerMap(optimizer_map)
        if not callable(optimizer_map):
            raise TypeError(
                "Argument `optimizer_map` of MultiOptimizer must be an OptimizerMap or "
                "a function from a variable to an optimizer. "
                f"Received: {optimizer_map!r}"
            )
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        self._optimizers: list[Optimizer] = []
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in optimizer_map.values():
                self._add(optimizer)
            self._add(optimizer_map.default_optimizer)

    def _add(self, optimizer):
        if not any(optimizer is other for other in self._optimizers):
            self._optimizers.append(optimizer)

    @property
    def optimizers(self) -> list[Optimizer]:
        """The single optimizers; the default one is last."""
        return list(self._optimizers)

    def build(self, var_list: Sequence[Variable]) -> None:
        if self.built:
            return
        choices = [self._choose(variable) for variable in var_list]
        super().build(var_list)
        self._choices = choices
        for optimizer in choices:
            self._add(optimizer)
        for optimizer in self._optimizers:
            mine = self._only(optimizer, var_list)
            if mine:
                optimizer.build(mine)

    def _choose(self, variable):
        optimizer = self.optimizer_map(variable)
        if not isinstance(optimizer, Optimizer):
            raise ValueError(
                "`optimizer_map` of MultiOptimizer must give an optimizer. "
                f"Received {optimizer!r} for variable {variable.path!r}."
            )
        if optimizer.holds_optimizers:
            raise ValueError(
                f"{type(optimizer).__name__} cannot be used inside an "
                f"MultiOptimizer. It was given for variable {variable.path!r}."
            )
        return optimizer

    def _only(self, optimizer, variables):
        return [v for v in variables if self._chosen(v) is optimizer]

    def _chosen(self, variable):
        return self._choices[self._get_variable_index(variable)]

    def structure_key(self) -> tuple[Any, ...]:
        """Return what a compiled step depends on besides the arguments."""
        if not self.built:
            return ()
        choices = [self._optimizers.index(o) for o in self._choices]
        return (*choices, *(o.structure_key() for o in self._optimizers))

    @property
    def variables(self) -> list[Variable]:
        """Its own variables, then those of each optimizer."""
        return [*self._variables, *(v for o in self._optimizers for v in o.variables)]

    def _variables_before_build(self) -> list[Variable]:
        singles = [o._variables_before_build() for o in self._optimizers]
        return [*super()._variables_before_build(), *sum(singles, [])]

    @property
    def iterations(self) -> Tensor:
        """The number of updates."""
        return self._iterations

    @property
    def learning_rate(self) -> Tensor:
        """Not available: the single optimizers have the rates."""
        raise AttributeError(
            "A MultiOptimizer has no learning rate of its own. Use those of "
            "`optimizer.optimizers`."
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError(
            "A MultiOptimizer has no learning rate of its own. Set those of "
            "`optimizer.optimizers`."
        )

    def _apply_unscaled(self, gradients, variables):
        for optimizer in self._optimizers:
            pairs = [
                (g, v)
                for g, v in zip(gradients, variables, strict=True)
                if self._chosen(v) is optimizer
            ]
            if pairs:
                optimizer._apply_unscaled([g for g, _ in pairs], [v for _, v in pairs])
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Set the variables to what their optimizers' training ends with."""
        for optimizer in self._optimizers:
            optimizer.finalize_variable_values(self._only(optimizer, var_list))

    def get_config(self) -> Config:
        """Return the arguments that make an equal optimizer, as plain data."""
        # The rate and the other arguments belong to the single optimizers.
        return {
            "optimizer_map": serialize_keras_object(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects: CustomObjects = None) -> Self:
        """Make an optimizer from what `get_config` returned."""
        config = dict(config)
        config["optimizer_map"] = deserialize_keras_object(
            config["optimizer_map"], custom_objects=custom_objects
        )
        return cls(**config)
