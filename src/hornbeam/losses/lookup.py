"""Losses by name and as configs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, overload

from hornbeam import losses
from hornbeam.core import configurable, registry, serialization
from hornbeam.core.lazy import names_of
from hornbeam.losses.loss import Loss
from hornbeam.typing import Config, CustomObjects

ALIASES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
}


@functools.cache
def _table():
    names = set(names_of("hornbeam.losses")) - {"get", "serialize", "deserialize"}
    table = {name: getattr(losses, name) for name in sorted(names)}
    for alias, name in ALIASES.items():
        table[alias] = table[alias.upper()] = table[name]
    return table


_get = configurable.getter("loss", _table, Loss)

F = TypeVar("F", bound=Callable[..., Any])


@overload
def get(identifier: None) -> None: ...
@overload
def get(identifier: type[Loss]) -> Loss: ...
@overload
def get(identifier: F) -> F: ...
@overload
def get(identifier: str | Config) -> Any: ...
def get(identifier: Any) -> Any:
    """Return the loss that `identifier` stands for.

    Args:
        identifier: None, a name such as "mse" or "MeanSquaredError", a config, a
            class, a loss or a function `(y_true, y_pred)`.

    >>> import hornbeam as keras
    >>> keras.losses.get("mse").__name__
    'mean_squared_error'
    """
    return _get(identifier)


def check_name(name: str) -> None:
    """Raise unless there is a loss of that name."""
    configurable.named("loss", name, _table())


def serialize(loss: Any) -> Config | str:
    """Return the config of a loss."""
    return serialization.serialize_keras_object(loss)


def deserialize(name: Config | str, custom_objects: CustomObjects = None) -> Any:
    """Make a loss from the config that `serialize` returned, or from a name."""
    if isinstance(name, str):
        with registry.scope_of(custom_objects):
            return get(name)
    return serialization.deserialize_keras_object(name, custom_objects=custom_objects)
