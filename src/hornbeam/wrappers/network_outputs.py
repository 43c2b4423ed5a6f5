"""What the outputs of a network are, and which loss suits them."""

import math

from hornbeam.core import tree
from hornbeam.core.naming import to_snake_case

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
        sizes: how many numbers each gives a row, None where that is not known.
        several: whether the network returns a list of outputs.
        losses: the loss of each output: a name, a function or an object.
    """

    def __init__(self, units, sizes, several, losses):
        names = [loss_name(loss) for loss in losses]
        self.units = units
        self.sizes = sizes
        self.several = several
        self.exclusive = [name in _CATEGORICAL for name in names]
        self.own = [not _is_ours(loss) for loss in losses]
        # A user's own loss gets the numbers of the classes, as a sparse loss does.
        self.one_hot = [
            not (own or name.startswith("sparse"))
            for own, name in zip(self.own, names, strict=True)
        ]
        self.logits = [getattr(loss, "from_logits", False) is True for loss in losses]
        self.margins = [name in _AROUND_ZERO for name in names]
        around_zero = zip(self.logits, self.margins, strict=True)
        self.thresholds = [0.0 if any(pair) else 0.5 for pair in around_zero]


def outputs_of(model, X):
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


def output_shapes(model, X):
    """Return the shapes of the model's outputs, and whether they are several."""
    if not model.built:
        model.build(tree.map_structure(lambda x: (None, *x.shape[1:]), X))
    try:
        found = model.output_shape
    except (AttributeError, ValueError):
        found = model.compute_output_shape(
            tree.map_structure(lambda x: (None, *x.shape[1:]), X)
        )
    if isinstance(found, dict):
        return list(found.values()), True
    several = len(found) > 0 and isinstance(found[0], tuple | list)
    return (list(found) if several else [found]), several


def suitable_loss(model, X, target_kind):
    """Return a loss for each output of an uncompiled model, or the only one."""
    from hornbeam import losses

    shapes, several = output_shapes(model, X)
    activations = _last_activations(model, len(shapes))
    found = []
    for shape, activation in zip(shapes, activations, strict=True):
        if target_kind == "numbers":
            found.append("mean_squared_error")
            continue
        logits = activation == "linear"
        if shape[-1] == 1:
            loss = losses.BinaryCrossentropy
        elif target_kind != "multilabel-indicator":
            loss = losses.SparseCategoricalCrossentropy
        elif activation == "softmax":
            loss = losses.CategoricalCrossentropy
        else:
            loss = losses.BinaryCrossentropy
        found.append(loss(from_logits=logits))
    return found if several else found[0]


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


def loss_name(loss):
    """Return the name of a loss in snake case."""
    if loss is None:
        return ""
    if not isinstance(loss, str):
        loss = getattr(loss, "__name__", type(loss).__name__)
    return to_snake_case(loss)
