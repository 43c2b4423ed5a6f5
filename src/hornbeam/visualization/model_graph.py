"""What a picture of a model shows: boxes, and the edges between them."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

from hornbeam.graph.operation import type_name
from hornbeam.layers.core.input_layer import InputLayer
from hornbeam.layers.layer import Layer
from hornbeam.models.functional import Functional
from hornbeam.models.sequential import Sequential
from hornbeam.utils.summary_utils import output_shape

_MOST_CALLS = 3  # of a shared layer, with other shapes
_LONGEST_SHAPES = 40


@dataclasses.dataclass(frozen=True)
class Shows:
    """What is written into the boxes; the arguments of `plot_model`."""

    shapes: bool = False
    dtype: bool = False
    names: bool = True
    activations: bool = False
    trainable: bool = False
    nested: bool = False


@dataclasses.dataclass
class Box:
    """A layer or an op, or a nested model with its graph inside.

    Attributes:
        operation: the layer or op.
        family: the folder of its layer, such as "convolutional"; "op", "model", or
            "own" for a user's class.
        rows: pairs `(what, value)` of the lines below the title.
        inside: the graph of a nested model that is shown in full.
    """

    operation: Any
    family: str
    rows: list[tuple[str, str]]
    inside: Graph | None = None
    shows_name: bool = True

    @property
    def name(self) -> str:
        """The name of the operation."""
        return str(self.operation.name)

    @property
    def kind(self) -> str:
        """The name of its class."""
        return type_name(self.operation)


@dataclasses.dataclass(frozen=True)
class Edge:
    """A tensor's way from one box to another, with its place among their tensors."""

    source: int
    target: int
    source_port: int = 0
    target_port: int = 0


@dataclasses.dataclass
class Graph:
    """The boxes of one model, in the order of the computation.

    Attributes:
        inputs: for each input of the model the boxes that take it. Those of a
            Functional are its Input boxes.
        outputs: for each output its box and port.
    """

    name: str
    kind: str
    boxes: list[Box]
    edges: list[Edge]
    inputs: list[list[tuple[int, int]]]
    outputs: list[tuple[int, int]]


def graph_of(model: Any, shows: Shows) -> Graph:
    """Return what a picture of the model shows.

    A model without a known graph (a subclass) is one box. A Sequential model that has
    not seen an input is drawn too, as the chain of its layers.
    """
    graph = _functional(model)
    if graph is not None:
        return _graph_of_functional(model, graph, shows)
    if isinstance(model, Sequential) and model.layers:
        boxes = [_box(layer, [], shows) for layer in model.layers]
        edges = [Edge(place, place + 1) for place in range(len(boxes) - 1)]
        ends = [[(0, 0)]], [(len(boxes) - 1, 0)]
        return Graph(model.name, type_name(model), boxes, edges, *ends)
    box = _box(model, model._inbound_nodes, shows, within=False)
    return Graph(model.name, type_name(model), [box], [], [[(0, 0)]], [(0, 0)])


def nested_models(model: Any) -> list[Any]:
    """Return the models directly inside that have a picture of their own."""
    return [x for x in model.layers if _has_graph(x)]


def family_of(operation: Any) -> str:
    """Return the folder of the layer, or "op", "model", or "own" for a user's."""
    if isinstance(operation, InputLayer):
        return "input"
    if not isinstance(operation, Layer):
        return "op"
    modules = [cls.__module__.split(".") for cls in type(operation).__mro__]
    for module in modules:
        if module[:2] == ["hornbeam", "layers"] and len(module) > 3:
            return module[2]
        if module[:2] == ["hornbeam", "models"]:
            return "model"
    return "own"


def _functional(model):
    """Return the Functional whose graph the model computes, or None."""
    graph = model._graph_within
    return graph if isinstance(graph, Functional) else None


def _has_graph(layer):
    return _functional(layer) is not None or isinstance(layer, Sequential)


