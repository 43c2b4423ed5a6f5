"""Focal cross-entropies: samples that are already classified well count less."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.core import config
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.losses.crossentropy import (
    _BINARY_HINT,
    _SPARSE_HINT,
    probability_pair,
    smooth,
)
from hornbeam.losses.loss import Loss
from hornbeam.typing import DTypePolicyLike, Reduction, Tensor, TensorLike


def binary_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Return the mean over `axis` of `(1 - p_t)**gamma * binary_crossentropy`.

    `p_t` is the predicted probability of the true label: `p` for 1, `1 - p` for 0
    (Lin et al., arXiv:1708.02002).

    Args:
        y_true: labels 0 and 1, or probabilities.
        y_pred: predicted probabilities (or logits) of the same shape.
        apply_class_balancing: whether to weigh label 1 with `alpha` and label 0 with
            `1 - alpha`; default False.
        alpha: the weight of label 1; default 0.25.
        gamma: how strongly easy samples are down-weighted; default 2.
        from_logits: whether `y_pred` are logits; default False.
        label_smoothing: moves the labels towards 0.5; default 0.
        axis: the axis of the mean; default -1.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.binary_focal_crossentropy([[1.0]], [[0.5]])
    >>> round(float(loss[0]), 4)
    0.1733
    """
    targets, outputs = probability_pair(y_true, y_pred, _BINARY_HINT)
    y = smooth(targets, label_smoothing, 2)
    p = ops.sigmoid(outputs) if from_logits else outputs
    p_t = y * p + (1.0 - y) * (1.0 - p)
    g = ops.convert_to_tensor(gamma, dtype=outputs.dtype)
    values = ops.power(1.0 - p_t, g) * ops.binary_crossentropy(
        y, outputs, from_logits=from_logits
    )
    if apply_class_balancing:
        values = (y * alpha + (1.0 - y) * (1.0 - alpha)) * values
    return ops.mean(values, axis=axis)


def categorical_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    alpha: TensorLike = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Return `-sum(alpha * (1 - p)**gamma * y_true * log(p))` over the classes.

    Probabilities are first divided by their sum and clipped by `epsilon()`
    (Lin et al., arXiv:1708.02002).

    Args:
        y_true: one-hot labels or probabilities, shape `(batch, ..., classes)`.
        y_pred: predicted probabilities (or logits) of the same shape.
        alpha: a weight, or one for each class; default 0.25.
        gamma: how strongly easy samples are down-weighted; default 2.
        from_logits: whether `y_pred` are logits; default False.
        label_smoothing: mixes the labels with the uniform distribution; default 0.
        axis: the axis of the classes; default -1.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    >>> round(float(loss[0]), 4)
    0.0433
    """
    targets, outputs = probability_pair(y_true, y_pred, _SPARSE_HINT)
    y = smooth(targets, label_smoothing, outputs.shape[axis])
    if from_logits:
        outputs = ops.softmax(outputs, axis=axis)
    p = outputs / ops.sum(outputs, axis=axis, keepdims=True)
    p = ops.clip(p, config.epsilon(), 1.0 - config.epsilon())
    a = ops.convert_to_tensor(alpha, dtype=outputs.dtype)
    g = ops.convert_to_tensor(gamma, dtype=outputs.dtype)
    values = ops.power(1.0 - p, g) * a * y * ops.log(p)
    return -ops.sum(values, axis=axis)


class BinaryFocalCrossentropy(Loss):
    """The focal loss of labels 0 and 1: `(1 - p_t)**gamma * binary_crossentropy`.

    `p_t` is the predicted probability of the true label (Lin et al., arXiv:1708.02002).

    Args:
        apply_class_balancing: whether to weigh label 1 with `alpha` and label 0 with
            `1 - alpha`; default False.
        alpha: the weight of label 1; default 0.25.
        gamma: how strongly easy samples are down-weighted; default 2.
        from_logits: whether predictions are logits; default False.
        label_smoothing: moves the labels towards 0.5; default 0.
        axis: the axis of the mean; default -1.
        reduction: how the values are combined, see `Loss`.
        name: default "binary_focal_crossentropy".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> round(float(keras.losses.BinaryFocalCrossentropy()([[1.0]], [[0.5]])), 4)
    0.1733
    """

    alpha: float = Hyperparameter(low=0, high=1)
    gamma: float = Hyperparameter(low=0)
    label_smoothing: float = Hyperparameter(low=0, high=1)

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing or 0.0
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """A mean along the batch axis would be mixed with padding."""
        return super().accepts_padding and self.axis != 0

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return binary_focal_crossentropy(
            y_true,
            y_pred,
            apply_class_balancing=self.apply_class_balancing,
            alpha=self.alpha,
            gamma=self.gamma,
            from_logits=self.from_logits,
            label_smoothing=self.label_smoothing,
            axis=self.axis,
        )


class CategoricalFocalCrossentropy(Loss):
    """The focal loss of one-hot labels: `-sum(alpha (1 - p)**gamma y_true log(p))`.

    Lin et al., arXiv:1708.02002.

    Args:
        alpha: a weight, or one for each class; default 0.25.
        gamma: how strongly easy samples are down-weighted; default 2.
        from_logits: whether predictions are logits; default False.
        label_smoothing: mixes the labels with the uniform distribution; default 0.
        axis: the axis of the classes; default -1.
        reduction: how the values are combined, see `Loss`.
        name: default "categorical_focal_crossentropy".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.CategoricalFocalCrossentropy()
    >>> round(float(loss([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.0433
    """

    alpha: TensorLike = Hyperparameter(several=True, low=0)
    gamma: float = Hyperparameter(low=0)
    label_smoothing: float = Hyperparameter(low=0, high=1)

    def __init__(
        self,
        alpha: TensorLike = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing or 0.0
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """Classes along the batch axis would be mixed with padding."""
        return super().accepts_padding and self.axis != 0

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return categorical_focal_crossentropy(
            y_true,
            y_pred,
            alpha=self.alpha,
            gamma=self.gamma,
            from_logits=self.from_logits,
            label_smoothing=self.label_smoothing,
            axis=self.axis,
        )
