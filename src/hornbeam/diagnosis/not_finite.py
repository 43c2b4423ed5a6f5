"""What is not finite first in a training step: `fit(on_nan="explain")`."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.diagnosis.facts import named
from hornbeam.diagnosis.probe import Look, Probe
from hornbeam.diagnosis.rules.layer_rules import origin
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
                return f"First not finite is {what}. {evidence}"
    return _in_update(look, model)


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
