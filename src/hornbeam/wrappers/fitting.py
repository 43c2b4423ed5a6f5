"""From an estimator's parameters to a compiled network, and its training."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.class_weight import compute_sample_weight

from hornbeam import callbacks, losses, metrics, optimizers
from hornbeam.callbacks import EarlyStopping
from hornbeam.core import tree
from hornbeam.core.errors import check_number, did_you_mean
from hornbeam.core.random import order_seed
from hornbeam.models.model import Model
from hornbeam.wrappers import routing
from hornbeam.wrappers.default_network import standardise
from hornbeam.wrappers.features import as_rows, dense_chunks, network_rows
from hornbeam.wrappers.network_outputs import suitable_loss
from hornbeam.wrappers.parameters import accepted_arguments

_FIT_PARAMETERS = ("epochs", "batch_size", "shuffle", "validation_split", "verbose")
# Of the default network, unless the estimator says otherwise.
_MOST_ROWS_IN_A_BATCH = 200
_FEWEST_EPOCHS, _FEWEST_STEPS = 200, 500
DEFAULT_OPTIMIZER = "adam"


def make_model(estimator: Any, X: Any, y: Any, weight: Any = None) -> Any:
    """Return a new, compiled network for an estimator and data such as `X` and `y`."""
    builder = estimator._builder()
    if builder is None:
        model = copy.deepcopy(estimator._model_argument())
    else:
        model = estimator._call_builder(builder, X, y)
    _check_model(estimator, model, builder)
    if estimator._is_default:
        standardise(model, X, weight)
    else:
        _adapt(model, X)
    if not model.compiled:
        arguments = compile_arguments(estimator)
        if arguments.get("loss") is None:
            kind = estimator._target_kind
            arguments["loss"] = suitable_loss(model, X, kind)
        model.compile(**arguments)
    elif "compile_kwargs" not in (taken := accepted_arguments(builder)[0]):
        changes = compile_arguments(estimator, model._compile_arguments, taken)
        if changes:
            model.compile(**(model._compile_arguments | changes))
    return model


def compile_arguments(
    estimator: Any, compiled: bool | None = None, taken: Any = ()
) -> Any:
    """Return the arguments of `compile` that follow from an estimator's parameters.

    Args:
        estimator: the estimator.
        compiled: what the network was compiled with: routed parameters change these
            objects. Default: None, it is not compiled.
        taken: the arguments of the builder, which knew what to do with them.
    """
    arguments = dict(estimator._routed("compile"))
    if estimator.run_eagerly:
        arguments["run_eagerly"] = True
    defaults: Any = {"optimizer": DEFAULT_OPTIMIZER} if compiled is None else compiled
    families = {"optimizer": optimizers, "loss": losses, "metrics": metrics}
    for name, family in families.items():
        value = None if name in taken else getattr(estimator, name)
        options = estimator._routed(name)
        if value is None and (options or compiled is None):
            value = defaults.get(name)
        if name == "metrics" and (isinstance(value, str) or callable(value)):
            value = [value]
        if value is not None:
            arguments[name] = routing.make(value, options, family)
        elif options:
            raise _without_object(estimator, name, options)
    return arguments


def _without_object(estimator, name, options):
    return ValueError(
        f"{type(estimator).__name__} was given {name}__{next(iter(options))}, but no "
        f"`{name}` that it could be for."
    )


def _check_model(estimator, model, builder):
    if isinstance(model, Model):
        return
    received = f"Received: {model!r}."
    if builder is not None:
        received = f"{builder!r} gave: {model!r}."
        received += " Does it lack a `return`?" if model is None else ""
    raise TypeError(
        f"Argument `model` of {type(estimator).__name__} must be a model, or a "
        f"function or class that makes one. {received}"
    )


def _adapt(model, X):
    """Let the preprocessing layers that have seen no data see `X`."""
    if not (isinstance(X, np.ndarray) or issparse(X)):
        return
    for layer in model.layers[:2]:
        mean = getattr(layer, "adapt_mean", None)
        if mean is None or mean.numpy().any():
            continue
        if (layer.adapt_variance.numpy() == 1).all():
            layer.adapt(dense_chunks(X) if issparse(X) else X)


def arguments_of_fit(estimator: Any, fit_arguments: Any) -> dict[Any, Any]:
    """Return the arguments for the network's `fit`, those of this call first."""
    arguments = {name: getattr(estimator, name) for name in _FIT_PARAMETERS}
    arguments |= estimator._routed("fit") | fit_arguments
    return {name: value for name, value in arguments.items() if value is not None}


def is_distribution(estimator: Any, arguments: Any) -> bool:
    """Whether the result depends only on how often each row occurs."""
    return (
        estimator._is_default
        and bool(arguments.get("shuffle", True))
        and not (estimator.early_stopping or arguments.get("validation_split"))
    )


