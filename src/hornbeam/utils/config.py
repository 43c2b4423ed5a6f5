"""`Config`: settings by name, as attributes and as items."""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from hornbeam.core.errors import did_you_mean


class Config:
    """A dict whose items are attributes too, and that can be frozen.

    Args:
        **kwargs: the settings.

    >>> import hornbeam as keras
    >>> config = keras.utils.Config(units=16, rate=0.1)
    >>> config.units = 32
    >>> config["units"], config.to_json()
    (32, '{"units": 32, "rate": 0.1}')
    """

    __slots__ = ("_frozen", "_settings")

    def __init__(self, **kwargs: Any):
        object.__setattr__(self, "_frozen", False)
        object.__setattr__(self, "_settings", dict(kwargs))

    @property
    def frozen(self) -> bool:
        """Whether the settings are fixed."""
        return self._frozen

    def freeze(self) -> None:
        """Fix the settings: changing one is an error."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Allow changes of the settings again."""
        object.__setattr__(self, "_frozen", False)

    def _changeable(self):
        if self._frozen:
            raise ValueError("The config is frozen. Call `unfreeze()` to change it.")
        return self._settings

    def __getattr__(self, name: str) -> Any:
        try:
            return self._settings[name]
        except KeyError:
            raise AttributeError(
                f"The config has no setting {name!r}."
                f"{did_you_mean(name, self._settings)}"
            ) from None

    def __getitem__(self, name: str) -> Any:
        return self._settings[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._changeable()[name] = value

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delitem__(self, name: str) -> None:
        del self._changeable()[name]

    def __delattr__(self, name: str) -> None:
        if name not in self._changeable():
            self.__getattr__(name)
        del self._settings[name]

    def __contains__(self, name: object) -> bool:
        return name in self._settings

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings)

    def __len__(self) -> int:
        return len(self._settings)

    def __repr__(self) -> str:
        return f"<Config {self._settings}>"

    def __getstate__(self) -> tuple[bool, dict[str, Any]]:
        return self._frozen, self._settings

    def __setstate__(self, state: tuple[bool, dict[str, Any]]) -> None:
        object.__setattr__(self, "_frozen", state[0])
        object.__setattr__(self, "_settings", state[1])

    def get(self, keyname: str, value: Any = None) -> Any:
        """Return the setting `keyname`, or `value` if there is none."""
        return self._settings.get(keyname, value)

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._settings.keys()

    def values(self) -> ValuesView[Any]:
        """Return the values."""
        return self._settings.values()

    def items(self) -> ItemsView[str, Any]:
        """Return `(name, value)` pairs."""
        return self._settings.items()

    def pop(self, *args: Any) -> Any:
        """Remove a setting and return it: `pop(name)` or `pop(name, default)`."""
        return self._changeable().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Update from a dict or a config, and from keyword arguments."""
        self._changeable().update(*args, **kwargs)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as a new dict."""
        return dict(self._settings)

    def to_json(self) -> str:
        """Return the settings as JSON text."""
        return json.dumps(self._settings)
