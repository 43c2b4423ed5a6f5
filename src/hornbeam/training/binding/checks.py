"""Checks of a model and its data before anything runs; each says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.core import tree
from hornbeam.core.errors import check_number
from hornbeam.losses.labels import check_sparse_labels, class_axis
from hornbeam.training.steps import Steps, unpack


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


def epochs(model: Any, last: Any, first: Any, frequency: Any) -> None:
    """Raise unless fit()'s numbers of epochs are whole, and its frequency is one."""
    owner = f"fit() of model {model.name!r}"
    check_number(owner, "epochs", last, integer=True)
    check_number(owner, "initial_epoch", first, integer=True)
    if not isinstance(frequency, list | tuple | set | range):
        check_number(owner, "validation_freq", frequency, low=1, integer=True)


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
    if any(word in name.lower() for word in ("sparse", "ctc", "circle")):
        return
    received, expected = tuple(target.shape), tuple(output.shape)
    if not _broadcast(received, expected) and not (
        # These say themselves which loss such targets are for.
        len(received) < len(expected) and "crossentropy" in name.lower()
    ):
        names = model._output_names() or output_names(model)
        raise ValueError(
            f"The targets do not fit output {names[position]!r} of model "
            f"{model.name!r}: expected shape {expected}, received shape {received}. "
            f"Give the last layer {received[-1] if len(received) > 1 else 1} units, or "
            "check the targets."
        )


def _broadcast(received, expected):
    """Whether targets and outputs of these shapes can be compared."""
    longer, shorter = sorted((received, expected), key=len, reverse=True)
    if len(longer) == len(shorter) + 1 and longer[-1] == 1:
        longer = longer[:-1]
    pairs = list(zip(longer[1:], shorter[1:], strict=False))
    return len(longer) == len(shorter) and all(a == b or 1 in (a, b) for a, b in pairs)


def _is_ours(x):
    return type(x).__module__.startswith("hornbeam.")


def output_names(model: Any) -> list[Any]:
    """Return a name for each output: that of its last operation, or a number."""
    graph = getattr(model, "_functional", None) or model
    outputs = getattr(graph, "_outputs", None)
    if outputs is None:
        return [f"output {i}" for i in range(99)]
    return [x._keras_history.operation.name for x in outputs]


def data_fits(model: Any, data: Any) -> None:
    """Raise if labels of sparse losses are not class numbers of the outputs.

    Of data that is not in memory, the first batch is looked at.
    """
    batch = data.arrays if data.in_memory else data.peek()
    if not isinstance(batch, tuple | list) or len(batch) < 2 or batch[1] is None:
        return
    for name, labels, classes, ignored in sparse_outputs(model, batch[1]):
        if isinstance(labels, np.ndarray) and np.issubdtype(labels.dtype, np.number):
            try:
                check_sparse_labels(labels, classes, ignored)
            except ValueError as error:
                raise ValueError(
                    f"Output {name!r} of {model.name!r}: {error}"
                ) from None


def validation_fits(model: Any, valid: Any, data: Any) -> None:
    """Raise now, not after an epoch, if the model cannot be evaluated on `valid`."""
    new, old = unpack(valid.peek()), unpack(data.peek())
    if _row_shapes(new[:2]) != _row_shapes(old[:2]):
        model._build_parts(valid.peek(), "test")
    data_fits(model, valid)


def _row_shapes(arrays):
    return [None if x is None else tuple(x.shape[1:]) for x in tree.flatten(arrays)]


def sparse_outputs(model: Any, y: Any) -> Iterator[Any]:
    """Yield `(output, labels, number of classes, ignored)` where losses are sparse.

    A user's `compute_loss` may do something else, so it is left out.
    """
    container = model._compile_loss
    is_overridden = type(model).compute_loss is not Steps.compute_loss
    if container is None or not container.built or is_overridden:
        return
    for name, loss, labels, output in container.pairs(y):
        axis = class_axis(loss)
        if axis is not None and output.shape[axis]:
            yield name, labels, output.shape[axis], getattr(loss, "ignore_class", None)
