"""Operation: something that can be called on tensors, symbolic ones included."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from hornbeam import backends
from hornbeam.core import scopes, tree
from hornbeam.core.arguments import Initialised, check_keywords
from hornbeam.core.budget import BoundedConfig
from hornbeam.core.configurable import (
    config_class,
    init_arguments,
    serialize_argument,
    signature,
)
from hornbeam.core.errors import is_from_users_code, shown
from hornbeam.core.naming import auto_name
from hornbeam.graph import op_format
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.node import Node
from hornbeam.typing import Config, Tree

_OF_NODES = ("_inbound_nodes", "_outbound_nodes")


class Operation(BoundedConfig, Initialised):
    """A base for what computes outputs from inputs: layers and ops.

    A subclass writes `call`. Called on KerasTensors, it is recorded as a node of the
    graph, and `compute_output_spec` says what comes out.

    Args:
        name: default: generated from the class name.
    """

    # Arguments of `__init__` that set state: they are not part of the config.
    state_arguments: tuple[str, ...] = ()
    _set_by_init: str = "name"
    # The graph that it is, and that which a call does, with nothing else; or None.
    _graph_within: Any = None
    _called_graph: Any = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        check_keywords(cls, args, kwargs)
        # What `__init__` was given is the config where the attribute is not kept.
        instance = super().__new__(cls)
        instance.__dict__["_init_call"] = (args, kwargs)
        return instance

    def __init__(self, name: str | None = None):
        name = name or auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                f"Argument `name` of {type(self).__name__} must be a string and cannot "
                f"contain character `/`. Received: name={name!r} (of type "
                f"{type(name).__name__})"
            )
        self.name = name
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic((args, kwargs)):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    @property
    def runs_on_host(self) -> bool:
        """Whether it computes with NumPy, before the programs of a model."""
        return False

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record the call and return the symbols of its outputs."""
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError(f"{type(self).__name__} needs a `call()` method.")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the KerasTensors that the call would give."""
        return infer(self.call, args, kwargs)

    def get_config(self) -> Config:
        """Return the arguments that make an equal object, as plain data."""
        own: type = type(self)
        cls = config_class(own)
        # Of a user's own class; where it has a `get_config`, ours only adds its part.
        if cls is own and _unnamed_init_arguments(self):
            raise NotImplementedError(
                f"{type(self).__name__} was made with positional arguments that have "
                "no name in `__init__()`, so its config is not known: write "
                "`get_config()`."
            )
        given = bound_init_arguments(self)
        config = {}
        for name in init_arguments(cls):
            if name in self.state_arguments:
                continue
            if name in given or hasattr(self, name):
                value = getattr(self, name, given.get(name))
                try:
                    config[name] = serialize_argument(value)
                except TypeError as error:
                    raise NotImplementedError(
                        f"{type(self).__name__} cannot make a config of its argument "
                        f"`{name}`: write `get_config()`. {error}"
                    ) from error
        return config

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make an object from what `get_config` returned."""
        try:
            return cls(**config)
        except TypeError as error:
            if is_from_users_code(error):
                raise
            raise TypeError(
                f"{cls.__name__} cannot be made from its config {shown(config)}: "
                f"{error}. Write `get_config()` so that it returns the arguments of "
                "`__init__`."
            ) from error

    @property
    def input(self) -> Any:
        """The symbolic input of the first call."""
        return self._of_first_node("input")

    @property
    def output(self) -> Any:
        """The symbolic output of the first call."""
        return self._of_first_node("output")

    def _of_first_node(self, attribute):
        nodes = self._inbound_nodes
        if not nodes:
            raise AttributeError(
                f"`{attribute}` of {self.name!r} is not defined: it was never called "
                "on a symbolic input."
            )
        if attribute == "output":
            outputs = nodes[0].outputs
            return list(outputs) if isinstance(outputs, tuple) else outputs
        tensors = nodes[0].input_tensors or nodes[0].output_tensors
        if len(tensors) == 1:
            return tensors[0]
        first = nodes[0]
        if len(first.args) == 1 and not any_symbolic(first.kwargs):
            return first.args[0]
        return list(tensors)

    def __getstate__(self) -> Any:
        # A copy learns of its nodes from them: see `Node.__setstate__`.
        return {**self.__dict__, **{name: [] for name in _OF_NODES}}

    def __setstate__(self, state: Any) -> None:
        known = {k: self.__dict__[k] for k in _OF_NODES if k in self.__dict__}
        self.__dict__.update({**state, **known})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def bound_init_arguments(instance: Any) -> dict[str, Any]:
    """Return the arguments that `instance` was made with, by name."""
    args, kwargs = instance.__dict__.get("_init_call", ((), {}))
    try:
        bound = signature(type(instance).__init__).bind(None, *args, **kwargs)
    except (TypeError, ValueError):
        return dict(kwargs)
    bound.apply_defaults()
    given: dict[str, Any] = {}
    for name, value in list(bound.arguments.items())[1:]:
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            given |= value
        elif kind is not inspect.Parameter.VAR_POSITIONAL:
            given[name] = value
    return given


