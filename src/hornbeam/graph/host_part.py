"""The part of a graph that runs on the host, and the rest, which a program can run.

Strings, and what is made of them up to the first numbers, are computed with NumPy, over
the data, before the compiled steps. An operation says with `runs_on_host` that it is of
this kind; what leads to its inputs is computed on the host with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from hornbeam.core import tree
from hornbeam.graph.function import Function
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.node import Node
from hornbeam.typing import Tree


class AfterHost(NamedTuple):
    """What the host part of a model gives: the inputs of the rest."""

    tensors: tuple[Any, ...]


class HostPart:
    """A graph in two: `before` runs on the host, `after` takes its outputs.

    Args:
        function: the whole graph, a Function.

    >>> import hornbeam as keras
    >>> from hornbeam.graph.host_part import host_part
    >>> words = keras.Input((1,), dtype="string")
    >>> x = keras.layers.Hashing(8, output_mode="one_hot")(words)
    >>> part = host_part(keras.Function(words, keras.layers.Dense(2)(x)))
    >>> [x.shape for x in part.after.inputs]
    [(None, 8)]
    """

    def __init__(self, function: Function) -> None:
        nodes = [node for node in function._nodes if not node.is_input]
        host = _with_ancestors(nodes, [n for n in nodes if runs_on_host(n.operation)])
        given = {id(x) for x in function.inputs}
        made = {id(x): x for node in host for x in node.output_tensors}
        border: dict[int, KerasTensor] = {}
        for x in _needed(nodes, host, function.outputs):
            if id(x) in made or id(x) in given:
                border.setdefault(id(x), x)
        strings = [x for x in border.values() if x.dtype == "string"]
        # An output of the host that is a string is no input of a program.
        self.strings_after: list[KerasTensor] = strings
        self.before: Function = Function(function.inputs, list(border.values()))
        self._after: Any = list(border.values()), function._outputs_struct

    @property
    def after(self) -> Function:
        """The graph from the outputs of the host part on."""
        if isinstance(self._after, tuple):
            self._after = Function(*self._after)
        return self._after

    def run(self, inputs: Tree, on_host: Callable[[Any], Any]) -> AfterHost:
        """Compute the host part; `on_host(x)` makes an array of each output."""
        outputs = self.before.run(inputs)
        return AfterHost(tuple(on_host(x) for x in outputs))


def host_part(function: Function) -> HostPart | None:
    """Return the HostPart of a graph, None if nothing of it runs on the host."""
    if not any(map(runs_on_host, function.operations)):
        return None
    return HostPart(_inlined(function))


def runs_on_host(operation: Any) -> bool:
    """Whether an operation, or something in a model that it is, runs on the host."""
    if operation._called_graph is not None:
        return any(map(runs_on_host, operation._called_graph.operations))
    return operation.runs_on_host


def _inlined(function):
    """Return the graph with the operations of inner models that begin on the host."""

    def function_of(operation):
        graph = operation._called_graph
        if graph is None or not runs_on_host(operation):
            return operation
        return lambda inputs, **_: _alone(graph.run(inputs, function_of))

    if not any(
        x._called_graph is not None and runs_on_host(x) for x in function.operations
    ):
        return function
    outputs = function.run(function._inputs_struct, function_of)
    return Function(function._inputs_struct, outputs)


def _alone(values):
    is_one = isinstance(values, list | tuple) and len(values) == 1
    return values[0] if is_one else values


def _with_ancestors(nodes, chosen):
    """Return the chosen nodes and all that lead to their inputs."""
    maker = {id(x): node for node in nodes for x in node.output_tensors}
    found: dict[Node, None] = {}
    left = list(chosen)
    while left:
        node = left.pop()
        if node in found:
            continue
        found[node] = None
        left += [maker[id(x)] for x in node.input_tensors if id(x) in maker]
    return found


def _needed(nodes, host, outputs):
    """Return the symbols that the rest of the graph begins with, or gives."""
    inner = [x for node in nodes if node not in host for x in node.input_tensors]
    return [*inner, *tree.flatten(outputs)]
