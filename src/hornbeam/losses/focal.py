"""Focal cross-entropies: samples that are already right count less."""

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


def binary_focal_crossentropy(
    y_true,
    y_pred,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
):
    """Return the mean over `axis` of `(1 - p_t)**gamma * binary_crossentropy`.

    `p_t` is the probability given to the true label: `p` for 1, `1 - p` for 0
    (Lin et al., arXiv:1708.02002).

    Args:
        y_true: labels 0 and 1, or probabilities.
        y_pred: predicted probabilities (or logits) of the same shape.
        apply_class_balancing: whether to weigh label 1 with `alpha` and label 0 with
            `1 - alpha`; default False.
        alpha: the weight of label 1; default 0.25.
        gamma: how much easy samples are played down; default 2.
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
    y_true, y_pred = probability_pair(y_true, y_pred, _BINARY_HINT)
    y = smooth(y_true, label_smoothing, 2)
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    p_t = y * p + (1.0 - y) * (1.0 - p)
    gamma = ops.convert_to_tensor(gamma, dtype=y_pred.dtype)
    values = ops.power(1.0 - p_t, gamma) * ops.binary_crossentropy(
        y, y_pred, from_logits=from_logits
    )
    if apply_class_balancing:
        values = (y * alpha + (1.0 - y) * (1.0 - alpha)) * values
    return ops.mean(values, axis=axis)


def categorical_focal_crossentropy(
    y_true,
    y_pred,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
):
    """Return `-sum(alpha * (1 - p)**gamma * y_true * log(p))` over the classes.

    Probabilities are first divided by their sum and clipped by `epsilon()`
    (Lin et al., arXiv:1708.02002).

    Args:
        y_true: one-hot labels or probabilities, shape `(batch, ..., classes)`.
        y_pred: predicted probabilities (or logits) of the same shape.
        alpha: a weight, or one for each class; default 0.25.
        gamma: how much easy samples are played down; default 2.
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
    y_true, y_pred = probability_pair(y_true, y_pred, _SPARSE_HINT)
    y_true = smooth(y_true, label_smoothing, y_pred.shape[axis])
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    p = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    p = ops.clip(p, config.epsilon(), 1.0 - config.epsilon())
    alpha = ops.convert_to_tensor(alpha, dtype=y_pred.dtype)
    gamma = ops.convert_to_tensor(gamma, dtype=y_pred.dtype)
    values = ops.power(1.0 - p, gamma) * alpha * y_true * ops.log(p)
    return -ops.sum(values, axis=axis)


class BinaryFocalCrossentropy(Loss):
    """The focal loss of labels 0 and 1: `(1 - p_t)**gamma * binary_crossentropy`.

    `p_t` is the probability given to the true label (Lin et al., arXiv:1708.02002).

    Args:
        apply_class_balancing: whether to weigh label 1 with `alpha` and label 0 with
            `1 - alpha`; default False.
        alpha: the weight of label 1; default 0.25.
        gamma: how much easy samples are played down; default 2.
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

    alpha = Hyperparameter()
    gamma = Hyperparameter()
    label_smoothing = Hyperparameter()

    def __init__(
        self,
        apply_class_balancing=False,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    @property
    def accepts_padding(self):
        """A mean along the batch axis would mix with the padding."""
        return super().accepts_padding and self.axis != 0

    def call(self, y_true, y_pred):
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
        gamma: how much easy samples are played down; default 2.
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

    alpha = Hyperparameter()
    gamma = Hyperparameter()
    label_smoothing = Hyperparameter()

    def __init__(
        self,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    @property
    def accepts_padding(self):
        """Classes along the batch axis would mix with the padding."""
        return super().accepts_padding and self.axis != 0

    def call(self, y_true, y_pred):
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
