"""Node: the record of one call of an operation on symbolic tensors."""

import collections

from hornbeam.core import tree
from hornbeam.graph.keras_tensor import KerasTensor

KerasHistory = collections.namedtuple(
    "KerasHistory", ["operation", "node_index", "tensor_index"]
)


class Node:
    """One call: the operation, its arguments, and the symbols that it gave.

    Args:
        operation: the Operation that was called.
        call_args: positional arguments of the call.
        call_kwargs: keyword arguments of the call.
        outputs: KerasTensors, or a nest of them.
    """

    def __init__(self, operation, call_args=(), call_kwargs=None, outputs=None):
        self.operation = operation
        self.args = tuple(call_args)
        self.kwargs = dict(call_kwargs or {})
        self.leaves, self.spec = tree.flatten_with_spec((self.args, self.kwargs))
        self.input_tensors = [x for x in self.leaves if isinstance(x, KerasTensor)]
        self.outputs = outputs
        self.output_tensors = [
            x for x in tree.flatten(outputs) if isinstance(x, KerasTensor)
        ]
        index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for parent in self.parent_nodes:
            parent.operation._outbound_nodes.append(self)
        for position, x in enumerate(self.output_tensors):
            x._keras_history = KerasHistory(operation, index, position)

    @property
    def is_input(self):
        """Whether the node is an Input, with nothing before it."""
        return not self.input_tensors

    @property
    def parent_nodes(self):
        """The nodes whose outputs are the inputs of this one."""
        return [node_of(x) for x in self.input_tensors if x._keras_history is not None]

    def __repr__(self):
        return f"<Node operation={self.operation.name}, id={id(self)}>"


def node_of(tensor):
    """Return the node that gave the symbolic `tensor`, or None."""
    if tensor._keras_history is None:
        return None
    operation, node_index, _ = tensor._keras_history
    return operation._inbound_nodes[node_index]
