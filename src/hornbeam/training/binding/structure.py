"""The structure of a model: what a compiled program depends on, without the numbers.

Two models of equal structure share programs. The numbers that are left out, the
Hyperparameters, have the same order in both, so they can be inputs of the program.
"""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any

import numpy as np

from hornbeam.core.configurable import init_arguments
from hornbeam.core.hyperparameter import hyperparameter_names, is_lifted
from hornbeam.core.random import SeedGenerator
from hornbeam.core.variable import Variable
from hornbeam.graph.function import Function
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import OpOperation
from hornbeam.initializers.initializer import Initializer
from hornbeam.layers.layer import Layer

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), np.dtype)


class Structure:
    """The key of objects' structure, and their hyperparameters.

    Attributes:
        key: hashable; equal for objects of equal structure.
        hyperparameters: pairs `(object, attribute name)`.
        foreign: whether there is code of the user, which may not treat the rows of a
            batch separately.
        shareable: whether the key says all; else programs belong to one model only.
    """

    def __init__(self, *objects: Any) -> None:
        self.hyperparameters: Any = []
        self.foreign: bool = False
        self.shareable: bool = True
        self._seen: dict[int, int] = {}
        self.key: Any = tuple(self._of(x) for x in objects)

    def values(self) -> Any:
        """Return the hyperparameters' present values, a vector for the program."""
        numbers = [getattr(owner, name) for owner, name in self.hyperparameters]
        return np.array(numbers, dtype=np.float32)

    def _of(self, x):
        if isinstance(x, _PLAIN):
            return (type(x).__name__, x)
        if isinstance(x, dict):
            return ("dict", *((k, self._of(v)) for k, v in x.items()))
        if isinstance(x, list | tuple | set):
            return (type(x).__name__, *(self._of(v) for v in x))
        if isinstance(x, np.ndarray | np.generic):
            return ("array", x.shape, str(x.dtype), x.tobytes())
        if id(x) in self._seen:
            return ("seen", self._seen[id(x)])
        self._seen[id(x)] = len(self._seen)
        if isinstance(x, Variable):
            return ("variable", x.shape, x._dtype, x.trainable, x._autocast)
        if isinstance(x, SeedGenerator):
            return ("seed",)
        if isinstance(x, Initializer):
            # What a variable starts with is no part of what a program does.
            return ("initializer",)
        if isinstance(x, types.FunctionType | types.BuiltinFunctionType):
            return self._of_function(x)
        if isinstance(x, functools.partial):
            return ("partial", self._of(x.func), self._of(x.args), self._of(x.keywords))
        if isinstance(x, type):
            return ("class", x)
        return self._of_object(x)

    def _of_function(self, function):
        """A function of ours is what its name says; a user's is the object itself.

        One that closes over something may keep a model alive: it is not shared.
        """
        if function.__module__ and function.__module__.startswith("hornbeam."):
            if not getattr(function, "__closure__", None) or hasattr(function, "body"):
                return ("function", function.__module__, function.__qualname__)
        self.foreign = True
        if getattr(function, "__closure__", None):
            self.shareable = False
            return ("function", id(function))
        return ("function", function)

    def _of_object(self, x):
        cls: Any = type(x)
        if getattr(x, "runs_on_host", False):
            return ("host", cls)  # It is no part of the program.
        ours = cls.__module__.startswith("hornbeam.") and "call" not in vars(x)
        if not ours:
            self.foreign = True
            self.shareable = False
        if not getattr(x, "accepts_padding", True):
            self.foreign = True
        lifted = [
            name
            for name in hyperparameter_names(cls)
            if is_lifted(vars(x).get(f"_hyperparameter_{name}"))
        ]
        self.hyperparameters += [(x, name) for name in lifted]
        parts = [("class", cls), ("lifted", tuple(lifted))]
        if isinstance(x, Layer):
            parts.append(self._of_layer_state(x))
        if isinstance(x, Function):
            parts.append(self._of_graph(x))
        elif getattr(x, "is_only_its_layers", False):
            parts += [self._of(layer) for layer in x._layers]
        elif isinstance(x, OpOperation):
            parts += [("op", x.op.name), self._of(x.arguments)]
        elif ours:
            parts.append(self._of_arguments(x, lifted))
            if hasattr(x, "structure_key"):
                parts.append(x.structure_key())
        else:
            parts.append(("object", id(x)))
            if isinstance(x, Layer):
                parts += [self._of(layer) for layer in x._layers]
        return tuple(parts)

    def _of_arguments(self, x, lifted):
        cls: Any = type(x)
        arguments = []
        for name in init_arguments(cls):
            # A seed acts through the state of a SeedGenerator, which is a Variable.
            if name in lifted or name in ("name", "seed"):
                continue
            # `_learning_rate` is a Variable or a schedule; `learning_rate` its value.
            attribute = f"_{name}" if name == "learning_rate" else name
            value = vars(x).get(attribute, _MISSING)
            if value is _MISSING:
                value = vars(x).get(f"_{name}", _MISSING)
            if value is _MISSING:
                value = _plain_property(x, name)
            if value is not _MISSING:
                arguments.append((name, self._of(value)))
        return tuple(arguments)

    def _of_layer_state(self, layer):
        policy = layer.dtype_policy
        weights = layer._own_weights()
        return (
            "state",
            layer._trainable,
            layer.autocast,
            policy.compute_dtype,
            policy.variable_dtype,
            self._of(layer.activity_regularizer),
            self._of([v.regularizer for v in weights]),
            self._of([v.constraint for v in weights]),
            layer._supports_masking,
            _of_remat(layer._remat_scope, layer),
        )

    def _of_graph(self, model):
        places: dict[int, int] = {}
        parts = []
        for node in model._nodes:
            operation = self._of(node.operation)
            leaves = tuple(
                ("tensor", places.get(id(x)))
                if isinstance(x, KerasTensor)
                else self._of(x)
                for x in node.leaves
            )
            for x in node.output_tensors:
                places[id(x)] = len(places)
            parts.append((operation, leaves, str(node.spec)))
        outputs = tuple(places[id(x)] for x in model._outputs)
        inputs = tuple((places[id(x)], x.shape, x.dtype) for x in model._inputs)
        nests = [_form(x) for x in (model._inputs_struct, model._outputs_struct)]
        return ("graph", *parts, inputs, outputs, *nests)


def _of_remat(scope, layer):
    """Return what of a RematScope changes the layer's part of a program."""
    if scope is None:
        return None
    listed = layer.name in (scope.layer_names or ())
    return (scope.mode, scope.output_size_threshold, listed)


class _Missing:
    pass


_MISSING = _Missing()


@functools.lru_cache(maxsize=4096)
def _is_property(cls, name):
    return isinstance(inspect.getattr_static(cls, name, None), property)


def _plain_property(x, name):
    """Return the attribute `name` if it is plain data."""
    cls: Any = type(x)
    if not _is_property(cls, name):
        return _MISSING
    value = getattr(x, name, _MISSING)
    return value if isinstance(value, (*_PLAIN, tuple, list)) else _MISSING


def _form(struct):
    """Return how the tensors of a nest are arranged."""
    if isinstance(struct, dict):
        return ("dict", *((k, _form(v)) for k, v in struct.items()))
    if isinstance(struct, list | tuple):
        return (type(struct), *(_form(v) for v in struct))
    return None


def variable_specs(variables: Any) -> Any:
    """Return the hashable shapes and dtypes of variables."""
    return tuple((v.shape, v._dtype, v.trainable) for v in variables)
