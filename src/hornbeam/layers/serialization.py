"""Layers to configs and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.layers.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from hornbeam.layers.layer import Layer
    from hornbeam.typing import Config


def serialize(layer: Layer) -> Config:
    """Return the config of a layer, as plain data.

    >>> import hornbeam as keras
    >>> keras.layers.serialize(keras.layers.Dense(3))["class_name"]
    'Dense'
    """
    return serialize_keras_object(layer)


def deserialize(config: Config, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the layer that a config describes.

    Args:
        config: what `serialize` returned.
        custom_objects: dict of names and classes or functions of the caller's.
    """
    layer = deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(layer, Layer):
        raise ValueError(
            "`keras.layers.deserialize` expects the config of a layer. Received: the "
            f"config of {layer!r}."
        )
    return layer
