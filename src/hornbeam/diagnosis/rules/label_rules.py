"""Rules about targets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hornbeam.diagnosis.facts import Facts, Output
from hornbeam.diagnosis.findings import Finding

_FEWEST_ROWS = 20
# Beyond it, a network that always says the frequent class is right in 95% of the rows.
_IMBALANCE = 20
# A network starts with outputs near 1: it would need long to get there, and the squares
# of the errors make large gradients.
_LARGE = 100.0
_SHARE = 0.01
# The values that an activation can give.
_RANGES = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, np.inf),
    "relu6": (0.0, 6.0),
    "softplus": (0.0, np.inf),
    "exponential": (0.0, np.inf),
}
# What no label of a class needs: whole numbers beyond so many different ones.
_MANY_VALUES = 20
_ACCURACIES = ("accuracy", "acc", "binary_accuracy", "categorical_accuracy",
               "sparse_categorical_accuracy")  # fmt: skip


def constant(facts: Facts) -> Iterator[Finding]:
    """Targets that are the same in all rows."""
    for output in facts.outputs:
        y = output.target
        if not isinstance(y, np.ndarray) or len(y) < _FEWEST_ROWS or not y[0].size:
            continue
        if facts.own_step:
            continue
        if (y == y[:1]).all():
            yield Finding(
                "labels-constant",
                output.name,
                f"All {len(y)} targets looked at are {_short(y[0])}.",
                "Check how the targets are read, and whether the rows are sorted: a "
                "constant answer is learnt.",
                "error",
            )


def _short(x):
    x = np.asarray(x)
    text = f"{x.item():g}" if x.ndim == 0 else np.array2string(x, threshold=5)
    return text if len(text) < 60 else "equal"


def imbalanced(facts: Facts) -> Iterator[Finding]:
    """One class that has nearly all rows."""
    for output in facts.outputs:
        y = output.classes
        if y is None or len(y) < _FEWEST_ROWS or output.weighted:
            continue
        classes, counts = np.unique(y, return_counts=True)
        if len(classes) < 2 or counts.max() < _IMBALANCE * counts.min():
            continue
        # With many classes a rare one need not matter to the rest.
        if len(classes) > 2 and counts.max() < 0.9 * len(y):
            continue
        yield Finding(
            "labels-imbalanced",
            output.name,
            f"Class {classes[counts.argmax()]} has {counts.max()} of {len(y)} rows, "
            f"class {classes[counts.argmin()]} has {counts.min()}.",
            "Give `class_weight='balanced'`, and measure what tells rare classes "
            "apart, such as `keras.metrics.AUC()`.",
        )


def in_range(facts: Facts) -> Iterator[Finding]:
    """Labels that the output has no unit for, and labels that begin at 1."""
    for output in facts.outputs:
        y, units = output.classes, output.units
        if "sparse" not in output.loss or y is None or not units or not len(y):
            continue
        low, high = int(y.min()), int(y.max())
        if low >= 1 and high == units:
            yield Finding(
                "labels-begin-at-1",
                output.name,
                f"The labels go from {low} to {high}, and the output has {units} "
                f"units, which stand for 0 to {units - 1}.",
                "Subtract 1 from the labels.",
                "error",
            )
        elif low < 0 or high >= units:
            yield Finding(
                "labels-out-of-range",
                output.name,
                f"The labels go from {low} to {high}, and the output has {units} "
                f"units, which stand for 0 to {units - 1}.",
                f"Give the last layer {high + 1} units, or check the labels.",
                "error",
            )
        elif low == 1 and high == units - 1 and len(np.unique(y)) == high > 1:
            yield Finding(
                "labels-begin-at-1",
                output.name,
                f"Of {len(y)} rows none has the label 0; those from 1 to {high} occur.",
                "Subtract 1 from the labels, and give the output one unit less.",
            )


def large_targets(facts: Facts) -> Iterator[Finding]:
    """Targets of a regression far from 1."""
    for output in facts.outputs:
        y = output.target
        if not output.is_regression or not _has_numbers(y):
            continue
        if output.loss in _OF_RATIOS:
            continue
        size = float(np.sqrt(np.nanmean(np.square(y.astype(np.float64)))))
        if np.isfinite(size) and size > _LARGE:
            yield Finding(
                "targets-large",
                output.name,
                f"The targets go from {np.nanmin(y):.4g} to {np.nanmax(y):.4g}; their "
                f"root mean square is {size:.4g}.",
                "Scale the targets, e.g. with `sklearn.compose."
                "TransformedTargetRegressor(transformer=StandardScaler())`.",
            )


_OF_RATIOS = ("mean_absolute_percentage_error", "mean_squared_logarithmic_error")


def _has_numbers(y):
    return isinstance(y, np.ndarray) and y.dtype.kind in "iuf" and y.size > 0


def outside_of_activation(facts: Facts) -> Iterator[Finding]:
    """Targets that the last activation cannot give."""
    for output in facts.outputs:
        y, limits = output.target, _RANGES.get(output.activation)
        if limits is None or not _has_numbers(y) or "sparse" in output.loss:
            continue
        if not output.is_regression and "binary_crossentropy" not in output.loss:
            continue
        if "binary" in output.loss and set(np.unique(y)[:3].tolist()) == {-1, 1}:
            continue  # which has a rule of its own
        margin = 1e-3
        outside = float(((y < limits[0] - margin) | (y > limits[1] + margin)).mean())
        if outside > _SHARE:
            yield Finding(
                "targets-outside-activation",
                output.where,
                f"{outside:.0%} of the targets, which go from {y.min():.4g} to "
                f"{y.max():.4g}, lie outside of what {output.activation!r} can give: "
                f"{limits[0]:g} to {limits[1]:g}.",
                "Use activation='linear' in the last layer, or scale the targets.",
                "error",
            )


def signs_for_probabilities(facts: Facts) -> Iterator[Finding]:
    """Labels -1 and 1 for a loss of labels 0 and 1."""
    for output in facts.outputs:
        y = output.target
        if "binary" in output.loss and _has_numbers(y):
            if set(np.unique(y)[:3].tolist()) == {-1, 1}:
                yield Finding(
                    "labels-of-signs",
                    output.name,
                    "The labels are -1 and 1, and the loss is for 0 and 1.",
                    "Give `(y + 1) / 2`, or use loss='hinge' with activation='tanh'.",
                    "error",
                )


def accuracy_of_numbers(facts: Facts) -> Iterator[Finding]:
    """Accuracy where the targets are numbers, not classes."""
    container = facts.model._compile_metrics
    named = [] if container is None else [m.name for m in container.metrics]
    accuracies = [name for name in named if name in _ACCURACIES]
    for output in facts.outputs if accuracies and len(facts.outputs) == 1 else ():
        y = output.target
        if output.is_regression and _has_numbers(y) and _is_continuous(output):
            yield Finding(
                "accuracy-of-regression",
                output.name,
                f"The metric {accuracies[0]!r} counts predictions that equal the "
                f"target, and the targets are numbers from {y.min():.4g} to "
                f"{y.max():.4g}.",
                "Use metrics=['mae'] or `keras.metrics.R2Score()`.",
            )


def _is_continuous(output: Output) -> bool:
    y = output.target
    one_hot = y.ndim == 2 and y.shape[1] > 1 and np.isin(y, (0, 1)).all()
    fractions = y.dtype.kind == "f" and (y != np.rint(y)).mean() > 0.1
    return not one_hot and (fractions or len(np.unique(y)) > _MANY_VALUES)


RULES = (
    constant, imbalanced, in_range, large_targets, outside_of_activation,
    signs_for_probabilities, accuracy_of_numbers,
)  # fmt: skip
