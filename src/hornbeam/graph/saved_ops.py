"""Ops in configs: the operation of each class name that stands for an op."""

from __future__ import annotations

import functools
from typing import Any

from hornbeam.core import allowlist
from hornbeam.core.configurable import deserialize_argument
from hornbeam.core.errors import UnknownObjectError, did_you_mean
from hornbeam.graph import op_format
from hornbeam.graph.operation import OpOperation


@functools.cache
def _places():
    """Return `{class name: (namespace, op name)}` of the public ops."""
    places: dict[str, tuple[str, str]] = {}
    for space in ("ops", "ops.image"):
        for name in allowlist.public_names(space):
            places.setdefault(op_format.class_name(name), (space, name))
    return places


def operation_of_class_name(module: str, name: str) -> Any:
    """Return what makes the operation of a saved op: it has a `from_config`."""
    places = _places()
    if name not in places:
        raise UnknownObjectError(
            f"A config names the op {name!r} of {module!r}, which is not known."
            f"{did_you_mean(name, places)}"
        )
    return _SavedOp(allowlist.resolve(*places[name]))


class _SavedOp:
    """Stands for the class of an op while a config is read."""

    def __init__(self, op):
        self.op = op
        self.__name__ = op_format.class_name(op.name)

    def from_config(self, config):
        """Return the operation of the op with the arguments in `config`."""
        arguments = {k: deserialize_argument(v) for k, v in config.items()}
        return OpOperation(self.op, name=arguments.pop("name", None), **arguments)