def _unnamed_init_arguments(instance):
    """Return the arguments that `instance` was made with as `*args` of `__init__`."""
    args, _ = instance.__dict__.get("_init_call", ((), {}))
    parameters = list(signature(type(instance).__init__).parameters.values())[1:]
    kinds = [p.kind for p in parameters]
    unnamed = inspect.Parameter.VAR_POSITIONAL
    return args[kinds.index(unnamed) :] if unnamed in kinds else ()


class OpOperation(Operation):
    """The operation of an op such as `ops.mean` in a graph.

    Args:
        op: the op's function.
        name: default: generated from the op's name.
        arguments: the arguments of the op that are no operands.
    """

    def __init__(self, op: Any, name: str | None = None, **arguments: Any):
        super().__init__(name or auto_name(op_format.class_name(op.name)))
        self.op = op
        self.arguments = arguments
        self._is_leading, self._operands = _operands_of(op)
        self._takes_index = op.name == "get_item"

    def _arranged(self, args, kwargs):
        """Return the arguments as the op takes them."""
        if self._takes_index and isinstance(args[-1], list):
            # A file has lists for tuples.
            args = (*args[:-1], tuple(args[-1]))
        if self._is_leading:
            return args, {**kwargs, **self.arguments}
        if self._operands[0].startswith("*"):
            first = op_format.before_operands(self.op.name)
            rest = {k: v for k, v in self.arguments.items() if k not in first}
            return [*(self.arguments[k] for k in first), *args], {**kwargs, **rest}
        named = dict(zip(self._operands, args, strict=False))
        return (), {**named, **kwargs, **self.arguments}

    def call(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = self._arranged(args, kwargs)
        return self.op(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = self._arranged(args, kwargs)
        return self.op.compute_output_spec(args, kwargs)

    def clone(self) -> OpOperation:
        """Return an operation of the same op with the same arguments."""
        return OpOperation(self.op, name=self.name, **self.arguments)

    def config_header(self) -> Config:
        """Return how a file names the op."""
        class_name = op_format.class_name(self.op.name)
        return {
            "module": op_format.module_name(self.op.name),
            "class_name": class_name,
            "registered_name": class_name,
        }

    def get_config(self) -> Config:
        return {"name": self.name, **self.arguments}


@functools.lru_cache(maxsize=4096)
def _operands_of(op):
    """Return if the operands are the first parameters of the op, and their names."""
    parameters = tuple(signature(op.body).parameters)
    names = op_format.operands(op.name, parameters)
    plain = tuple(name.lstrip("*") for name in names)
    return plain == parameters[: len(names)], names


def record(
    op: Any,
    signature: inspect.Signature,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Any:
    """Record a call of `op` on symbolic arguments as one node.

    What is no operand becomes part of the operation's config, as in saved files.
    """
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"ops.{op.name}: {error}") from None
    _, names = _operands_of(op)
    given = dict(bound.arguments)
    if isinstance(given.get("key"), list) and not any_symbolic(given["key"]):
        given["key"] = np.array(given["key"])
    operands: list[Any] = []
    call_kwargs: dict[str, Any] = {}
    arguments: dict[str, Any] = {}
    for name in names:
        if name.startswith("*"):
            operands += given.pop(name[1:], ())
            continue
        if signature.parameters[name].default is not inspect.Parameter.empty:
            given.setdefault(name, signature.parameters[name].default)
        if name in given and len(operands) == names.index(name):
            operands.append(given.pop(name))
        elif name in given:
            call_kwargs[name] = given.pop(name)
    for name, value in given.items():
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            operands += value
        elif kind is inspect.Parameter.VAR_KEYWORD:
            arguments |= value
        elif any_symbolic(value):
            call_kwargs[name] = value
        else:
            arguments[name] = value
    op_name = arguments.pop("name", None)
    return OpOperation(op, name=op_name, **arguments)(*operands, **call_kwargs)


def any_symbolic(structure: Tree) -> bool:
    """Whether a KerasTensor is anywhere in the nest."""
    return any(isinstance(x, KerasTensor) for x in tree.flatten(structure))


def any_sparse(structure: Tree) -> bool:
    """Whether a sparse KerasTensor is anywhere in the nest."""
    leaves = tree.flatten(structure)
    return any(isinstance(x, KerasTensor) and x.sparse for x in leaves)


def infer(
    fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Tree:
    """Return the KerasTensors that `fn(*args, **kwargs)` would give on real tensors."""

    def evaluated(*args, **kwargs):
        # An engine may call it several times: each time the state is as it was.
        with scopes.StatelessScope(), scopes.SymbolicScope():
            return fn(*args, **kwargs)

    specs = backends.current().infer(evaluated, *args, **kwargs)
    return tree.map_structure(_tensor_of_spec, specs)


def _tensor_of_spec(spec):
    if not hasattr(spec, "shape"):
        return spec
    return KerasTensor(spec.shape, spec.dtype, sparse=getattr(spec, "sparse", False))


def type_name(operation: Any) -> str:
    """Return the name of the class of a layer or op."""
    if isinstance(operation, OpOperation):
        return operation.config_header()["class_name"]
    cls = type(operation)
    return getattr(cls, "_twin_of", cls).__name__
