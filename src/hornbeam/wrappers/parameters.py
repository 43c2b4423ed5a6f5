"""The parameters of an estimator: its own, the builder's, and routed ones.

A parameter is an attribute without an underscore at either end. `dropout_rate` and
`model__dropout_rate` are the same argument of the builder; `optimizer__learning_rate`
goes to the optimizer, `callbacks__0__patience` to the first callback, and so on.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, Self

from sklearn.base import BaseEstimator

from hornbeam.core.errors import did_you_mean

ROUTES = (
    "model",
    "optimizer",
    "loss",
    "metrics",
    "compile",
    "callbacks",
    "fit",
    "predict",
)
# Arguments that the estimator itself gives to a builder that takes them.
_GIVEN = ("meta", "compile_kwargs")


class Parameters(BaseEstimator):
    """`get_params` and `set_params` of an estimator around a builder of networks."""

    def _builder(self) -> Any:
        """Return the function or class that makes the network, or None."""
        raise NotImplementedError

    def _own_parameters(self):
        cls: Any = type(self)
        names = dict.fromkeys(_init_names(cls))
        names.update(dict.fromkeys(vars(self)))
        return [n for n in names if not (n.startswith("_") or n.endswith("_"))]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Args:
            deep: whether the builder's arguments that were not set are among them,
                with their defaults. Default: True.
        """
        parameters = {name: getattr(self, name) for name in self._own_parameters()}
        if deep:
            for name, default in builder_defaults(self._builder()).items():
                if name not in parameters and f"model__{name}" not in parameters:
                    parameters[name] = default
        return dict(sorted(parameters.items()))

    def set_params(self, **params: Any) -> Self:
        """Set parameters, all or none, and return the estimator.

        Args:
            **params: the estimator's parameters, arguments of the builder, and routed
                ones such as `optimizer__learning_rate`.
        """
        names = set(self._own_parameters())
        builder = self._builder_of(params)
        unknown = [n for n in params if not (n in names or _is_taken(n, builder))]
        if unknown:
            valid = sorted(names | set(builder_defaults(builder)))
            raise ValueError(
                f"Invalid parameter {unknown[0]!r} for estimator "
                f"{type(self).__name__}: {_says_of(builder)}. Valid parameters are: "
                f"{valid}.{_meant(unknown[0], valid, builder)}"
            )
        for name, value in params.items():
            setattr(self, name, value)
            other = _other_name(name)
            if other not in params and other not in self._get_param_names():
                self.__dict__.pop(other, None)
        return self

    def _builder_of(self, params):
        """Return the builder that the estimator has once `params` are set."""
        kept = {n: getattr(self, n) for n in ("model", "build_fn") if n in params}
        try:
            for name in kept:
                setattr(self, name, params[name])
            return self._builder()
        finally:
            for name, value in kept.items():
                setattr(self, name, value)

    def _routed(self, route):
        """Return the parameters `route__...`, without that prefix."""
        prefix = f"{route}__"
        return {
            name.removeprefix(prefix): value
            for name, value in vars(self).items()
            if name.startswith(prefix)
        }

    def _builder_arguments(self, on_demand):
        """Return the arguments for the builder.

        Args:
            on_demand: functions that return `meta` and `compile_kwargs`, called only
                for a builder that takes them.
        """
        builder = self._builder()
        accepted, takes_any = accepted_arguments(builder)
        cls: Any = type(self)
        of_estimator = _init_parameters(cls)
        arguments = {name: on_demand[name]() for name in _GIVEN if name in accepted}
        for name in self._own_parameters():
            value = getattr(self, name)
            route, routed, _ = name.partition("__")
            if routed and route not in ROUTES:
                raise _unknown_argument(self, name, builder, accepted)
            if routed:
                continue
            if name in of_estimator:
                if name in accepted and value is not None and name not in _MODELS:
                    arguments[name] = value
            elif name in accepted or takes_any:
                arguments[name] = value
            else:
                raise _unknown_argument(self, name, builder, accepted)
        routed = self._routed("model")
        for name in routed:
            if name not in accepted and not takes_any:
                raise _unknown_argument(self, f"model__{name}", builder, accepted)
        return arguments | routed


_MODELS = ("model", "build_fn")


def builder_defaults(builder: Any) -> dict[Any, Any]:
    """Return the builder's arguments that have a default, with it."""
    return {
        name: parameter.default
        for name, parameter in accepted_arguments(builder)[0].items()
        if parameter.default is not parameter.empty and name not in _GIVEN
    }


@functools.lru_cache(maxsize=256)
def _init_names(cls):
    return tuple(cls._get_param_names())


def accepted_arguments(function: Any) -> Any:
    """Return a function's parameters by name, and whether it takes any keyword.

    Args:
        function: a function or class, or None, which takes none.
    """
    if function is None:
        return {}, False
    parameters = inspect.signature(function).parameters.values()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
    return {p.name: p for p in parameters if p.kind in named}, takes_any


def _is_taken(name, builder):
    accepted, takes_any = accepted_arguments(builder)
    route, _, rest = name.partition("__")
    if rest and route != "model":
        return route in ROUTES
    return takes_any or (rest or name) in accepted


def _other_name(name):
    if name.startswith("model__"):
        return name.removeprefix("model__")
    return f"model__{name}"


@functools.lru_cache(maxsize=256)
def _init_parameters(cls):
    """Return the names of `__init__`'s arguments in the class and all its bases."""
    names: set[str] = set()
    for base in cls.__mro__:
        init = vars(base).get("__init__")
        if init is not None and base is not object:
            names.update(inspect.signature(init).parameters)
    return names


def _says_of(builder):
    if builder is None:
        return (
            "it has no function that makes its network, of which this could be an "
            "argument. Give one: `model=create_model`, not `model=create_model()`"
        )
    return f"the builder {_name_of(builder)} has no such argument either"


def _meant(name, valid, builder):
    route, routed, argument = name.partition("__")
    if route == "model" and routed:
        hint = did_you_mean(argument, builder_defaults(builder))
        return hint.replace("'", "'model__", 1)
    return did_you_mean(route, ROUTES if routed else valid)


def _name_of(builder):
    return getattr(builder, "__name__", None) or type(builder).__name__


def _unknown_argument(estimator, name, builder, accepted):
    route, routed, argument = name.partition("__")
    if not routed:
        cls: Any = type(estimator)
        hint = did_you_mean(name, set(accepted) | _init_parameters(cls))
    elif route in ROUTES:
        hint = did_you_mean(argument, accepted)
    else:
        hint = did_you_mean(route, ROUTES)
    return ValueError(
        f"{type(estimator).__name__} was given {name!r}, which is neither a parameter "
        f"of the estimator nor an argument of the builder {_name_of(builder)}. Its "
        f"arguments: {sorted(accepted)}.{hint}"
    )
