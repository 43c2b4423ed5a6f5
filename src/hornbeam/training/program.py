"""Programs: many steps of training, evaluation or prediction as one compiled call.

A program is a function of values: the state of the model, the hyperparameters, the data
and which steps to run. It is compiled ahead of time and kept under the structure of the
model and the shapes of the data, so it serves every model of that structure, and it
holds none of them.
"""

import collections
import threading

import numpy as np

from hornbeam.core import scopes, tree
from hornbeam.core.hyperparameter import hyperparameter_inputs
from hornbeam.training.structure import variable_specs


class ProgramCache:
    """A bounded memory of programs: the one unused for longest goes first."""

    def __init__(self, size=256):
        self.size = size
        self.compilations = 0
        self._programs = collections.OrderedDict()
        self._lock = threading.Lock()

    def get(self, key, make):
        """Return the program under `key`; `make()` compiles it where there is none."""
        with self._lock:
            found = self._programs.get(key)
            if found is not None:
                self._programs.move_to_end(key)
                return found
        program = make()
        with self._lock:
            self.compilations += 1
            self._programs[key] = program
            while len(self._programs) > self.size:
                self._programs.popitem(last=False)
        return program

    def clear(self):
        """Forget all programs."""
        with self._lock:
            self._programs.clear()


cache = ProgramCache()


class Program:
    """A compiled function of state, hyperparameters and data.

    Args:
        executable: what the engine compiled.
        output_spec: the form in which the flat outputs are given back.
    """

    def __init__(self, executable, output_spec):
        self.executable = executable
        self.output_spec = output_spec


class Binding:
    """A model's variables and numbers in the order in which programs take them.

    Args:
        engine: the engine of the model.
        structure: the Structure of all that takes part.
        variables: the Variables that a step may read or assign.
    """

    def __init__(self, engine, structure, variables):
        self.engine = engine
        self.structure = structure
        self.variables = _unique(variables)
        self.own_cache = ProgramCache()

    @property
    def cache(self):
        """Where the model's programs are kept."""
        return cache if self.structure.shareable else self.own_cache

    def key(self):
        """Return the part of a program's key that says what the model is."""
        specs = variable_specs(self.variables)
        return (self.engine.name, self.structure.key, specs)

    def state(self):
        """Return the values of the variables, each a buffer of its own."""
        values, seen = [], set()
        for variable in self.variables:
            value = variable._value
            if id(value) in seen:
                value = self.engine.copy(value)
            seen.add(id(value))
            values.append(value)
        return values

    def keep(self, state):
        """Let the variables hold the values in `state`."""
        for variable, value in zip(self.variables, state, strict=True):
            variable._value = value

    def pure(self, fn):
        """Turn `fn(*args)` into `run(state, numbers, *args) -> (outputs, state)`.

        Variables that `fn` assigns without being known here are found at the first
        run, and then belong to the binding.
        """

        def run(state, numbers, *args):
            owners = self.structure.hyperparameters
            inputs = [numbers[i] for i in range(len(owners))]
            with hyperparameter_inputs(owners, inputs):
                mapping = zip(self.variables, state, strict=True)
                with scopes.StatelessScope(mapping, collect_losses=True) as scope:
                    outputs = fn(*args)
            known = {id(v) for v in self.variables}
            unknown = [v for v, _ in scope.updates if id(v) not in known]
            if unknown:
                raise UnknownVariablesError(unknown)
            return outputs, [scope.get_current_value(v) for v in self.variables]

        return run


class UnknownVariablesError(Exception):
    """A step assigned Variables that no layer, metric or optimizer tracks."""

    def __init__(self, variables):
        super().__init__([v.path for v in variables])
        self.variables = variables


def _unique(variables):
    return list({id(v): v for v in variables}.values())


