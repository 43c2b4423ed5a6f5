"""Checks of targets, on host arrays: a program cannot raise."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.losses import crossentropy, focal, overlap, regression
from hornbeam.losses.crossentropy import (
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
)

# Losses of probabilities; computing with bfloat16 rounds them by up to a hundredth.
_OF_PROBABILITIES = (
    *(crossentropy.BinaryCrossentropy, crossentropy.binary_crossentropy),
    *(focal.BinaryFocalCrossentropy, focal.binary_focal_crossentropy),
    *(overlap.Dice, overlap.dice, overlap.Tversky, overlap.tversky),
    *(regression.KLDivergence, regression.kl_divergence),
)
_PROBABILITY = (
    (-0.01, 1.01),
    "from 0 to 1",
    "Give labels 0 and 1, and images and other values scaled to that range. For labels "
    "-1 and 1 use a hinge loss, for class numbers sparse_categorical_crossentropy, for "
    "other numbers a loss such as 'mse'; with noise on labels, clip them.",
)
_RANGES: dict[Any, Any] = dict.fromkeys(_OF_PROBABILITIES, _PROBABILITY)
_RANGES |= dict.fromkeys(
    (regression.Poisson, regression.poisson),
    ((-1e-6, np.inf), "counts or rates, not negative", "Use a loss such as 'mse'."),
)
_RANGES |= dict.fromkeys(
    (
        regression.MeanSquaredLogarithmicError,
        regression.mean_squared_logarithmic_error,
    ),
    ((-1.0, np.inf), "greater than -1, as log(1 + y) is taken", "Use 'mse'."),
)


def class_axis(loss: Any) -> int | None:
    """Return the axis of the output that class indices are for, or None.

    Args:
        loss: a Loss; of a function too. A user's subclass with a `call` of its own may
            read its targets in another way.
    """
    if getattr(getattr(loss, "fn", None), "takes_class_indices", False):
        return loss.kwargs.get("axis", -1)
    if type(loss).call is CategoricalGeneralizedCrossEntropy.call:
        return -1
    is_sparse = type(loss).call is SparseCategoricalCrossentropy.call
    return loss.axis if is_sparse else None


def has_range(loss: Any) -> bool:
    """Whether the loss is one that is defined for some numbers alone."""
    return _range_of(loss) is not None


def _range_of(loss):
    return _RANGES.get(getattr(loss, "fn", None)) or _RANGES.get(type(loss))


def check_range(loss: Any, y: Any) -> None:
    """Raise if targets are outside of what the loss is defined for.

    Args:
        loss: a Loss; those that are not listed above take any numbers.
        y: targets, an array on the host.
    """
    kind = _range_of(loss)
    y = np.asarray(y)
    if kind is None or y.size == 0 or y.dtype == bool:
        return
    (low, high), expected, fix = kind
    least, greatest = y.min(), y.max()
    if least >= low and greatest <= high:
        return
    wrong = greatest if greatest > high else least
    raise ValueError(
        f"Targets of the loss {loss.name!r} must be {expected}. Received "
        f"{wrong!s} at index {_first(y, wrong)}. {fix}"
    )


def _first(y, value):
    """Return the index of the first such value, which may be NaN."""
    places = np.isnan(y) if np.isnan(value) else y == value
    return tuple(int(i) for i in np.argwhere(places)[0])


def check_sparse_labels(y: Any, classes: int, ignore_class: int | None = None) -> None:
    """Raise unless all labels are class indices from 0 to `classes - 1`.

    Args:
        y: labels, an array on the host.
        classes: how many classes the model's output has.
        ignore_class: a label that is allowed beside them, or None.
    """
    labels = np.asarray(y)
    if labels.size == 0:
        return
    if ignore_class is not None:
        labels = labels[labels != ignore_class]
        if labels.size == 0:
            return
    low, high = labels.min(), labels.max()
    wanted = f"Labels must be class indices from 0 to {classes - 1}"
    if not np.isfinite([low, high]).all():
        wrong = low if not np.isfinite(low) else high
        where = _first(np.asarray(y), wrong)
        raise ValueError(
            f"{wanted}. Received {'NaN' if np.isnan(wrong) else wrong} at index "
            f"{where}: leave out the rows without a label."
        )
    if labels.dtype.kind == "f" and (fractions := labels != np.rint(labels)).any():
        wrong = labels[fractions][0]
        raise ValueError(
            f"{wanted}. Received the label {wrong.item()} at index "
            f"{_first(np.asarray(y), wrong)}, which is no whole number. For "
            "probabilities of the classes use categorical_crossentropy, with one row "
            "of them for each sample; for numbers use a loss such as 'mse'."
        )
    if low >= 0 and high < classes:
        return
    wrong = high if high >= classes else low
    where = _first(np.asarray(y), wrong)
    if low >= 1 and high == classes:
        fix = "The labels seem to start at 1: subtract 1."
    elif low < 0:
        fix = (
            "If that label marks what does not count, say so with "
            f"SparseCategoricalCrossentropy(ignore_class={int(low)})."
        )
    else:
        fix = f"Give the model's last layer {int(high) + 1} units, or check the labels."
    raise ValueError(
        f"{wanted}, as the output has "
        f"{classes} classes. Received the label {wrong.item()} at index {where}. {fix}"
    )
