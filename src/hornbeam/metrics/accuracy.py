"""Accuracies: how often predictions are right."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.core import config
from hornbeam.core.errors import check_number
from hornbeam.losses.crossentropy import check_class_shapes, squeeze_class_axis
from hornbeam.losses.loss import squeeze_or_expand_to_same_rank, takes_class_indices
from hornbeam.metrics.metric import positive_count
from hornbeam.metrics.reduction import MeanMetricWrapper
from hornbeam.typing import DTypePolicyLike, Tensor, TensorLike


def accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return 1 where the prediction equals the target, else 0."""
    predictions = ops.convert_to_tensor(y_pred)
    targets = ops.convert_to_tensor(y_true, dtype=predictions.dtype)
    targets, predictions = squeeze_or_expand_to_same_rank(targets, predictions)
    return ops.cast(targets == predictions, config.floatx())


def binary_accuracy(
    y_true: TensorLike, y_pred: TensorLike, threshold: float = 0.5
) -> Tensor:
    """Return 1 where `y_pred > threshold` agrees with the label, else 0.

    Args:
        y_true: labels 0 and 1.
        y_pred: predictions of the same shape.
        threshold: default 0.5.

    >>> import hornbeam as keras
    >>> float(keras.metrics.binary_accuracy([[1.0]], [[0.7]])[0][0])
    1.0
    """
    targets = ops.convert_to_tensor(y_true)
    predictions = ops.convert_to_tensor(y_pred)
    targets, predictions = squeeze_or_expand_to_same_rank(targets, predictions)
    predictions = ops.cast(predictions, config.floatx())
    above = ops.cast(predictions > threshold, config.floatx())
    return ops.cast(ops.cast(targets, config.floatx()) == above, config.floatx())


def categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return 1 where the greatest prediction is that of the true class, else 0.

    Args:
        y_true: one-hot labels, shape `(batch, ..., classes)`.
        y_pred: probabilities or logits of the same shape.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> float(keras.metrics.categorical_accuracy([[0, 1]], [[0.2, 0.8]])[0])
    1.0
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    _check_one_hot(y_true, y_pred)
    matches = ops.argmax(y_true, axis=-1) == ops.argmax(y_pred, axis=-1)
    return ops.cast(matches, config.floatx())


def _check_one_hot(y_true, y_pred):
    if len(y_true.shape) != len(y_pred.shape):
        raise ValueError(
            "Categorical accuracies expect one-hot `y_true` of the shape of `y_pred`. "
            f"Received: y_true.shape={tuple(y_true.shape)}, y_pred.shape="
            f"{tuple(y_pred.shape)}. For integer labels use the metric of the same "
            "name with `sparse_` in front, such as sparse_categorical_accuracy."
        )


@takes_class_indices
def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return 1 where the greatest prediction is that of the true class, else 0.

    Args:
        y_true: class indices, shape `(batch, ...)`, or with a last axis of size 1.
        y_pred: probabilities or logits, shape `(batch, ..., classes)`.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> float(keras.metrics.sparse_categorical_accuracy([1], [[0.2, 0.8]])[0])
    1.0
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = _class_indices(y_true, y_pred)
    matches = y_true == ops.cast(ops.argmax(y_pred, axis=-1), "int32")
    return ops.cast(matches, config.floatx())


def _class_indices(y_true, y_pred):
    """Return class indices, one for each distribution in `y_pred`."""
    y_true = squeeze_class_axis(ops.convert_to_tensor(y_true), y_pred)
    shape = tuple(y_pred.shape)[:-1]
    if _same_size(tuple(y_true.shape), shape) and tuple(y_true.shape) != shape:
        y_true = ops.reshape(y_true, shape)
    check_class_shapes(y_true, y_pred)
    return ops.cast(y_true, "int32")


def _same_size(shape1, shape2):
    if None in shape1 or None in shape2:
        return False
    size1 = size2 = 1
    for size in shape1:
        size1 *= size
    for size in shape2:
        size2 *= size
    return size1 == size2


