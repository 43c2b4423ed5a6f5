"""What is in force inside a block: state, autocast dtype, names, the mask of a batch.

`StatelessScope` lifts the state of Variables out of the way, so that plain code that
reads and assigns them can be compiled and differentiated; `pure` is the one bridge.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

from hornbeam.typing import Tensor

if TYPE_CHECKING:
    from hornbeam.core.variable import Variable

_stateless: ContextVar[Any] = ContextVar("hornbeam_stateless", default=None)
_autocast: ContextVar[Any] = ContextVar("hornbeam_autocast", default=None)
_names: ContextVar[Any] = ContextVar("hornbeam_names", default=())
_batch_mask: ContextVar[Any] = ContextVar("hornbeam_batch_mask", default=None)
_worker: ContextVar[Any] = ContextVar("hornbeam_worker", default=None)
_display: ContextVar[Any] = ContextVar("hornbeam_display", default=None)
_symbolic: ContextVar[Any] = ContextVar("hornbeam_symbolic", default=None)
_roads: ContextVar[Any] = ContextVar("hornbeam_roads", default=None)


class StatelessScope:
    """A block in which Variables read as given values and keep what they hold.

    Args:
        state_mapping: pairs `(variable, value)`; other variables read as they are.
        collect_losses: gather what layers add with `add_loss` in `losses`.
        initialize_variables: kept for compatibility; variables that are made inside
            the block are initialised at once.

    >>> import hornbeam as keras
    >>> v = keras.Variable(1.0, trainable=False)
    >>> with keras.StatelessScope([(v, keras.ops.array(5.0))]) as scope:
    ...     _ = v.assign_add(1.0)
    >>> float(v.value), float(scope.get_current_value(v))
    (1.0, 6.0)
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ):
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Tensor] = []
        self.loss_owners: list[int] = []
        self._values: dict[int, tuple[Variable, Tensor]] = {}
        self._assigned: dict[int, Variable] = {}
        self._outer: StatelessScope | None = None
        for variable, value in state_mapping or ():
            if not hasattr(variable, "assign"):
                raise ValueError(
                    "Argument `state_mapping` of StatelessScope expects pairs of a "
                    f"Variable and a value. Received: {variable!r}"
                )
            value = variable._checked(value, cast=False)
            self._values[id(variable)] = (variable, value)

    def get_current_value(self, variable: Variable) -> Tensor:
        """Return the variable's value in this scope, or None if it has none."""
        entry = self._values.get(id(variable))
        if entry is not None:
            return entry[1]
        return None if self._outer is None else self._outer.get_current_value(variable)

    def held_value(self, variable: Variable) -> Tensor:
        """Return the variable's value in this scope or those around it, or None."""
        scope = self
        while scope is not None:
            if id(variable) in scope._values:
                return scope._values[id(variable)][1]
            scope = scope._outer
        return None

    def add_update(self, update: tuple[Variable, Tensor]) -> None:
        """Record `(variable, new value)`."""
        variable, value = update
        self._values[id(variable)] = (variable, value)
        self._assigned[id(variable)] = variable

    def add_loss(self, loss: Tensor, owner: Any = None) -> None:
        """Record a loss that the layer `owner` added inside the block."""
        self.losses.append(loss)
        self.loss_owners.append(id(owner))

    def clear_losses(self) -> None:
        """Forget the losses that were recorded."""
        self.losses.clear()
        self.loss_owners.clear()

    @property
    def updates(self) -> list[tuple[Variable, Tensor]]:
        """Pairs `(variable, new value)` of what was assigned inside the block."""
        return [(v, self._values[i][1]) for i, v in self._assigned.items()]

    def __enter__(self) -> Self:
        self._outer = _stateless.get()
        self._token = _stateless.set(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        _stateless.reset(self._token)
        self._outer = None


class WatchedScope(StatelessScope):
    """A StatelessScope that tells `watch(variable)` of each read of a Variable."""

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]],
        watch: Callable[[Variable], None],
        collect_losses: bool = False,
    ):
        super().__init__(state_mapping, collect_losses)
        self._watch = watch

    def get_current_value(self, variable: Variable) -> Tensor:
        """Return the variable's value in this scope, or None if it has none."""
        value = super().get_current_value(variable)
        if value is not None:
            self._watch(variable)
        return value


def stateless_scope() -> StatelessScope | None:
    """Return the StatelessScope in force, or None."""
    return _stateless.get()


def in_stateless_scope() -> bool:
    """Whether a StatelessScope is in force."""
    return _stateless.get() is not None


