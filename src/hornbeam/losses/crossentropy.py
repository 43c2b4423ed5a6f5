"""Cross-entropies: minus the logarithm of the true class's probability."""

from __future__ import annotations

import numbers
from typing import Any

from hornbeam import ops
from hornbeam.core import config, dtypes
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.losses.loss import (
    Loss,
    keep_integers,
    squeeze_or_expand_to_same_rank,
    takes_class_indices,
)
from hornbeam.typing import DTypePolicyLike, Reduction, Tensor, TensorLike


def smooth(y_true: Tensor, label_smoothing: float, classes: Any) -> Tensor:
    """Return targets mixed with the uniform distribution over `classes`."""
    if isinstance(label_smoothing, numbers.Real) and label_smoothing == 0:
        return y_true
    amount = ops.convert_to_tensor(label_smoothing, dtype=y_true.dtype)
    return y_true * (1.0 - amount) + amount / classes


def probability_pair(
    y_true: TensorLike, y_pred: TensorLike, hint: str = ""
) -> tuple[Tensor, Tensor]:
    """Return targets and predictions as floats, checked to be of one shape."""
    predictions = ops.convert_to_tensor(y_pred)
    if not dtypes.is_float_dtype(dtypes.standardize_dtype(predictions.dtype)):
        predictions = ops.cast(predictions, config.floatx())
    targets = ops.cast(ops.convert_to_tensor(y_true), predictions.dtype)
    targets, predictions = squeeze_or_expand_to_same_rank(targets, predictions)
    target, output = tuple(targets.shape), tuple(predictions.shape)
    same = len(target) == len(output) and all(
        None in pair or pair[0] == pair[1] for pair in zip(target, output, strict=True)
    )
    if not same:
        raise ValueError(
            "Arguments `y_true` and `y_pred` must have the same shape. Received: "
            f"y_true.shape={target}, y_pred.shape={output}.{hint}"
        )
    return targets, predictions


_SPARSE_HINT = (
    " For integer labels use sparse_categorical_crossentropy, or turn them into "
    "one-hot vectors with `keras.ops.one_hot(y_true, num_classes)`."
)
_BINARY_HINT = (
    " For integer labels of more than two classes use "
    "sparse_categorical_crossentropy; for labels 0 and 1 give the model one output."
)


def binary_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Return the mean over `axis` of `-y log(p) - (1 - y) log(1 - p)`.

    Args:
        y_true: labels 0 and 1, or probabilities.
        y_pred: predicted probabilities (or logits) of the same shape.
        from_logits: whether `y_pred` are logits; default False.
        label_smoothing: moves the labels towards 0.5; default 0.
        axis: the axis of the mean; default -1.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    >>> round(float(loss[0]), 4)
    0.6931
    """
    y_true, y_pred = probability_pair(y_true, y_pred, _BINARY_HINT)
    y_true = smooth(y_true, label_smoothing, 2)
    values = ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    return ops.mean(values, axis=axis)


def categorical_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Return `-sum(y_true * log(y_pred))` over the classes.

    Probabilities are first divided by their sum and clipped by `epsilon()`.

    Args:
        y_true: one-hot labels or probabilities, shape `(batch, ..., classes)`.
        y_pred: predicted probabilities (or logits) of the same shape.
        from_logits: whether `y_pred` are logits; default False.
        label_smoothing: mixes the labels with the uniform distribution; default 0.
        axis: the axis of the classes; default -1.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    >>> round(float(loss[0]), 4)
    0.6931
    """
    targets, outputs = probability_pair(y_true, y_pred, _SPARSE_HINT)
    targets = smooth(targets, label_smoothing, outputs.shape[axis])
    return ops.categorical_crossentropy(
        targets, outputs, from_logits=from_logits, axis=axis
    )


@takes_class_indices
def sparse_categorical_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Tensor:
    """Return `-log(y_pred[y_true])` for integer labels.

    Args:
        y_true: class indices, shape `(batch, ...)`, or with a last axis of size 1.
        y_pred: predicted probabilities (or logits), shape `(batch, ..., classes)`.
        from_logits: whether `y_pred` are logits; default False.
        ignore_class: targets of this index have loss 0; default None.
        axis: the axis of the classes; default -1.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    >>> round(float(loss[0]), 4)
    0.6931
    """
    outputs = ops.convert_to_tensor(y_pred)
    if not dtypes.is_float_dtype(dtypes.standardize_dtype(outputs.dtype)):
        outputs = ops.cast(outputs, config.floatx())
    labels = squeeze_class_axis(ops.convert_to_tensor(y_true), outputs, axis)
    check_class_shapes(labels, outputs, axis)
    labels = ops.cast(labels, "int32")
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(
            labels, outputs, from_logits=from_logits, axis=axis
        )
    valid = labels != ignore_class
    values = ops.sparse_categorical_crossentropy(
        ops.where(valid, labels, 0), outputs, from_logits=from_logits, axis=axis
    )
    return ops.where(valid, values, 0.0)