class CompiledSteps:
    """Steps over data that is on the device, many in one call.

    Args:
        binding: the model's Binding.
        step: `step(batch) -> logs`, which reads and assigns Variables.
        finish: `finish() -> logs` after the last step, or None: the last step's logs.
        watched: the Variable that turns NaN when the loss does, or None.
        arrays: the tree of host arrays.
        batch_size: rows in a batch.
        masked: whether the last batch is padded and masked; else it must be full.
        kind: a hashable that names step and finish in the program's key.
    """

    def __init__(
        self, binding, step, finish, watched, arrays, batch_size, masked, kind
    ):
        self.binding = binding
        self.step = step
        self.finish = finish
        self.watched = watched
        self.masked = masked
        self.kind = kind
        leaves, self.spec = tree.flatten_with_spec(arrays)
        self.present = [x is not None for x in leaves]
        leaves = [x for x in leaves if x is not None]
        self.rows = len(leaves[0])
        self.batch_size = min(batch_size, self.rows)
        self.steps = -(-self.rows // self.batch_size)
        engine = binding.engine
        room = rounded_up(self.rows)
        self.data = [engine.convert(_padded(x, room)) for x in leaves]
        self.order_size = rounded_up(self.steps) * self.batch_size
        self.order = engine.convert(np.zeros(self.order_size, np.int32))
        self.visited = self.rows
        self.program = None
        self._bad = -1

    def start(self, order):
        """Visit the rows in this order from now on."""
        self.visited = len(order)
        padded = np.zeros(self.order_size, np.int32)
        padded[: len(order)] = order
        self.order = self.binding.engine.convert(padded)

    def run(self, first, last):
        """Run the steps from `first` up to `last` (not included); return the logs."""
        binding = self.binding
        numbers = binding.structure.values()
        where = np.array([first, last, self.visited], np.int32)
        program = self.program = self.program or self._program(numbers, where)
        state, logs, bad = program.executable(
            binding.state(), numbers, self.data, self.order, where
        )
        binding.keep(state)
        self._bad = bad
        return tree.unflatten(program.output_spec, logs)

    def nan_step(self):
        """Return the first step of the last run at which the loss was NaN, or None."""
        step = int(self._bad)
        return None if step < 0 else step

    def _program(self, numbers, where):
        data = tuple((x.shape, str(x.dtype)) for x in self.data)
        key = (
            self.kind, self.binding.key(), data, self.spec, tuple(self.present),
            self.batch_size, self.order_size, self.masked,
        )  # fmt: skip
        return self.binding.cache.get(key, lambda: self._compile(numbers, where))

    def _compile(self, numbers, where):
        while True:
            try:
                return self._compile_once(numbers, where)
            except UnknownVariablesError as error:
                self.binding.variables += error.variables

    def _compile_once(self, numbers, where):
        binding = self.binding
        engine = binding.engine
        watched = None
        if self.watched is not None:
            watched = [v is self.watched for v in binding.variables].index(True)
        step = binding.pure(self._masked_step)
        finish = binding.pure(self.finish) if self.finish else None
        out = {}

        def many(state, numbers, data, order, where):
            def body(i, carry):
                state, logs, bad = carry
                new_logs, state = step(state, numbers, data, order, i, where[2])
                leaves, out["spec"] = tree.flatten_with_spec(new_logs)
                if watched is not None:
                    is_bad = engine.isnan(state[watched]) & (bad < 0)
                    bad = engine.where(is_bad, i, bad)
                if finish is None:
                    logs = [
                        engine.cast(x, engine.dtype_of(y))
                        for x, y in zip(leaves, logs, strict=True)
                    ]
                return state, logs, bad

            logs = []
            if finish is None:
                specs = engine.infer(
                    lambda: tree.flatten(step(state, numbers, data, order, 0, 1)[0])
                )
                logs = [engine.zeros(x.shape, dtype=x.dtype) for x in specs]
            bad = engine.convert(np.int32(-1))
            state, logs, bad = engine.fori_loop(
                where[0], where[1], body, (state, logs, bad)
            )
            if finish is not None:
                logs, _ = finish(state, numbers)
                logs, out["spec"] = tree.flatten_with_spec(logs)
            return state, logs, bad

        arguments = (binding.state(), numbers, self.data, self.order, where)
        executable = engine.compile(many, arguments, donate=(0,))
        return Program(executable, out["spec"])

    def _masked_step(self, data, order, i, rows):
        engine = self.binding.engine
        first = i * self.batch_size
        inside = engine.arange(self.batch_size, dtype="int32")
        chosen = engine.take(order, first + inside, axis=0)
        batch = iter([engine.take(x, chosen, axis=0) for x in data])
        leaves = [next(batch) if present else None for present in self.present]
        batch = tree.unflatten(self.spec, leaves)
        if not self.masked:
            return self.step(batch)
        mask = engine.cast(first + inside < rows, "float32")
        with scopes.batch_mask_scope(mask):
            return self.step(batch)


class CompiledBatch:
    """One step on one batch that comes from the host.

    A batch smaller than the first one is padded and masked where `masked` allows it.
    """

    def __init__(self, binding, step, masked, kind, assigns=True):
        self.binding = binding
        self.step = step
        self.masked = masked
        self.kind = kind
        self.assigns = assigns
        self.batch_size = 0
        self.programs = {}

    def run(self, batch):
        """Run the step on `batch`, a tree of host arrays; return what it returned."""
        binding = self.binding
        leaves, spec = tree.flatten_with_spec(batch)
        present = tuple(x is not None for x in leaves)
        leaves = [x for x in leaves if x is not None]
        rows = len(leaves[0])
        masked = self.masked and rows < self.batch_size
        size = self.batch_size if masked else rows
        self.batch_size = max(self.batch_size, size)
        data = [binding.engine.convert(_padded(x, size)) for x in leaves]
        numbers = binding.structure.values()
        short = (spec, present, masked, tuple((x.shape, x.dtype) for x in data))
        program = self.programs.get(short)
        if program is None:
            key = (self.kind, binding.key(), short)
            program = binding.cache.get(
                key, lambda: self._compile(data, spec, present, masked, numbers)
            )
            self.programs[short] = program
        state, outputs = program.executable(
            binding.state(), numbers, data, np.int32(rows)
        )
        if self.assigns:
            binding.keep(state)
        return tree.unflatten(program.output_spec, outputs), rows

    def _compile(self, data, spec, present, masked, numbers):
        while True:
            try:
                return self._compile_once(data, spec, present, masked, numbers)
            except UnknownVariablesError as error:
                self.binding.variables += error.variables

    def _compile_once(self, data, spec, present, masked, numbers):
        binding = self.binding
        engine = binding.engine
        out = {}

        def step(data, rows):
            values = iter(data)
            leaves = [next(values) if there else None for there in present]
            batch = tree.unflatten(spec, leaves)
            if not masked:
                return self.step(batch)
            size = engine.shape_of(data[0])[0]
            mask = engine.cast(engine.arange(size, dtype="int32") < rows, "float32")
            with scopes.batch_mask_scope(mask):
                return self.step(batch)

        run = binding.pure(step)

        def flat(state, numbers, data, rows):
            outputs, state = run(state, numbers, data, rows)
            leaves, out["spec"] = tree.flatten_with_spec(outputs)
            return (state if self.assigns else []), leaves

        arguments = (binding.state(), numbers, data, np.int32(1))
        executable = engine.compile(
            flat, arguments, donate=(0,) if self.assigns else ()
        )
        return Program(executable, out["spec"])


def rounded_up(count):
    """Return `count` rounded up by at most an eighth, so that few sizes occur."""
    if count <= 16:
        return count
    unit = 1 << max(0, count.bit_length() - 4)
    return -(-count // unit) * unit


def _padded(x, rows):
    """Return the host array `x` with zeros (copies of row 0) up to `rows` rows."""
    if len(x) == rows:
        return x
    padding = np.broadcast_to(x[:1], (rows - len(x), *x.shape[1:]))
    return np.concatenate([x, padding])
