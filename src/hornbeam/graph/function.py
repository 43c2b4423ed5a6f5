"""Function: the computation between symbolic inputs and outputs."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable
from typing import Any

from hornbeam.core import tree
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.node import Node, node_of
from hornbeam.graph.operation import Operation
from hornbeam.typing import Tree


class Function(Operation):
    """The graph that leads from `inputs` to `outputs`, as one operation.

    Args:
        inputs: a KerasTensor or a nest of them.
        outputs: a KerasTensor or a nest of them, computed from `inputs`.
        name: default: generated.

    >>> import hornbeam as keras
    >>> x = keras.KerasTensor((None, 2))
    >>> a = keras.Input((2,))
    >>> keras.Function(a, keras.ops.sum(a, axis=-1))(x).shape
    (None,)
    """

    def __init__(self, inputs: Tree, outputs: Tree, name: str | None = None):
        super().__init__(name=name)
        self._set_graph(inputs, outputs)

    _graph_within = property(lambda self: self)

    def _set_graph(self, inputs, outputs):
        self._inputs_struct = inputs
        self._outputs_struct = outputs
        self._inputs = tree.flatten(inputs)
        self._outputs = tree.flatten(outputs)
        if not self._inputs or not self._outputs:
            missing = "outputs" if self._inputs else "inputs"
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: `{missing}` argument cannot be "
                f"empty. Received: inputs={inputs}, outputs={outputs}"
            )
        for x in self._inputs + self._outputs:
            if not isinstance(x, KerasTensor):
                raise ValueError(
                    f"`inputs` and `outputs` of {type(self).__name__} {self.name!r} "
                    f"must be KerasTensors. Received: {x!r}"
                )
        self._nodes, self._operations = sort_graph(self._inputs, self._outputs)
        self._steps, slots, self._slot_count = _plan(self._nodes, self._inputs)
        self._output_slots = [slots[id(x)] for x in self._outputs]

    @property
    def operations(self) -> list[Any]:
        """The operations of the graph, those nearest to the inputs first."""
        return list(self._operations)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat."""
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return self._outputs

    def compute_output_spec(self, inputs: Tree) -> Tree:
        """Return the symbols of the outputs for the symbols `inputs`."""
        given = tree.flatten(inputs)
        same = len(given) == len(self._inputs) and all(
            (tuple(x.shape), x.dtype, getattr(x, "sparse", False))
            == (tuple(y.shape), y.dtype, y.sparse)
            for x, y in zip(given, self._inputs, strict=True)
        )
        if same:
            return tree.map_structure(
                lambda x: KerasTensor(x.shape, x.dtype, sparse=x.sparse),
                self._outputs_struct,
            )
        return self.run(inputs, lambda operation: operation.compute_output_spec)

    def compute_output_shape(self, input_shape: Any) -> Tree:
        """Return the shapes of the outputs for the shapes of the inputs."""
        shapes = _flat_shapes(input_shape)
        inputs = [
            KerasTensor(shape, x.dtype, sparse=x.sparse)
            for shape, x in zip(shapes, self._inputs, strict=True)
        ]
        spec = self.compute_output_spec(tree.pack_like(self._inputs_struct, inputs))
        return tree.map_structure(lambda x: x.shape, spec)

    def call(self, inputs: Tree) -> Tree:
        """Compute the outputs for `inputs`."""
        self._check_inputs(inputs)
        return self.run(inputs)

    def _check_inputs(self, inputs):
        expected = tree.map_structure(lambda x: x.shape, self._inputs_struct)
        if tree.paths(inputs) != tree.paths(self._inputs_struct):
            raise ValueError(
                f"{type(self).__name__} {self.name!r} was called with an invalid input "
                f"structure. Expected inputs of the shapes {expected}. Received: "
                f"{inputs!r}"
            )
        for x, symbol in zip(tree.flatten(inputs), self._inputs, strict=True):
            shape = tuple(x.shape)
            if len(shape) != len(symbol.shape) or any(
                None not in (a, b) and a != b
                for a, b in zip(shape, symbol.shape, strict=True)
            ):
                raise ValueError(
                    f"{type(self).__name__} {self.name!r} was passed incompatible "
                    f"inputs. Expected the shapes {expected}. Received one of shape "
                    f"{shape}."
                )

    def run(
        self,
        inputs: Tree,
        function_of: Callable[[Any], Callable[..., Any]] | None = None,
    ) -> Tree:
        """Call every operation in turn on `inputs`.

        `function_of(operation)` gives what is called; by default the operation itself.
        """
        flat = tree.flatten(inputs)
        if len(flat) != len(self._inputs):
            raise ValueError(
                f"{type(self).__name__} {self.name!r} expects {len(self._inputs)} "
                f"inputs. Received {len(flat)}: {inputs!r}"
            )
        values = flat + [None] * (self._slot_count - len(flat))
        for operation, single, leaves, node, out in self._steps:
            function = operation if function_of is None else function_of(operation)
            if single is not None:
                result = function(values[single])
            else:
                filled = [values[x.index] if type(x) is _Slot else x for x in leaves]
                args, kwargs = tree.unflatten(node.spec, filled)
                result = function(*args, **kwargs)
            if len(out) == 1 and isinstance(node.outputs, KerasTensor):
                values[out[0]] = result
            else:
                for value, slot in zip(tree.flatten(result), out, strict=True):
                    values[slot] = value
        results = [values[i] for i in self._output_slots]
        return tree.pack_like(self._outputs_struct, results)


