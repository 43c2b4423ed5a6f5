"""Schedules from configs, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hornbeam.core.lazy import names_of
from hornbeam.core.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.optimizers import schedules
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.typing import Config, CustomObjects


def serialize(learning_rate_schedule: LearningRateSchedule) -> Config:
    """Return the config from which `deserialize` makes an equal schedule."""
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: Config, custom_objects: CustomObjects = None) -> Any:
    """Make the schedule that a config of `serialize` describes."""
    table = {
        name: getattr(schedules, name)
        for name in names_of("hornbeam.optimizers.schedules")
        if name[0].isupper()
    }
    return deserialize_keras_object(
        completed(config, table, "keras.optimizers.schedules"),
        custom_objects=custom_objects,
    )


def completed(config: Config, table: Mapping[str, type], module: str) -> Config:
    """Write a short config, such as `{"class_name": "adam", ...}`, in full."""
    name = config.get("class_name") if isinstance(config, dict) else None
    cls = table.get(str(name)) or table.get(str(name).lower())
    if cls is None or config.get("registered_name"):
        return config
    return {
        "module": module,
        "registered_name": None,
        **config,
        "class_name": cls.__name__,
    }
