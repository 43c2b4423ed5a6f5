"""Dice and Tversky: losses of the overlap of two sets, for segmentation."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.core import config
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.losses.loss import Loss, valid_rows
from hornbeam.losses.regression import as_pair
from hornbeam.typing import Axes, DTypePolicyLike, Reduction, Tensor, TensorLike


def dice(y_true: TensorLike, y_pred: TensorLike, axis: Axes = None) -> Tensor:
    """Return `1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`.

    Milletari et al., arXiv:1606.04797; this variant does not square the
    denominator's terms. `epsilon()` is added to numerator and denominator.

    Args:
        y_true: targets between 0 and 1.
        y_pred: predictions of the same shape.
        axis: the axes of the sums; default None: all of them, the batch included.

    Returns:
        A value for each place along the other axes; a scalar by default.

    >>> import hornbeam as keras
    >>> round(float(keras.losses.dice([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    0.3333
    """
    y, p = as_pair(y_true, y_pred)
    if _mixes_rows(axis):
        y, p = valid_rows(y), valid_rows(p)
    both = ops.sum(y * p, axis=axis)
    total = ops.sum(y, axis=axis) + ops.sum(p, axis=axis)
    epsilon = config.epsilon()
    return 1.0 - (2.0 * both + epsilon) / (total + epsilon)


def tversky(
    y_true: TensorLike,
    y_pred: TensorLike,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: Axes = None,
) -> Tensor:
    """Return one minus the Tversky index of the overlap.

    With `both = sum(y_true * y_pred)`, `missed = sum(y_true * (1 - y_pred))` and
    `false = sum((1 - y_true) * y_pred)` the index is
    `both / (both + alpha * missed + beta * false)` (Salehi et al., arXiv:1706.05721).
    With both weights 0.5 it is the Dice loss.

    Args:
        y_true: targets between 0 and 1.
        y_pred: predictions of the same shape.
        alpha: the weight of false negatives; default 0.5.
        beta: the weight of false positives; default 0.5.
        axis: the axes of the sums; default None: all of them, the batch included.

    Returns:
        A value for each place along the other axes; a scalar by default.

    >>> import hornbeam as keras
    >>> round(float(keras.losses.tversky([[1.0, 0.0]], [[1.0, 1.0]], beta=1.0)), 4)
    0.5
    """
    y, p = as_pair(y_true, y_pred)
    total_true, total_pred = y, p
    if _mixes_rows(axis):
        total_true, total_pred = valid_rows(y), valid_rows(p)
    both = ops.sum(total_true * p, axis=axis)
    missed = ops.sum(total_true, axis=axis) - both
    false = ops.sum(total_pred, axis=axis) - both
    epsilon = config.epsilon()
    index = (both + epsilon) / (both + alpha * missed + beta * false + epsilon)
    return 1.0 - index


def _mixes_rows(axis: Axes) -> bool:
    return axis is None or axis == 0 or (not isinstance(axis, int) and 0 in axis)


class Dice(Loss):
    """The Dice loss `1 - 2 * sum(t * p) / (sum(t) + sum(p))` of an overlap.

    Milletari et al., arXiv:1606.04797; this variant does not square the
    denominator's terms.

    Args:
        reduction: how the values are combined, see `Loss`.
        name: default "dice".
        axis: the axes of the sums; default None: all of them, the batch included.
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> round(float(keras.losses.Dice()([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    0.3333
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Axes = None,
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """Sums over the batch, but not over all axes, do not give one value per row."""
        return super().accepts_padding and (
            self.axis is None or not _mixes_rows(self.axis)
        )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss along the axes that are left."""
        return dice(y_true, y_pred, axis=self.axis)


class Tversky(Loss):
    """One minus the Tversky index `both / (both + alpha * missed + beta * false)`.

    Salehi et al., arXiv:1706.05721.

    Args:
        alpha: the weight of false negatives; default 0.5.
        beta: the weight of false positives; default 0.5.
        reduction: how the values are combined, see `Loss`.
        name: default "tversky".
        axis: the axes of the sums; default None: all of them, the batch included.
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.Tversky(beta=1.0)
    >>> round(float(loss([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    0.5
    """

    alpha: float = Hyperparameter(low=0)
    beta: float = Hyperparameter(low=0)

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Axes = None,
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """Sums over the batch, but not over all axes, do not give one value per row."""
        return super().accepts_padding and (
            self.axis is None or not _mixes_rows(self.axis)
        )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss along the axes that are left."""
        return tversky(y_true, y_pred, alpha=self.alpha, beta=self.beta, axis=self.axis)
