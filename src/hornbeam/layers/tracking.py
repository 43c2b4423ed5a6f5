"""The state that an object holds in its attributes."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hornbeam.core.random import SeedGenerator
from hornbeam.core.variable import Variable

if TYPE_CHECKING:
    from typing import Any


# Attributes that refer to other objects without owning them.
_NOT_OWNED = frozenset(
    {
        "_inbound_nodes",
        "_outbound_nodes",
        "_init_call",
        "_added_losses",
        "_added_weights",
        "_nodes",
        "_operations",
        "_steps",
        "_functional",
        "_bindings",
        "_compile_arguments",
        "_compile_metrics",
        "_frozen",
        "_runners",
        "history",
        "_compile_loss",
        "_loss_tracker",
        "optimizer",
        "_rnn_states",
    }
)
_MOST_CLASSES = 4096
_CONTAINERS = (list, tuple, dict, set)


class _Looked(dict):
    """For each class, whether its objects are of `kinds` or may contain such."""

    def __init__(self, kinds):
        self.kinds = kinds

    def __missing__(self, cls):
        if len(self) >= _MOST_CLASSES:
            self.clear()
        self[cls] = issubclass(cls, _CONTAINERS + self.kinds)
        return self[cls]


@functools.cache
def _looked(kinds):
    return _Looked(kinds)


def owned(instance: object, kinds: tuple[type, ...]) -> list[Any]:
    """Return the objects of the classes `kinds` in the attributes of `instance`.

    Lists, tuples, dicts and sets are looked into; each object is returned once.
    """
    looked = _looked(kinds)
    objects: dict[int, Any] = {}
    containers: set[int] = set()
    for name, value in vars(instance).items():
        if looked[type(value)] and name not in _NOT_OWNED:
            _collect(value, looked, objects, containers)
    return list(objects.values())


def _collect(value, looked, objects, containers):
    if isinstance(value, looked.kinds):
        objects.setdefault(id(value), value)
    elif id(value) not in containers:
        # A list may hold itself.
        containers.add(id(value))
        for item in value.values() if isinstance(value, dict) else value:
            if looked[type(item)]:
                _collect(item, looked, objects, containers)


def owned_variables(instance: object) -> list[Variable]:
    """Return the Variables in the attributes."""
    return owned(instance, (Variable,))


def owned_seeds(instance: object) -> list[SeedGenerator]:
    """Return the SeedGenerators in the attributes."""
    return owned(instance, (SeedGenerator,))
