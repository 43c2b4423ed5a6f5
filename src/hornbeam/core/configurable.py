"""Config from the signature, and the `get` functions of the families."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any, Self

from hornbeam.core import allowlist, registry
from hornbeam.core.arguments import CheckedArguments
from hornbeam.core.budget import BoundedConfig
from hornbeam.core.errors import did_you_mean
from hornbeam.core.serialization import (
    deserialize_keras_object,
    serialize_keras_object,
)
from hornbeam.typing import Config

__all__ = [
    "Configurable",
    "getter",
    "init_arguments",
    "named",
    "parameters_of",
    "serialize_argument",
    "signature",
]

_KINDS_WITHOUT_NAME = (
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
)
_PLAIN = (bool, int, float, str, type(None))


@functools.lru_cache(maxsize=1024)
def signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function of a class."""
    return inspect.signature(function)


def parameters_of(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    """Return the parameters of a function; those of a method are read once."""
    method = getattr(function, "__func__", None)
    if method is None:
        return tuple(inspect.signature(function).parameters.values())
    return _parameters_of_method(method)


@functools.lru_cache(maxsize=1024)
def _parameters_of_method(method):
    bound = types.MethodType(method, object())
    return tuple(inspect.signature(bound).parameters.values())


@functools.lru_cache(maxsize=1024)
def init_arguments(cls: type) -> tuple[str, ...]:
    """Return the names of the arguments of the class's `__init__`.

    Where `__init__` takes `**kwargs`, those of the base classes' count too.
    """
    names = []
    for base in cls.__mro__:
        init = vars(base).get("__init__")
        if init is None:
            continue
        parameters = list(inspect.signature(init).parameters.values())[1:]
        names += [
            p.name
            for p in parameters
            if p.kind not in _KINDS_WITHOUT_NAME and p.name not in names
        ]
        if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
            break
    return tuple(names)


@functools.lru_cache(maxsize=1024)
def config_class(cls: type) -> type:
    """Return the class whose `__init__` arguments make the config of a `cls`.

    A user's own `get_config` adds its arguments to those of the library's class that
    it gets from `super().get_config()`.
    """
    owner = next(base for base in cls.__mro__ if "get_config" in vars(base))
    if _is_ours(owner):
        return cls
    return next(base for base in cls.__mro__ if _is_ours(base))


def _is_ours(cls):
    return cls.__module__.partition(".")[0] == "hornbeam"


class Configurable(CheckedArguments, BoundedConfig):
    """A base whose config is read from the signature of `__init__`.

    Each argument is kept as the attribute of the same name.
    """

    def get_config(self) -> Config:
        """Return the arguments that make an equal object, as plain data."""
        cls: type = type(self)
        return {
            name: serialize_argument(getattr(self, name))
            for name in init_arguments(config_class(cls))
            if hasattr(self, name)
        }

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make an object from what `get_config` returned."""
        return cls(**{k: deserialize_argument(v) for k, v in config.items()})


def serialize_argument(value: Any) -> Any:
    """Return a config value: plain data as it is, objects serialised.

    Functions of `keras.activations` are written as their name.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list | tuple):
        return type(value)(serialize_argument(v) for v in value)
    if isinstance(value, dict):
        return {k: serialize_argument(v) for k, v in value.items()}
    if inspect.isfunction(value):
        name = value.__name__
        if allowlist.builtin_activation(name) is value:
            return name
    return serialize_keras_object(value)


def deserialize_argument(value: Any) -> Any:
    """Return an argument of `__init__`: configs become objects, the rest stays."""
    if isinstance(value, dict) and "class_name" in value and "config" in value:
        return deserialize_keras_object(value)
    return value


def getter(
    family: str, table: Callable[[], dict[str, Any]], base: type | None = None
) -> Callable[[Any], Any]:
    """Return the `get(identifier)` function of a family such as "loss".

    `table()` gives `{name: class or function}` of the family.
    """

    table = functools.cache(table)

    def get(identifier):
        if identifier is None:
            return None
        if isinstance(identifier, dict):
            identifier = deserialize_keras_object(identifier)
        if isinstance(identifier, str):
            identifier = named(family, identifier, table())
        if inspect.isclass(identifier):
            return identifier()
        if callable(identifier) or (base is not None and isinstance(identifier, base)):
            return identifier
        raise ValueError(
            f"Could not interpret the {family} {identifier!r}. Expected a name, a "
            "config, a class, an instance or a callable."
        )

    get.__doc__ = f"Return the {family} that `identifier` stands for."
    return get


def named(family: str, name: str, table: Mapping[str, Any]) -> Any:
    """Return what a name of a family such as "loss" stands for, or raise."""
    for known in (registry.scoped_objects(), table, registry.get_custom_objects()):
        if name in known:
            return known[name]
    raise ValueError(f"Unknown {family}: {name!r}.{did_you_mean(name, table)}")
