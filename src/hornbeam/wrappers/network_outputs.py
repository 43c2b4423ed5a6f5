"""What the outputs of a network are, and which loss suits them."""

from __future__ import annotations

import math
from typing import Any

from hornbeam import losses
from hornbeam.core import tree
from hornbeam.core.naming import to_snake_case
from hornbeam.core.strings import holds_strings

# Losses of probabilities of classes that exclude each other.
_CATEGORICAL = (
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "categorical_generalized_cross_entropy",
    "kl_divergence",
    "kld",
)
_AROUND_ZERO = ("hinge", "squared_hinge", "categorical_hinge")


class NetworkOutputs:
    """The outputs of a network: their sizes and what its losses make of them.

    Args:
        units: the size of the last axis of each output.
        sizes: how many numbers each gives per row, None where unknown.
        several: whether the network returns a list of outputs.
        losses: the loss of each output: a name, a function or an object.
    """

    def __init__(self, units: Any, sizes: Any, several: bool, losses: Any) -> None:
        names = [loss_name(loss) for loss in losses]
        self.units = units
        self.sizes = sizes
        self.several = several
        self.exclusive: Any = [name in _CATEGORICAL for name in names]
        self.has_user_loss: Any = [not _is_ours(loss) for loss in losses]
        # A user's loss gets the numbers of the classes, as a sparse loss does.
        self.one_hot: Any = [
            not (is_users or name.startswith("sparse"))
            for is_users, name in zip(self.has_user_loss, names, strict=True)
        ]
        self.logits: Any = [
            getattr(loss, "from_logits", False) is True for loss in losses
        ]
        self.margins: Any = [name in _AROUND_ZERO for name in names]
        around_zero = zip(self.logits, self.margins, strict=True)
        self.thresholds: Any = [0.0 if any(pair) else 0.5 for pair in around_zero]


def outputs_of(model: Any, X: Any) -> Any:
    """Return the NetworkOutputs of a compiled model for inputs such as `X`."""
    shapes, several = output_shapes(model, X)
    names = model._output_names() or [None] * len(shapes)
    loss = model.loss
    if isinstance(loss, dict):
        losses = [loss.get(name) for name in names]
    elif isinstance(loss, list | tuple):
        losses = list(loss)
    else:
        losses = [loss] * len(shapes)
    units = [int(shape[-1]) for shape in shapes]
    sizes = [None if None in s[1:] else math.prod(s[1:]) for s in shapes]
    return NetworkOutputs(units, sizes, several, losses)


def output_shapes(model: Any, X: Any) -> Any:
    """Return the shapes of the model's outputs, and whether they are several."""
    if not model.built and hasattr(model, "_build_for") and holds_strings(X):
        model._build_for(X)
    elif not model.built:
        model.build(tree.map_structure(lambda x: (None, *x.shape[1:]), X))
    try:
        shapes = model.output_shape
    except (AttributeError, ValueError):
        shapes = model.compute_output_shape(
            tree.map_structure(lambda x: (None, *x.shape[1:]), X)
        )
    if isinstance(shapes, dict):
        return list(shapes.values()), True
    several = len(shapes) > 0 and isinstance(shapes[0], tuple | list)
    return (list(shapes) if several else [shapes]), several


def suitable_loss(model: Any, X: Any, target_kind: Any) -> Any:
    """Return a loss for each output of an uncompiled model, or the only one."""
    shapes, several = output_shapes(model, X)
    activations = _last_activations(model, len(shapes))
    suitable: list[Any] = []
    for shape, activation in zip(shapes, activations, strict=True):
        if target_kind == "numbers":
            suitable.append("mean_squared_error")
            continue
        loss: Any
        logits = activation == "linear"
        if shape[-1] == 1:
            loss = losses.BinaryCrossentropy
        elif target_kind != "multilabel-indicator":
            loss = losses.SparseCategoricalCrossentropy
        elif activation == "softmax":
            loss = losses.CategoricalCrossentropy
        else:
            loss = losses.BinaryCrossentropy
        suitable.append(loss(from_logits=logits))
    return suitable if several else suitable[0]


def _last_activations(model, count):
    """Return the names of the activations of the outputs' layers, "" if unknown."""
    tensors = tree.flatten(getattr(model, "outputs", None) or [])
    layers = [t._keras_history.operation for t in tensors]
    if len(layers) != count:
        layers = list(model.layers[-1:]) * count
    names = []
    for layer in layers:
        activation = getattr(layer, "activation", None)
        inner = getattr(layer, "layers", None)
        if activation is None and inner:
            activation = getattr(inner[-1], "activation", None)
        names.append(getattr(activation, "__name__", type(layer).__name__.lower()))
    return names + [""] * (count - len(names))


def _is_ours(loss):
    if loss is None or isinstance(loss, str):
        return loss is not None
    module = getattr(loss, "__module__", type(loss).__module__)
    return module.partition(".")[0] == "hornbeam"


def loss_name(loss: Any) -> Any:
    """Return the name of a loss in snake case."""
    if loss is None:
        return ""
    if not isinstance(loss, str):
        loss = getattr(loss, "__name__", type(loss).__name__)
    return to_snake_case(loss)
