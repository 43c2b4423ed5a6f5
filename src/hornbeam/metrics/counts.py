"""Counts of true and false, positives and negatives, at one or many thresholds.

With evenly spaced thresholds each prediction is put into its bucket once; the counts
are running sums over the buckets. Other thresholds are compared one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hornbeam import ops
from hornbeam.core.errors import check_number
from hornbeam.losses.loss import align, squeeze_or_expand_to_same_rank
from hornbeam.typing import Tensor, TensorLike

# Which side of the threshold the prediction is on, and what the label is.
KINDS = {
    "true_positives": ("above", True),
    "false_positives": ("above", False),
    "true_negatives": ("below", False),
    "false_negatives": ("below", True),
}


def standardize_thresholds(
    thresholds: Sequence[float] | float | None, default: float = 0.5
) -> list[float]:
    """Return the thresholds as a list, checked to be in `[0, 1]`."""
    if thresholds is None:
        return [default]
    values = list(np.ravel(np.asarray(thresholds, dtype=object)))
    return [float(check_number("the metric", "thresholds", t, 0, 1)) for t in values]


def are_evenly_spaced(thresholds: Sequence[float]) -> bool:
    """Whether there are at least three, in equal steps from 0 to 1."""
    count = len(thresholds)
    steps = np.linspace(0.0, 1.0, count)
    return count > 2 and bool(np.allclose(thresholds, steps, rtol=0, atol=1.5e-7))


def prepare(
    y_true: TensorLike,
    y_pred: TensorLike,
    sample_weight: TensorLike | None,
    dtype: str,
    top_k: int | None = None,
    class_id: int | None = None,
    multi_label: bool = False,
    label_weights: TensorLike | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return predictions, and the weights of the positive and the negative labels.

    Args:
        y_true: labels; any but 0 is positive.
        y_pred: predictions of the same shape.
        sample_weight: weights that fit the predictions, or None.
        dtype: of what is returned.
        top_k: keep only the `top_k` greatest predictions along the last axis.
        class_id: look at this class only.
        multi_label: keep the last axis, one entry per label.
        label_weights: one weight for each place along the last axis, or None.

    Returns:
        Three tensors of shape `(n,)`, or `(n, labels)`.
    """
    labels = ops.convert_to_tensor(y_true)
    predictions = ops.convert_to_tensor(y_pred, dtype=dtype)
    predictions, labels = squeeze_or_expand_to_same_rank(predictions, labels)
    _check_shapes(tuple(labels.shape), tuple(predictions.shape))
    if top_k is not None:
        predictions = _keep_top_k(predictions, top_k)
    weight = _weight(sample_weight, predictions, dtype)
    if class_id is not None:
        if len(predictions.shape) != 2:
            raise ValueError(
                "When class_id is provided, y_pred must be a 2D array with shape "
                f"(num_samples, num_classes), found shape: {tuple(predictions.shape)}"
            )
        classes = predictions.shape[1]
        if classes is not None and class_id >= classes:
            raise ValueError(
                f"Argument `class_id` of the metric must be less than the {classes} "
                f"classes of the predictions. Received: class_id={class_id}"
            )
        labels, predictions = labels[:, class_id], predictions[:, class_id]
        if weight is not None:
            weight = weight[:, class_id if weight.shape[-1] != 1 else 0]
    if label_weights is not None:
        label_weights = ops.convert_to_tensor(label_weights, dtype=dtype)
        weight = label_weights if weight is None else weight * label_weights
    positive = ops.cast(ops.cast(labels, "bool"), dtype)
    negative = 1.0 - positive
    if weight is not None:
        positive, negative = positive * weight, negative * weight
    shape = (-1, predictions.shape[-1]) if multi_label else (-1,)
    return (
        ops.reshape(predictions, shape),
        ops.reshape(positive, shape),
        ops.reshape(negative, shape),
    )


