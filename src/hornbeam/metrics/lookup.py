"""Metrics by name and as configs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

from hornbeam import metrics
from hornbeam.core import configurable, registry, serialization
from hornbeam.core.lazy import names_of
from hornbeam.core.naming import to_snake_case
from hornbeam.losses.lookup import ALIASES
from hornbeam.metrics.metric import Metric
from hornbeam.typing import Config, CustomObjects

_MORE_ALIASES = {"logcosh": "log_cosh_error", "rmse": "root_mean_squared_error"}


@functools.cache
def _table():
    table = {}
    for name in names_of("hornbeam.metrics"):
        value = getattr(metrics, name)
        if inspect.isclass(value):
            table[name] = table[to_snake_case(name)] = value
    for alias, name in ALIASES.items():
        table[alias] = table[alias.upper()] = table[name]
    for alias, name in _MORE_ALIASES.items():
        table[alias] = table[name]
    return table


_get = configurable.getter("metric", _table, Metric)

F = TypeVar("F", bound=Callable[..., Any])


@overload
def get(identifier: None) -> None: ...
@overload
def get(identifier: type[Metric]) -> Metric: ...
@overload
def get(identifier: F) -> F: ...
@overload
def get(identifier: str | Config) -> Any: ...
def get(identifier: Any) -> Any:
    """Return the metric that `identifier` stands for.

    Args:
        identifier: None, a name such as "mse" or "AUC", a config, a class, a metric or
            a function `(y_true, y_pred)`.

    >>> import hornbeam as keras
    >>> keras.metrics.get("mse")
    <MeanSquaredError name=mean_squared_error>
    """
    return _get(identifier)


def check_name(name: str) -> None:
    """Raise unless there is a metric of that name."""
    configurable.named("metric", name, _table())


def serialize(metric: Any) -> Config | str:
    """Return the config of a metric."""
    return serialization.serialize_keras_object(metric)


def deserialize(config: Config | str, custom_objects: CustomObjects = None) -> Any:
    """Make a metric from the config that `serialize` returned, or from a name."""
    if isinstance(config, str):
        with registry.scope_of(custom_objects):
            return get(config)
    return serialization.deserialize_keras_object(config, custom_objects=custom_objects)
