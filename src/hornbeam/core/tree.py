"""Nested structures (lists, tuples, dicts, named tuples), through optree.

None is a leaf here, and the keys of a dict are visited in sorted order, as in Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import optree

from hornbeam.typing import Tree


class TrackedSet(set[Any]):
    """A set that is an attribute of a layer: trees visit its elements.

    Other sets are leaves: they have no order in which results could be put back.
    """


def _in_order(elements):
    try:
        return sorted(elements), None
    except TypeError:
        return list(elements), None


optree.register_pytree_node(
    TrackedSet, _in_order, lambda _, parts: TrackedSet(parts), namespace="hornbeam"
)


def flatten(structure: Tree) -> list[Any]:
    """Return the leaves as a list."""
    return optree.tree_leaves(structure, none_is_leaf=True, namespace="hornbeam")


def flatten_with_spec(structure: Tree) -> tuple[list[Any], Any]:
    """Return the leaves, and a spec from which `unflatten` rebuilds the structure."""
    return optree.tree_flatten(structure, none_is_leaf=True, namespace="hornbeam")


def unflatten(spec: Any, leaves: Iterable[Any]) -> Tree:
    """Rebuild a structure from the spec of `flatten_with_spec`."""
    return optree.tree_unflatten(spec, leaves)


def map_structure(
    fn: Callable[..., Any], structure: Tree, *others: Tree, none_is_leaf: bool = True
) -> Tree:
    """Apply `fn` to every leaf (and the leaves of `others` at the same place)."""
    return optree.tree_map(
        fn, structure, *others, none_is_leaf=none_is_leaf, namespace="hornbeam"
    )


def paths(structure: Tree) -> list[tuple[Any, ...]]:
    """Return the path of every leaf as a tuple of keys and indices."""
    return optree.tree_paths(structure, none_is_leaf=True, namespace="hornbeam")


def is_nested(x: Tree) -> bool:
    """Whether `x` is a container rather than a leaf."""
    return not optree.tree_is_leaf(x, none_is_leaf=True, namespace="hornbeam")


def pack_like(structure: Tree, leaves: Iterable[Any]) -> Tree:
    """Arrange the flat `leaves` as `structure` is."""
    spec = optree.tree_structure(structure, none_is_leaf=True, namespace="hornbeam")
    return optree.tree_unflatten(spec, leaves)


def parts(shallow: Tree, structure: Tree) -> list[Tree]:
    """Return the parts of `structure` that stand where `shallow` has its leaves."""
    spec = optree.tree_structure(shallow, none_is_leaf=True, namespace="hornbeam")
    return spec.flatten_up_to(structure)


def children(structure: Tree) -> tuple[list[Tree], Callable[[Iterable[Any]], Tree]]:
    """Return what a container holds, and a function that makes one of other parts."""
    parts, spec = optree.tree_flatten(
        structure,
        is_leaf=lambda x: x is not structure,
        none_is_leaf=True,
        namespace="hornbeam",
    )
    return parts, spec.unflatten