def squeeze_class_axis(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Return class indices without an axis of size 1 where the classes are."""
    rank = len(y_pred.shape)
    if len(y_true.shape) == rank and y_true.shape[axis] == 1:
        return ops.squeeze(y_true, axis=axis)
    return y_true


def check_class_shapes(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> None:
    """Raise unless there is one class index for each distribution in `y_pred`."""
    target, output = tuple(y_true.shape), list(y_pred.shape)
    if output:
        output.pop(axis)
    same = len(target) == len(output) and all(
        None in pair or pair[0] == pair[1] for pair in zip(target, output, strict=True)
    )
    if same:
        return
    one_hot = len(target) == len(y_pred.shape) and target[axis] == y_pred.shape[axis]
    hint = (
        " For one-hot labels use categorical_crossentropy, or take class indices with "
        "`keras.ops.argmax(y_true, axis=-1)`."
    )
    raise ValueError(
        "Argument `y_true` must hold one class index for each distribution in "
        f"`y_pred`. Expected shape {tuple(output)}. Received: y_true.shape={target}, "
        f"y_pred.shape={tuple(y_pred.shape)}.{hint if one_hot else ''}"
    )


@takes_class_indices
def categorical_generalized_cross_entropy(
    y_true: TensorLike, y_pred: TensorLike, q: float
) -> Tensor:
    """Return `(1 - p**q) / q` where `p` is the probability of the true class.

    Near q = 0 it is the cross-entropy, at q = 1 the absolute error: in between it
    tolerates wrong labels (Zhang and Sabuncu, arXiv:1805.07836).

    Args:
        y_true: class indices, shape `(batch, ...)`.
        y_pred: predicted probabilities, shape `(batch, ..., classes)`.
        q: between 0 and 1.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.categorical_generalized_cross_entropy(
    ...     [1], [[0.75, 0.25]], q=0.5)
    >>> float(loss[0])
    1.0
    """
    outputs = ops.convert_to_tensor(y_pred)
    labels = squeeze_class_axis(ops.convert_to_tensor(y_true), outputs)
    check_class_shapes(labels, outputs)
    is_true_class = ops.one_hot(
        ops.cast(labels, "int32"), outputs.shape[-1], dtype=outputs.dtype
    )
    p = ops.sum(is_true_class * outputs, axis=-1)
    exponent = ops.convert_to_tensor(q, dtype=outputs.dtype)
    return (1.0 - ops.power(p, exponent)) / exponent


class BinaryCrossentropy(Loss):
    """The cross-entropy of labels 0 and 1: `-y log(p) - (1 - y) log(1 - p)`.

    Args:
        from_logits: whether predictions are logits; default False.
        label_smoothing: moves the labels towards 0.5; default 0.
        axis: the axis of the mean; default -1.
        reduction: how the values are combined, see `Loss`.
        name: default "binary_crossentropy".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])
    >>> round(float(loss), 4)
    0.6931
    """

    label_smoothing: float = Hyperparameter(low=0, high=1)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing or 0.0
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """A mean along the batch axis would be mixed with padding."""
        return super().accepts_padding and self.axis != 0

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return binary_crossentropy(
            y_true,
            y_pred,
            from_logits=self.from_logits,
            label_smoothing=self.label_smoothing,
            axis=self.axis,
        )


class CategoricalCrossentropy(Loss):
    """The cross-entropy of one-hot labels: `-sum(y_true * log(y_pred))`.

    Args:
        from_logits: whether predictions are logits; default False.
        label_smoothing: mixes the labels with the uniform distribution; default 0.
        axis: the axis of the classes; default -1.
        reduction: how the values are combined, see `Loss`.
        name: default "categorical_crossentropy".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])
    >>> round(float(loss), 4)
    0.6931
    """

    label_smoothing: float = Hyperparameter(low=0, high=1)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing or 0.0
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """Classes along the batch axis would be mixed with padding."""
        return super().accepts_padding and self.axis != 0

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return categorical_crossentropy(
            y_true,
            y_pred,
            from_logits=self.from_logits,
            label_smoothing=self.label_smoothing,
            axis=self.axis,
        )


class SparseCategoricalCrossentropy(Loss):
    """The cross-entropy of integer labels: `-log(y_pred[y_true])`.

    Args:
        from_logits: whether predictions are logits; default False.
        ignore_class: targets of this index do not count, in means either; default
            None.
        reduction: how the values are combined, see `Loss`.
        axis: the axis of the classes; default -1.
        name: default "sparse_categorical_crossentropy".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])
    >>> round(float(loss), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: Reduction = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """Classes along the batch axis would be mixed with padding."""
        return super().accepts_padding and self.axis != 0

    def _convert_target(self, x):
        return keep_integers(x, self._dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return sparse_categorical_crossentropy(
            y_true,
            y_pred,
            from_logits=self.from_logits,
            ignore_class=self.ignore_class,
            axis=self.axis,
        )

    def target_mask(self, y_true: Tensor, y_pred: Tensor) -> Tensor | None:
        """Return which targets are not of the class to ignore."""
        if self.ignore_class is None:
            return None
        return squeeze_class_axis(y_true, y_pred, self.axis) != self.ignore_class


class CategoricalGeneralizedCrossEntropy(Loss):
    """The generalized cross-entropy of integer labels: `(1 - p**q) / q`.

    `p` is the probability of the true class (Zhang and Sabuncu, arXiv:1805.07836).

    Args:
        q: between 0 (the cross-entropy) and 1 (the absolute error); default 0.5.
        reduction: how the values are combined, see `Loss`.
        name: default "categorical_generalized_cross_entropy".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.CategoricalGeneralizedCrossEntropy()
    >>> float(loss([1], [[0.75, 0.25]]))
    1.0
    """

    q: float = Hyperparameter(above=0, below=1)

    def __init__(
        self,
        q: float = 0.5,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.q = q

    def _convert_target(self, x):
        return keep_integers(x, self._dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return categorical_generalized_cross_entropy(y_true, y_pred, self.q)
