"""JAX: functions of a nest of parameters, as users of JAX write them. Optional."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax

__all__ = ["nest_leaves", "nest_of", "random_key", "split_key"]


def nest_leaves(nest: Any) -> tuple[list[Any], Any]:
    """The leaves of a nest of any class that JAX knows, and its structure."""
    return jax.tree_util.tree_flatten(nest)


def nest_of(structure: Any, leaves: Sequence[Any]) -> Any:
    """The nest of that structure with those leaves."""
    return jax.tree_util.tree_unflatten(structure, leaves)


def random_key(words: Any) -> Any:
    """A key of JAX's own random functions, from the key of a draw of ours."""
    return jax.random.fold_in(jax.random.PRNGKey(words[0]), words[1])


def split_key(key: Any) -> Any:
    """Two keys of JAX's own from one."""
    return jax.random.split(key)
