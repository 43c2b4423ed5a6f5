"""Checks of a model and its data before anything runs; each says what to do."""

import numpy as np

from hornbeam import backends
from hornbeam.core import tree


def compiled(model, method):
    """Raise unless the model was compiled."""
    if not model.compiled:
        raise ValueError(
            f"You must call `compile()` before `{method}()`: model {model.name!r} does "
            "not know its loss. For example "
            "`model.compile(optimizer='adam', loss='mse')`."
        )


def engine_trains(model, engine):
    """Raise unless the engine has gradients."""
    if not engine.trains:
        able = [name for name in backends.NAMES if name != "numpy"]
        raise NotImplementedError(
            f"The backend {engine.name!r} of model {model.name!r} has no gradients: it "
            f"evaluates and predicts. Backends that train: {', '.join(able)}. Move the "
            f"model with `model.to_backend({able[0]!r})`."
        )


def first_batch(data):
    """Return the first batch, or the first rows of data in memory."""
    if data.in_memory:
        rows = min(data.batch_size, data.rows)
        return tree.map_structure(
            lambda x: None if x is None else x[:rows], data.arrays
        )
    return data.peek()


def targets_fit(model, y, y_pred):
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
    if "sparse" in name.lower() or "ctc" in name.lower():
        return
    given, expected = tuple(target.shape), tuple(output.shape)
    if len(given) == len(expected) and any(
        g != e and 1 not in (g, e) for g, e in zip(given[1:], expected[1:], strict=True)
    ):
        names = model._output_names() or output_names(model)
        raise ValueError(
            f"The targets do not fit output {names[position]!r} of model "
            f"{model.name!r}: expected shape {expected}, received shape {given}. Give "
            f"the last layer {given[-1]} units, or check the targets."
        )


def _is_ours(x):
    return type(x).__module__.startswith("hornbeam.")


def output_names(model):
    """Return a name for each output: that of its last operation where it is known."""
    graph = getattr(model, "_functional", None) or model
    outputs = getattr(graph, "_outputs", None)
    if outputs is None:
        return [f"output {i}" for i in range(99)]
    return [x._keras_history.operation.name for x in outputs]


def data_fits(model, data):
    """Raise if labels of sparse losses are not class numbers of the outputs."""
    if not data.in_memory or len(data.arrays) < 2 or model._compile_loss is None:
        return
    from hornbeam.losses.labels import check_sparse_labels

    for name, labels, classes in sparse_outputs(model, data.arrays[1]):
        if labels is not None and np.issubdtype(labels.dtype, np.number):
            try:
                check_sparse_labels(labels, classes)
            except ValueError as error:
                raise ValueError(
                    f"Output {name!r} of {model.name!r}: {error}"
                ) from None


def sparse_outputs(model, y):
    """Yield `(output name, labels, number of classes)` where losses are sparse."""
    graph = getattr(model, "_functional", None) or model
    outputs = getattr(graph, "_outputs", None)
    losses = tree.flatten(model.loss)
    targets = tree.flatten(y)
    if outputs is None or not len(outputs) == len(losses) == len(targets):
        return
    for symbol, loss, labels in zip(outputs, losses, targets, strict=True):
        name = getattr(loss, "name", loss)
        if name == "sparse_categorical_crossentropy" and symbol.shape[-1]:
            if getattr(loss, "ignore_class", None) is None:
                yield symbol._keras_history.operation.name, labels, symbol.shape[-1]
