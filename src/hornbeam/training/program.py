"""Programs: many steps of training, evaluation or prediction as one compiled call.

A program is a function of values: the state of the model, the hyperparameters, the data
and which steps to run. It is compiled ahead of time and kept under the structure of the
model and the shapes of the data, so it serves every model of that structure, and it
holds none of them.
"""

import collections
import threading
import time

from hornbeam.core import scopes
from hornbeam.core.config import epsilon, floatx
from hornbeam.core.hyperparameter import hyperparameter_inputs
from hornbeam.core.variable import values_of
from hornbeam.training.structure import variable_specs


class ProgramCache:
    """A bounded memory of programs: the one unused for longest goes first."""

    def __init__(self, size=256):
        self.size = size
        self.compilations = 0
        self._programs = collections.OrderedDict()
        self._lock = threading.Lock()
        self._being_made = {}

    def get(self, key, make):
        """Return the program under `key`; `make()` compiles it where there is none.

        Threads that ask for one program at the same time wait for one compilation. A
        task among others does not count it as its own time: the program serves all.
        """
        with self._lock:
            found = self._find(key)
            if found is not None:
                return found
            turn = self._being_made.setdefault(key, threading.Lock())
        started = time.perf_counter()
        try:
            with turn:
                with self._lock:
                    found = self._find(key)
                return found if found is not None else self._make(key, make)
        finally:
            member = scopes.member()
            if member is not None:
                member.waited += time.perf_counter() - started

    def find(self, key):
        """Return the program under `key`, or None."""
        with self._lock:
            return self._find(key)

    def keep(self, key, program):
        """Put `program` under `key`."""
        with self._lock:
            self._programs[key] = program
            while len(self._programs) > self.size:
                self._programs.popitem(last=False)

    def _find(self, key):
        found = self._programs.get(key)
        if found is not None:
            self._programs.move_to_end(key)
        return found

    def _make(self, key, make):
        try:
            with scopes.compiling():
                program = make()
            self.compilations += 1
            self.keep(key, program)
            return program
        finally:
            with self._lock:
                self._being_made.pop(key, None)

    def clear(self):
        """Forget all programs."""
        with self._lock:
            self._programs.clear()


cache = ProgramCache()

_MANY_STEPS = 32


class Program:
    """A compiled function of state, hyperparameters and data.

    Args:
        executable: what the engine compiled.
        output_spec: the form in which the flat outputs are given back.

    Attributes:
        seconds_per_step: the least that a step took in a call of many, or None.
    """

    def __init__(self, executable, output_spec):
        self.executable = executable
        self.output_spec = output_spec
        self.seconds_per_step = None

    def measured(self, steps, seconds):
        """Learn that a call took so long; one of few steps tells little of a step."""
        if steps >= _MANY_STEPS:
            found, known = seconds / steps, self.seconds_per_step
            self.seconds_per_step = found if known is None else min(found, known)


class Binding:
    """A model's variables and numbers in the order in which programs take them.

    Args:
        engine: the engine of the model.
        structure: the Structure of all that takes part.
        variables: the Variables that a step may read or assign.
        shared: those of them that programs of other threads may read meanwhile: a
            program, which may reuse the memory of what it is given, gets copies.
    """

    def __init__(self, engine, structure, variables, shared=()):
        self.engine = engine
        self.structure = structure
        self._shared = frozenset(id(variable) for variable in shared)
        self.variables = _unique(variables)
        self.own_cache = ProgramCache()

    def fits(self, structure, variables):
        """Whether it serves a model of this structure with these variables."""
        known = {id(variable) for variable in self.variables}
        return structure.key == self.structure.key and all(
            id(variable) in known for variable in variables
        )

    @property
    def cache(self):
        """Where the model's programs are kept."""
        return cache if self.structure.shareable else self.own_cache

    def key(self):
        """Return the part of a program's key that says what the model is."""
        specs = variable_specs(self.variables)
        settings = (floatx(), epsilon())
        return (self.engine.name, self.structure.key, specs, settings)

    def values(self):
        """Return the values of the variables, to be read."""
        return [variable._value for variable in self.variables]

    def state(self):
        """Return the values of the variables, each a buffer to be given away."""
        values, seen = [], set()
        shared = () if self.engine.assigns_in_place else self._shared
        for variable in self.variables:
            value = variable.held()
            if id(variable) in shared:
                # A seed: small, and copied faster on the host.
                value = self.engine.as_argument(self.engine.to_numpy(value))
            elif id(value) in seen and self.engine.is_tensor(value):
                value = self.engine.copy(value)
            seen.add(id(value))
            values.append(value)
        return values

    def keep(self, state):
        """Let the variables hold the values in `state`."""
        for variable, value in zip(self.variables, state, strict=True):
            variable.hold(value)

    def pure(self, fn):
        """Turn `fn(*args)` into `run(state, numbers, *args) -> (outputs, state)`.

        Variables that `fn` assigns without being known here are found at the first
        run, and then belong to the binding.
        """

        def run(state, numbers, *args):
            owners = self.structure.hyperparameters
            inputs = [numbers[i] for i in range(len(owners))]
            with hyperparameter_inputs(owners, inputs):
                with self._scope(zip(self.variables, state, strict=True)) as scope:
                    outputs = values_of(fn(*args))
            known = {id(v) for v in self.variables}
            unknown = [v for v, _ in scope.updates if id(v) not in known]
            if unknown:
                raise UnknownVariablesError(unknown)
            return outputs, [scope.get_current_value(v) for v in self.variables]

        return run

    def _scope(self, mapping):
        watch = getattr(self.engine, "variable_read", None)
        if watch is None:
            return scopes.StatelessScope(mapping, collect_losses=True)
        return scopes.WatchedScope(mapping, watch, collect_losses=True)


class UnknownVariablesError(Exception):
    """A step assigned Variables that no layer, metric or optimizer tracks."""

    def __init__(self, variables):
        super().__init__([v.path for v in variables])
        self.variables = variables


def _unique(variables):
    return list({id(v): v for v in variables}.values())


def finding_variables(binding, key, make):
    """Return `make()`, repeated with Variables that steps turn out to assign.

    With them the key is another one: the program is kept under that one too.
    """
    while True:
        try:
            program = make()
            break
        except UnknownVariablesError as error:
            binding.variables += error.variables
    binding.cache.keep(key(), program)
    return program