def top_k_categorical_accuracy(
    y_true: TensorLike, y_pred: TensorLike, k: int = 5
) -> Tensor:
    """Return 1 where the true class is among the `k` greatest predictions, else 0.

    Args:
        y_true: one-hot labels, shape `(batch, ..., classes)`.
        y_pred: probabilities or logits of the same shape.
        k: default 5.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> y_pred = [[0.2, 0.5, 0.3]]
    >>> float(keras.metrics.top_k_categorical_accuracy([[0, 0, 1]], y_pred, k=2)[0])
    1.0
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    _check_one_hot(y_true, y_pred)
    return _in_top_k(ops.argmax(y_true, axis=-1), y_pred, k)


@takes_class_indices
def sparse_top_k_categorical_accuracy(
    y_true: TensorLike, y_pred: TensorLike, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """Return 1 where the true class is among the `k` greatest predictions, else 0.

    Args:
        y_true: class indices, shape `(batch, ...)`.
        y_pred: probabilities or logits, shape `(batch, ..., classes)`.
        k: default 5.
        from_sorted_ids: whether `y_pred` holds class indices, the best first; default
            False.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> y_pred = [[0.2, 0.5, 0.3]]
    >>> float(keras.metrics.sparse_top_k_categorical_accuracy([2], y_pred, k=2)[0])
    1.0
    """
    predictions = ops.convert_to_tensor(y_pred)
    labels = _class_indices(y_true, predictions)
    if not from_sorted_ids:
        return _in_top_k(labels, predictions, k)
    best = ops.cast(predictions[..., :k], "int32")
    is_among_best = ops.any(ops.expand_dims(labels, -1) == best, axis=-1)
    return ops.cast(is_among_best, config.floatx())


def _in_top_k(classes, y_pred, k):
    """Return 1 where at most `k - 1` predictions are greater than the class's."""
    picked = ops.take_along_axis(
        y_pred, ops.expand_dims(ops.cast(classes, "int32"), -1), axis=-1
    )
    # The comparison is written so that a class whose prediction is NaN is not found.
    above = ops.sum(ops.cast(y_pred > picked, "int32"), axis=-1)
    is_number = ops.squeeze(picked == picked, axis=-1)
    return ops.cast(ops.logical_and(above < k, is_number), config.floatx())


class Accuracy(MeanMetricWrapper):
    """How often predictions equal targets.

    Args:
        name: default "accuracy".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.Accuracy()
    >>> metric.update_state([1, 2, 3, 4], [0, 2, 3, 4])
    >>> float(metric.result())
    0.75
    """

    def __init__(self, name: str | None = "accuracy", dtype: DTypePolicyLike = None):
        super().__init__(fn=accuracy, name=name, dtype=dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions above a threshold agree with labels 0 and 1.

    Args:
        name: default "binary_accuracy".
        dtype: default `floatx()`.
        threshold: default 0.5.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.BinaryAccuracy()
    >>> metric.update_state([[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]])
    >>> float(metric.result())
    0.75
    """

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: DTypePolicyLike = None,
        threshold: float = 0.5,
    ):
        check_number("BinaryAccuracy", "threshold", threshold, above=0, below=1)
        super().__init__(
            fn=binary_accuracy, name=name, dtype=dtype, threshold=threshold
        )
        self.threshold = threshold


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the greatest prediction is that of the true class, for one-hot labels.

    Args:
        name: default "categorical_accuracy".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.CategoricalAccuracy()
    >>> metric.update_state([[0, 1], [0, 1]], [[0.2, 0.8], [0.9, 0.1]])
    >>> float(metric.result())
    0.5
    """

    def __init__(
        self, name: str | None = "categorical_accuracy", dtype: DTypePolicyLike = None
    ):
        super().__init__(fn=categorical_accuracy, name=name, dtype=dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the greatest prediction is that of the true class, for class indices.

    Args:
        name: default "sparse_categorical_accuracy".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.SparseCategoricalAccuracy()
    >>> metric.update_state([1, 1], [[0.2, 0.8], [0.9, 0.1]])
    >>> float(metric.result())
    0.5
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_accuracy",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(fn=sparse_categorical_accuracy, name=name, dtype=dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the true class is among the `k` greatest, for one-hot labels.

    Args:
        k: default 5.
        name: default "top_k_categorical_accuracy".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.TopKCategoricalAccuracy(k=1)
    >>> metric.update_state([[0, 1], [0, 1]], [[0.2, 0.8], [0.9, 0.1]])
    >>> float(metric.result())
    0.5
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "top_k_categorical_accuracy",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(fn=top_k_categorical_accuracy, name=name, dtype=dtype, k=k)
        self.k: int = positive_count(self, "k", k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the true class is among the `k` greatest, for class indices.

    Args:
        k: default 5.
        name: default "sparse_top_k_categorical_accuracy".
        dtype: default `floatx()`.
        from_sorted_ids: whether predictions are class indices, the best first;
            default False.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.SparseTopKCategoricalAccuracy(k=1)
    >>> metric.update_state([1, 1], [[0.2, 0.8], [0.9, 0.1]])
    >>> float(metric.result())
    0.5
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: DTypePolicyLike = None,
        from_sorted_ids: bool = False,
    ):
        super().__init__(
            fn=sparse_top_k_categorical_accuracy,
            name=name,
            dtype=dtype,
            k=k,
            from_sorted_ids=from_sorted_ids,
        )
        self.k: int = positive_count(self, "k", k)
        self.from_sorted_ids = from_sorted_ids
