"""What is not finite first in a training step: `fit(on_nan="explain")`."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.diagnosis.facts import named
from hornbeam.diagnosis.probe import Look, Probe, tapped_layers
from hornbeam.diagnosis.rules.layer_rules import origin
from hornbeam.layers.replaced_calls import replaced_calls
from hornbeam.training.steps import unpack


def explain_step(model: Any, batch: Any) -> str:
    """Return what a step on `batch`, from the model's present state, makes non-finite.

    Args:
        model: a compiled model in the state before the step.
        batch: the batch, host arrays.
    """
    given = _in_batch(batch) or _in_weights(model)
    if given:
        return given
    look = None
    for compiled in (True, False):
        # Where the compiled step shows nothing, one operation after the other may:
        # a compiler is free to compute in another order.
        with contextlib.suppress(Exception):
            look = _look(model, batch, compiled)
            found = origin(look)
            if found is not None:
                kind, where, evidence = found
                what = {"loss": "the loss", "layer": f"layer {where!r}"}.get(
                    kind, f"the gradient of {where!r}"
                )
                return (
                    f"First not finite is {what}. {evidence}"
                    f"{operation_in(model, batch, where) if kind == 'layer' else ''}"
                )
    return _in_update(look, model)


def operation_in(model: Any, batch: Any, path: str) -> str:
    """Return words on the operation inside a layer that gives NaN or infinity first.

    Args:
        model: the model.
        batch: the batch, host arrays.
        path: the path of the layer.
    """
    engine = model._binding("train").engine
    found: list[str] = []

    def around(layer, call):
        def watched(*args, **kwargs):
            if not found and _are_finite(engine, (args, kwargs)):
                name = engine.first_not_finite(lambda: call(*args, **kwargs))
                found.extend([] if name is None else [name])
            return call(*args, **kwargs)

        return watched

    layers = [layer for layer in tapped_layers(model) if layer.path == path]
    # Only to say more: that a layer cannot be looked into is no error.
    with contextlib.suppress(Exception), replaced_calls(layers, around):
        Probe(model, gradients=False, compiled=False).look(batch)
    return f" Inside it {found[0]!r} is the first operation to do so." if found else ""


def _are_finite(engine, nest):
    arrays = [engine.to_numpy(x) for x in tree.flatten(nest) if engine.is_tensor(x)]
    return all(x.dtype.kind != "f" or np.isfinite(x).all() for x in arrays)


def _look(model, batch, compiled) -> Look:
    own = model._has_own_step("train")
    return Probe(model, gradients=not own, compiled=compiled).look(batch)


def _in_batch(batch):
    """Say what of the batch itself is not finite."""
    for name, part in zip(("x", "y", "sample_weight"), unpack(batch), strict=True):
        for key, array in named(part, name).items() if tree.flatten(part) else ():
            if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
                continue
            bad = ~np.isfinite(array)
            if bad.any():
                rows = np.flatnonzero(bad.reshape(len(array), -1).any(axis=1))
                finite = array[~bad]
                others = "all of them"
                if finite.size:
                    others = (
                        f"the others are in [{finite.min():.4g}, {finite.max():.4g}]"
                    )
                return (
                    f"The data is: {int(bad.sum())} values of {key!r} are NaN or "
                    f"infinite, in rows {rows[:5].tolist()} of the batch; {others}. "
                    "Drop or fill them."
                )
    return ""


def _in_weights(model):
    for variable in model.variables:
        value = np.asarray(variable.numpy())
        if value.dtype.kind in "iub":
            continue
        bad = int((~np.isfinite(value.astype(np.float32))).sum())
        if bad:
            return (
                f"Before the step, {bad} of {value.size} values of {variable.path!r} "
                "are NaN or infinite already."
            )
    return ""


def _in_update(look, model):
    if look is None or not look.gradients:
        return (
            "The batch and the weights before the step are finite; where in the step "
            "it happens cannot be seen, as `train_step()` is your own."
        )
    most = max(look.gradients, key=lambda g: g.greatest)
    rate = model.optimizer.learning_rate
    rate = float(np.asarray(rate.numpy() if hasattr(rate, "numpy") else rate))
    return (
        "Layers, loss and gradients are finite: it is the update of the weights. The "
        f"greatest gradient, {most.greatest:.4g}, is that of {most.variable.path!r}, "
        f"and the learning rate is {rate:.3g}. Lower it, or give the optimizer "
        "`clipnorm=1.0`."
    )
