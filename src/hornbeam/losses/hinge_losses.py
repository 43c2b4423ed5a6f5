"""Hinge losses: predictions beyond a margin of 1 have loss 0."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.losses.loss import Loss
from hornbeam.losses.regression import as_pair
from hornbeam.typing import DTypePolicyLike, Reduction, Tensor, TensorLike


def _to_signs(y_true):
    """Return labels -1 and 1 where all labels are 0 or 1, else the labels."""
    is_binary = ops.all(ops.logical_or(y_true == 0, y_true == 1))
    return ops.where(is_binary, 2.0 * y_true - 1.0, y_true)


def hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return the mean over the last axis of `max(1 - y_true * y_pred, 0)`.

    Args:
        y_true: labels -1 and 1 (or 0 and 1, which are turned into those), shape
            `(batch, ..., d)`.
        y_pred: predictions of the same shape.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> float(keras.losses.hinge([[1.0, -1.0]], [[0.5, -3.0]])[0])
    0.25
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    margin = 1.0 - _to_signs(y_true) * y_pred
    return ops.mean(ops.maximum(margin, 0.0), axis=-1)


def squared_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return the mean over the last axis of `max(1 - y_true * y_pred, 0)²`.

    Args:
        y_true: labels -1 and 1 (or 0 and 1, which are turned into those), shape
            `(batch, ..., d)`.
        y_pred: predictions of the same shape.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> float(keras.losses.squared_hinge([[1.0, -1.0]], [[0.0, -3.0]])[0])
    0.5
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    margin = 1.0 - _to_signs(y_true) * y_pred
    return ops.mean(ops.square(ops.maximum(margin, 0.0)), axis=-1)


def categorical_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return `max(negative - positive + 1, 0)` of the classes' scores.

    `positive` is the score of the true class, `negative` the greatest other score.

    Args:
        y_true: one-hot labels, shape `(batch, ..., classes)`.
        y_pred: scores of the same shape.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> float(keras.losses.categorical_hinge([[0.0, 1.0]], [[1.0, 1.5]])[0])
    0.5
    """
    y, p = as_pair(y_true, y_pred)
    positive = ops.sum(y * p, axis=-1)
    negative = ops.max((1.0 - y) * p, axis=-1)
    return ops.maximum(negative - positive + 1.0, 0.0)


class Hinge(Loss):
    """The hinge loss `mean(max(1 - y_true * y_pred, 0))` for labels -1 and 1.

    Args:
        reduction: how the values are combined, see `Loss`.
        name: default "hinge".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> float(keras.losses.Hinge()([[1.0, -1.0]], [[0.5, -3.0]]))
    0.25
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return hinge(y_true, y_pred)


class SquaredHinge(Loss):
    """The squared hinge loss `mean(max(1 - y_true * y_pred, 0)²)`.

    Args:
        reduction: how the values are combined, see `Loss`.
        name: default "squared_hinge".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> float(keras.losses.SquaredHinge()([[1.0, -1.0]], [[0.0, -3.0]]))
    0.5
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return squared_hinge(y_true, y_pred)


class CategoricalHinge(Loss):
    """The hinge loss of one-hot labels: `max(negative - positive + 1, 0)`.

    Args:
        reduction: how the values are combined, see `Loss`.
        name: default "categorical_hinge".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> float(keras.losses.CategoricalHinge()([[0.0, 1.0]], [[1.0, 1.5]]))
    0.5
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return categorical_hinge(y_true, y_pred)
