"""Checks of the values of data on the host, before the steps that take them.

A compiled program cannot raise, so what it would read as something else is refused
here: labels that a loss is not defined for, and integers beyond the rows of an
Embedding. Arrays are looked at once before a pass, the batches of a stream as they
come. What is on the device already is not looked at.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from hornbeam import activations
from hornbeam.core import tree
from hornbeam.core.warning import warn
from hornbeam.graph.host_part import AfterHost
from hornbeam.layers.activations.softmax import Softmax
from hornbeam.layers.core.embedding import Embedding
from hornbeam.layers.core.masking import Masking
from hornbeam.losses import crossentropy, focal
from hornbeam.losses.labels import (
    check_range,
    check_sparse_labels,
    class_axis,
    has_range,
)
from hornbeam.training.steps import Steps, unpack


def data_fits(model: Any, data: Any, mode: str) -> None:
    """Raise if targets, or integers that are looked up, are not in their range.

    Of a stream the first batch is looked at here, and each one when it comes, if it has
    something to be looked at. A user's own step may do something else with them, so it
    is left alone.
    """
    if model._has_own_step(mode):
        return
    batch = data.arrays if data.in_memory else data.peek()
    has_more = _batch_fits(model, mode, batch) and not data.in_memory
    data.check = functools.partial(_batch_fits, model, mode) if has_more else None


def _batch_fits(model, mode, batch):
    """Raise if a batch does not fit; return whether there was anything to look at."""
    x, y, weights = unpack(batch)
    looked = indices_fit(model, x)
    if mode == "predict" or y is None or type(model).compute_loss is not _compute_loss:
        return looked
    container = model._compile_loss
    if container is None or not container.built:
        return looked
    for name, loss, labels, weight, output in container.pairs(y, weights):
        if class_axis(loss) is None and not has_range(loss):
            continue
        looked = True
        if not _is_numeric(labels) or _may_be_masked(model, labels):
            continue
        try:
            _targets_fit(loss, _counted(labels, weight), output)
        except ValueError as error:
            raise ValueError(f"Output {name!r} of {model.name!r}: {error}") from None
    return looked


_compute_loss = Steps.compute_loss


_SOFTMAXES = activations.softmax, activations.log_softmax
_OF_ONE_HOT = (
    crossentropy.categorical_crossentropy,
    focal.categorical_focal_crossentropy,
    crossentropy.CategoricalCrossentropy.call,
    focal.CategoricalFocalCrossentropy.call,
)
_ONE_CLASS_FIX = (
    "For two classes in one unit use activation='sigmoid' and "
    "loss='binary_crossentropy'; for several classes one unit for each."
)


def warn_of_one_class(model: Any, y: Any, mode: str) -> None:
    """Warn of a softmax over one unit, and of a loss of one-hot labels for one class.

    A user's own step may do something else with them, so it is left alone.
    """
    if model._has_own_step(mode) or type(model).compute_loss is not _compute_loss:
        return
    for layer in _softmaxes_of_one_unit(model):
        warn(
            f"Layer {layer.path!r} of model {model.name!r} is a softmax over one unit, "
            f"which is always 1: nothing is learned. {_ONE_CLASS_FIX}"
        )
    for name, loss, _, _, output in model._compile_loss.pairs(y):
        axis = _one_hot_axis(loss)
        if axis is not None and output.shape and output.shape[axis] == 1:
            warn(
                f"The loss {loss.name!r} of output {name!r} of model {model.name!r} is "
                f"for several classes, and the output has one: its shape is "
                f"{tuple(output.shape)}. The loss does not depend on it, and nothing "
                f"is learned. {_ONE_CLASS_FIX}"
            )


def _one_hot_axis(loss):
    if getattr(loss, "fn", None) in _OF_ONE_HOT:
        return loss.kwargs.get("axis", -1)
    return loss.axis if type(loss).call in _OF_ONE_HOT else None


def _softmaxes_of_one_unit(model):
    """Return layers whose units are one, and those of an output whose axis has one."""
    layers = [
        layer
        for layer in _layers(model)
        if getattr(layer, "units", None) == 1 and _softmax_axis(layer) == -1
    ]
    graph = model._called_graph
    for output in graph._outputs if graph is not None else ():
        layer, _, number = output._keras_history
        while (inner := layer._called_graph) is not None:
            layer, _, number = inner._outputs[number]._keras_history
        axis = _softmax_axis(layer)
        if axis is not None and output.shape[axis] == 1 and layer not in layers:
            layers.append(layer)
    return layers


def _softmax_axis(layer):
    if isinstance(layer, Softmax):
        return layer.axis if isinstance(layer.axis, int) else None
    return -1 if getattr(layer, "activation", None) in _SOFTMAXES else None


def _targets_fit(loss, labels, output):
    axis = class_axis(loss)
    if axis is None:
        check_range(loss, labels)
    elif output.shape[axis]:
        ignored = getattr(loss, "ignore_class", None)
        check_sparse_labels(labels, output.shape[axis], ignored)


def _counted(labels, weight):
    """Return the labels, with 0 in place of those whose weight is 0."""
    if weight is None or weight.shape != labels.shape[: weight.ndim] or weight.all():
        return labels
    counts = weight.reshape(weight.shape + (1,) * (labels.ndim - weight.ndim)) != 0
    return np.where(counts, labels, 0)


def _may_be_masked(model, labels):
    """Whether steps of the labels may be padding, left out by a mask."""
    has_steps = labels.ndim > 1 and labels.shape[1] > 1
    return has_steps and any(
        isinstance(layer, Masking) or getattr(layer, "mask_zero", False)
        for layer in _layers(model)
    )


def validation_fits(model: Any, valid: Any, data: Any) -> None:
    """Raise now, not after an epoch, if the model cannot be evaluated on `valid`."""
    new, old = unpack(valid.peek()), unpack(data.peek())
    if _row_shapes(new[:2]) != _row_shapes(old[:2]):
        model._build_parts(valid.peek(), "test")
    data_fits(model, valid, "test")


def _row_shapes(arrays):
    return [None if x is None else tuple(x.shape[1:]) for x in tree.flatten(arrays)]


def indices_fit(model: Any, x: Any) -> bool:
    """Raise unless the integers that go into an Embedding are rows of its table.

    Returns whether there is an Embedding that gets an input.
    """
    looked = False
    for values, layer in _looked_up(model, x):
        looked = True
        if not _is_numeric(values) or values.size == 0:
            continue
        low, high = values.min(), values.max()
        fractions = values.dtype.kind == "f" and (values != np.floor(values)).any()
        if low >= 0 and high < layer.input_dim and not fractions:
            continue
        wrong = high if high >= layer.input_dim else low
        fix = f"Make its `input_dim` {int(high) + 1}, or check the data."
        if fractions:
            wrong = values[values != np.floor(values)][0]
            fix = "Expected whole numbers."
        elif low < 0:
            wrong, fix = low, "Negative numbers have no row: shift or clip them."
        where = tuple(int(i) for i in np.argwhere(values == wrong)[0])
        raise ValueError(
            f"Layer {layer.path!r} (Embedding) of model {model.name!r} looks up "
            f"integers from 0 to {layer.input_dim - 1}. Received {wrong.item()} at "
            f"index {where} of the inputs. {fix}"
        )
    return looked


def _looked_up(model, x):
    """Yield `(array, Embedding)` where the layer gets an input as it is."""
    graph = model._called_graph
    is_after_host = isinstance(x, AfterHost)
    if is_after_host:
        graph = graph.host_part.after
    if graph is None:
        leaves, found = tree.flatten(x), model._input_lookups
        yield from ((leaves[place], layer) for place, layer in found)
        return
    kept = vars(graph)
    if "_kept_lookups" not in kept:  # a graph stays as it is
        places = {id(symbol): place for place, symbol in enumerate(graph._inputs)}
        kept["_kept_lookups"] = tuple(_lookups_in(graph, places))
    if kept["_kept_lookups"]:
        leaves = x.tensors if is_after_host else graph._flat_inputs(x)
        for place, layer in kept["_kept_lookups"]:
            yield leaves[place], layer


def _layers(model):
    return model._flatten_layers(include_self=False)


def _lookups_in(graph, places):
    """Yield `(place, Embedding)`; `places` numbers the symbols of the data."""
    for node in graph._nodes:
        inputs = [places.get(id(x)) for x in node.input_tensors]
        if all(place is None for place in inputs):
            continue
        operation, inner = node.operation, node.operation._called_graph
        if getattr(type(operation), "call", None) is Embedding.call:
            yield inputs[0], operation
        elif inner is not None and len(inner._inputs) == len(inputs):
            symbols = map(id, inner._inputs)
            yield from _lookups_in(inner, dict(zip(symbols, inputs, strict=True)))


def _is_numeric(x):
    return isinstance(x, np.ndarray) and np.issubdtype(x.dtype, np.number)
