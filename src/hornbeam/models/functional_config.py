"""The graph of a Functional model as plain data, and back."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from hornbeam.core.configurable import parameters_of
from hornbeam.core.errors import shown
from hornbeam.core.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.graph import legacy_ops
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.node import node_of
from hornbeam.graph.operation import any_symbolic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from hornbeam.models.functional import Functional
    from hornbeam.typing import Config


def config_of(model: Functional) -> Config:
    """Return the config of a Functional model."""
    indices = _node_indices(model)
    layers = []
    for operation in model.operations:
        config = serialize_keras_object(operation)
        config["name"] = operation.name
        config["inbound_nodes"] = [
            _node_config(node, indices)
            for node in operation._inbound_nodes
            if node in indices and not node.is_input
        ]
        layers.append(config)

    def place(x):
        operation, _, tensor_index = x._keras_history
        return [operation.name, indices[node_of(x)], tensor_index]

    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _map_tensors(place, model._inputs_struct),
        "output_layers": _map_tensors(place, model._outputs_struct),
    }


def _map_tensors(fn, struct):
    """Apply `fn` to the tensors of a nest."""
    if isinstance(struct, KerasTensor):
        return fn(struct)
    if isinstance(struct, dict):
        return {k: _map_tensors(fn, v) for k, v in struct.items()}
    items = [_map_tensors(fn, v) for v in struct]
    return tuple(items) if isinstance(struct, tuple) else items


def _node_indices(model):
    """Return the number of each node of the model among those of its operation."""
    used = set(model._nodes)
    indices: dict[Any, int] = {}
    for operation in model.operations:
        mine = [node for node in operation._inbound_nodes if node in used]
        indices |= {node: i for i, node in enumerate(mine)}
    return indices


def _node_config(node, indices):
    def pack(x):
        if isinstance(x, KerasTensor):
            history: Any = x._keras_history
            operation, _, tensor_index = history
            return {
                "class_name": "__keras_tensor__",
                "config": {
                    "shape": list(x.shape),
                    "dtype": x.dtype,
                    "keras_history": [
                        operation.name,
                        indices[node_of(x)],
                        tensor_index,
                    ],
                },
            }
        return x

    args = [_pack_nest(pack, x) for x in node.args]
    kwargs = {k: _pack_nest(pack, x) for k, x in node.kwargs.items()}
    return {
        "args": [_serialized(x) for x in args],
        "kwargs": {k: _serialized(x) for k, x in kwargs.items()},
    }


def _pack_nest(pack, x):
    if isinstance(x, list | tuple):
        return type(x)(_pack_nest(pack, v) for v in x)
    if isinstance(x, dict):
        return {k: _pack_nest(pack, v) for k, v in x.items()}
    return pack(x)


def _serialized(x):
    if isinstance(x, dict) and x.get("class_name") == "__keras_tensor__":
        return x
    if isinstance(x, dict):
        return {k: _serialized(v) for k, v in x.items()}
    if isinstance(x, list):
        return [_serialized(v) for v in x]
    return serialize_keras_object(x)


def graph_from_config(
    config: Config, custom_objects: Mapping[str, Any] | None = None
) -> tuple[Any, Any, dict[str, Any]]:
    """Return `(inputs, outputs, other arguments)` of the model that `config` describes.

    Calls are replayed as soon as their inputs exist.
    """
    operations, calls = {}, []
    for layer_config in config["layers"]:
        if legacy_ops.is_of_tensorflow(layer_config):
            layer_config = legacy_ops.modern_op(layer_config)
        name = layer_config.get("name") or layer_config["config"]["name"]
        if any(isinstance(node, list) for node in layer_config["inbound_nodes"]):
            # In configs of Keras 2 the calls build the layers.
            layer_config = {**layer_config, "build_config": None}
        operation = deserialize_keras_object(
            layer_config, custom_objects=custom_objects
        )
        if name in operations:
            raise ValueError(f"The layer name {name!r} stands twice in the config.")
        operations[name] = operation
        calls += [(name, i, n) for i, n in enumerate(layer_config["inbound_nodes"])]
    # A layer restored earlier may already have calls.
    offsets = {n: len(o._inbound_nodes) for n, o in operations.items()}
    called = {name for name, _, _ in calls}
    starts = {name: offsets[name] if name in called else 0 for name in operations}

    def tensor(place):
        is_place = isinstance(place, list | tuple) and len(place) == 3
        if not is_place or [type(v) for v in place] != [str, int, int]:
            raise ValueError(
                "The config names a tensor by `[name of its layer, number of the call, "
                f"number of the output]`. Received: {shown(place)}"
            )
        name, node_index, tensor_index = place
        if name not in operations:
            raise ValueError(
                f"The config names a layer {name!r} that it does not have."
            )
        nodes = operations[name]._inbound_nodes
        index = starts[name] + node_index
        if index >= len(nodes):
            raise _MissingError(name, node_index)
        return nodes[index].output_tensors[tensor_index]

    _replay(calls, operations, tensor, custom_objects)
    inputs = _places_to_tensors(tensor, config["input_layers"])
    outputs = _places_to_tensors(tensor, config["output_layers"])
    rest = {
        k: v
        for k, v in config.items()
        if k not in ("layers", "input_layers", "output_layers")
    }
    return inputs, outputs, rest


def _replay(calls, operations, tensor, custom_objects):
    """Make the calls of a graph, each once its inputs exist.

    Args:
        calls: `(name of the operation, number of the call, node)` of each.
        operations: `{name: operation}`.
        tensor: a function that gives the tensor at a place, or raises _MissingError.
        custom_objects: `{name: class or function}` that nodes may name besides.
    """
    done = dict.fromkeys(operations, 0)
    ready, waiting = collections.deque(calls), collections.defaultdict(list)
    while ready:
        name, index, node = ready.popleft()
        try:
            if done[name] < index:
                raise _MissingError(name, index - 1)
            args, kwargs = _arguments(node, tensor, custom_objects, operations[name])
        except _MissingError as missing:
            waiting[missing.args].append((name, index, node))
            continue
        if not any_symbolic((args, kwargs)):
            raise ValueError(
                f"The config calls {name!r} on no tensor of the graph. Numbers alone "
                "are not computed with while a model is loaded."
            )
        operations[name](*args, **kwargs)
        done[name] += 1
        ready.extend(waiting.pop((name, index), ()))
    if waiting:
        names = sorted({name for calls in waiting.values() for name, _, _ in calls})
        raise ValueError(
            "The graph of the config cannot be rebuilt: the inputs of "
            f"{names[:10]} are missing."
        )


def _places_to_tensors(tensor, places):
    if isinstance(places, dict):
        return {k: _places_to_tensors(tensor, v) for k, v in places.items()}
    if len(places) == 3 and isinstance(places[0], str):
        return tensor(places)
    items = [_places_to_tensors(tensor, p) for p in places]
    return tuple(items) if isinstance(places, tuple) else items


def _old_arguments(node, unpack, operation):
    """Return the arguments in files of Keras 2: `[[name, node, tensor, kwargs], ...]`.

    Tensors among the keywords are `[name, node, tensor]`, like the entries themselves.
    """

    def tensors(value):
        if isinstance(value, list | tuple):
            if len(value) in (3, 4) and [type(v) for v in value[:3]] == [str, int, int]:
                history = {"keras_history": value[:3]}
                return unpack({"class_name": "__keras_tensor__", "config": history})
            return [tensors(v) for v in value]
        if isinstance(value, dict) and "class_name" not in value:
            return {k: tensors(v) for k, v in value.items()}
        return unpack(value)

    inputs = tensors(node)
    kwargs = tensors(node[0][3]) if len(node[0]) > 3 else {}
    if len(inputs) > 1 and _takes_states(operation):
        return [inputs[0]], {**kwargs, "initial_state": inputs[1:]}
    return [inputs[0] if len(inputs) == 1 else inputs], kwargs


def _takes_states(operation):
    return any(p.name == "initial_state" for p in parameters_of(operation.call))


class _MissingError(ValueError):
    """A tensor is not there, or not yet: that of a call of a layer."""

    def __str__(self):
        name, index = self.args
        return (
            f"The config uses call {index} of layer {name!r}, which it does not have."
        )


def _arguments(node, tensor, custom_objects, operation):
    """Return `(args, kwargs)` of a call; raises _MissingError while a tensor is."""

    def unpack(x):
        if isinstance(x, dict) and x.get("class_name") == "__keras_tensor__":
            return tensor(x["config"]["keras_history"])
        if isinstance(x, dict) and "class_name" in x:
            return deserialize_keras_object(x, custom_objects=custom_objects)
        if isinstance(x, dict):
            return {k: unpack(v) for k, v in x.items()}
        if isinstance(x, list | tuple):
            return type(x)(unpack(v) for v in x)
        return x

    if isinstance(node, list):
        return _old_arguments(node, unpack, operation)
    return (
        [unpack(x) for x in node["args"]],
        {k: unpack(v) for k, v in node["kwargs"].items()},
    )
