"""Variable: a named tensor that keeps its value between calls."""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import numpy as np

from hornbeam import backends
from hornbeam.core import budget, dtypes, scopes, tree
from hornbeam.core.config import floatx
from hornbeam.core.errors import check_choice
from hornbeam.core.lazy import public
from hornbeam.core.naming import auto_name
from hornbeam.core.operators import Operators, op
from hornbeam.core.turns import Turns, between_steps
from hornbeam.core.unread import Unread
from hornbeam.typing import (
    DTypeLike,
    InitializerLike,
    ShapeLike,
    Tensor,
    TensorLike,
    Tree,
)

_placing = threading.RLock()
# The engines whose own functions know of Variables.
_introduced: set[str] = set()

# Bound once: reading a variable is the commonest thing that happens in a step.
_stateless_scope, _autocast_dtype = scopes._stateless.get, scopes._autocast.get

Aggregation: TypeAlias = Literal["none", "mean", "sum", "only_first_replica"] | None
Synchronization: TypeAlias = Literal["none", "on_read", "on_write", "auto"] | None
_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")
_SYNCHRONIZATIONS = (None, "none", "on_read", "on_write", "auto")


class Variable(Operators):
    """A tensor with a name whose value can be assigned.

    Weights, optimizer slots, metric states and seeds are Variables. A Variable belongs
    to the engine that was in force when it was made.

    Args:
        initializer: a value, or a callable `(shape, dtype) -> value`, or the name of
            an initializer.
        shape: needed where `initializer` is callable.
        dtype: default: the value's own dtype, `floatx()` where there is none.
        trainable: whether training changes it.
        autocast: whether it reads as the compute dtype inside mixed-precision layers.
        aggregation: how replicas combine: "none", "mean", "sum", "only_first_replica".
        synchronization: "none", "on_read", "on_write" or "auto".
        name: a name without "/".

    >>> import hornbeam as keras
    >>> counter = keras.Variable(0, dtype="int32", name="counter")
    >>> _ = counter.assign_add(2)
    >>> int(counter)
    2
    """

    # Of the models whose steps assign the variable, and where programs take its memory.
    _turns: Any = None
    _taken_by: Any = None

    def __init__(
        self,
        initializer: InitializerLike,
        shape: ShapeLike | int | None = None,
        dtype: DTypeLike = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: Aggregation = "none",
        synchronization: Synchronization = "auto",
        name: str | None = None,
        **kwargs: Any,
    ):
        name = name or auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "Argument `name` of Variable must be a string without '/'. "
                f"Received: name={name!r}"
            )
        check_choice("Variable", "aggregation", aggregation, _AGGREGATIONS)
        check_choice("Variable", "synchronization", synchronization, _SYNCHRONIZATIONS)
        self._name = name
        parent = scopes.current_path()
        self._path = f"{parent}/{name}" if parent else name
        self._trainable = self._created_trainable = bool(trainable)
        self._autocast = bool(autocast)
        self._aggregation = aggregation or "none"
        self._synchronization = synchronization or "none"
        self._regularizer = None
        self._constraint = None
        self.overwrite_with_gradient = False
        engine = backends.current()
        self._backend_name = engine.name
        if engine.name not in _introduced:
            _introduce(engine)
        # Made outside whatever is being traced: a variable outlives the trace.
        with engine.concrete():
            value = self._initial_value(initializer, shape, dtype)
            if engine.is_tensor(value):
                self._value = engine.new_variable(value, self._trainable)
            elif value is not None:
                self._host_value = value
        if value is not None:
            self._dtype = engine.dtype_of(value)
            self._shape: tuple[int, ...] = tuple(engine.shape_of(value))
        wanted = None if dtype is None else dtypes.standardize_dtype(dtype)
        if wanted in ("uint16", "uint32"):
            self._dtype = wanted

    def _initial_value(self, initializer, shape, dtype):
        if isinstance(initializer, str):
            initializer = public("initializers", "get")(initializer)
        engine = backends.current()
        if not callable(initializer) or hasattr(initializer, "shape"):
            if isinstance(initializer, Variable):
                initializer = initializer.numpy()
            if dtype is None and not hasattr(initializer, "dtype"):
                array = np.asarray(initializer)
                if array.dtype.kind == "f":
                    dtype = floatx()
                elif array.dtype.kind in "iu":
                    dtype = "int32"
            value = engine.as_argument(initializer, dtype=dtype)
            if shape is not None and tuple(shape) != tuple(engine.shape_of(value)):
                raise ValueError(
                    f"Variable {self._path!r}: argument `shape` does not fit the "
                    f"initial value. Expected {tuple(shape)}, received a value of "
                    f"shape {tuple(engine.shape_of(value))}."
                )
            return value
        if shape is None:
            raise ValueError(
                f"Variable {self._path!r}: argument `shape` is needed where "
                "`initializer` is a callable. Received: shape=None"
            )
        shape = standardize_shape(shape)
        dtype = dtypes.standardize_dtype(dtype or floatx())
        budget.declare(shape, dtype, self._path)
        if not budget.in_force():
            make = getattr(initializer, "_as_argument", initializer)
            return engine.as_argument(make(shape, dtype=dtype), dtype=dtype)
        drawn = getattr(initializer, "_drawn", None)
        self._later = (initializer if drawn is None else drawn(), dtype)
        self._dtype = engine.dtype_of(engine.as_argument(np.zeros(0), dtype=dtype))
        self._shape = shape
        return None

    @functools.cached_property
    def _host_value(self):
        """The initial value of what was made from a config; see `core.budget`."""
        engine = self.backend
        with _placing, backends.scope(engine), engine.concrete():
            if "_later" in vars(self):
                initializer, dtype = self._later
                make = getattr(initializer, "_as_argument", initializer)
                value = make(self._shape, dtype=dtype)
                self._host_value = engine.as_argument(value, dtype=dtype)
                del self._later
            return vars(self)["_host_value"]

    @functools.cached_property
    def _value(self):
        """The value as a tensor: what is on the host is placed when first read."""
        engine = self.backend
        with _placing, engine.concrete():
            if "_value" not in vars(self):
                tensor = engine.convert(self._host_value)
                self._value = engine.new_variable(tensor, self._trainable)
                del self._host_value
            return vars(self)["_value"]

    def held(self) -> Tensor:
        """Return the value as programs take it: on the host if it was never read."""
        state = vars(self)
        value = state.get("_value", state.get("_host_value"))
        return self._value if value is None else value

    def hold(self, value: Tensor) -> None:
        """Take over a value of this shape and dtype that a program gave."""
        engine = self.backend
        value = value if engine.is_tensor(value) else engine.as_argument(value)
        if engine.assigns_in_place:
            self._value = engine.assign(self._value, value)
            return
        is_placed = engine.is_tensor(value)
        state = vars(self)
        if is_placed and "_value" in state:
            state["_value"] = value
            return
        with _placing:
            vars(self)["_value" if is_placed else "_host_value"] = value
            vars(self).pop("_host_value" if is_placed else "_value", None)

    @property
    def backend(self) -> Any:
        """The engine that the variable belongs to."""
        return backends.get(self._backend_name)

    @property
    def value(self) -> Tensor:
        """The current value: a tensor of the variable's engine."""
        scope = _stateless_scope()
        value = None if scope is None else scope.get_current_value(self)
        if value is None:
            value = self._value if self._taken_by is None else self._value_to_keep()
        dtype = _autocast_dtype()
        if dtype is not None and self._autocast and dtype != self._dtype:
            if dtypes.is_float_dtype(self._dtype):
                return self.backend.cast(value, dtype)
        return value

    def _checked(self, value, cast=True):
        """Return `value` as a tensor that fits this variable, or raise."""
        engine = self.backend
        if isinstance(value, Variable):
            value = value.value
        if cast or not engine.is_tensor(value):
            owner = None if engine.is_tensor(value) else backends.of(value)
            if owner is not None and owner is not engine:
                backends.check_same(
                    engine, owner, f"The value assigned to variable {self._path!r}"
                )
            value = engine.convert(value, dtype=self._dtype)
        if tuple(engine.shape_of(value)) != self._shape:
            raise ValueError(
                f"The shape of the value does not fit variable {self._path!r}. "
                f"Expected {self._shape}, received {tuple(engine.shape_of(value))}."
            )
        return value

    def assign(self, value: TensorLike) -> Tensor:
        """Replace the value; the shape must be the same, the dtype is converted."""
        scope = scopes._stateless.get()
        if isinstance(value, Unread):
            if scope is not None and value.shape == self._shape:
                scope.add_update((self, value))
                return value
            value = value.read()
            take_over = self.backend.take_over
            if take_over is not None and value.dtype.name == self._dtype:
                value = take_over(value)
        value = self._checked(value)
        if scope is not None:
            scope.add_update((self, value))
        elif vars(self).pop("_later", None) is None:
            self._value = self.backend.assign(self._value, value)
        else:
            self._value = self.backend.new_variable(value, self._trainable)
        return value

    def assign_add(self, value: TensorLike) -> Tensor:
        """Add `value` to the variable."""
        if _stateless_scope() is None:
            add = self.backend.add_in_place
            total = None if add is None else add(self._value, value)
            if total is not None:
                return total
        return self.assign(op("add")(self, value))

    def assign_sub(self, value: TensorLike) -> Tensor:
        """Subtract `value` from the variable."""
        return self.assign(op("subtract")(self, value))

    def numpy(self) -> np.ndarray:
        """Return the value as a NumPy array of its own: neither changes the other."""
        with between_steps([self]):
            return np.array(self.backend.to_numpy(self.value))

    def used_by(self, turns: Turns) -> None:
        """Note that steps of a model assign the variable while it has its turn."""
        if self._turns is None:
            self._turns = weakref.WeakSet()
            if not self.backend.assigns_in_place:
                self._taken_by = self._turns
        self._turns.add(turns)

    def _value_to_keep(self):
        """The value: a copy if a program of another thread may take its memory."""
        if not any(turns.is_training_elsewhere() for turns in self._turns):
            return self._value
        with between_steps([self]):
            return self.backend.copy(self._value)

    def __getstate__(self) -> dict[str, Any]:
        if "_later" in vars(self):
            self.held()
        state = dict(vars(self))
        for name in ("_turns", "_taken_by"):
            state.pop(name, None)
        return state

    def move_to(self, engine: Any) -> None:
        """Make the variable belong to `engine`, with the same value."""
        value = self.numpy()
        self._backend_name = engine.name
        converted = engine.convert(value, dtype=self._dtype)
        self._value = engine.new_variable(converted, self._trainable)

    @property
    def dtype(self) -> str:
        """The dtype's name; the compute dtype inside a mixed-precision layer."""
        dtype = scopes._autocast.get()
        if dtype is not None and self._autocast and dtypes.is_float_dtype(self._dtype):
            return dtype
        return self._dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, a tuple of integers."""
        return self._shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._shape)

    @property
    def name(self) -> str:
        """The variable's own name."""
        return self._name

    @property
    def path(self) -> str:
        """The variable's name with those of the scopes around it."""
        return self._path

    @property
    def trainable(self) -> bool:
        """Whether training changes the variable."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    @property
    def aggregation(self) -> Aggregation:
        """How replicas combine the value."""
        return self._aggregation

    @property
    def synchronization(self) -> Synchronization:
        """When replicas combine the value."""
        return self._synchronization

    @property
    def autocast(self) -> bool:
        """Whether the variable reads as the compute dtype in mixed precision."""
        return self._autocast

    @property
    def regularizer(self) -> Any:
        """A function of the value that is added to the loss, or None."""
        return self._regularizer

    @regularizer.setter
    def regularizer(self, value: Any) -> None:
        self._regularizer = self._callable("regularizer", value)

    @property
    def constraint(self) -> Any:
        """A function that the value goes through after each update, or None."""
        return self._constraint

    @constraint.setter
    def constraint(self, value: Any) -> None:
        self._constraint = self._callable("constraint", value)

    def _callable(self, attribute, value):
        if value is not None and not callable(value):
            raise ValueError(
                f"Attribute `{attribute}` of variable {self._path!r} must be a "
                f"callable or None. Received: {value!r}"
            )
        return value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.numpy(), dtype=dtype)

    @property
    def __numpy_dtype__(self) -> np.dtype:
        return np.dtype(self.dtype)

    def __jax_array__(self) -> Tensor:
        return self.value

    # So `tf.GradientTape.gradient` takes it for the `tf.Variable` that it holds.
    _should_act_as_resource_variable = True

    @property
    def handle(self) -> Any:
        """What a `tf.GradientTape` knows the variable by."""
        if self.backend.variable_read is None:
            raise AttributeError(
                f"A `tf.GradientTape` differentiates with respect to variables of the "
                f"TensorFlow backend; variable {self._path!r} belongs to "
                f"{self._backend_name!r}. Move its model with "
                "`model.to_backend('tensorflow')`, or get the gradients from "
                "`keras.value_and_grad`, which runs on every backend."
            )
        scope = _stateless_scope()
        value = None if scope is None else scope.held_value(self)
        return self._value.handle if value is None else value

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Tensor:
        value = self.value
        return self.backend.convert(value, dtype or self.backend.dtype_of(value))

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        def raw(x):
            return x.value if isinstance(x, Variable) else x

        kwargs = kwargs or {}
        return func(*tree.map_structure(raw, args), **tree.map_structure(raw, kwargs))

    def __len__(self) -> int:
        if not self._shape:
            raise TypeError(f"Variable {self._path!r} is a scalar: it has no length.")
        return self._shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __int__(self) -> int:
        return int(self.numpy())

    def __float__(self) -> float:
        return float(self.numpy())

    def __index__(self) -> int:
        return int(self)

    def __repr__(self) -> str:
        return (
            f"<Variable path={self._path}, shape={self._shape}, dtype={self._dtype}, "
            f"value={self.numpy() if scopes.stateless_scope() is None else '...'}>"
        )


def _introduce(engine):
    """Let the engine's own functions take Variables, where it must be told so."""
    _introduced.add(engine.name)
    if engine.take_as_value is not None:
        engine.take_as_value(Variable, lambda variable: variable.value)


def values_of(structure: Tree) -> Tree:
    """Return a nest with the value that each Variable has here in its place.

    What a function gives is read where it runs: afterwards, outside its scope, a
    Variable would be read as it was before.
    """
    return tree.map_structure(
        lambda x: x.value if isinstance(x, Variable) else x, structure
    )


def standardize_shape(shape: Any) -> tuple[Any, ...]:
    """Return `shape` as a tuple of ints (None where allowed), or raise."""
    if isinstance(shape, int | np.integer):
        shape = (shape,)
    try:
        shape = tuple(None if d is None else d.__index__() for d in shape)
    except (TypeError, AttributeError):
        raise ValueError(
            f"A shape is a tuple of integers. Received: shape={shape!r}"
        ) from None
    for size in shape:
        if size is not None and size < 0:
            raise ValueError(
                f"A shape cannot hold negative sizes. Received: shape={shape!r}"
            )
    return shape
