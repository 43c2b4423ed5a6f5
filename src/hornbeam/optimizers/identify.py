"""Optimizers from names and configs, and back."""

from __future__ import annotations

from typing import Any, overload

from hornbeam import optimizers
from hornbeam.core.configurable import getter
from hornbeam.core.lazy import names_of
from hornbeam.core.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.optimizers.optimizer import Optimizer
from hornbeam.optimizers.schedules.identify import completed
from hornbeam.typing import Config, CustomObjects, OptimizerLike


def _table():
    """Return the optimizers by class name and by class name in lower case."""
    classes = {
        name: getattr(optimizers, name)
        for name in names_of("hornbeam.optimizers")
        if name[0].isupper() and name not in ("Optimizer", "OptimizerMap")
    }
    return {**classes, **{name.lower(): cls for name, cls in classes.items()}}


_get = getter("optimizer", _table, base=Optimizer)


@overload
def get(identifier: None) -> None: ...
@overload
def get(identifier: OptimizerLike) -> Optimizer: ...
def get(identifier: OptimizerLike | None) -> Optimizer | None:
    """Return the optimizer that a name, a config or an optimizer stands for.

    Args:
        identifier: a name such as "adam" or "AdamW", a config dict, an optimizer, an
            optimizer class, or None.

    >>> import hornbeam as keras
    >>> keras.optimizers.get("adam").beta_1
    0.9
    """
    optimizer: Any
    if isinstance(identifier, dict):
        optimizer = deserialize(identifier)
    else:
        if isinstance(identifier, str) and identifier.lower() in _table():
            identifier = identifier.lower()
        optimizer = _get(identifier)
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise ValueError(
            f"Could not interpret optimizer identifier: {identifier!r}. Expected a "
            "name, a config with a `class_name`, or an optimizer."
        )
    return optimizer


def serialize(optimizer: Any) -> Config:
    """Return the config from which `deserialize` makes an equal optimizer."""
    return serialize_keras_object(optimizer)


def deserialize(config: Config, custom_objects: CustomObjects = None) -> Any:
    """Make the optimizer that a config of `serialize` describes."""
    return deserialize_keras_object(
        completed(config, _table(), "keras.optimizers"), custom_objects=custom_objects
    )
