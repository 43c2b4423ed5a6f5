"""A Binding gives programs a model's variables and numbers, and takes new values."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np

from hornbeam.core import scopes
from hornbeam.core.config import epsilon, floatx
from hornbeam.core.hyperparameter import hyperparameter_inputs
from hornbeam.core.turns import Turns
from hornbeam.core.variable import values_of
from hornbeam.training.binding.structure import variable_specs

_HOST = (np.ndarray, np.generic)


class Binding:
    """A model's variables and numbers in the order in which programs take them.

    Args:
        engine: the engine of the model.
        structure: the Structure of all that takes part.
        variables: the Variables that a step may read or assign.
        cache: the ProgramCache in which the model's programs are kept.
        shared: those of them that programs of other threads may read meanwhile, so
            that no program may reuse their memory. They stand first.
        turns: the Turns of the model.

    Attributes:
        steps: a lock that is held while a step runs.
    """

    def __init__(
        self,
        engine: Any,
        structure: Any,
        variables: Any,
        cache: Any,
        shared: Any,
        turns: Turns,
    ) -> None:
        self.engine = engine
        self.structure = structure
        self.cache = cache
        # Where variables are assigned in place, programs get the variables themselves.
        self._lent = 0 if engine.assigns_in_place else len(shared)
        self._turns = turns
        self.steps: Any = turns.steps
        self.variables: Any = [*shared]
        self.add(_unique([*shared, *variables])[len(shared) :])
        # How many of them are not such that compiling has found.
        self.tracked: int = len(self.variables)
        # The last ones: the programs of a model that is in use stay.
        self._programs: collections.deque[Any] = collections.deque(maxlen=4)

    def add(self, variables: Any) -> None:
        """Take more Variables, which compiling has found."""
        self.variables += variables
        for variable in variables:
            variable.used_by(self._turns)

    def fits(self, structure: Any, variables: Any) -> bool:
        """Whether it is for this structure and holds these variables."""
        ids = {id(variable) for variable in self.variables}
        return structure.key == self.structure.key and all(
            id(variable) in ids for variable in variables
        )

    def key(self) -> Any:
        """Return the part of a program's key that says what the model is."""
        specs = variable_specs(self.variables)
        settings = (floatx(), epsilon())
        return (self.engine.name, self.structure.key, specs, settings)

    def program(self, key: Any, make: Any) -> Any:
        """Return the program under `key()`, which `make()` compiles if there is none.

        Compiling may find more Variables that a step assigns. With them the key is
        another one: the program is kept under that one too.
        """

        def make_with_all_variables():
            while True:
                try:
                    program = make()
                    break
                except UnknownVariablesError as error:
                    self.add(error.variables)
            self.cache.keep(key(), program)
            return program

        program = self.cache.get(key(), make_with_all_variables)
        if program not in self._programs:
            self._programs.append(program)
        return program

    def values(self) -> list[Any]:
        """Return the values of the variables, to be read."""
        return [variable._value for variable in self.variables]

    def state(self) -> list[Any]:
        """Return the values of the variables, each in a buffer of its own."""
        values = [vars(variable).get("_value") for variable in self.variables]
        engine, seen = self.engine, set()
        for i, value in enumerate(values):
            if value is None:
                # It was never read: it may be on the host.
                values[i] = value = self.variables[i].held()
            if id(value) in seen and engine.is_tensor(value):
                values[i] = engine.copy(value)
            seen.add(id(value))
        return values

    def split(self, state: list[Any]) -> tuple[list[Any], list[Any]]:
        """Return which values a program may overwrite, and which it may only read."""
        return state[self._lent :], state[: self._lent]

    def join(self, owned: list[Any], lent: list[Any]) -> list[Any]:
        """Return the state of which `split` gave the parts."""
        return [*lent, *owned]

    def store(self, state: Any) -> None:
        """Let the variables hold the values in `state`."""
        in_place = self.engine.assigns_in_place
        for variable, value in zip(self.variables, state, strict=True):
            held = vars(variable)
            # What `hold` does, for the commonest case: a step stores all of them.
            if "_value" in held and not (in_place or isinstance(value, _HOST)):
                held["_value"] = value
            else:
                variable.hold(value)

    def pure(self, fn: Any) -> Any:
        """Turn `fn(*args)` into `pure_fn(state, numbers, *args) -> (outputs, state)`.

        It raises UnknownVariablesError where `fn` assigns others than the binding's.
        """

        def pure_fn(state, numbers, *args):
            owners = self.structure.hyperparameters
            inputs = [numbers[i] for i in range(len(owners))]
            with hyperparameter_inputs(owners, inputs):
                with self._scope(zip(self.variables, state, strict=True)) as scope:
                    outputs = values_of(fn(*args))
            ids = {id(v) for v in self.variables}
            unknown = [v for v, _ in scope.updates if id(v) not in ids]
            if unknown:
                raise UnknownVariablesError(unknown)
            return outputs, [scope.get_current_value(v) for v in self.variables]

        return pure_fn

    def _scope(self, mapping):
        watch = self.engine.variable_read
        if watch is None:
            return scopes.StatelessScope(mapping, collect_losses=True)
        return scopes.WatchedScope(mapping, watch, collect_losses=True)


class UnknownVariablesError(Exception):
    """A step assigned Variables that no layer, metric or optimizer tracks."""

    def __init__(self, variables: Any) -> None:
        super().__init__([v.path for v in variables])
        self.variables = variables


def _unique(variables):
    return list({id(v): v for v in variables}.values())