def pure(
    fn: Callable[..., Any], variables: Iterable[Variable]
) -> Callable[..., tuple[Any, list[Tensor]]]:
    """Turn `fn`, which reads and assigns `variables`, into a function of their values.

    Returns `run(values, *args, **kwargs) -> (outputs, new_values)`, which touches no
    variable.
    """
    variables = list(variables)

    def run(values, *args, **kwargs):
        with StatelessScope(zip(variables, values, strict=True)) as scope:
            outputs = fn(*args, **kwargs)
        return outputs, [scope.get_current_value(v) for v in variables]

    return run


class _Setting:
    """A block in which a context variable has a value."""

    __slots__ = ("_token", "_value", "_variable")

    def __init__(self, variable, value):
        self._variable = variable
        self._value = value

    def __enter__(self):
        self._token = self._variable.set(self._value)
        return self._value

    def __exit__(self, *exception):
        self._variable.reset(self._token)


def autocast_scope(dtype: str | None) -> AbstractContextManager[Any]:
    """A block in which float variables that allow it read as `dtype` (None: as is)."""
    return _Setting(_autocast, dtype)


def autocast_dtype() -> str | None:
    """Return the dtype as which float variables read here, or None."""
    return _autocast.get()


def batch_mask_scope(mask: Tensor) -> AbstractContextManager[Any]:
    """A block that runs a padded batch; `mask` is 1 for each valid row, else 0."""
    return _Setting(_batch_mask, mask)


def batch_mask() -> Tensor:
    """Return the 0/1 vector of valid rows while a padded batch runs, else None."""
    return _batch_mask.get()


def worker_scope(worker: Any) -> AbstractContextManager[Any]:
    """A block whose program calls are scheduled as those of a Worker."""
    return _Setting(_worker, worker)


def worker() -> Any:
    """Return the Worker of a Scheduler that this thread is, or None."""
    return _worker.get()


def display_scope(display: Any) -> AbstractContextManager[Any]:
    """A block whose compilations `display.compiling()`, a context manager, shows."""
    return _Setting(_display, display)


def display() -> Any:
    """Return what shows compilations in this block, or None."""
    return _display.get()


def compiling() -> AbstractContextManager[Any]:
    """Return a block that compiles a program, shown where there is a display."""
    shown_by = _display.get()
    return contextlib.nullcontext() if shown_by is None else shown_by.compiling()


def roads_scope(roads: dict[str, None]) -> AbstractContextManager[Any]:
    """A block in which layers note in `roads` how they compute, of several ways."""
    return _Setting(_roads, roads)


def note_road(road: str) -> None:
    """Note how a layer computes, where that is asked for."""
    roads = _roads.get()
    if roads is not None:
        roads[road] = None


class SymbolicScope:
    """A block in which ops are only traced for shapes; what it computes is not kept."""

    def __enter__(self) -> Self:
        self._token = _symbolic.set(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        _symbolic.reset(self._token)


def in_symbolic_scope() -> bool:
    """Whether a SymbolicScope is in force."""
    return _symbolic.get() is not None


class name_scope:  # noqa: N801 - the API's name
    """A block whose name goes in front of the paths of variables made inside.

    >>> import hornbeam as keras
    >>> with keras.name_scope("encoder"):
    ...     print(keras.Variable(0.0, name="scale").path)
    encoder/scale
    """

    def __init__(
        self,
        name: str,
        caller: Any = None,
        deduplicate: bool = True,
        override_parent: str | None = None,
    ):
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "Argument `name` of name_scope must be a string without '/'. "
                f"Received: {name!r}"
            )
        self.name = name
        self.caller = caller
        self.deduplicate = deduplicate
        self.override_parent = override_parent

    def __enter__(self) -> Self:
        stack = _names.get()
        if self.override_parent is not None:
            stack = tuple((n, None) for n in self.override_parent.split("/") if n)
        repeated = self.deduplicate and self.caller is not None and stack
        if not (repeated and stack[-1][1] is self.caller):
            stack = (*stack, (self.name, self.caller))
        self._token = _names.set(stack)
        return self

    def __exit__(self, *exception: Any) -> None:
        _names.reset(self._token)


def current_path() -> str:
    """Return the names of the enclosing name scopes, joined by '/'."""
    return "/".join(name for name, _ in _names.get())


def is_naming(caller: Any) -> bool:
    """Whether a name scope of the object `caller` is in force."""
    return any(one is caller for _, one in _names.get())