def train(estimator: Any, X: Any, y: Any, weight: Any, arguments: Any) -> None:
    """Train the estimator's network, and keep the history."""
    fit = estimator.model_.fit
    routing.check_arguments(fit, arguments, "`fit` of the network")
    callbacks = [*_callbacks(estimator), *_as_list(arguments.pop("callbacks", None))]
    weight = _with_class_weight(estimator, y, weight)
    if estimator._is_default and weight is not None:
        weight = tree.map_structure(lambda w: w / w.mean(), weight)
    targets = estimator._encoded(y)
    X = estimator._features(X)
    if "validation_data" in arguments:
        arguments["validation_data"] = _encoded(estimator, arguments["validation_data"])
    elif estimator.early_stopping:
        X, targets, weight, held_out = _hold_out(estimator, X, y, targets, weight)
        arguments |= {"validation_data": held_out, "validation_split": 0.0}
        callbacks.append(_stop(estimator))
    if estimator._is_default:
        rows = len(tree.flatten(targets)[0])
        arguments = _default_lengths(rows, **arguments) | arguments
    epochs = arguments.get("epochs", 1)
    check_number(type(estimator).__name__, "epochs", epochs, 0, integer=True)
    history = fit(
        network_rows(X, estimator.model_),
        targets,
        sample_weight=weight,
        callbacks=callbacks,
        **arguments,
    )
    estimator.n_iter_ = len(history.epoch)
    for name, values in history.history.items():
        estimator.history_.setdefault(name, []).extend(values)
    _check_finite(estimator)


def _check_finite(estimator):
    """Raise if the network cannot predict, so that in a search it is no winner."""
    for weight in estimator.model_.weights:
        values = weight.numpy()
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError(
                f"The weights of the network became NaN or infinite in training "
                f"(weight {weight.path!r} of {str(estimator)[:300]}). Check the data "
                "for NaN and large values, lower the learning rate, or use `clipnorm`."
            )


def _default_lengths(rows, batch_size=_MOST_ROWS_IN_A_BATCH, **_):
    """Return the batch size and the number of epochs for the default network."""
    check_number("the default network", "batch_size", batch_size, 1, integer=True)
    batch_size = min(batch_size, rows)
    epochs = math.ceil(_FEWEST_STEPS / math.ceil(rows / batch_size))
    return {"batch_size": batch_size, "epochs": max(_FEWEST_EPOCHS, epochs)}


def _callbacks(estimator):
    value, options = estimator.callbacks, estimator._routed("callbacks")
    if value is None and options:
        raise _without_object(estimator, "callbacks", options)
    return [] if value is None else _as_list(routing.make(value, options, callbacks))


def _as_list(value):
    if value is None:
        return []
    if isinstance(value, dict):
        value = value.values()
    return list(value) if hasattr(value, "__iter__") else [value]


def _with_class_weight(estimator, y, weight):
    """Return the weights of the rows times those of their classes.

    Where `class_weight` names outputs, each output has weights of its own.
    """
    class_weight = estimator.class_weight
    if class_weight is None:
        return weight
    if not (isinstance(class_weight, dict) and _names_outputs(class_weight)):
        return _times(_weights_of_classes(class_weight, y, weight), weight)
    names = estimator.model_._output_names()
    for name in class_weight:
        if name not in names:
            raise ValueError(
                f"`class_weight` of {type(estimator).__name__} has the key {name!r}, "
                f"which names no output. Outputs: {names}.{did_you_mean(name, names)}"
            )
    columns = y.T if len(names) > 1 else [y]
    weights = []
    for name, column in zip(names, columns, strict=True):
        of_output = class_weight.get(name, {})
        weights.append(_times(_weights_of_classes(of_output, column, weight), weight))
    return weights if estimator.outputs_.several else weights[0]


def _names_outputs(class_weight):
    return any(isinstance(value, dict | str) for value in class_weight.values())


def _weights_of_classes(class_weight, y, weight):
    """Return for each row the weight of its class, or the product over the columns."""
    if class_weight != "balanced":
        return compute_sample_weight(class_weight, y)
    factors = []
    for column in y.reshape(len(y), -1).T:
        classes, codes = np.unique(column, return_inverse=True)
        totals = np.bincount(codes, weights=weight)
        mean = totals.sum() / len(classes)
        factors.append((mean / np.where(totals > 0, totals, mean))[codes])
    return np.prod(factors, axis=0)


def _times(factors, weight):
    return factors if weight is None else factors * weight


def _encoded(estimator, validation_data):
    X, y, *weight = validation_data
    X, y = estimator._validated(X, y, fresh=False)
    features = network_rows(estimator._features(as_rows(X)), estimator.model_)
    return (features, estimator._encoded(y), *weight)


def _stop(estimator):
    return EarlyStopping(patience=estimator.n_iter_no_change, restore_best_weights=True)


def _hold_out(estimator, X, y, targets, weight):
    """Return the rows to train on, and those held out, with classes in proportion."""
    from sklearn.model_selection import train_test_split

    fraction = estimator.validation_fraction
    if not (isinstance(fraction, float) and 0 < fraction < 1):
        raise ValueError(
            f"Invalid value for argument `validation_fraction` of "
            f"{type(estimator).__name__}. Expected a number between 0 and 1. "
            f"Received: validation_fraction={fraction!r}"
        )
    rows = np.arange(len(y))
    stratify = y if estimator._target_kind in ("binary", "multiclass") else None
    kept, held_out = train_test_split(
        rows,
        test_size=fraction,
        random_state=order_seed(),
        stratify=stratify,
    )

    def take(x, where):
        return tree.map_structure(lambda leaf: leaf[where], x)

    parts = (X, targets) if weight is None else (X, targets, weight)
    features, *rest = (take(part, held_out) for part in parts)
    X, targets, weight = (*(take(part, kept) for part in parts), None)[:3]
    return X, targets, weight, (network_rows(features, estimator.model_), *rest)
