"""Functions over nested structures: lists, tuples, named tuples, deques and dicts.

None is a leaf, and the entries of a dict are visited in the order of their keys. A set
is a leaf, unless it is an attribute of a layer.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import Any

from hornbeam.core import tree as _tree
from hornbeam.core.tree import is_nested
from hornbeam.typing import Tree

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]


class MAP_TO_NONE:  # noqa: N801 - the API's name
    """Returned by a function passed to `traverse` to replace a leaf by None."""


def flatten(structure: Tree) -> list[Any]:
    """Return the leaves as a list.

    >>> import hornbeam as keras
    >>> keras.tree.flatten({"b": 2, "a": [1, None]})
    [1, None, 2]
    """
    return _tree.flatten(structure)


def flatten_with_path(structure: Tree) -> list[tuple[tuple[Any, ...], Any]]:
    """Return pairs `(path, leaf)`; a path is a tuple of keys and indices."""
    return list(zip(_tree.paths(structure), _tree.flatten(structure), strict=True))


def map_structure(
    func: Callable[..., Any], *structures: Tree, none_is_leaf: bool = True
) -> Tree:
    """Apply `func` to the leaves of structures of the same form.

    >>> import hornbeam as keras
    >>> keras.tree.map_structure(lambda a, b: a + b, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    if not callable(func):
        raise TypeError(f"`func` must be callable. Received: func={func!r}")
    if not structures:
        raise ValueError("Must provide at least one structure")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    return _tree.map_structure(func, *structures, none_is_leaf=none_is_leaf)


def map_structure_up_to(
    shallow_structure: Tree, func: Callable[..., Any], *structures: Tree
) -> Tree:
    """Apply `func` to the parts that stand where `shallow_structure` has leaves.

    >>> import hornbeam as keras
    >>> keras.tree.map_structure_up_to([0, 0], len, [[1, 2], [3]])
    [2, 1]
    """
    if not structures:
        raise ValueError("Must provide at least one structure")

    columns = [_tree.parts(shallow_structure, structure) for structure in structures]
    results = [func(*row) for row in zip(*columns, strict=True)]
    return _tree.pack_like(shallow_structure, results)


def assert_same_structure(a: Tree, b: Tree, check_types: bool | None = None) -> None:
    """Raise a ValueError if `a` and `b` are not nested in the same way."""
    if is_nested(a) != is_nested(b):
        raise ValueError(
            f"The two structures don't have the same nested structure: {a!r} and {b!r}."
        )
    if not is_nested(a):
        return
    same_kind = isinstance(a, dict) == isinstance(b, dict)
    if not isinstance(a, dict) and not isinstance(b, dict):
        same_kind = type(a) is type(b)
    keys_differ = isinstance(a, dict) and isinstance(b, dict) and set(a) != set(b)
    if not same_kind or len(a) != len(b) or keys_differ:
        raise ValueError(
            f"The two structures don't have the same nested structure: {a!r} and {b!r}."
        )
    pairs = [(a[k], b[k]) for k in a] if isinstance(a, dict) else zip(a, b, strict=True)
    for x, y in pairs:
        assert_same_structure(x, y)


def assert_same_paths(a: Tree, b: Tree) -> None:
    """Raise a ValueError if `a` and `b` do not have leaves at the same paths."""
    missing = set(_tree.paths(a)) ^ set(_tree.paths(b))
    if missing:
        raise ValueError(
            "`a` and `b` don't have the same paths. Only one of them has: "
            f"{sorted(map(str, missing))}"
        )


def pack_sequence_as(structure: Tree, flat_sequence: Sequence[Any]) -> Tree:
    """Arrange the flat `flat_sequence` as `structure` is.

    >>> import hornbeam as keras
    >>> keras.tree.pack_sequence_as({"a": 0, "b": [0]}, [1, 2])
    {'a': 1, 'b': [2]}
    """
    if not isinstance(flat_sequence, collections.abc.Iterable):
        raise TypeError(
            "Attempted to pack value:\n"
            f"  {flat_sequence!r}\ninto a structure, but found incompatible type "
            f"`{type(flat_sequence)}` instead."
        )
    count, leaves = len(_tree.flatten(structure)), list(flat_sequence)
    if count != len(leaves):
        raise ValueError(
            f"The structure has {count} leaves. Received a sequence of {len(leaves)} "
            "items."
        )
    return _tree.pack_like(structure, leaves)


def lists_to_tuples(structure: Tree) -> Tree:
    """Return the structure with its lists as tuples."""

    def as_tuple(part):
        return tuple(part) if isinstance(part, list) else None

    return traverse(as_tuple, structure, top_down=False)


def map_shape_structure(func: Callable[..., Any], structure: Tree) -> Tree:
    """Apply `func` to the shapes in a nest: tuples or lists of sizes."""
    if isinstance(structure, dict):
        return {k: map_shape_structure(func, v) for k, v in structure.items()}
    if isinstance(structure, list | tuple):
        if all(d is None or isinstance(d, int) for d in structure):
            return func(structure)
        return type(structure)(map_shape_structure(func, x) for x in structure)
    raise ValueError(f"Cannot map the structure {structure!r} of shapes.")


def traverse(func: Callable[..., Any], structure: Tree, top_down: bool = True) -> Tree:
    """Apply `func` to every part of a nest, the nest itself included.

    Where `func` returns None the part stays; `MAP_TO_NONE` puts None in its place.
    """
    if top_down:
        result = func(structure)
        if result is None:
            return _traverse_children(func, structure, top_down)
        return None if result is MAP_TO_NONE else result
    structure = _traverse_children(func, structure, top_down)
    result = func(structure)
    if result is None:
        return structure
    return None if result is MAP_TO_NONE else result


def _traverse_children(func, structure, top_down):
    if not is_nested(structure):
        return structure
    parts, rebuilt = _tree.children(structure)
    return rebuilt([traverse(func, part, top_down) for part in parts])
