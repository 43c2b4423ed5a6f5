"""Rules about training: the loss at the start, and what a few steps do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.diagnosis.facts import Facts
from hornbeam.diagnosis.findings import Finding
from hornbeam.diagnosis.rules.loss_rules import form_of_targets

_ABOVE_CHANCE = 4.0
# A step changes weights by about a thousandth of themselves where training goes well
# (Karpathy, "A recipe for training neural networks", 2019); float32 has 7 digits.
_LOW, _HIGH = 1e-6, 1.0
_RISE = 1.5


def above_chance(facts: Facts) -> Iterator[Finding]:
    """A loss that is far above that of guessing."""
    look = facts.look
    if look is None or look.loss is None or len(facts.outputs) != 1 or facts.own_step:
        return
    loss, output = look.loss - look.added, facts.outputs[0]
    if output.weighted or any(form_of_targets(facts)) or not math.isfinite(loss):
        return
    if "categorical_crossentropy" in output.loss and output.units:
        chance, what = math.log(max(2, output.units)), f"log({output.units})"
    elif "binary_crossentropy" in output.loss:
        chance, what = math.log(2), "log(2)"
    else:
        return
    if loss > _ABOVE_CHANCE * chance + 1:
        yield Finding(
            "loss-above-chance",
            output.where,
            f"The loss is {loss:.4g}; a guess that says nothing has {chance:.3g} "
            f"({what}): the outputs are sure, and wrong.",
            "Scale the inputs, or use smaller initial weights in the last layer.",
        )


def regularized_away(facts: Facts) -> Iterator[Finding]:
    """Regularizers that outweigh the loss."""
    look = facts.look
    if look is None or look.loss is None or facts.own_step:
        return
    rest = look.loss - look.added
    if math.isfinite(look.loss) and look.added > 20 * max(abs(rest), 0.05):
        yield Finding(
            "regularization-dominates",
            facts.model.name,
            f"Of the loss {look.loss:.4g}, {look.added:.4g} is what regularizers and "
            "`add_loss` add.",
            "Use smaller factors, such as 1e-4 for `keras.regularizers.L2`.",
        )


def constant_predictions(facts: Facts) -> Iterator[Finding]:
    """Outputs that are the same for all rows, before and after some steps."""
    different = any(
        isinstance(x, np.ndarray) and len(x) > 1 and (x != x[:1]).any()
        for x in facts.inputs.values()
    )
    if not different or facts.steps is None:
        return
    for output in facts.outputs:
        seen = [output.prediction, output.later]
        if output.later is None or len(output.later) < 4 or not output.shape:
            continue
        if output.shape[-1] == 1 and output.activation == "softmax":
            continue  # which has a rule of its own
        if all(_is_constant(x) for x in seen):
            yield Finding(
                "constant-predictions",
                output.where,
                f"The predictions for {len(output.later)} different rows are equal, "
                f"before and after {len(facts.steps.losses)} steps: "
                f"{np.array2string(output.later.reshape(len(output.later), -1)[0][:3])}"
                ".",
                "Find where the rows become equal: dead ReLUs, saturated activations, "
                "or inputs that do not reach the output.",
                "error",
            )


def _is_constant(x):
    return bool(np.isfinite(x).all() and np.ptp(x, axis=0).max() <= 1e-7 * max(
        1e-30, float(np.abs(x).max())))  # fmt: skip


def no_gradient(facts: Facts) -> Iterator[Finding]:
    """Weights that are to be trained, and get no gradient."""
    steps, look = facts.steps, facts.look
    if steps is None or steps.failed or steps.rate == 0:
        return
    known: dict[int, Any] = {}
    if look is not None and not facts.own_step:
        known = {id(g.variable): g for g in look.gradients}
    still: dict[str, list[str]] = {}
    others = False
    for layer, variable in facts.weights():
        change = steps.changes.get(id(variable))
        if change is None:
            continue
        gradient = known.get(id(variable))
        if change == 0 and (gradient is None or gradient.greatest == 0):
            if _is_used(facts, layer) or gradient is not None:
                still.setdefault(layer.path, []).append(variable.name)
        elif change:
            others = True
    if not others and not known:
        return
    for path, names in still.items():
        if names == ["bias"]:
            continue  # one that normalisation takes away again changes nothing
        yield Finding(
            "no-gradient",
            path,
            f"Its trainable weights {', '.join(names)} get a gradient of exactly 0, "
            f"and did not change in {len(steps.losses)} steps.",
            "Check that the loss depends on the layer (no `stop_gradient`, `argmax` or "
            "rounding behind it), or set `trainable=False`.",
            "info" if facts.own_step else "warning",
        )


def _is_used(facts, layer):
    return any(call.layer is layer for call in facts.calls)


def rate_low(facts: Facts) -> Iterator[Finding]:
    """Weights that hardly change although there is a gradient."""
    steps = facts.steps
    if steps is None or steps.failed or not steps.updates or steps.rate is None:
        return
    if facts.look is None or facts.own_step:
        return
    # Biases start at 0: only what has a size can be compared.
    found = [
        (variable, steps.updates[id(variable)], steps.changes[id(variable)])
        for _, variable in facts.weights()
        if id(variable) in steps.updates and len(variable.shape) >= 2
    ]
    gradients = {id(g.variable): g for g in facts.look.gradients}
    moved = [entry for entry in found if gradients[id(entry[0])].greatest > 0]
    if moved and max(update for _, update, _ in moved) < _LOW:
        variable, update, _ = max(moved, key=lambda x: x[1])
        what = "do not change" if update == 0 else "hardly change"
        yield Finding(
            "learning-rate-low",
            variable.path,
            f"With the learning rate {steps.rate:.3g} the weights {what}: a step "
            f"changes them by {update:.2g} of themselves at most; 1e-3 is usual.",
            "Use a larger learning rate; `model.find_lr(x, y)` suggests one.",
        )


def rate_high(facts: Facts) -> Iterator[Finding]:
    """A loss that rises on the very batch that is trained on."""
    steps = facts.steps
    if steps is None or facts.own_step or not steps.losses or steps.rate is None:
        return
    losses = [x for x in steps.losses if x is not None]
    if not losses or not math.isfinite(losses[0]):
        return
    first, last = losses[0], losses[-1]
    broke = next((i for i, x in enumerate(losses) if not math.isfinite(x)), None)
    updates = [
        steps.updates[id(v)] for _, v in facts.weights()
        if id(v) in steps.updates and len(v.shape) >= 2
        and np.abs(facts.values[id(v)]).max(initial=0) > 0
    ]  # fmt: skip
    most = max(updates, default=0.0)
    rose = last > _RISE * first + 0.1 * abs(first) and last > first + 0.1
    if broke is None and not rose and most <= _HIGH:
        return
    how = f"rises from {first:.4g} to {last:.4g} in {len(losses)} steps on one batch"
    if broke is not None:
        how = f"is {losses[broke]} after {broke} steps on one batch"
    elif not rose:
        how = f"goes from {first:.4g} to {last:.4g} in {len(losses)} steps"
    yield Finding(
        "learning-rate-high",
        "optimizer",
        f"With the learning rate {steps.rate:.3g} the loss {how}; the first step "
        f"changes weights by up to {most:.2g} of themselves; 1e-3 is usual.",
        "Use a smaller learning rate; `model.find_lr(x, y)` suggests one.",
    )


def step_fails(facts: Facts) -> Iterator[Finding]:
    """A training step that raises."""
    if facts.steps is not None and facts.steps.failed:
        yield Finding(
            "step-fails",
            facts.model.name,
            f"A training step raised: {facts.steps.failed}",
            "See the message.",
            "error",
        )


def rate_zero(facts: Facts) -> Iterator[Finding]:
    """A learning rate of 0."""
    if facts.steps is not None and facts.steps.rate == 0:
        yield Finding(
            "learning-rate-zero",
            "optimizer",
            "The learning rate is 0: nothing changes.",
            "Give the optimizer a learning rate, such as 1e-3.",
            "error",
        )


RULES = (
    above_chance, regularized_away, constant_predictions, no_gradient, rate_low,
    rate_high, step_fails, rate_zero,
)  # fmt: skip
