"""Checks of class indices, on host arrays: a program cannot raise."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.losses.crossentropy import SparseCategoricalCrossentropy


def class_axis(loss: Any) -> int | None:
    """Return the axis of the output that class indices are for, or None.

    Args:
        loss: a Loss; of a function too.
    """
    if getattr(getattr(loss, "fn", None), "takes_class_indices", False):
        return loss.kwargs.get("axis", -1)
    return loss.axis if isinstance(loss, SparseCategoricalCrossentropy) else None


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
    if np.isnan(low):
        where = tuple(int(i) for i in np.argwhere(np.isnan(y))[0])
        raise ValueError(
            f"Labels must be class indices from 0 to {classes - 1}. Received NaN at "
            f"index {where}: leave out the rows without a label."
        )
    if low >= 0 and high < classes:
        return
    wrong = high if high >= classes else low
    where = tuple(int(i) for i in np.argwhere(np.asarray(y) == wrong)[0])
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
        f"Labels must be class indices from 0 to {classes - 1}, as the output has "
        f"{classes} classes. Received the label {wrong.item()} at index {where}. {fix}"
    )
