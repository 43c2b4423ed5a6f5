"""Classes and functions that users make known to saved files."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Self, TypeVar

from hornbeam.core.errors import UnsafeFileError, shown
from hornbeam.typing import CustomObjects

T = TypeVar("T")

# Written by `register_keras_serializable` and, as in Keras, by users themselves
# through `get_custom_objects()`.
_objects: dict[str, Any] = {}
_names: dict[Any, str] = {}
_scope: ContextVar[Any] = ContextVar("custom_objects", default=None)


class CustomObjectScope:
    """Make custom classes and functions known by name inside a `with` block.

    Args:
        custom_objects: `{name: class or function}`.

    >>> import hornbeam as keras
    >>> def triple(x):
    ...     return 3 * x
    >>> with keras.saving.CustomObjectScope({"triple": triple}):
    ...     keras.saving.get_registered_object("triple") is triple
    True
    """

    def __init__(self, custom_objects: CustomObjects):
        check_custom_objects(custom_objects)
        self.custom_objects: dict[str, Any] = dict(custom_objects or {})
        self._tokens: list[Any] = []

    def __enter__(self) -> Self:
        known = {**scoped_objects(), **self.custom_objects}
        self._tokens.append(_scope.set(known))
        return self

    def __exit__(self, *exception: Any) -> None:
        _scope.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope


def scoped_objects() -> dict[str, Any]:
    """Return what the scopes around make known, the innermost first."""
    return _scope.get() or {}


def check_custom_objects(value: Any) -> None:
    """Raise a `TypeError` if it is no `{name: class or function}`."""
    if value and not isinstance(value, Mapping):
        raise TypeError(
            "Argument `custom_objects` must be a dict `{name: class or function}`. "
            f"Received: custom_objects={shown(value)}"
        )


@contextlib.contextmanager
def scope_of(custom_objects: CustomObjects) -> Iterator[None]:
    """Enter a `CustomObjectScope`, unless there is nothing to make known."""
    if not custom_objects:
        yield
        return
    with CustomObjectScope(custom_objects):
        yield


def get_custom_objects() -> dict[str, Any]:
    """Return the dict of registered classes and functions; it can be written to.

    What is in it cannot take the place of the library's own classes.
    """
    return _objects


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Register a class or function, so that saved files can name it.

    Args:
        package: the first part of the registered name. Default: "Custom".
        name: the second part. Default: the name of the class or function.

    >>> import hornbeam as keras
    >>> @keras.saving.register_keras_serializable(package="shapes")
    ... class Circle(keras.Layer):
    ...     pass
    >>> keras.saving.get_registered_name(Circle)
    'shapes>Circle'
    """

    def decorate(target):
        own_name = name or target.__name__
        if inspect.isclass(target) and not hasattr(target, "get_config"):
            raise ValueError(
                "Cannot register a class that does not have a get_config() method: "
                f"{target.__name__}. Write one that returns the arguments of "
                "`__init__`, so that files can hold objects of the class."
            )
        registered_name = f"{package}>{own_name}"
        _objects[registered_name] = target
        _names[target] = registered_name
        return target

    return decorate


def get_registered_name(obj: Any) -> str:
    """Return the registered name of a class or function, else its own name.

    >>> import hornbeam as keras
    >>> keras.saving.get_registered_name(keras.layers.Dense)
    'Dense'
    """
    try:
        return _names[obj]
    except (KeyError, TypeError):
        return obj.__name__


def is_registered(obj: Any) -> bool:
    """Whether the class or function was registered."""
    try:
        return obj in _names
    except TypeError:
        return False


def get_registered_object(
    name: Any,
    custom_objects: CustomObjects = None,
    module_objects: CustomObjects = None,
) -> Any:
    """Return the class or function registered as `name`, or None.

    Args:
        name: a registered name such as "package>Name", or a plain name.
        custom_objects: looked into after the `CustomObjectScope`s around.
        module_objects: looked into last.

    >>> import hornbeam as keras
    >>> keras.saving.get_registered_object("not registered") is None
    True
    """
    if not isinstance(name, str):
        return None
    for table in (scoped_objects(), custom_objects, _objects, module_objects):
        if table and name in table:
            return table[name]
    return None


def registered_by_short_name(name: str) -> Any:
    """Return what was registered as `name` in whichever one package, or None."""
    matches = [o for key, o in _objects.items() if key.rpartition(">")[2] == name]
    if len({id(o) for o in matches}) > 1:
        raise UnsafeFileError(
            f"Several packages registered {name!r}: "
            f"{[k for k in _objects if k.rpartition('>')[2] == name]}. Pass the one "
            f"that is meant as `custom_objects={{{name!r}: ...}}`."
        )
    return matches[0] if matches else None
