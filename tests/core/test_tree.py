"""Nested structures."""

import collections

import pytest

from hornbeam import tree
from hornbeam.layers import Layer

Point = collections.namedtuple("Point", ["x", "y"])
NEST = {"b": [2, (3, None)], "a": Point(0, 1), "c": {}}


def test_flatten_sorts_keys_and_keeps_none():
    assert tree.flatten(NEST) == [0, 1, 2, 3, None]


def test_paths():
    assert tree.flatten_with_path({"a": [1], "b": 2}) == [(("a", 0), 1), (("b",), 2)]


@pytest.mark.parametrize("structure", [NEST, [], (), 1, None, [None], Point(1, [2])])
def test_pack_undoes_flatten(structure):
    assert tree.pack_sequence_as(structure, tree.flatten(structure)) == structure


def test_map_keeps_types():
    result = tree.map_structure(lambda x: x and x + 1, NEST)
    assert result == {"b": [3, (4, None)], "a": Point(0, 2), "c": {}}
    assert type(result["a"]) is Point
    ordered = collections.OrderedDict([("z", 1), ("a", 2)])
    result = tree.map_structure(lambda x: -x, ordered)
    assert type(result) is collections.OrderedDict
    assert result == {"z": -1, "a": -2}


def test_map_of_several():
    assert tree.map_structure(max, [1, (5,)], [3, (4,)]) == [3, (5,)]
    skipping = tree.map_structure(lambda x: x + 1, [None, 1], none_is_leaf=False)
    assert skipping == [None, 2]


def test_map_up_to():
    assert tree.map_structure_up_to({"a": 0}, len, {"a": [1, 2]}) == {"a": 2}


def test_lists_to_tuples():
    assert tree.lists_to_tuples([1, [2, {"a": [3]}]]) == (1, (2, {"a": (3,)}))


def test_shapes_are_leaves_of_a_nest_of_shapes():
    shapes = {"a": (None, 2), "b": [(1,), (2, 3)]}
    assert tree.map_shape_structure(len, shapes) == {"a": 2, "b": [1, 2]}


def test_traverse():
    def visit(x):
        if x == 1:
            return tree.MAP_TO_NONE
        return "list" if x == [2] else None

    assert tree.traverse(visit, [1, [2], 3]) == [None, "list", 3]
    doubled = tree.traverse(
        lambda x: x * 2 if isinstance(x, int) else None, [1, (2,)], top_down=False
    )
    assert doubled == [2, (4,)]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1], (1,)),
        ([1], [1, 2]),
        ({"a": 1}, {"b": 1}),
        ([1, [2]], [1, 2]),
        ({"a": 1}, [1]),
    ],
)
def test_structures_that_differ(a, b):
    with pytest.raises(ValueError, match="structure"):
        tree.assert_same_structure(a, b)
    with pytest.raises(ValueError, match="structure"):
        tree.map_structure(lambda x, y: x, a, b)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda: tree.map_structure(3, [1]), TypeError),
        (lambda: tree.map_structure(len), ValueError),
        (lambda: tree.pack_sequence_as([1], 5), TypeError),
        (lambda: tree.pack_sequence_as([1], [1, 2]), ValueError),
        (lambda: tree.map_structure_up_to([0, 0], len, [[1]]), ValueError),
        (lambda: tree.assert_same_paths({"a": 1}, {"b": 1}), ValueError),
    ],
)
def test_errors(call, kind):
    with pytest.raises(kind):
        call()


ORDERED = collections.OrderedDict([("b", 1), ("a", [2])])


def test_map_up_to_keeps_each_part_at_its_key():
    found = tree.map_structure_up_to(ORDERED, lambda x, y: (x, y), ORDERED, ORDERED)
    assert list(found.items()) == [("b", (1, 1)), ("a", [(2, 2)])]
    with pytest.raises(ValueError):
        tree.map_structure_up_to(Point(0, 0), str, {"x": 1, "y": 2})


def test_every_kind_of_container_keeps_its_kind():
    grouped = collections.defaultdict(list, a=1)
    queue = collections.deque([1, 2], maxlen=5)
    assert tree.lists_to_tuples(grouped).default_factory is list
    assert tree.lists_to_tuples(Point([1], 2)) == Point((1,), 2)
    for bottom in (True, False):
        found = tree.traverse(lambda x: None, queue, top_down=bottom)
        assert found == queue and found.maxlen == 5


def test_none_is_a_structure_where_it_is_no_leaf():
    with pytest.raises(ValueError):
        tree.map_structure(max, [None, 1], [3, 2], none_is_leaf=False)


def test_sets_are_leaves_but_those_of_layers():
    assert tree.flatten([{1, 2}]) == [{1, 2}]
    layer = Layer()
    layer.names = {"b", "a"}
    assert layer.names == {"a", "b"} and tree.is_nested(layer.names)
    assert tree.flatten(layer.names) == ["a", "b"]
    assert tree.map_structure(str.upper, layer.names) == {"A", "B"}
    with pytest.raises(ValueError, match="structure"):
        tree.assert_same_structure(layer.names, {"a", "b"})


def test_any_collection_of_leaves_can_be_packed():
    assert tree.pack_sequence_as([0, (0,)], dict.fromkeys("ab")) == ["a", ("b",)]
    with pytest.raises(TypeError):
        tree.pack_sequence_as([0], 1)
