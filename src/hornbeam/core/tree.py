"""Nested structures (lists, tuples, dicts, named tuples), through optree.

None is a leaf here, and the keys of a dict are visited in sorted order, as in Keras.
"""

import optree


def flatten(structure):
    """Return the leaves as a list."""
    return optree.tree_leaves(structure, none_is_leaf=True, namespace="hornbeam")


def flatten_with_spec(structure):
    """Return the leaves, and a spec from which `unflatten` rebuilds the structure."""
    return optree.tree_flatten(structure, none_is_leaf=True, namespace="hornbeam")


def unflatten(spec, leaves):
    """Rebuild a structure from the spec of `flatten_with_spec`."""
    return optree.tree_unflatten(spec, leaves)


def map_structure(fn, structure, *others):
    """Apply `fn` to every leaf (and the leaves of `others` at the same place)."""
    return optree.tree_map(
        fn, structure, *others, none_is_leaf=True, namespace="hornbeam"
    )


def paths(structure):
    """Return the path of every leaf as a tuple of keys and indices."""
    return optree.tree_paths(structure, none_is_leaf=True, namespace="hornbeam")


def is_nested(x):
    """Whether `x` is a container rather than a leaf."""
    return not optree.tree_is_leaf(x, none_is_leaf=True, namespace="hornbeam")


def pack_like(structure, leaves):
    """Arrange the flat `leaves` as `structure` is."""
    spec = optree.tree_structure(structure, none_is_leaf=True, namespace="hornbeam")
    return optree.tree_unflatten(spec, leaves)
