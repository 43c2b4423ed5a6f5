"""TensorFlow: programs compiled ahead of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import optree
import tensorflow as tf

# How `tf.Variable` and `tf.function` do it; there is no public way.
from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2
from tensorflow.python.eager import context, tape

from .arrays import convert

_LOOPS = {"While", "StatelessWhile"}
# XLA on a CPU is slow at them in loops: https://github.com/jax-ml/jax/issues/12868.
_CONVOLUTIONS = {"Conv2D", "Conv3D", "DepthwiseConv2dNative"}
# XLA has no kernels for products of sparse matrices, and wants to know their entries.
_SPARSE = {"SparseTensorDenseMatMul", "SparseToDense", "SparseReshape", "SparseReorder"}


def _loop_options():
    """Return the options of calls of graphs that loop.

    With TensorFlow 2.21's folding of constants some of them, such as a step with a
    convolution whose log is the result of a metric, give empty tensors.
    """
    config = config_pb2.ConfigProto()
    config.CopyFrom(context.context().config)
    off = rewriter_config_pb2.RewriterConfig.OFF
    config.graph_options.rewrite_options.constant_folding = off
    return context.FunctionCallOptions(config_proto=config)


class Program:
    """A function as a graph, for arguments of one form.

    `tf.Variable`s among the arguments are read inside the program. Those of a donated
    first argument also take their new values inside it: they are what the function
    returns first.

    A program that loops is compiled by XLA, which on a CPU runs training steps in a
    third of the time (the operators are one kernel each otherwise). A program of a
    single step runs as it is: XLA would gain nothing there and takes a second. So does
    one with convolutions, whose steps XLA makes several times slower on a CPU.
    """

    def __init__(self, fn: Callable, arguments: Sequence[Any], donate: Sequence[int]):
        nest: Any = tuple(arguments)
        leaves, structure = optree.tree_flatten(nest)
        kept = len(optree.tree_leaves(arguments[0])) if 0 in donate else 0
        self._places = [i for i, x in enumerate(leaves) if isinstance(x, tf.Variable)]
        self._assigned = [i for i in self._places if i < kept]
        specs = [_spec(x) for x in leaves]
        shapes = {i: (leaves[i].dtype, leaves[i].shape) for i in self._places}
        assigned = self._assigned
        form: Any = None

        def flat(*inputs):
            nonlocal form
            values = list(inputs)
            for i, (dtype, shape) in shapes.items():
                values[i] = tf.raw_ops.ReadVariableOp(resource=inputs[i], dtype=dtype)
                values[i].set_shape(shape)
            result = fn(*optree.tree_unflatten(structure, values))
            results, form = optree.tree_flatten(result)
            results = [convert(x) for x in results]
            for i in assigned:
                if results[i] is not values[i]:
                    tf.raw_ops.AssignVariableOp(resource=inputs[i], value=results[i])
            return [x for i, x in enumerate(results) if i not in set(assigned)]

        plain = tf.function(flat, autograph=False).get_concrete_function(*specs)
        self._form = form
        self._run = self._plain = plain
        inside = plain.graph.as_graph_def().library.function
        kinds = {node.op for function in inside for node in function.node_def}
        loops = any(op.type in _LOOPS for op in plain.graph.get_operations())
        self._options = _loop_options() if loops else None
        of_sparse = kinds | {op.type for op in plain.graph.get_operations()}
        if loops and not (kinds & _CONVOLUTIONS or of_sparse & _SPARSE):
            compiled = tf.function(plain, jit_compile=True, autograph=False)
            self._run = compiled.get_concrete_function(*specs)

    def __call__(self, *arguments: Any) -> Any:
        tree: Any = arguments
        leaves = optree.tree_leaves(tree)
        inputs = [
            x.handle if isinstance(x, tf.Variable) else convert(x) for x in leaves
        ]
        results = self._results(inputs)
        for i in self._assigned:
            results.insert(i, leaves[i])
        return optree.tree_unflatten(self._form, results)

    def _results(self, inputs):
        try:
            return self._call(inputs)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
            if self._run is self._plain:
                raise
            # XLA lacks a kernel: nothing has run yet, and all of it can without.
            self._run = self._plain
            return self._call(inputs)

    def _call(self, inputs):
        """Return the results for inputs that fit: what checks them takes longer than a
        small program."""
        inputs = (*inputs, *self._run.captured_inputs)
        call = self._run.inference_fn.call_flat
        if self._options is None or self._run is not self._plain:
            return list(call(*inputs) or ())
        state = context.context()
        before = state.function_call_options
        state.function_call_options = self._options
        try:
            return list(call(*inputs) or ())
        finally:
            state.function_call_options = before


def _spec(x: Any) -> tf.TensorSpec:
    if isinstance(x, tf.Variable):
        return tf.TensorSpec((), tf.resource)
    x = convert(x)
    return tf.TensorSpec(x.shape, x.dtype)


def variable_read(variable: Any) -> None:
    """Let the tapes that are open watch the `handle` of a Variable that was read."""
    if variable.trainable:
        tape.variable_accessed(variable)


def program_bytes(program: Program) -> tuple[int, int]:
    """How many bytes a program takes: not known, so none. It stays in TensorFlow."""
    return 0, 0


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that the memory of the device does not suffice."""
    return isinstance(error, (MemoryError, tf.errors.ResourceExhaustedError))


def distribute_strategy() -> tf.distribute.Strategy:
    """The strategy in whose scope this is, or TensorFlow's default one."""
    return tf.distribute.get_strategy()
