"""clone_model: the same architecture with new weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core import tree
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import OpOperation
from hornbeam.layers.core.input_layer import InputLayer
from hornbeam.layers.layer import Layer
from hornbeam.models.functional import Functional
from hornbeam.models.sequential import Sequential

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hornbeam.models.model import Model


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[..., Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """Return a model of the same architecture with newly initialised weights.

    Args:
        model: a Functional, Sequential, or other model with a config.
        input_tensors: KerasTensors to use as inputs.
        clone_function: `layer -> layer`, which makes the copy of each layer. Default:
            from its config.
        call_function: `(layer, *args, **kwargs) -> outputs`, which calls each copy
            (Functional only).
        recursive: whether nested models are cloned layer by layer.

    >>> import hornbeam as keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> keras.models.clone_model(model).count_params()
    3
    """
    if kwargs.pop("cache", None) is not None or kwargs:
        kwargs.pop("cache", None)
        if kwargs:
            raise ValueError(f"Unexpected keyword argument(s): {sorted(kwargs)}")
    is_graph = isinstance(model, Functional)
    if not isinstance(model, Sequential) and not is_graph:
        if clone_function is not None or input_tensors is not None:
            name = "clone_function" if clone_function is not None else "input_tensors"
            raise ValueError(
                f"Argument `{name}` is only supported for Functional and Sequential "
                f"models. Received a model of class {type(model).__name__}."
            )
    if call_function is not None and not is_graph:
        raise ValueError(
            "Argument `call_function` is only supported for Functional models. "
            f"Received a model of class {type(model).__name__}."
        )
    copy = clone_function or _copy
    if isinstance(model, Sequential):
        clone = _clone_sequential(model, copy, input_tensors, recursive)
    elif is_graph and type(model).get_config is Functional.get_config:
        clone = _clone_functional(model, copy, input_tensors, call_function, recursive)
    else:
        clone = type(model).from_config(model.get_config())
    config = model.get_compile_config()
    if config is not None and not clone.compiled:
        clone.compile_from_config(config)
    return clone


def _copy(layer):
    if isinstance(layer, OpOperation):
        return layer.clone()
    return layer.__class__.from_config(layer.get_config())


def _copier(clone_function, recursive, call_function=None):
    def copy(layer):
        nested = isinstance(layer, Functional | Sequential)
        if recursive and nested:
            graph_only = {"call_function": call_function}
            return clone_model(
                layer,
                clone_function=clone_function,
                recursive=True,
                **(graph_only if isinstance(layer, Functional) else {}),
            )
        if isinstance(layer, InputLayer) or not isinstance(layer, Layer):
            return _copy(layer)
        copied = clone_function(layer)
        if not isinstance(copied, Layer):
            raise ValueError(
                "Argument `clone_function` must return a layer for each layer. "
                f"Received for {layer.name!r}: {copied!r}"
            )
        return copied

    return copy


def _clone_sequential(model, clone_function, input_tensors, recursive):
    copy = _copier(clone_function, recursive)
    layers = [copy(layer) for layer in model.layers]
    if input_tensors is not None:
        tensors = tree.flatten(input_tensors)
        if len(tensors) != 1:
            raise ValueError(
                "Argument `input_tensors` must be one tensor for a Sequential model. "
                f"Received {len(tensors)}."
            )
        layers.insert(0, _input_of(tensors[0]))
    elif model._layers and isinstance(model._layers[0], InputLayer):
        layers.insert(0, _copy(model._layers[0]))
    return Sequential(layers, name=model.name, trainable=model.trainable)


def _input_of(tensor):
    if isinstance(tensor, KerasTensor) and tensor._keras_history is not None:
        operation = tensor._keras_history.operation
        if isinstance(operation, InputLayer):
            return operation
    return InputLayer(batch_shape=tensor.shape, dtype=str(tensor.dtype))


def _is_like(tensors, inputs):
    """Whether tensors can be told to be those `inputs`: a dict by its keys."""
    if isinstance(tensors, dict) or isinstance(inputs, dict):
        if len(tree.flatten(tensors)) == len(tree.flatten(inputs)) == 1:
            return True
        same = isinstance(tensors, dict) and isinstance(inputs, dict)
        return same and tensors.keys() == inputs.keys()
    return len(tree.flatten(tensors)) == len(tree.flatten(inputs))


def _clone_functional(model, clone_function, input_tensors, call_function, recursive):
    copy = _copier(clone_function, recursive, call_function)
    copies = {}
    if input_tensors is not None:
        tensors = tree.flatten(input_tensors)
        if not all(isinstance(x, KerasTensor) for x in tensors):
            raise ValueError(
                "All entries of `input_tensors` must be KerasTensors. Received: "
                f"input_tensors={input_tensors}"
            )
        if not _is_like(input_tensors, model._inputs_struct):
            raise ValueError(
                "`input_tensors` must have the same structure as the inputs of model "
                f"{model.name!r}, {model._inputs_struct}. Received: "
                f"input_tensors={input_tensors}"
            )
        inputs = tree.pack_like(model._inputs_struct, tensors)
    else:
        inputs = tree.map_structure(
            lambda x: _copy(x._keras_history.operation).output, model._inputs_struct
        )

    def function_of(operation):
        if operation not in copies:
            copies[operation] = copy(operation)
        new = copies[operation]
        if call_function is None:
            return new
        return lambda *args, **kwargs: call_function(new, *args, **kwargs)

    outputs = model.run(inputs, function_of)
    return Functional(inputs, outputs, name=model.name, trainable=model.trainable)