def _graph_of_functional(model, graph, shows):
    # As in Keras, a Sequential model is shown without its Input.
    left_out: Any = InputLayer if isinstance(model, Sequential) else ()
    operations = [x for x in graph._operations if not isinstance(x, left_out)]
    places = {id(x): place for place, x in enumerate(operations)}
    nodes_of: dict[int, list[Any]] = {id(x): [] for x in operations}
    for node in graph._nodes:
        nodes_of.get(id(node.operation), []).append(node)
    boxes = [_box(x, nodes_of[id(x)], shows) for x in operations]
    edges: dict[Edge, None] = {}
    inputs: list[list[tuple[int, int]]] = [[] for _ in graph.inputs]
    for x, takers in zip(graph.inputs, inputs, strict=True):
        place = places.get(id(x._keras_history.operation))
        if place is not None:
            takers.append((place, 0))
    for node in graph._nodes:
        target = places.get(id(node.operation))
        if target is None:
            continue
        for port, x in enumerate(node.input_tensors):
            target_port = port if boxes[target].inside else 0
            operation, _, index = x._keras_history
            source = places.get(id(operation))
            if source is None:
                for place, y in enumerate(graph.inputs):
                    if x is y:
                        inputs[place].append((target, target_port))
            else:
                source_port = index if boxes[source].inside else 0
                edges[Edge(source, target, source_port, target_port)] = None
    outputs = []
    for x in graph.outputs:
        place = places.get(id(x._keras_history.operation))
        if place is not None:
            port = x._keras_history.tensor_index if boxes[place].inside else 0
            outputs.append((place, port))
    return Graph(model.name, type_name(model), boxes, list(edges), inputs, outputs)


def _box(operation, nodes, shows, within=True):
    family = family_of(operation)
    inside = None
    if within and shows.nested and _has_graph(operation):
        inside = graph_of(operation, shows)
    return Box(operation, family, _rows(operation, nodes, shows), inside, shows.names)


def _rows(operation, nodes, shows):
    rows = []
    activation = getattr(operation, "activation", None)
    if shows.activations and activation is not None:
        name = getattr(activation, "name", None) or getattr(activation, "__name__", "")
        rows.append(("activation", name or type(activation).__name__))
    if shows.shapes:
        rows += [("shape", words) for words in _shape_rows(operation, nodes)]
    if shows.dtype:
        rows.append(("dtype", _dtypes_of(operation, nodes)))
    has_weights = isinstance(operation, Layer) and (
        not operation.built or bool(operation.weights)
    )
    if shows.trainable and has_weights:
        rows.append(("trainable", "trainable" if operation.trainable else "frozen"))
    return rows


def _shape_rows(operation, nodes):
    """Return a line for each call: what goes in and what comes out."""
    if not nodes:
        shapes = getattr(operation, "_build_shapes", None) or {}
        given = next(iter(shapes.values()), "?")
        return [f"{given} → {output_shape(operation)}"]
    rows = []
    for node in nodes:
        gives = _in_words(node.output_tensors)
        is_input = isinstance(operation, InputLayer)
        rows.append(gives if is_input else f"{_in_words(node.input_tensors)} → {gives}")
    rows = list(dict.fromkeys(rows))
    more = len(rows) - _MOST_CALLS
    return rows if more <= 0 else [*rows[:_MOST_CALLS], f"and {more} other shapes"]


def _in_words(tensors):
    """Return the shapes in words; equal neighbours are counted, many left out."""
    groups = [
        (shape, len(list(equal)))
        for shape, equal in itertools.groupby(str(tuple(x.shape)) for x in tensors)
    ]
    words = ", ".join(f"{n} × {s}" if n > 1 else s for s, n in groups)
    return words if len(words) <= _LONGEST_SHAPES else f"{len(tensors)} tensors"


def _dtypes_of(operation, nodes):
    dtypes = [x.dtype for node in nodes for x in node.output_tensors]
    return ", ".join(dict.fromkeys(dtypes)) or getattr(operation, "compute_dtype", "?")
