"""Configs in the form of Keras 2: class name and arguments, and no module."""

from __future__ import annotations

from typing import Any

from hornbeam.core import registry
from hornbeam.core import serialization as current
from hornbeam.core.errors import UnknownObjectError, did_you_mean
from hornbeam.typing import Config, CustomObjects

__all__ = ["deserialize_keras_object", "serialize_keras_object"]


def serialize_keras_object(instance: Any) -> Config | str | None:
    """Return the config of an object in the form of Keras 2; of a function its name.

    Args:
        instance: an object with `get_config()`, a function or class, or None.

    >>> import hornbeam as keras
    >>> keras.legacy.saving.serialize_keras_object(keras.regularizers.L2(0.5))
    {'class_name': 'L2', 'config': {'l2': 0.5}}
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config") and not isinstance(instance, type):
        config = current.serialize_keras_object(instance.get_config())
        return {
            "class_name": registry.get_registered_name(type(instance)),
            "config": config,
        }
    if hasattr(instance, "__name__"):
        return registry.get_registered_name(instance)
    raise ValueError(
        f"Cannot serialize {instance!r} because it doesn't implement `get_config()`."
    )


def deserialize_keras_object(
    identifier: Any,
    module_objects: CustomObjects = None,
    custom_objects: CustomObjects = None,
    printable_module_name: str = "object",
) -> Any:
    """Make the object that a config in the form of Keras 2 describes.

    Args:
        identifier: a config, the name of a function or class, a function, or None.
        module_objects: `{name: class or function}`: where names are looked up, after
            `custom_objects` and what is registered.
        custom_objects: `{name: class or function}` that are looked up first.
        printable_module_name: what errors call the object.

    >>> import hornbeam as keras
    >>> config = {"class_name": "L2", "config": {"l2": 0.5}}
    >>> objects = {"L2": keras.regularizers.L2}
    >>> float(keras.legacy.saving.deserialize_keras_object(config, objects).l2)
    0.5
    """
    if identifier is None or (callable(identifier) and not isinstance(identifier, str)):
        return identifier
    if isinstance(identifier, str):
        found = _find(identifier, module_objects, custom_objects, printable_module_name)
        return found() if isinstance(found, type) else found
    if isinstance(identifier, dict) and {"class_name", "config"} <= set(identifier):
        name = identifier["class_name"]
        cls = _find(name, module_objects, custom_objects, printable_module_name)
        with registry.scope_of({**(custom_objects or {}), name: cls}):
            return current.deserialize_keras_object(identifier)
    raise ValueError(
        f"Improper config format for {printable_module_name}: expected a dict with "
        f"'class_name' and 'config', or a name. Received: {identifier!r}"
    )


def _find(name, module_objects, custom_objects, kind):
    found = registry.get_registered_object(name, custom_objects, module_objects)
    if found is None:
        names = [*(custom_objects or ()), *(module_objects or ())]
        raise UnknownObjectError(
            f"Unknown {kind}: {str(name)[:200]!r}. Pass it as `custom_objects={{name: "
            f"class or function}}`.{did_you_mean(name, names)}"
        )
    return found
