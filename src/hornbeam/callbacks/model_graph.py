"""A model as a graph for TensorBoard: a node per layer or op, nested by name."""

from __future__ import annotations

import json
import re
from typing import Any

from hornbeam.callbacks.event_file import part
from hornbeam.core.serialization import serialize_keras_object
from hornbeam.graph.node import node_of


def model_graph(model: Any) -> Any:
    """Return the `GraphDef` of a model.

    A model that is a graph has its edges. Of another one the layers stand side by side,
    each with those that it holds. The model itself is no node: one sees its layers.
    """
    graph = part("compat.proto.graph_pb2").GraphDef()
    graph.versions.producer = 22
    function = model._graph_within
    if function is not None:
        _add_function(graph, function, "", [])
    else:
        _add_layers_in(graph, model, "")
    return graph


def model_json(model: Any) -> str | None:
    """Return the config of a model as Keras writes it for TensorBoard, None without.

    A model without a config, such as one whose `__init__` takes what no file holds, is
    in the `GraphDef` all the same.
    """
    try:
        return json.dumps(serialize_keras_object(model))
    except Exception:  # a `get_config` of the user's may raise anything
        return None


def _add_layer(graph, layer, prefix, inputs):
    """Add a layer and what is in it; return the name of the node that gives its output.

    Args:
        graph: the GraphDef.
        layer: the layer, model or operation.
        prefix: the names of the models around it, each with a slash.
        inputs: the names of the nodes whose outputs it takes.
    """
    path = prefix + _clean(layer.name)
    function = layer._graph_within
    if function is not None:
        return _add_function(graph, function, path + "/", inputs) or path
    node = graph.node.add(name=path, op=type(layer).__name__, input=inputs)
    for weight in getattr(layer, "_own_weights", list)():
        text = f"{weight.dtype} {tuple(weight.shape)}"
        node.attr[_clean(weight.name)].s = text.encode()
    _add_layers_in(graph, layer, path + "/")
    return path


def _add_layers_in(graph, layer, prefix):
    if hasattr(layer, "_flatten_layers"):
        for child in layer._flatten_layers(include_self=False, recursive=False):
            _add_layer(graph, child, prefix, [])


def _add_function(graph, function, prefix, inputs):
    """Add the nodes of a Function, whose inputs are given by the nodes `inputs`."""
    names = {}
    for number, tensor in enumerate(function.inputs):
        given = inputs[number : number + 1]
        source = node_of(tensor)
        name = source.operation.name if source is not None else f"input_{number}"
        node = graph.node.add(name=prefix + _clean(name), op="Input", input=given)
        node.attr["shape"].s = f"{tensor.dtype} {tensor.shape}".encode()
        names[id(tensor)] = node.name
    last = None
    calls: dict[int, int] = {}
    for node in function._nodes:
        if all(id(tensor) in names for tensor in node.output_tensors):
            continue
        leaves = [names[id(x)] for x in node.input_tensors if id(x) in names]
        # A layer that is called again is another node of the graph.
        again = calls[id(node.operation)] = calls.get(id(node.operation), -1) + 1
        place = f"{prefix}call_{again}/" if again else prefix
        last = _add_layer(graph, node.operation, place, list(dict.fromkeys(leaves)))
        names |= {id(tensor): last for tensor in node.output_tensors}
    outputs = function.outputs
    return names.get(id(outputs[0]), last) if outputs else last


def _clean(name):
    """Return a name with the characters that TensorBoard takes."""
    return re.sub(r"[^A-Za-z0-9_.\-/]", "_", name).strip("/") or "_"
