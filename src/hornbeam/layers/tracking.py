"""Finding the state that an object holds in its attributes."""

from hornbeam.core.random import SeedGenerator
from hornbeam.core.variable import Variable

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
_CONTAINERS = (list, tuple, dict, set)
# Most attributes are such; they are told at once.
_PLAIN = frozenset({type(None), bool, int, float, str})


def owned(instance, kinds):
    """Return the objects of the classes `kinds` in the attributes of `instance`.

    Lists, tuples, dicts and sets are looked into; each object is found once.
    """
    found, containers = {}, set()
    wanted = _CONTAINERS + kinds
    for name, value in vars(instance).items():
        if type(value) in _PLAIN or name in _NOT_OWNED:
            continue
        if isinstance(value, wanted):
            _collect(value, kinds, found, containers)
    return list(found.values())


def _collect(value, kinds, found, containers):
    if isinstance(value, kinds):
        found.setdefault(id(value), value)
    elif isinstance(value, _CONTAINERS) and id(value) not in containers:
        # A list may hold itself.
        containers.add(id(value))
        for item in value.values() if isinstance(value, dict) else value:
            _collect(item, kinds, found, containers)


def owned_variables(instance):
    """Return the Variables in the attributes."""
    return owned(instance, (Variable,))


def owned_seeds(instance):
    """Return the SeedGenerators in the attributes."""
    return owned(instance, (SeedGenerator,))
