"""From an estimator's parameters to a compiled network, and its training."""

import copy

import numpy as np

from hornbeam.wrappers import routing
from hornbeam.wrappers.outputs import suitable_loss

_FIT_PARAMETERS = ("batch_size", "shuffle", "validation_split", "verbose")
DEFAULT_EPOCHS = 100


def make_model(estimator, X, y):
    """Return a new, compiled network for an estimator and data such as `X` and `y`."""
    builder = estimator._builder()
    compile_kwargs = _compile_arguments(estimator)
    if builder is None:
        model = copy.deepcopy(estimator._given_model())
    else:
        model = estimator._call_builder(builder, X, y, compile_kwargs)
    _check_model(estimator, model, builder)
    _adapt(model, X)
    routed = estimator._routed("optimizer")
    if not model.compiled:
        if compile_kwargs.get("loss") is None:
            kind = estimator._target_kind
            compile_kwargs["loss"] = suitable_loss(model, X, kind)
        model.compile(**compile_kwargs)
    elif routed:
        arguments = dict(model._compile_arguments)
        arguments["optimizer"] = routing.make(arguments["optimizer"], routed)
        model.compile(**arguments)
    return model


def _compile_arguments(estimator):
    from hornbeam import losses, metrics, optimizers

    arguments = {"run_eagerly": estimator.run_eagerly, **estimator._routed("compile")}
    families = {"optimizer": optimizers, "loss": losses, "metrics": metrics}
    for name, family in families.items():
        value = getattr(estimator, name)
        options = estimator._routed(name)
        if value is not None:
            arguments[name] = routing.make(value, options, family)
        elif options:
            raise ValueError(
                f"{type(estimator).__name__} was given {name}__{next(iter(options))}, "
                f"but no `{name}` that it could be for."
            )
    return arguments


def _check_model(estimator, model, builder):
    from hornbeam.models.model import Model

    if not isinstance(model, Model):
        raise TypeError(
            f"Argument `model` of {type(estimator).__name__} must be a model, or a "
            f"function or class that makes one. {builder!r} gave: {model!r}."
            + (" Does it lack a `return`?" if model is None else "")
        )


def _adapt(model, X):
    """Let the preprocessing layers that have seen no data see `X`."""
    if not isinstance(X, np.ndarray):
        return
    for layer in model.layers[:2]:
        count = getattr(layer, "count", None)
        if hasattr(layer, "adapt") and count is not None and int(count) == 0:
            layer.adapt(X)


def train(estimator, X, y, weight, fit_arguments):
    """Train the estimator's network, and keep the history."""
    epochs = estimator.epochs
    if epochs is None:
        epochs = DEFAULT_EPOCHS if estimator._is_default else 1
    arguments = {name: getattr(estimator, name) for name in _FIT_PARAMETERS}
    arguments |= {"epochs": epochs, **estimator._routed("fit"), **fit_arguments}
    callbacks = [*_callbacks(estimator), *_as_list(arguments.pop("callbacks", None))]
    weight = _with_class_weight(estimator, y, weight)
    targets = estimator._encoded(y)
    X = estimator._features(X)
    if "validation_data" in arguments:
        arguments["validation_data"] = _encoded(estimator, arguments["validation_data"])
    elif estimator.early_stopping:
        X, targets, weight, held_out = _apart(estimator, X, y, targets, weight)
        arguments |= {"validation_data": held_out, "validation_split": 0.0}
        callbacks.append(_stop(estimator))
    history = estimator.model_.fit(
        X, targets, sample_weight=weight, callbacks=callbacks, **arguments
    )
    estimator.n_iter_ = len(history.epoch)
    for name, values in history.history.items():
        estimator.history_.setdefault(name, []).extend(values)


def _callbacks(estimator):
    from hornbeam import callbacks

    given, options = estimator.callbacks, estimator._routed("callbacks")
    made = routing.make(given, options, callbacks) if given is not None else []
    if given is None and options:
        raise ValueError(
            f"{type(estimator).__name__} was given callbacks__{next(iter(options))!s}, "
            "but no `callbacks` that it could be for."
        )
    return _as_list(made)


def _as_list(value):
    if value is None:
        return []
    if isinstance(value, dict):
        value = value.values()
    return list(value) if hasattr(value, "__iter__") else [value]


def _with_class_weight(estimator, y, weight):
    if estimator.class_weight is None:
        return weight
    from sklearn.utils.class_weight import compute_sample_weight

    found = compute_sample_weight(estimator.class_weight, y)
    return found if weight is None else found * weight


def _encoded(estimator, validation_data):
    X, y, *weight = validation_data
    return (
        estimator._features(np.asarray(X)),
        estimator._encoded(np.asarray(y)),
        *weight,
    )


def _stop(estimator):
    from hornbeam.callbacks import EarlyStopping

    return EarlyStopping(patience=estimator.n_iter_no_change, restore_best_weights=True)


def _apart(estimator, X, y, targets, weight):
    """Keep a part of the rows apart, with the classes in proportion."""
    from sklearn.model_selection import train_test_split

    from hornbeam.core import tree
    from hornbeam.core.random import order_seed

    rows = np.arange(len(y))
    stratify = y if estimator._target_kind in ("binary", "multiclass") else None
    kept, held_out = train_test_split(
        rows,
        test_size=estimator.validation_fraction,
        random_state=order_seed(),
        stratify=stratify,
    )

    def take(x, where):
        return tree.map_structure(lambda leaf: leaf[where], x)

    weights = (None, None) if weight is None else (weight[kept], weight[held_out])
    apart = (take(X, held_out), take(targets, held_out))
    apart = apart if weight is None else (*apart, weights[1])
    return take(X, kept), take(targets, kept), weights[0], apart
