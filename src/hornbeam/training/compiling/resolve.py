"""What the names and functions that compile() takes stand for."""

from __future__ import annotations

import inspect
from typing import Any

from hornbeam import losses as losses_module
from hornbeam import metrics as metrics_module
from hornbeam import ops
from hornbeam.core.errors import check_number
from hornbeam.core.naming import to_snake_case
from hornbeam.losses.lookup import check_name as check_loss_name
from hornbeam.losses.loss import Loss, LossFunctionWrapper
from hornbeam.metrics.lookup import check_name as check_metric_name
from hornbeam.metrics.metric import Metric
from hornbeam.metrics.reduction import MeanMetricWrapper

# What "accuracy" and "crossentropy" mean for binary, sparse and one-hot targets.
_BY_TARGETS = {
    "accuracy": (
        "BinaryAccuracy",
        "SparseCategoricalAccuracy",
        "CategoricalAccuracy",
    ),
    "crossentropy": (
        "BinaryCrossentropy",
        "SparseCategoricalCrossentropy",
        "CategoricalCrossentropy",
    ),
}
_SHORT = {"acc": "accuracy", "ce": "crossentropy"}


def check_losses(entries: Any) -> None:
    """Raise if an entry of compile()'s `loss` stands for none."""
    if isinstance(entries, list | tuple | dict) and not entries:
        raise ValueError(
            f"Argument `loss` of compile() is empty. Received: loss={entries!r}. "
            "Give a loss, or None if `add_loss()` and regularizers are the loss."
        )
    for one in _entries(entries):
        if isinstance(one, Metric):
            raise ValueError(
                f"Argument `loss` of compile() holds a metric, {one!r}. Expected a "
                "loss, its name or a function. Metrics go into `metrics=[...]`."
            )
        if isinstance(one, str) and _SHORT.get(one, one) != "crossentropy":
            check_loss_name(one)
        elif not (one is None or callable(one) or isinstance(one, str | dict)):
            losses_module.get(one)
        _check_parameters(one, "loss")


def check_metrics(entries: Any) -> None:
    """Raise if an entry of compile()'s `metrics` stands for none."""
    for one in _entries(entries):
        if isinstance(one, str):
            if _SHORT.get(one.lower(), one.lower()) not in _BY_TARGETS:
                check_metric_name(one)
        elif not (one is None or callable(one) or isinstance(one, Metric | dict)):
            metrics_module.get(one)
        _check_parameters(one, "metrics")


def _check_parameters(function, argument):
    """Raise if a user's function cannot be called with targets and outputs."""
    if not inspect.isfunction(function):
        return
    try:
        inspect.signature(function).bind("y_true", "y_pred")
    except TypeError as error:
        raise ValueError(
            f"Argument `{argument}` of compile() holds the function "
            f"{function.__name__!r}, which cannot be called as it will be, with "
            f"`(y_true, y_pred)`: {error}. Received: {function.__name__}"
            f"{inspect.signature(function)}"
        ) from None


def check_loss_weights(weights: Any) -> None:
    """Raise if an entry of compile()'s `loss_weights` is no number."""
    for one in _entries(weights):
        shape = getattr(one, "shape", None)
        if shape:
            raise ValueError(
                "Argument `loss_weights` of compile() must hold numbers: one, or a "
                f"list or dict of them. Received: an array of shape {tuple(shape)}. "
                "Give `list(loss_weights)` where it has one number per output."
            )
        if one is None or shape is not None:
            continue
        try:
            check_number("compile()", "loss_weights", one)
        except ValueError as error:
            hint = "."
            if isinstance(one, str) or callable(one):
                hint = (
                    ": one per output. Metrics are given by their keyword: "
                    f"compile(optimizer, loss, metrics={weights!r})."
                )
            raise ValueError(f"{error}{hint}") from None


def _entries(entries):
    """Yield what lists and dicts hold; a config is one entry."""
    if isinstance(entries, dict) and "class_name" not in entries:
        entries = list(entries.values())
    if isinstance(entries, list | tuple):
        for part in entries:
            yield from _entries(part)
    else:
        yield entries


def class_for_targets(family: Any, y_true: Any, y_pred: Any) -> Any:
    """Return the class name that "accuracy" or "crossentropy" means for such data.

    One output is binary; targets with fewer axes than the output, or a last axis of
    size 1, are class indices; others are one-hot.
    """
    target, output = shape_of(y_true), shape_of(y_pred)
    binary, sparse, one_hot = _BY_TARGETS[family]
    if not output or output[-1] == 1 or len(output) == 1:
        return binary
    if len(target) < len(output) or target[-1] == 1:
        return sparse
    return one_hot


def shape_of(x: Any) -> Any:
    """Return the shape of a tensor or of something that becomes one."""
    shape = getattr(x, "shape", None)
    return tuple(ops.shape(x) if shape is None else shape)


def resolve_loss(identifier: Any, y_true: Any, y_pred: Any) -> Any:
    """Return the Loss that an entry of compile()'s `loss` means, or None."""
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, str):
        family = _SHORT.get(identifier, identifier)
        if family == "crossentropy":
            name = class_for_targets(family, y_true, y_pred)
            return getattr(losses_module, name)()
    loss = losses_module.get(identifier)
    if isinstance(loss, Loss):
        return loss
    return LossFunctionWrapper(loss, name=_name_of(loss))


def resolve_metric(identifier: Any, y_true: Any, y_pred: Any) -> Any:
    """Return the Metric that an entry of compile()'s `metrics` means.

    A name in the form of a string is the name in the logs.
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, Loss):
        # The mean of the loss over the samples, before it is reduced.
        return MeanMetricWrapper(identifier.call, name=identifier.name)
    metric = identifier
    if isinstance(identifier, str):
        family = _SHORT.get(identifier.lower(), identifier.lower())
        if family in _BY_TARGETS:
            name = class_for_targets(family, y_true, y_pred)
            return getattr(metrics_module, name)(name=identifier)
    metric = metrics_module.get(identifier)
    if metric is None:
        raise ValueError(
            "An entry of `metrics` is None. Expected a metric, its name or a function."
        )
    if isinstance(metric, Metric):
        if isinstance(identifier, str):
            metric.name = identifier
        return metric
    return MeanMetricWrapper(metric, name=_name_of(metric))


def _name_of(fn):
    name = getattr(fn, "name", None) or getattr(fn, "__name__", None)
    return to_snake_case(name or type(fn).__name__)
