"""Misspelt arguments: the error names the one that was meant."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from hornbeam.core.errors import did_you_mean

_KEYWORDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Initialised:
    """A base that says so where a subclass forgot `super().__init__()`."""

    # An attribute that `__init__` sets.
    _set_by_init: str = ""

    if not TYPE_CHECKING:
        # A checker that saw it would let every misspelt attribute pass.
        def __getattr__(self, name):
            first = self._set_by_init
            if first and first not in vars(self) and not name.startswith("__"):
                cls = type(self).__name__
                raise AttributeError(
                    f"{cls!r} object has no attribute {name!r}: `{cls}.__init__()` "
                    "does not call `super().__init__()`, or not before anything else."
                )
            inherited = getattr(super(), "__getattr__", None)
            if inherited is not None:
                return inherited(name)
            # Where a property failed, its error is raised again.
            return object.__getattribute__(self, name)


class CheckedArguments(Initialised):
    """A base whose `__init__` is given no keyword that it does not take."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        check_keywords(cls, args, kwargs)
        return super().__new__(cls)


def check_keywords(cls: type, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise a TypeError with a suggestion if `__init__` cannot take these arguments.

    Args:
        cls: the class.
        args: the positional arguments.
        kwargs: the others.
    """
    if any(isinstance(x, str) for x in (*args, *kwargs.values())):
        _check_flags(cls.__name__, flags_of(cls), args, kwargs)
    if not kwargs:
        return
    count = len(args)
    known, required, takes_any = arguments_of(cls)
    unknown = [name for name in kwargs if name not in known]
    # What a `**kwargs` is for is not known, but required arguments are.
    missing = [name for name in required[count:] if name not in kwargs]
    if unknown and (missing or not takes_any):
        raise TypeError(_unexpected(f"{cls.__name__}.__init__", unknown[0], known))


def _check_flags(owner, flags, args, kwargs):
    """Raise if a string stands for a bool: "no" would count as True."""
    named = [*zip(flags, args, strict=False), *((k, kwargs.get(k)) for k in flags)]
    for name, value in named:
        if flags.get(name) and isinstance(value, str):
            raise TypeError(
                f"Invalid value for argument `{name}` of {owner}. Expected True or "
                f"False. Received: {name}={value!r}"
            )


@functools.lru_cache(maxsize=1024)
def flags_of(function: Any) -> dict[str, bool]:
    """Return `{parameter: whether it is a bool}` of a function, or a class, of ours."""
    made: Any = function.__init__ if isinstance(function, type) else function  # type: ignore[misc]
    if not getattr(made, "__module__", "").startswith(__name__.partition(".")[0]):
        return {}
    parameters = list(inspect.signature(made).parameters.values())
    if isinstance(function, type):
        parameters = parameters[1:]
    return {
        p.name: p.annotation in ("bool", "bool | None", bool)
        for p in parameters
        if p.kind in _KEYWORDS
    }


Function = TypeVar("Function", bound=Callable[..., Any])


def checks_keywords(function: Function) -> Function:
    """Decorate a function: a keyword that it does not take raises with a suggestion.

    So does a string in the place of a bool.
    """
    parameters = inspect.signature(function).parameters
    known = frozenset(parameters)
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        for name in kwargs:
            if name not in known and not takes_any:
                raise TypeError(_unexpected(function.__name__, name, known))
        if any(isinstance(value, str) for value in (*args, *kwargs.values())):
            _check_flags(function.__name__ + "()", flags_of(function), args, kwargs)
        return function(*args, **kwargs)

    return cast(Function, checked)


# Names of arguments before Keras 3.
_RENAMED = {"lr": "learning_rate", "nb_epoch": "epochs"}


def _unexpected(owner, name, known):
    known = sorted(set(known) - {"self"})
    hint = did_you_mean(name, known) or f" Expected: {', '.join(known) or 'none'}."
    if _RENAMED.get(name) in known:
        hint = f" Did you mean {_RENAMED[name]!r}?"
    return f"{owner}() got an unexpected keyword argument {name!r}.{hint}"


@functools.lru_cache(maxsize=1024)
def arguments_of(cls: Any) -> tuple[frozenset[str], tuple[str, ...], bool]:
    """Return all keywords that are known, the required ones, whether it takes any."""
    if cls.__init__ is object.__init__:
        return frozenset(), (), True
    known: dict[str, None] = {}
    required: tuple[str, ...] = ()
    takes_any = False
    inits = [vars(base)["__init__"] for base in cls.__mro__ if "__init__" in vars(base)]
    for init in inits:
        try:
            parameters = list(inspect.signature(init).parameters.values())[1:]
        except (TypeError, ValueError):
            return frozenset(known), (), True
        named = [p for p in parameters if p.kind in _KEYWORDS]
        known |= dict.fromkeys(p.name for p in named)
        if init is inits[0]:
            required = tuple(p.name for p in named if p.default is p.empty)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
        takes_any = True
    return frozenset(known), required, takes_any
