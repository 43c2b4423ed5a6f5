"""Modules of the engine's own library. Optional: an engine may have none of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def is_module(x: Any) -> bool:
    """Whether `x` is a module of the engine's library."""


class LayerModule:
    """A base for layers that makes them modules of the library.

    It asks a layer for `_module_variables()` and `_module_children()`, by name, and
    keeps in `_mode` what `training` is in calls that do not say it.
    """


def module_tensors(module: Any) -> list[tuple[str, Any, bool]]:
    """The name of each tensor of a module, the tensor, and whether it is trained."""


def call_module(module, values, training, args, kwargs):
    """Call a module; `values` by name stand in for its own tensors, if any."""


def nest_leaves(nest: Any) -> tuple[list[Any], Any]:
    """The leaves of a nest of any class that the library knows, and its structure."""


def nest_of(structure: Any, leaves: Sequence[Any]) -> Any:
    """The nest of that structure with those leaves."""


def random_key(words: Any) -> Any:
    """A key of the library's own random functions, from the key of a draw of ours."""


def split_key(key: Any) -> Any:
    """Two keys of the library's own from one."""
