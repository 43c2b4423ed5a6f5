"""A `lambda` as the graph of the ops that it calls: data, which a file can hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hornbeam.core import tree
from hornbeam.core.errors import UnsafeFileError
from hornbeam.core.lazy import public
from hornbeam.core.naming import own_names
from hornbeam.core.random import seed_scope
from hornbeam.core.serialization import object_sharing
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import OpOperation, infer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from hornbeam.typing import Config, Tensor

# Constants are written as text.
_MOST_CHARACTERS = 1 << 20


class TracedFunction:
    """The function of a Lambda layer that came from a file as a graph.

    It takes tensors of the shapes that it was traced with, and computes what the graph
    says. Further arguments are in the graph already.

    Args:
        config: the config of a `__lambda__` with a "graph".
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._model = _model_of(config["graph"])

    def __call__(self, inputs: Any, **arguments: Any) -> Tensor:
        return self._model.call(inputs)

    def serialized(self) -> Config:
        """Return the config from which it was made."""
        return {"class_name": "__lambda__", "config": self.config}


def _model_of(graph):
    with object_sharing(False):
        model = public("models", "Functional").from_config(graph)
    for operation in model.operations:
        if not _is_allowed(operation):
            raise UnsafeFileError(
                f"The graph of a lambda holds {operation!r}, which is no op."
            )
    return model


def _is_allowed(operation):
    return isinstance(operation, OpOperation | public("layers", "InputLayer"))


def trace(
    function: Callable[..., Any], inputs: Any, arguments: Mapping[str, Any]
) -> Config:
    """Return the config of the graph of `function(inputs, **arguments)`.

    Args:
        function: it calls ops of the library on its inputs, and nothing else.
        inputs: a nest of KerasTensors.
        arguments: further arguments.

    Raises:
        ValueError: if the function is no graph of ops; the error says why.
    """
    # Draws and clocks give other constants the second time.
    first, second = (_traced(function, inputs, arguments, seed) for seed in (1, 2))
    if first != second:
        raise ValueError("it computes something else each time")
    if len(first) > _MOST_CHARACTERS:
        raise ValueError("its constants are too large")
    graph: Config = json.loads(first)
    try:
        infer(TracedFunction({"graph": graph}), (inputs,), {})
    except Exception as error:
        raise ValueError(f"its graph does not work: {error}") from error
    return graph


def _traced(function, inputs, arguments, seed):
    functional, new_input = public("models", "Functional"), public("", "Input")
    with own_names(), seed_scope(seed), object_sharing(False):
        try:
            symbols = tree.map_structure(
                lambda x: new_input(batch_shape=x.shape, dtype=x.dtype), inputs
            )
            outputs = function(symbols, **arguments)
            model = functional(symbols, outputs, name="lambda")
            others = [o for o in model.operations if not _is_allowed(o)]
            text = "" if others else json.dumps(model.get_config())
        except Exception as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
    if others:
        raise ValueError(f"it calls {others[0]!r}, which is no op")
    return text


def symbols_of(layer: Any) -> Any:
    """Return the nest of KerasTensors that a layer is called with, or None."""
    for node in layer._inbound_nodes:
        if len(node.args) == 1 and not node.kwargs:
            return tree.map_structure(_with_free_batch, node.args[0])
    shapes = list((layer._build_shapes or {}).values())
    if len(shapes) != 1:
        return None
    return tree.map_structure(_with_free_batch, layer._symbols(shapes[0]))


def _with_free_batch(x):
    return KerasTensor((None, *x.shape[1:]), x.dtype)
