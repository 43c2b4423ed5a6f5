"""Rules about a loss, the last activation and the form of the targets."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from hornbeam.diagnosis.facts import Facts, Output
from hornbeam.diagnosis.findings import Finding
from hornbeam.diagnosis.probe import activation_of
from hornbeam.diagnosis.rules import data_rules, label_rules
from hornbeam.layers.activations.activation import Activation
from hornbeam.layers.activations.softmax import Softmax

_SHARE = 0.01


def logits_for_probabilities(facts: Facts) -> Iterator[Finding]:
    """A loss of probabilities that gets other numbers."""
    for output in facts.outputs:
        p = output.prediction
        if output.from_logits is not False or p is None or not p.size:
            continue
        outside = float(((p < -1e-3) | (p > 1 + 1e-3)).mean())
        if outside > _SHARE:
            better = "sigmoid" if "binary" in output.loss else "softmax"
            yield Finding(
                "logits-for-probabilities",
                output.where,
                f"The loss {output.loss!r} takes probabilities, and {outside:.0%} of "
                f"the outputs, from {p.min():.4g} to {p.max():.4g}, are none.",
                "Make the loss with `from_logits=True`, or use "
                f"activation={better!r} in the last layer.",
                "error",
            )
        elif _does_not_sum(output):
            yield Finding(
                "no-distribution",
                output.where,
                f"The loss {output.loss!r} takes the probabilities of exclusive "
                f"classes, and the last activation is {output.activation!r}, whose "
                f"outputs sum up to {p.sum(axis=-1).mean():.3g} in the mean.",
                "Use activation='softmax', or loss='binary_crossentropy' for classes "
                "that do not exclude each other.",
            )


def _does_not_sum(output: Output) -> bool:
    is_categorical = "categorical_crossentropy" in output.loss
    return is_categorical and output.activation in ("sigmoid", "relu", "tanh")


def probabilities_for_logits(facts: Facts) -> Iterator[Finding]:
    """A softmax or sigmoid before a loss with `from_logits=True`."""
    for output in facts.outputs:
        p = output.prediction
        if output.from_logits is not True or p is None or not p.size:
            continue
        is_known = output.activation in ("softmax", "sigmoid")
        sums = p.ndim > 1 and p.shape[-1] > 1 and p.min() >= 0
        if is_known or (sums and np.allclose(p.sum(axis=-1), 1, atol=1e-3)):
            what = f"come from {output.activation!r}" if is_known else "sum up to 1"
            yield Finding(
                "probabilities-for-logits",
                output.where,
                f"The loss {output.loss!r} has from_logits=True, and the outputs, from "
                f"{p.min():.4g} to {p.max():.4g}, {what}.",
                "Take the last activation away, or make the loss with "
                "`from_logits=False`.",
            )


def form_of_targets(facts: Facts) -> Iterator[Finding]:
    """One-hot targets for a loss of class numbers, and the reverse."""
    for output in facts.outputs:
        y, units = output.target, output.units
        if not isinstance(y, np.ndarray) or y.dtype.kind not in "iufb" or not units:
            continue
        rank = len(output.shape or ())
        full = y.ndim == rank > 1 and y.shape[-1] == units > 1
        if "sparse_categorical" in output.loss and full:
            yield Finding(
                "one-hot-for-sparse",
                output.name,
                f"The loss {output.loss!r} takes class numbers, and the targets have "
                f"the shape {y.shape}, one column for each class.",
                "Use loss='categorical_crossentropy', or give `y.argmax(axis=-1)`.",
                "error",
            )
        elif output.loss.startswith("categorical_") and units > 1:
            if y.ndim == rank - 1 or (y.ndim == rank and y.shape[-1] == 1):
                yield Finding(
                    "sparse-for-one-hot",
                    output.name,
                    f"The loss {output.loss!r} takes one column for each class, and "
                    f"the targets have the shape {y.shape}.",
                    "Use loss='sparse_categorical_crossentropy', or give "
                    "`keras.utils.to_categorical(y)`.",
                    "error",
                )
            elif full and _has_several(y):
                yield Finding(
                    "several-labels-for-softmax",
                    output.where,
                    f"{_has_several(y):.0%} of the rows have several labels, and the "
                    f"loss {output.loss!r} is for exclusive classes.",
                    "Use activation='sigmoid' and loss='binary_crossentropy'.",
                )


def _has_several(y):
    """Return the share of rows with several labels of 1."""
    if not np.isin(y, (0, 1)).all():
        return 0
    share = float((y.sum(axis=-1) > 1).mean())
    return share if share > _SHARE else 0


def softmax_over_one(facts: Facts) -> Iterator[Finding]:
    """A softmax over one unit, whose output is always 1."""
    for call in facts.calls:
        shape = call.outputs[0].shape if call.outputs else ()
        if activation_of(call.layer) == "softmax" and shape[-1:] == (1,):
            yield Finding(
                "softmax-over-one-unit",
                call.layer.path,
                f"The output of shape {shape} has one unit: its softmax is always 1.",
                "For two classes in one unit use activation='sigmoid' and "
                "loss='binary_crossentropy'; for several classes one unit for each.",
                "error",
            )


def softmax_twice(facts: Facts) -> Iterator[Finding]:
    """A softmax of a softmax, which can hardly be sure of anything."""
    for call in facts.calls:
        is_alone = isinstance(call.layer, Softmax | Activation)
        if not is_alone or activation_of(call.layer) != "softmax":
            continue
        for source in call.sources:
            before = None if source is None else facts.calls[source].layer
            if before is not None and activation_of(before) == "softmax":
                greatest = call.outputs[0].high
                yield Finding(
                    "softmax-twice",
                    call.layer.path,
                    f"Its input comes from {before.path!r}, a softmax too: the "
                    f"greatest probability is {greatest:.3g}.",
                    "Keep one of them.",
                )


def not_accepted(facts: Facts) -> Iterator[Finding]:
    """What `fit` would refuse, unless another rule says it better."""
    for what, message in facts.refused.items():
        if _is_said(facts, _BETTER.get(what, ())):
            continue
        is_index = re.search("looks up integers|index out of range", message)
        layer = re.search(r"[Ll]ayer '([^']+)'", message)
        yield Finding(
            "index-out-of-range" if is_index else "refused",
            layer[1] if layer else facts.model.name,
            f"`fit` would raise: {message}",
            "See the message.",
            "error",
        )


_BETTER = {
    "build": (form_of_targets,),
    "call": (form_of_targets,),
    "data": (
        label_rules.in_range, label_rules.signs_for_probabilities,
        label_rules.outside_of_activation, data_rules.not_finite,
    ),
}  # fmt: skip


def _is_said(facts, rules):
    return any(True for rule in rules for _ in rule(facts))


RULES = (
    logits_for_probabilities, probabilities_for_logits, form_of_targets,
    softmax_over_one, softmax_twice, not_accepted,
)  # fmt: skip
