"""Checks of a model and its data before anything runs; each says what to do."""

from __future__ import annotations

import numbers
from typing import Any

from hornbeam import backends
from hornbeam.callbacks.backup_and_restore import check_folder
from hornbeam.core import tree
from hornbeam.core.errors import check_number
from hornbeam.data.host import is_array_like


def compiled(model: Any, method: Any) -> None:
    """Raise unless the model was compiled."""
    if not model.compiled:
        raise ValueError(
            f"You must call `compile()` before `{method}()`: model {model.name!r} does "
            "not know its loss. For example "
            "`model.compile(optimizer='adam', loss='mse')`."
        )


def nothing_to_call(model: Any, mode: str) -> Any:
    """Return the error for a model with neither `call` nor the step of a mode."""
    return NotImplementedError(
        f"Model {type(model).__name__} has neither a `call()` nor a `{mode}_step()`: "
        f"there is nothing to run. Write `def call(self, inputs)`, or `def "
        f"{mode}_step(self, data)`."
    )


def counts(model: Any, method: str, low: int = 1, **arguments: Any) -> None:
    """Raise unless the arguments of a method are integers >= `low`, or None."""
    for argument, value in arguments.items():
        if value is not None:
            owner = f"{method}() of model {model.name!r}"
            check_number(owner, argument, value, low=low, integer=True)


def epochs(model: Any, last: Any, first: Any, frequency: Any) -> None:
    """Raise unless fit()'s numbers of epochs are whole, and its frequency is one."""
    owner = f"fit() of model {model.name!r}"
    check_number(owner, "epochs", last, low=0, integer=True)
    check_number(owner, "initial_epoch", first, low=0, integer=True)
    several = isinstance(frequency, list | tuple | set | range)
    for one in frequency if several else (frequency,):
        check_number(owner, "validation_freq", one, low=1, integer=True)


def resume(model: Any, folder: Any) -> None:
    """Raise unless fit()'s `resume` is None or the path of a folder."""
    if folder is not None:
        check_folder(f"fit() of model {model.name!r}", "resume", folder)


def has_end(model: Any, method: str, data: Any, argument: str) -> None:
    """Raise if an epoch of the data would never end."""
    if data.endless:
        raise ValueError(
            f"{method}() of model {model.name!r} was given data without an end. Say "
            f"how many batches to read (`{argument}=...`), or give a part of it, such "
            "as `dataset.take(100)`."
        )


def verbosity(model: Any, method: str, verbose: Any) -> Any:
    """Return `verbose` as "auto" or an integer; None is 0."""
    if verbose is None or verbose == "auto":
        return verbose or 0
    try:
        return int(verbose)
    except (TypeError, ValueError):
        raise ValueError(
            f"Invalid value for argument `verbose` of {method}() of model "
            f"{model.name!r}. Expected 0 (silent), 1 (live display), 2 (lines) or "
            f"'auto'. Received: verbose={verbose!r}"
        ) from None


def validation_data(model: Any, data: Any) -> None:
    """Raise unless fit()'s `validation_data` has inputs and targets, or is a source."""
    parts = data if isinstance(data, tuple | list) else (data,)
    if 2 <= len(parts) <= 3:
        return
    if len(parts) == 1:
        kinds = str | bytes | dict | list | tuple
        is_source = not (is_array_like(parts[0]) or isinstance(parts[0], kinds))
        needs_no_targets = model._compile_loss is None or model._has_own_step("test")
        if is_source or (needs_no_targets and not _is_scalar(parts[0])):
            return
    raise ValueError(
        f"Argument `validation_data` of fit() of model {model.name!r} must be "
        "`(x, y)`, `(x, y, sample_weight)` or a dataset. Received: "
        f"{_described(data)}. To set aside a part of the training data give "
        "`validation_split=0.2`."
    )


def _is_scalar(x):
    return isinstance(x, str | bytes | numbers.Number)


def _described(data):
    if isinstance(data, tuple | list):
        return f"a {type(data).__name__} of {len(data)} items"
    if hasattr(data, "shape"):
        return f"an array of shape {tuple(data.shape)} alone"
    return f"{data!r} (of type {type(data).__name__})"


def engine_trains(model: Any, engine: Any) -> None:
    """Raise unless the engine has gradients."""
    if not engine.trains:
        able = backends.TRAINING
        raise NotImplementedError(
            f"The backend {engine.name!r} of model {model.name!r} has no gradients: it "
            "supports `evaluate()` and `predict()` only. Backends that train: "
            f"{', '.join(able)}. Move the model with `model.to_backend({able[0]!r})`."
        )


