"""Node: the record of one call of an operation on symbolic tensors."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from typing import Any

from hornbeam.core import tree
from hornbeam.graph.keras_tensor import KerasHistory, KerasTensor
from hornbeam.typing import Tree


class Node:
    """One call: the operation, its arguments, and the symbols that it gave.

    Args:
        operation: the Operation that was called.
        call_args: positional arguments of the call.
        call_kwargs: keyword arguments of the call.
        outputs: KerasTensors, or a nest of them.
    """

    def __init__(
        self,
        operation: Any,
        call_args: Iterable[Any] = (),
        call_kwargs: Mapping[str, Any] | None = None,
        outputs: Tree = None,
    ):
        self.operation = operation
        self.args: tuple[Any, ...] = tuple(call_args)
        self.kwargs: dict[str, Any] = dict(call_kwargs or {})
        self.leaves: list[Any]
        self.spec: Any
        self.leaves, self.spec = tree.flatten_with_spec((self.args, self.kwargs))
        self.input_tensors: list[KerasTensor] = [
            x for x in self.leaves if isinstance(x, KerasTensor)
        ]
        self.outputs = outputs
        self.output_tensors: list[KerasTensor] = [
            x for x in tree.flatten(outputs) if isinstance(x, KerasTensor)
        ]
        self._place = len(operation._inbound_nodes)
        self._register()

    def _register(self):
        """Make the operations around the node, and its outputs, know of it."""
        nodes = vars(self.operation).setdefault("_inbound_nodes", [])
        at = bisect.bisect_right(nodes, self._place, key=lambda node: node._place)
        nodes.insert(at, self)
        for parent in self.parent_nodes:
            vars(parent.operation).setdefault("_outbound_nodes", []).append(self)
        # Those behind have moved.
        for index in range(at, len(nodes)):
            for position, x in enumerate(nodes[index].output_tensors):
                x._keras_history = KerasHistory(self.operation, index, position)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Operations leave their nodes out of copies: each node tells them of itself.
        # So the depth of a graph is not the depth of a recursion.
        self.__dict__.update(state)
        self._register()

    @property
    def is_input(self) -> bool:
        """Whether the node is an Input, with nothing before it."""
        return not self.input_tensors

    @property
    def parent_nodes(self) -> list[Node]:
        """The nodes whose outputs are the inputs of this one."""
        parents = map(node_of, self.input_tensors)
        return [node for node in parents if node is not None]

    def __repr__(self) -> str:
        return f"<Node operation={self.operation.name}, id={id(self)}>"


def node_of(tensor: KerasTensor) -> Node | None:
    """Return the node that gave the symbolic `tensor`, or None."""
    if tensor._keras_history is None:
        return None
    operation, node_index, _ = tensor._keras_history
    nodes = operation._inbound_nodes
    return nodes[node_index] if node_index < len(nodes) else None


def get_source_inputs(tensor: KerasTensor) -> Any:
    """Return the inputs of models that a symbolic tensor is computed from.

    Args:
        tensor: a KerasTensor. One that nothing gave is returned as it is.

    >>> import hornbeam as keras
    >>> a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    >>> y = keras.layers.Dense(3)(a + b)
    >>> [x.name for x in keras.utils.get_source_inputs(y)]
    ['a', 'b']
    """
    if not hasattr(tensor, "_keras_history"):
        raise TypeError(
            "`get_source_inputs()` takes a KerasTensor, the symbol of a layer's input "
            f"or output. Received: tensor={tensor!r} (of type {type(tensor).__name__})"
        )
    if node_of(tensor) is None:
        return tensor
    found: list[KerasTensor] = []
    left, seen = [tensor], set()
    while left:
        x = left.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        node = node_of(x)
        if node is None or node.is_input:
            found.append(x)
        else:
            left += reversed(node.input_tensors)
    return found
