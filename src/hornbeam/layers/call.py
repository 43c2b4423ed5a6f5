"""The signature of a layer's `call`, and the context of the calls around it."""

from __future__ import annotations

import contextvars
import functools
import inspect
import reprlib
from typing import TYPE_CHECKING

from hornbeam import backends
from hornbeam.core import tree
from hornbeam.core.strings import ENCODE_STRINGS, holds_strings
from hornbeam.layers.values_needed import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from hornbeam.layers.layer import Layer


_current: contextvars.ContextVar[CallContext | None] = contextvars.ContextVar(
    "hornbeam_call_context", default=None
)


class CallInfo:
    """The signature of a layer's `call`, read once per class."""

    def __init__(self, call: Callable[..., Any]) -> None:
        parameter = inspect.Parameter
        named = (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        parameters = list(inspect.signature(call).parameters.values())
        if parameters and parameters[0].kind in named:
            # The layer itself, whatever its name.
            del parameters[0]
        self.names: list[str] = [p.name for p in parameters if p.kind in named]
        self.all_names: set[str] = {p.name for p in parameters}
        self.takes_any: bool = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.takes_varargs: bool = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.required: set[str] = {
            p.name
            for p in parameters
            if p.default is p.empty and p.kind in (*named, p.KEYWORD_ONLY)
        }
        self.defaults: dict[str, Any] = {
            p.name: None if p.default is p.empty else p.default for p in parameters
        }
        self.has_training: bool = "training" in self.defaults
        self.training_default: Any = self.defaults.get("training")
        self.mask_names: dict[str, str] = {
            name: f"{name}_mask"
            for name in self.names
            if f"{name}_mask" in self.defaults
        }
        if "mask" in self.defaults:
            self.mask_names[self.names[0]] = "mask"

    def takes(self, name: str) -> bool:
        """Whether `call` has an argument `name`, by name or as one of any."""
        return name in self.all_names or self.takes_any

    def is_positional(self, name: str, args: Sequence[Any]) -> bool:
        """Whether `name` is among the positional arguments `args`."""
        return name in self.names[: len(args)]

    def arguments(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the arguments of a call by name."""
        if len(args) > len(self.names):
            extra = {f"args_{i}": x for i, x in enumerate(args[len(self.names) :])}
            return {**dict(zip(self.names, args, strict=False)), **extra, **kwargs}
        return {**dict(zip(self.names, args, strict=False)), **kwargs}


@functools.lru_cache(maxsize=4096)
def call_info(call: Callable[..., Any]) -> CallInfo:
    """Return the CallInfo of a class's `call` function."""
    return CallInfo(call)


def check_positional(layer: Layer, args: Any) -> None:
    """Raise where numbers or strings of Python are among the positional arguments."""
    for x in tree.flatten(args):
        if isinstance(x, bool | int | float | complex | str | bytes):
            advice = f" {ENCODE_STRINGS}" if isinstance(x, str | bytes) else ""
            raise ValueError(
                "Only input tensors may be passed as positional arguments. Layer "
                f"{layer.path!r} received {x!r} (of type {type(x).__name__}): pass it "
                f"as a keyword argument, or as an array.{advice}"
            )


class CallContext:
    """The context of a call and of all calls inside it.

    `layer` is the one being called; `values` holds the context arguments of a layer's
    own beside `training`; `filled_in` names the arguments of a symbolic call that it
    has from there and not from its caller.
    """

    __slots__ = ("filled_in", "layer", "training", "values")

    def __init__(self, layer: Layer, training: Any, values: dict[str, Any]) -> None:
        self.layer: Any = layer
        self.training: Any = training
        self.values: Any = values
        self.filled_in: frozenset[str] = frozenset()


def say_where(error: BaseException, layer: Layer, arguments: Mapping[str, Any]) -> None:
    """Add to an error in which layer it arose, and of which inputs; once.

    The error keeps its type and the engine's message; the note is printed below the
    traceback.
    """
    explain(error)
    if getattr(error, "__notes__", None) and _WHERE in "".join(error.__notes__):
        return
    described = [f"{k}={_described(x)}" for k, x in arguments.items() if x is not None]
    error.add_note(
        f"{_WHERE}{layer.path!r} ({type(layer).__name__}, backend "
        f"{backends.default_name()!r}) with {', '.join(described) or 'no arguments'}"
    )
    if not layer.runs_on_host and any(map(holds_strings, arguments.values())):
        error.add_note(
            f"It received strings, and computes with numbers. {ENCODE_STRINGS}"
        )


_WHERE = "This happened in layer "
_SHOWN = 8  # of a nest


def _described(x):
    """Return shape and dtype of a tensor, or of those in a nest."""
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        dtype = getattr(x.dtype, "name", None) or str(x.dtype).rpartition(".")[2]
        return f"{str(tuple(x.shape)).replace(' ', '')} {dtype}"
    if isinstance(x, dict):
        return "{" + _listed([f"{k!r}: {_described(v)}" for k, v in x.items()]) + "}"
    if isinstance(x, list | tuple):
        return "[" + _listed([_described(v) for v in x]) + "]"
    return reprlib.repr(x)


def _listed(parts):
    return ", ".join(parts[:_SHOWN] + ["..."] * (len(parts) > _SHOWN))


def current_context() -> CallContext | None:
    """Return the CallContext in force, or None."""
    return _current.get()


def with_training(
    kwargs: dict[str, Any],
    args: Sequence[Any],
    outer: CallContext | None,
    info: CallInfo,
    mode: bool | None,
) -> tuple[dict[str, Any], Any]:
    """Return `kwargs` as `call` takes them, and what `training` is.

    What the caller gives comes first, then the calls around (`mode`, if there are
    none), then the default.
    """
    training = kwargs.get("training")
    if info.has_training:
        if training is None and info.is_positional("training", args):
            return kwargs, args[info.names.index("training")]
        if training is None:
            training = mode if outer is None else outer.training
            if training is None:
                training = info.training_default
            if training is not None:
                kwargs = {**kwargs, "training": training}
        return kwargs, training
    if "training" in kwargs and not info.takes_any:
        kwargs = {k: v for k, v in kwargs.items() if k != "training"}
    if training is None:
        training = mode if outer is None else outer.training
    return kwargs, training


def with_own_context_arguments(
    names: Sequence[str],
    kwargs: dict[str, Any],
    args: Sequence[Any],
    outer: CallContext | None,
    info: CallInfo,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Do what `with_training` does for the context arguments that a layer registered.

    Return `kwargs` and the values by name, those of the calls around included.
    """
    values = {} if outer is None else dict(outer.values)
    kwargs = dict(kwargs)
    for name in names:
        passed = kwargs.pop(name, None)
        if passed is not None:
            values[name] = passed
        if name in info.all_names and not info.is_positional(name, args):
            value = values.get(name)
            kwargs[name] = info.defaults[name] if value is None else value
    return kwargs, values