def takes_state(model: Any, engine: Any, mode: str) -> None:
    """Raise unless the engine runs steps that take the state and return it."""
    if not engine.takes_state:
        form = f"`{mode}_step(self, state, data)`"
        raise _step_of_another_engine(model, engine, mode, form, "jax")


def step_belongs_here(model: Any, engine: Any, mode: str, error: Any) -> None:
    """Raise a clear error if a step that failed is written for another engine."""
    code = getattr(getattr(type(model), f"{mode}_step"), "__code__", None)
    names = () if code is None else code.co_names
    if "GradientTape" in names and engine.variable_read is None:
        form, home = f"`{mode}_step()` with a `tf.GradientTape`", "tensorflow"
    elif {"zero_grad", "backward"} & set(names) and not engine.live_parameters:
        form, home = f"`{mode}_step()` with `zero_grad()` and `backward()`", "torch"
    else:
        return
    raise _step_of_another_engine(model, engine, mode, form, home) from error


def _step_of_another_engine(model, engine, mode, form, home):
    return NotImplementedError(
        f"{form} of model {model.name!r} is the form for the backend {home!r}, and the "
        f"model runs on {engine.name!r}. Move it with `model.to_backend({home!r})`, or "
        f"write `{mode}_step(self, data)` with `keras.value_and_grad`, which runs on "
        "every backend."
    )


def targets_fit(model: Any, y: Any, y_pred: Any) -> None:
    """Raise if the structure of the targets is not that of the outputs."""
    targets, outputs = tree.flatten(y), tree.flatten(y_pred)
    if model._compile_loss is None:
        return
    if len(outputs) == len(targets):
        for position, (target, output) in enumerate(zip(targets, outputs, strict=True)):
            _target_fits(model, position, target, output)
        return
    if len(outputs) == 1 or len(targets) == 1:
        return
    raise ValueError(
        f"Model {model.name!r} has {len(outputs)} outputs, but {len(targets)} targets "
        f"were given, of shapes {[tuple(t.shape) for t in targets]}."
    )


def _target_fits(model, position, target, output):
    """Raise if a loss that compares element by element cannot do so."""
    losses = tree.flatten(model.loss)
    loss = losses[position] if len(losses) > position else losses[0]
    name = loss if isinstance(loss, str) else type(loss).__name__
    if target is None or not (isinstance(loss, str) or _is_ours(loss)):
        return
    received, expected = tuple(target.shape), tuple(output.shape)
    if not _broadcast(received[:1], expected[:1]):
        raise ValueError(
            f"The targets do not fit output {_name(model, position)!r} of model "
            f"{model.name!r}: the output has {expected[0]} rows in this batch, the "
            f"targets have {received[0]}. Give each row of `x` one of `y`."
        )
    if any(word in name.lower() for word in ("sparse", "ctc", "circle")):
        return
    if not _comparable(received, expected) and not (
        # These say themselves which loss such targets are for.
        len(received) < len(expected) and "crossentropy" in name.lower()
    ):
        raise ValueError(
            f"The targets do not fit output {_name(model, position)!r} of model "
            f"{model.name!r}: expected shape {expected}, received shape {received}. "
            f"{_advice_on_targets(received, expected)}"
        )


def _advice_on_targets(received, expected):
    units = received[-1] if len(received) > 1 else 1
    advice = (
        f"Give the last layer {units} unit{'s' * (units != 1)}, or check the targets."
    )
    classes = (expected[-1] if expected else None) or 0
    if units == 1 and classes > 1:
        advice += (
            " If they are class numbers, use loss='sparse_categorical_crossentropy' "
            f"or `keras.utils.to_categorical(y, {classes})`."
        )
    return advice


def _comparable(received, expected):
    """Whether the rows of targets and outputs of these shapes can be compared."""
    longer, shorter = sorted((received, expected), key=len, reverse=True)
    if len(longer) == len(shorter) + 1 and longer[-1] == 1:
        longer = longer[:-1]
    return len(longer) == len(shorter) and _broadcast(longer[1:], shorter[1:])


def _broadcast(received, expected):
    pairs = zip(received, expected, strict=False)
    return all(a == b or {1, None} & {a, b} for a, b in pairs)


def _name(model, position):
    return (model._output_names() or output_names(model))[position]


def _is_ours(x):
    return type(x).__module__.startswith("hornbeam.")


def output_names(model: Any) -> list[Any]:
    """Return a name for each output: that of its last operation, or a number."""
    graph = model._graph_within
    if graph is None:
        return [f"output {i}" for i in range(99)]
    return [x._keras_history.operation.name for x in graph._outputs]
