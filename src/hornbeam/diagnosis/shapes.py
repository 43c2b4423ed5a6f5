"""The calls of a model's layers as shapes: nothing is computed."""

from __future__ import annotations

import dataclasses
from typing import Any

from hornbeam import backends
from hornbeam.core import scopes, tree
from hornbeam.core.errors import check_number, shown
from hornbeam.core.strings import holds_strings
from hornbeam.diagnosis.probe import tapped, tapped_layers
from hornbeam.graph.host_part import AfterHost
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer


@dataclasses.dataclass
class ShapeCall:
    """One call of a layer.

    Attributes:
        layer: the layer.
        inputs, outputs: `(shape, dtype)` of the tensors.
        is_leaf: whether it is the innermost layer that is looked at.
    """

    layer: Any
    inputs: list[tuple[tuple[int, ...], str]]
    outputs: list[tuple[tuple[int, ...], str]]
    is_leaf: bool


def symbols_of(model: Any, x: Any, batch_size: int | None, owner: str) -> Any:
    """Return symbols of inputs with a known number of rows.

    Args:
        model: the model.
        x: arrays, of which the shapes count, or shapes with the rows, or None for the
            inputs that a graph has.
        batch_size: the number of rows, for a graph's own inputs. Default: 1
        owner: what asks, for errors.
    """
    if not hasattr(model, "_flatten_layers"):
        raise TypeError(
            f"{owner} expects a model. Received: {shown(model)} (of type "
            f"{type(model).__name__})"
        )
    if batch_size is not None:
        asking = f"{owner} of model {model.name!r}"
        check_number(asking, "batch_size", batch_size, low=1, integer=True)
    if _is_shape(x):
        return KerasTensor(tuple(x), _dtype_of_inputs(model))
    if isinstance(x, list) and x and all(map(_is_shape, x)):
        return [KerasTensor(tuple(one), _dtype_of_inputs(model)) for one in x]
    wrong = [a for a in tree.flatten(x) if not hasattr(a, "shape")]
    if wrong and x is not None:
        raise TypeError(
            f"{owner} of model {model.name!r} expects arrays, or a shape with its rows "
            f"such as (32, 8), in `inputs`. Received: {shown(wrong[0])}"
        )
    if x is not None:
        return tree.map_structure(
            lambda a: KerasTensor(
                tuple(a.shape), "string" if holds_strings(a) else str(a.dtype)
            ),
            x,
        )
    if model._graph_within is None:
        raise ValueError(
            f"{owner} of model {model.name!r} must know the shape of the inputs, which "
            "a model without `keras.Input` does not say. Give the shape with its rows, "
            "such as (32, 8)."
        )

    def known(symbol):
        shape = (batch_size or 1, *symbol.shape[1:])
        if None in shape:
            raise ValueError(
                f"{owner} of model {model.name!r}: the input {symbol.name!r} of shape "
                f"{symbol.shape} has sizes that are not known. Give the shape with its "
                "rows, such as (32, 100, 8)."
            )
        return KerasTensor(shape, symbol.dtype)

    return tree.map_structure(known, model._graph_within._inputs_struct)


def _is_shape(x):
    return isinstance(x, tuple) and len(x) > 0 and all(isinstance(d, int) for d in x)


def _dtype_of_inputs(model):
    graph = model._graph_within
    return "float32" if graph is None else graph._inputs[0].dtype


def shape_calls(
    model: Any, symbols: Any, training: bool = False, everything: bool = False
) -> list[ShapeCall]:
    """Return the calls that the model makes of its layers, in their order.

    What runs on the host, such as layers of strings, is left out.

    Args:
        model: a built model.
        symbols: what `symbols_of` returned.
        training: whether the call is one of training.
        everything: whether layers inside the library's own layers count too.
    """
    layers = tapped_layers(model)
    if everything:
        layers = model._flatten_layers(include_self=False)
    notes = _Notes()
    inner = {id(x) for layer in layers for x in layer._layers if x in layers}

    def run(x):
        notes.calls = []
        return model._call_for_step(x, training)

    with model._engine_scope():
        given = _after_host(model, symbols)
        with tapped(layers, notes), scopes.autocast_scope(None):
            infer(run, (given,), {})
    model._forget_losses()
    has_inner = {id(o) for o in layers if any(id(x) in inner for x in o._layers)}
    return [
        ShapeCall(layer, inputs, outputs, id(layer) not in has_inner)
        for layer, inputs, outputs in notes.calls
    ]


def _after_host(model, symbols):
    """Return the symbols of what the host part of a model gives its program."""
    graph = model._called_graph
    part = None if graph is None else graph.host_part
    if part is None or isinstance(symbols, AfterHost):
        return symbols
    outputs = part.before.compute_output_spec(graph._standardize_inputs(symbols))
    return AfterHost(tuple(tree.flatten(outputs)))


class _Notes:
    def __init__(self):
        self.calls = []

    def note(self, layer, args, kwargs, outputs):
        self.calls.append((layer, _forms((args, kwargs)), _forms(outputs)))


def _forms(nest):
    dtype_of = backends.current().dtype_of
    return [
        (tuple(x.shape), x.dtype if isinstance(x.dtype, str) else dtype_of(x))
        for x in tree.flatten(nest)
        if hasattr(x, "shape") and hasattr(x, "dtype")
    ]