class _Slot:
    """The place of a tensor among the values of a run."""

    __slots__ = ("index",)

    def __init__(self, index):
        self.index = index


def _plan(nodes, inputs):
    """Return the steps of a run, the slots of tensors by id, and how many slots.

    A step is (operation, slot of a single input or None, leaves of the arguments, node,
    slots of the outputs).
    """
    slots = {id(x): i for i, x in enumerate(inputs)}
    count = len(inputs)
    steps = []
    for node in nodes:
        if node.is_input or all(id(x) in slots for x in node.output_tensors):
            continue
        single = None
        if len(node.args) == 1 and not node.kwargs:
            if isinstance(node.args[0], KerasTensor):
                single = slots[id(node.args[0])]
        leaves = [
            _Slot(slots[id(x)]) if isinstance(x, KerasTensor) else x
            for x in node.leaves
        ]
        out = []
        for x in tree.flatten(node.outputs):
            out.append(slots.get(id(x), count))
            slots[id(x)] = out[-1]
            count += 1
        steps.append((node.operation, single, leaves, node, out))
    return steps, slots, count


def sort_graph(
    inputs: Iterable[KerasTensor], outputs: Iterable[KerasTensor]
) -> tuple[list[Node], list[Operation]]:
    """Return the nodes between `inputs` and `outputs`, and their operations.

    Both are ordered by depth, the longest way to an output, deepest first; ties are
    broken by the order in which a walk back from the outputs meets the operations.
    """
    input_ids = {id(x) for x in inputs}
    finished, met = _walk_back(outputs, input_ids)
    depths: dict[Node, int] = {}
    operation_depths: dict[Operation, int] = {}
    for node in reversed(finished):
        operation = node.operation
        depth = max(depths.get(node, 0), operation_depths.get(operation, 0))
        depths[node] = operation_depths[operation] = depth
        for x in node.input_tensors:
            parent = None if _starts_at(x, input_ids) else node_of(x)
            if parent is not None:
                depths[parent] = max(depth + 1, depths.get(parent, 0))
    for x in inputs:
        node = node_of(x)
        # An Input belongs to the graph even where no output needs it.
        if node is not None and node.is_input and node not in depths:
            operation_depths.setdefault(node.operation, 0)
            met.setdefault(node.operation, -1)
            depths[node] = 0
            finished.append(node)
    by_depth = collections.defaultdict(list)
    for node in finished:
        by_depth[depths[node]].append(node)
    nodes = [n for depth in sorted(by_depth, reverse=True) for n in by_depth[depth]]
    operations = sorted(operation_depths, key=lambda o: (-operation_depths[o], met[o]))
    return nodes, operations


def _walk_back(outputs, input_ids):
    """Return the nodes before `outputs`, parents first, and the order of operations.

    Iterative, so that a deep network does not exhaust the stack.
    """
    finished: list[Node] = []
    state: dict[Node | None, str] = {}
    met: dict[Operation, int] = {}
    for output in outputs:
        stack = [(output, False)]
        while stack:
            tensor, leaving = stack.pop()
            if _starts_at(tensor, input_ids):
                continue
            node = node_of(tensor)
            if node is not None and leaving:
                if state[node] == "open":
                    state[node] = "finished"
                    finished.append(node)
                continue
            if node in state:
                continue
            if node is None or (node.is_input and id(tensor) not in input_ids):
                raise ValueError(
                    f"Output {output!r} is not connected to `inputs`: it needs "
                    f"{tensor!r}, which is not among them."
                )
            state[node] = "open"
            met.setdefault(node.operation, len(met))
            stack.append((tensor, True))
            stack += [(x, False) for x in reversed(node.input_tensors)]
    return finished, met


def _starts_at(tensor, input_ids):
    """Whether the graph begins at `tensor`: given, and what leads to it is outside."""
    if id(tensor) not in input_ids:
        return False
    node = node_of(tensor)
    return node is None or not node.is_input


def _flat_shapes(shape):
    if isinstance(shape, dict):
        return [s for key in sorted(shape) for s in _flat_shapes(shape[key])]
    if all(d is None or isinstance(d, int) for d in shape):
        return [tuple(shape)]
    return [s for item in shape for s in _flat_shapes(item)]
