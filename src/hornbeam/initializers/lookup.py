"""Initializers by name and as configs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hornbeam import initializers, ops
from hornbeam.core import configurable, serialization
from hornbeam.core.lazy import names_of
from hornbeam.core.variable import standardize_shape
from hornbeam.initializers.initializer import Initializer
from hornbeam.typing import Config, InitializerLike

# Names of older Keras versions.
_OLD_NAMES = {
    "uniform": "random_uniform",
    "normal": "random_normal",
    "one": "ones",
    "zero": "zeros",
}


def _table():
    names = set(names_of(initializers.__name__)) - {"get", "serialize", "deserialize"}
    table = {name: getattr(initializers, name) for name in sorted(names)}
    return table | {old: table[new] for old, new in _OLD_NAMES.items()}


_get = configurable.getter("initializer", _table, Initializer)


def get(identifier: InitializerLike) -> Any:
    """Return the initializer for a name, config, class or value.

    Args:
        identifier: None, a name, a config, a class, an initializer, a callable
            `(shape, dtype)`, or a tensor: the value itself.

    >>> import hornbeam as keras
    >>> keras.initializers.get("he_normal").get_config()
    {'seed': None, 'input_axes': None, 'output_axes': None}
    """
    if hasattr(identifier, "shape") and hasattr(identifier, "dtype"):
        return _Value(identifier)
    return _get(identifier)


def serialize(initializer: Initializer | Callable[..., Any]) -> Config:
    """Return the config of an initializer."""
    return serialization.serialize_keras_object(initializer)


def deserialize(
    config: str | Config, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Return the initializer of a config."""
    if isinstance(config, str):
        return get(config)
    return serialization.deserialize_keras_object(config, custom_objects=custom_objects)


class _Value:
    """An initializer that returns a tensor."""

    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None):
        expected = tuple(self.value.shape)
        if standardize_shape(shape) != expected:
            raise ValueError(
                f"Expected `shape` to be {expected}, the shape of the tensor that "
                f"serves as the initializer. Received: shape={shape}"
            )
        return ops.convert_to_tensor(self.value, dtype=dtype)
