"""A layer made of a function."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from hornbeam.core import tree
from hornbeam.core.lambdas import serialize_layer_lambda
from hornbeam.core.live_config import target_of
from hornbeam.core.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer
from hornbeam.layers.core.traced_function import TracedFunction, symbols_of, trace
from hornbeam.layers.layer import Layer
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Self, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Config, ShapeLike, Tensor


class Lambda(Layer):
    """Wraps a function without state as a layer.

    Loading a file runs no code that came with it: a function is looked up by its name
    among the ops (`keras.ops.square`), the registered functions and `custom_objects`.
    A Python `lambda` has no name. One that only calls ops of the library is saved as
    the graph of these ops, for inputs of the shape that the layer had, and comes back;
    Keras does not read the graph. Another one has to be passed again, as
    `custom_objects={layer name: ...}`: a warning says so when it is saved.

    Args:
        function: takes the inputs first; may also take `mask` and `training`.
        output_shape: shape of the output without the batch, or a function of the input
            shape. Default: inferred by tracing the function.
        mask: the output's mask, or a function of `(inputs, mask)`.
        arguments: further keyword arguments for the function.

    >>> import hornbeam as keras
    >>> float(keras.layers.Lambda(keras.ops.square)(keras.ops.array(3.0)))
    9.0
    """

    _is_stateless = True

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: ShapeLike | Callable[..., Any] | None = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(
                "Argument `function` of Lambda must be callable. Received: "
                f"function={function!r}"
            )
        valid_shape = output_shape is None or callable(output_shape)
        if not valid_shape and not isinstance(output_shape, tuple | list):
            raise TypeError(
                "Argument `output_shape` of Lambda must be None, a tuple or a function "
                f"of the input shape. Received: output_shape={output_shape!r}"
            )
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.arguments: Mapping[str, Any] = arguments or {}
        self.supports_masking = mask is not None
        self._optional = {"mask", "training"} & _parameters(function)

    @overridable
    def call(
        self, inputs: Any, mask: Any = None, training: bool | None = None
    ) -> Tensor:
        """Return `function(inputs, **arguments)`."""
        available = {"mask": mask, "training": training}
        optional = {name: available[name] for name in self._optional}
        return self.function(inputs, **{**optional, **self.arguments})

    def compute_mask(self, inputs: Any, mask: Any = None) -> Tensor:
        """Return the mask that the argument `mask` gives."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the declared shape, else the one that tracing gives."""
        if self.output_shape is None:
            outputs = infer(self.call, (self._symbols(input_shape),), {})
            return tree.map_structure(lambda x: x.shape, outputs)
        if callable(self.output_shape):
            return self.output_shape(input_shape)
        batch = tree.flatten(input_shape)[0]
        return (batch, *self.output_shape)

    def compute_output_spec(
        self, inputs: Any, mask: Any = None, training: bool | None = None
    ) -> Any:
        """Return the symbolic outputs."""
        if self.output_shape is not None:
            return super().compute_output_spec(inputs)
        inputs = tree.map_structure(self._cast_symbol, inputs)
        return infer(self.call, (inputs,), {"mask": mask, "training": training})

    def _symbols(self, shape):
        if all(size is None or isinstance(size, int) for size in shape):
            return KerasTensor(shape, self.compute_dtype)
        return [self._symbols(one) for one in shape]

    def get_config(self) -> Config:
        """Return the config.

        Written by hand because a Python lambda has a form of its own in this layer.
        """
        function = _serialized(self.function, self.name, self._traced)
        # The graph tells the shape.
        is_traced = "graph" in function["config"] and _is_lambda(self.output_shape)
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "function": function,
            "output_shape": None if is_traced else _serialized(self.output_shape),
            "mask": _serialized(self.mask),
            "arguments": serialize_keras_object(dict(self.arguments)),
        }

    def _traced(self):
        inputs = symbols_of(self)
        if self._optional:
            raise ValueError(f"it takes {sorted(self._optional)}")
        if inputs is None:
            raise ValueError("the layer was never called")
        return trace(self.function, inputs, self.arguments)

    @classmethod
    def from_config(
        cls,
        config: Config,
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool | None = None,
    ) -> Self:
        """Make the layer from a config; functions are looked up by name."""
        config = dict(config)
        function = config.get("function")
        if isinstance(function, dict) and "graph" in (function.get("config") or ()):
            if target_of(function) is None:
                config["function"] = TracedFunction(function["config"])
        for argument in ("function", "output_shape", "mask"):
            if isinstance(config.get(argument), dict):
                config[argument] = deserialize_keras_object(
                    config[argument], custom_objects=custom_objects
                )
        return cls(**config)


def _is_lambda(value):
    return getattr(value, "__name__", "") == "<lambda>"


def _serialized(value, name=None, trace=None):
    if isinstance(value, TracedFunction):
        return value.serialized()
    if _is_lambda(value):
        return serialize_layer_lambda(value, name, trace)
    return serialize_keras_object(value)


def _parameters(function):
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return set()
