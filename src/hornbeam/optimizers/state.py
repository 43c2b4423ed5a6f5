"""OptimizerState: the variables that an optimizer owns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core import scopes
from hornbeam.core.configurable import Configurable
from hornbeam.core.variable import Aggregation, Variable
from hornbeam.core.warning import warn
from hornbeam.typing import Tensor

# Attributes that hold the variables of a model, which are no state of the optimizer.
_OF_THE_MODEL = ("_trainable_variables", "_variables_without_decay", "_variables")


class OptimizerState(Configurable):
    """The variables of an optimizer, in the order in which Keras saves them."""

    def __init__(self, name: str):
        self._variables: list[Variable] = []
        self.built = False
        self.name = name

    @property
    def variables(self) -> list[Variable]:
        """The optimizer's own variables: iteration, rate, averages, slots."""
        return list(self._variables)

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: str | None = None,
        aggregation: Aggregation = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a variable that belongs to the optimizer's state."""
        with scopes.name_scope(self.name, caller=self):
            variable = Variable(
                initializer,
                shape=shape,
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._track(variable)
        return variable

    def add_variable_from_reference(
        self,
        reference_variable: Variable,
        name: str | None = None,
        initializer: Any = "zeros",
    ) -> Variable:
        """Make a slot with the shape and dtype of `reference_variable`."""
        path = getattr(reference_variable, "path", None) or reference_variable.name
        return self.add_variable(
            shape=reference_variable.shape,
            initializer=initializer,
            dtype=reference_variable.dtype,
            name=f"{path.replace('/', '_')}_{name or 'slot'}",
        )

    def add_optimizer_variables(
        self,
        trainable_variables: Sequence[Variable],
        name: str | Sequence[str],
        initializer: Any = "zeros",
    ) -> Any:
        """Make a slot for each variable: a list, or one list for each of the names."""
        names = [name] if isinstance(name, str) else list(name)
        several = isinstance(initializer, list | tuple)
        initializers = initializer if several else [initializer] * len(names)
        slots = [
            [
                self.add_variable_from_reference(variable, n, i)
                for n, i in zip(names, initializers, strict=True)
            ]
            for variable in trainable_variables
        ]
        by_name = tuple([row[k] for row in slots] for k in range(len(names)))
        return by_name[0] if isinstance(name, str) else by_name

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(getattr(type(self), name, None), property):
            return object.__setattr__(self, name, value)
        if name not in _OF_THE_MODEL:
            self._track(value)
        return object.__setattr__(self, name, value)

    def _track(self, value):
        """Add the Variables in `value` to the state, as subclasses expect."""
        variables = self.__dict__.get("_variables")
        if isinstance(value, list | tuple | dict):
            for item in value.values() if isinstance(value, dict) else value:
                self._track(item)
        elif isinstance(value, Variable) and variables is not None:
            if not any(value is v for v in variables):
                variables.append(value)

    def assign(self, variable: Variable, value: Any) -> Any:
        """Give `variable` a new value; the value is returned."""
        return variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> Any:
        """Add `value` to `variable`."""
        return variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> Any:
        """Subtract `value` from `variable`."""
        return variable.assign_sub(value)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Assign values to `optimizer.variables`."""
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that is not built. "
                "Call `optimizer.build(trainable_variables)` first."
            )
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    def save_own_variables(self, store: Any) -> None:
        """Write the values of `optimizer.variables` to `store` as "0", "1" ..."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Read the values of `optimizer.variables` from `store`."""
        variables = self.variables
        first = self._variables_before_build()
        if len(store) == len(first) and not any(
            np.any(store[str(i)]) for i, v in enumerate(first) if v.dtype == "int32"
        ):
            # Saved before its first step, when it had counted nothing.
            variables = first
        if len(store) != len(variables):
            warn(
                f"Skipping variable loading for optimizer {self.name!r}, because it "
                f"has {len(variables)} variables whereas the saved optimizer has "
                f"{len(store)}. Its state starts anew.",
            )
            return
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])

    def _variables_before_build(self) -> list[Variable]:
        """The part of `variables` that an optimizer has before it has slots."""
        return []


def constant(value: Any) -> Callable[..., np.ndarray]:
    """An initializer that gives `value`."""
    return lambda shape, dtype=None: np.full(shape, value)


def native_update(
    name: str, variables: Sequence[Variable]
) -> Callable[..., bool] | None:
    """Return the engine's own update of live variables of that name, or None."""
    if not variables or scopes.in_stateless_scope():
        return None
    return getattr(variables[0].backend, name)


def update_if(
    predicate: Tensor, update: Callable[[], None], variables: Sequence[Variable]
) -> None:
    """Call `update`, which assigns `variables`, if `predicate` is true."""
    if not scopes.in_stateless_scope():
        try:
            is_true = bool(predicate)
        except Exception as error:
            # A function that the user traces decides when it runs.
            if not variables[0].backend.asks_for_values(error):
                raise
        else:
            if is_true:
                update()
            return
    run = scopes.pure(update, variables)
    values = [v.value for v in variables]
    new = ops.cond(predicate, lambda: run(values)[1], lambda: values)
    for variable, value in zip(variables, new, strict=True):
        variable.assign(value)
