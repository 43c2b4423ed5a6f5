"""LiveConfig: a config that knows the class or function which it names.

In one process a copy of a layer needs no name by which a file could find its function.
What a file or a JSON string gives is plain dicts, and nothing turns those into a
LiveConfig: only the serialisation of an object or function that is there makes one. So
nothing that comes from outside can bring a class or function with it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any


class LiveConfig(dict[str, Any]):
    """The config of an object or function of the user's, made in this process.

    It reads, compares and is written like the dict that it is; its pickles are plain.

    Args:
        config: the config.
        target: the class of the object, or the function.
    """

    def __init__(self, config: Mapping[str, Any], target: Any):
        super().__init__(config)
        self._target = target
        self._header = self._names()

    def _names(self):
        inner = self.get("config")
        # An object's arguments may be changed, the name of a function may not.
        kind = self.get("class_name")
        name = inner if kind in _NAMED_BY_CONFIG else None
        return [kind, self.get("module"), self.get("registered_name"), name]

    @property
    def target(self) -> Any:
        """The class or function; None if the config was changed to name another."""
        return self._target if self._names() == self._header else None

    def copy(self) -> LiveConfig:
        """Return a copy that knows the same."""
        return LiveConfig(self, self._target)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> LiveConfig:
        return LiveConfig(copy.deepcopy(dict(self), memo), self._target)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


_NAMED_BY_CONFIG = ("function", "type", "__lambda__")


def target_of(config: Any) -> Any:
    """Return the class or function that a config knows, or None."""
    return config.target if isinstance(config, LiveConfig) else None