def _check_shapes(target, output):
    same = len(target) == len(output) and all(
        None in pair or pair[0] == pair[1] for pair in zip(target, output, strict=True)
    )
    if not same:
        raise ValueError(
            "Arguments `y_true` and `y_pred` must have the same shape. Received: "
            f"y_true.shape={target}, y_pred.shape={output}. Labels of several classes "
            "must be one-hot: `keras.ops.one_hot(y_true, num_classes)`."
        )


def _weight(sample_weight, y_pred, dtype):
    """Return weights of the rank of the predictions, or None."""
    if sample_weight is None:
        return None
    weight = align(ops.convert_to_tensor(sample_weight, dtype=dtype), y_pred)
    while len(weight.shape) < len(y_pred.shape):
        weight = ops.expand_dims(weight, axis=0)
    return weight


def _keep_top_k(y_pred, k):
    """Return the `k` greatest predictions along the last axis, others as -1e10."""
    _, indices = ops.top_k(y_pred, k)
    kept = ops.sum(ops.one_hot(indices, y_pred.shape[-1], dtype="int32"), axis=-2)
    return ops.where(kept > 0, y_pred, ops.full_like(y_pred, -1e10))


def confusion_counts(
    kinds: Sequence[str],
    y_pred: Tensor,
    positive: Tensor,
    negative: Tensor,
    thresholds: Sequence[float],
) -> list[Tensor]:
    """Return the counts named in `kinds`, each of shape `(thresholds, ...)`.

    Args:
        kinds: some of `KINDS`.
        y_pred, positive, negative: from `prepare`.
        thresholds: a list of numbers; a prediction is positive above it.
    """
    sides_and_labels = [KINDS[kind] for kind in kinds]
    if are_evenly_spaced(thresholds):
        sides = _count_buckets(y_pred, positive, negative, thresholds)
        return [sides[side][0 if label else 1] for side, label in sides_and_labels]
    return [
        _count_each(y_pred, positive if label else negative, thresholds, side)
        for side, label in sides_and_labels
    ]


def _count_each(y_pred, weight, thresholds, side):
    shape = (len(thresholds),) + (1,) * len(y_pred.shape)
    limits = ops.reshape(ops.convert_to_tensor(thresholds, y_pred.dtype), shape)
    y_pred = ops.expand_dims(y_pred, axis=0)
    matches = y_pred > limits if side == "above" else y_pred <= limits
    return ops.sum(ops.cast(matches, weight.dtype) * weight, axis=1)


def _count_buckets(y_pred, positive, negative, thresholds):
    """Return for both sides the counts of positives and negatives."""
    # A prediction p in [0, 1] is above exactly ceil(p * steps) thresholds, and above
    # the first one too where that is a little less than 0.
    count = len(thresholds)
    least = 1 if thresholds[0] < 0 else 0
    bucket = ops.cast(ops.ceil(y_pred * (count - 1)), "int32")
    bucket = ops.clip(bucket, least, count - 1)
    shape: tuple[int, ...] = (2, count)
    if len(y_pred.shape) > 1:
        labels = y_pred.shape[1]
        shape = (2, count, labels)
        bucket = ops.reshape(bucket * labels + ops.arange(labels, dtype="int32"), (-1,))
        positive, negative = (ops.reshape(x, (-1,)) for x in (positive, negative))
    size = shape[1] * (shape[2] if len(shape) > 2 else 1)
    sums = ops.segment_sum(
        ops.concatenate([positive, negative]),
        ops.concatenate([bucket, bucket + size]),
        num_segments=2 * size,
    )
    sums = ops.reshape(sums, shape)
    above = ops.flip(ops.cumsum(ops.flip(sums, axis=1), axis=1), axis=1)
    above = ops.concatenate([above[:, 1:], ops.zeros_like(above[:, :1])], axis=1)
    return {"above": above, "below": ops.cumsum(sums, axis=1)}
