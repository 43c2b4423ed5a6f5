"""JAX: objects that its own functions take as the arrays that they hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

__all__ = ["take_as_value"]


def take_as_value(cls: type, value_of: Callable[[Any], Any]) -> None:
    """Let `jax.jit`, `jax.grad` and the like take objects of `cls` as `value_of(x)`.

    Today's JAX asks its arguments for `__jax_array__` no more, and suggests to make
    them nodes of trees. But then a tree of them would not fit a tree of arrays, as in
    `jax.tree.map(update, variables, gradients)`. So they stay leaves, and are entered
    in the tables where JAX looks up what a leaf is.
    """
    try:
        from jax._src import core, dtypes

        core.pytype_aval_mappings[cls] = lambda x: jax.typeof(value_of(x))
        dtypes.canonicalize_value_handlers[cls] = value_of
    except (ImportError, AttributeError):
        # Another version of JAX: there they must be given as `variable.value`.
        return
