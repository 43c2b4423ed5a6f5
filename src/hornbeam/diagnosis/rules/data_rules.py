"""Rules about inputs, and about training against validation data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.diagnosis.facts import Facts
from hornbeam.diagnosis.findings import Finding

# Initial weights are made for inputs of a variance near 1 (Glorot, Bengio 2010; He et
# al. 2015). Pixels (0 to 255) and sums of money are far beyond these limits; counts up
# to 16, such as those of scikit-learn's digits, train well as they are.
_LARGE = 30.0
_SCALES = 1000.0
# A feature that says the label to this share of its variance is the label.
_LEAK = 1 - 1e-5
_OVERLAP = 0.05
# The total variation distance of the classes' shares, which is at most 1.
_OTHER = 0.5
_FEWEST_ROWS = 20
# Layers that multiply their inputs by a kernel.
_KERNELS = ("kernel", "cell", "depthwise_kernel", "_kernel", "query_dense")


def not_finite(facts: Facts) -> Iterator[Finding]:
    """NaN or infinity in inputs, targets and weights of rows."""
    arrays = [("inputs", name, x) for name, x in facts.inputs.items()]
    arrays += [("targets", o.name, o.target) for o in facts.outputs]
    arrays.append(("sample-weights", "sample_weight", facts.sample_weight))
    for kind, name, x in arrays:
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            continue
        bad = ~np.isfinite(x)
        if bad.any():
            rows = bad.reshape(len(x), -1).any(axis=1)
            yield Finding(
                f"{kind}-not-finite",
                name,
                f"{int(bad.sum())} values are NaN or infinite, in {int(rows.sum())} of "
                f"{len(x)} rows, the first in row {int(rows.argmax())}.",
                "Drop those rows or fill them, e.g. with `sklearn.impute`.",
                "error",
            )


def not_scaled(facts: Facts) -> Iterator[Finding]:
    """Inputs of large numbers that reach a layer with a kernel as they are."""
    first = _first_inputs(facts)
    for name, x in facts.inputs.items():
        if not isinstance(x, np.ndarray) or x.dtype.kind not in "iuf" or not x.size:
            continue
        values = x[np.isfinite(x)] if x.dtype.kind == "f" else x
        if not values.size:
            continue
        mean, std = float(values.mean()), float(values.std())
        if max(abs(mean), std) > _LARGE and any(
            max(abs(s.mean), s.std) > _LARGE for s in first
        ):
            yield Finding(
                "inputs-not-scaled",
                name,
                f"The values go from {values.min():.4g} to {values.max():.4g} (mean "
                f"{mean:.4g}, standard deviation {std:.4g}), and reach the first "
                "layer with weights as they are.",
                "Scale them: `keras.layers.Normalization()` after `adapt(x)`, "
                "`keras.layers.Rescaling(1 / 255)` for pixels, or "
                "`sklearn.preprocessing.StandardScaler`.",
            )
        elif x.ndim == 2 and x.shape[1] > 1 and len(x) >= _FEWEST_ROWS:
            yield from _different_scales(name, x, first)


def _different_scales(name, x, first):
    finite = np.ma.masked_invalid(x.astype(np.float64))
    spread = np.ma.filled(finite.std(axis=0), np.nan)
    spread = np.where(spread > 0, spread, np.nan)
    if np.isnan(spread).all():
        return
    low, high = np.nanargmin(spread), np.nanargmax(spread)
    if spread[high] < _SCALES * spread[low]:
        return
    if any(s.unit_high > _SCALES * s.unit_low > 0 for s in first if len(s.shape) == 2):
        yield Finding(
            "features-of-different-scales",
            name,
            f"The standard deviation of feature {high} is {spread[high]:.4g}, that of "
            f"feature {low} is {spread[low]:.4g}.",
            "Scale each feature: `keras.layers.Normalization()` after `adapt(x)`, or "
            "`sklearn.preprocessing.StandardScaler`.",
        )


def _first_inputs(facts):
    """Return Statistics of the inputs of the first layers with a kernel."""
    for call in facts.calls:
        if any(getattr(call.layer, name, None) is not None for name in _KERNELS):
            return call.inputs[:1]
    return []


def constant_inputs(facts: Facts) -> Iterator[Finding]:
    """Inputs that are the same in all rows."""
    for name, x in facts.inputs.items():
        if isinstance(x, np.ndarray) and len(x) >= _FEWEST_ROWS and x[0].size:
            if (x == x[:1]).all():
                yield Finding(
                    "inputs-constant",
                    name,
                    f"All {len(x)} rows are equal.",
                    "Check how the data is read: nothing can be learnt from them.",
                    "error",
                )


def leaks(facts: Facts) -> Iterator[Finding]:
    """A feature that is the label in other numbers."""
    for output in facts.outputs:
        y = output.classes
        if y is None and output.is_regression and output.target is not None:
            y = output.target.reshape(len(output.target), -1)
            y = y[:, 0].astype(np.float64) if y.shape[1] == 1 else None
        if y is None or len(y) < _FEWEST_ROWS or np.ptp(y) == 0:
            continue
        for name, x in facts.inputs.items():
            if not isinstance(x, np.ndarray) or x.ndim != 2 or x.shape[1] < 2:
                continue
            if len(x) == len(y) and np.isfinite(x).all() and np.isfinite(y).all():
                yield from _leaks_of(name, output, x.astype(np.float64), y)


def _leaks_of(name, output, x, y):
    total = np.square(x - x.mean(axis=0)).sum(axis=0)
    if output.classes is not None:
        # The correlation ratio: the variance between classes over all variance.
        between = np.zeros(x.shape[1])
        for one in np.unique(y):
            rows = x[y == one]
            between += len(rows) * np.square(rows.mean(axis=0) - x.mean(axis=0))
        share = between / np.where(total > 0, total, np.inf)
        share = np.where(_is_one_to_one(x, y, share), share, 0)
    else:
        covariance = (x - x.mean(axis=0)).T @ (y - y.mean())
        variances = total * np.square(y - y.mean()).sum()
        share = np.square(covariance) / np.where(variances > 0, variances, np.inf)
    for feature in np.flatnonzero(share > _LEAK)[:5]:
        yield Finding(
            "label-leaks",
            f"{name}[:, {feature}]",
            f"Feature {feature} tells the targets of output {output.name!r}: they "
            f"explain {share[feature]:.6f} of its variance.",
            "Leave the feature out, unless it is known when the model is applied.",
        )


def _is_one_to_one(x, y, share):
    """Whether the means of the classes differ, where the classes say all."""
    means = np.stack([x[y == one].mean(axis=0) for one in np.unique(y)])
    gaps = np.diff(np.sort(means, axis=0), axis=0).min(axis=0, initial=np.inf)
    return (share > _LEAK) & (gaps > 1e-9 * np.maximum(1, np.abs(means).max(axis=0)))


def overlaps(facts: Facts) -> Iterator[Finding]:
    """Rows of the validation data that are training rows too."""
    if facts.validation is None or not facts.validation[0]:
        return
    train, valid = list(facts.inputs.values())[0], facts.validation[0][0]
    if not isinstance(train, np.ndarray) or not isinstance(valid, np.ndarray):
        return
    if train[:1].shape != valid[:1].shape or train.dtype != valid.dtype:
        return
    keys = [row.tobytes() for row in train]
    known = set(keys)
    shared = sum(row.tobytes() in known for row in valid) / max(1, len(valid))
    # Rows of few different values repeat among the training rows, too.
    repeated = 1 - len(known) / max(1, len(keys))
    if shared > _OVERLAP + 2 * repeated:
        yield Finding(
            "validation-overlaps-training",
            "validation_data",
            f"{shared:.0%} of the {len(valid)} validation rows looked at are training "
            "rows too.",
            "Validate on rows that are not trained on, e.g. with "
            "`sklearn.model_selection.train_test_split`.",
        )


def validation_differs(facts: Facts) -> Iterator[Finding]:
    """Classes in the validation data that are not trained, as of sorted rows."""
    if facts.validation is None:
        return
    targets = facts.validation[1]
    if len(targets) != len(facts.outputs):
        return
    for output, target in zip(facts.outputs, targets, strict=True):
        trained = output.classes
        if trained is None or not isinstance(target, np.ndarray):
            continue
        other: Any = type(output)(**{**vars(output), "target": target}).classes
        if other is None or not len(other):
            continue
        classes = np.union1d(trained, other)
        here, there = (
            np.array([(labels == one).mean() for one in classes])
            for labels in (trained, other)
        )
        distance = float(np.abs(here - there).sum()) / 2
        if distance > _OTHER and len(other) >= _FEWEST_ROWS:
            most = int((there - here).argmax())
            why = " The data seems sorted by label." if facts.is_split else ""
            yield Finding(
                "validation-of-other-classes",
                output.name,
                f"{there[most]:.0%} of the validation rows are of class "
                f"{classes[most]}, and {here[most]:.0%} of the training rows.{why}",
                "Shuffle the rows before they are split.",
                "error",
            )


def weights_of_rows(facts: Facts) -> Iterator[Finding]:
    """Rows that all count nothing, or less than that."""
    for name, x in _leaves(facts.sample_weight):
        if x.size and not x.any():
            yield Finding(
                "sample-weights-zero",
                name,
                f"The weights of all {len(x)} rows are 0.",
                "Check `sample_weight` and `class_weight`: nothing is trained.",
                "error",
            )
        elif x.size and x.min() < 0:
            yield Finding(
                "sample-weights-negative",
                name,
                f"{int((x < 0).sum())} weights of rows are negative.",
                "Give weights of at least 0: the loss of those rows is maximised.",
            )


def _leaves(weights):
    if isinstance(weights, np.ndarray):
        yield "sample_weight", weights
    elif isinstance(weights, dict):
        for name, x in weights.items():
            if isinstance(x, np.ndarray):
                yield str(name), x


RULES = (
    not_finite, not_scaled, constant_inputs, leaks, overlaps, validation_differs,
    weights_of_rows,
)  # fmt: skip
