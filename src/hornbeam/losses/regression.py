"""Losses of regression: distances between numbers, vectors and rates."""

from __future__ import annotations

import math

from hornbeam import ops
from hornbeam.core import config, dtypes
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.losses.loss import Loss, squeeze_or_expand_to_same_rank
from hornbeam.typing import DTypePolicyLike, Reduction, Tensor, TensorLike


def as_pair(y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Return targets and predictions as float tensors of one dtype and rank."""
    predictions = ops.convert_to_tensor(y_pred)
    if not dtypes.is_float_dtype(dtypes.standardize_dtype(predictions.dtype)):
        predictions = ops.cast(predictions, config.floatx())
    targets = ops.convert_to_tensor(y_true, dtype=predictions.dtype)
    return squeeze_or_expand_to_same_rank(targets, predictions)


def mean_squared_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return the mean over the last axis of `(y_true - y_pred)²`.

    Args:
        y_true: targets, shape `(batch, ..., d)`.
        y_pred: predictions of the same shape.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]])
    >>> loss.shape, float(loss[0])
    ((1,), 2.0)
    """
    y, p = as_pair(y_true, y_pred)
    return ops.mean(ops.square(y - p), axis=-1)


def mean_absolute_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return the mean over the last axis of `|y_true - y_pred|`.

    Args:
        y_true: targets, shape `(batch, ..., d)`.
        y_pred: predictions of the same shape.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> float(keras.losses.mean_absolute_error([[0.0, 1.0]], [[3.0, 1.0]])[0])
    1.5
    """
    y, p = as_pair(y_true, y_pred)
    return ops.mean(ops.abs(y - p), axis=-1)


def mean_absolute_percentage_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return 100 times the mean over the last axis of `|y_true - y_pred| / |y_true|`.

    The denominator is at least `epsilon()`.

    Args:
        y_true: targets, shape `(batch, ..., d)`.
        y_pred: predictions of the same shape.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]])
    >>> float(loss[0])
    25.0
    """
    y, p = as_pair(y_true, y_pred)
    scale = ops.maximum(ops.abs(y), config.epsilon())
    return 100.0 * ops.mean(ops.abs((y - p) / scale), axis=-1)


def mean_squared_logarithmic_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return the mean over the last axis of `(log(1 + y_true) - log(1 + y_pred))²`.

    Values below `epsilon()` count as `epsilon()`.

    Args:
        y_true: targets, shape `(batch, ..., d)`.
        y_pred: predictions of the same shape.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> float(keras.losses.mean_squared_logarithmic_error([[3.0]], [[3.0]])[0])
    0.0
    """
    y, p = as_pair(y_true, y_pred)
    epsilon = config.epsilon()
    log_true = ops.log1p(ops.maximum(y, epsilon))
    log_pred = ops.log1p(ops.maximum(p, epsilon))
    return ops.mean(ops.square(log_true - log_pred), axis=-1)


def huber(y_true: TensorLike, y_pred: TensorLike, delta: float = 1.0) -> Tensor:
    """Return the mean over the last axis of Huber's function of the error.

    With `e = y_true - y_pred` it is `e² / 2` where `|e| <= delta`, else
    `delta * |e| - delta² / 2` (Huber, "Robust Estimation of a Location Parameter",
    1964).

    Args:
        y_true: targets, shape `(batch, ..., d)`.
        y_pred: predictions of the same shape.
        delta: where the square becomes a line; default 1.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> float(keras.losses.huber([[0.0]], [[3.0]])[0])
    2.5
    """
    y, p = as_pair(y_true, y_pred)
    d = ops.convert_to_tensor(delta, dtype=p.dtype)
    error = ops.abs(y - p)
    square = 0.5 * error * error
    line = error * d - 0.5 * d * d
    return ops.mean(ops.where(error <= d, square, line), axis=-1)


def log_cosh(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return the mean over the last axis of `log(cosh(y_pred - y_true))`.

    Computed as `e + softplus(-2e) - log(2)`, which does not overflow.

    Args:
        y_true: targets, shape `(batch, ..., d)`.
        y_pred: predictions of the same shape.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> round(float(keras.losses.log_cosh([[0.0]], [[1.0]])[0]), 4)
    0.4338
    """
    y, p = as_pair(y_true, y_pred)
    error = p - y
    return ops.mean(error + ops.softplus(-2.0 * error) - math.log(2.0), axis=-1)


def cosine_similarity(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """Return minus the cosine of the angle between targets and predictions.

    -1 is the same direction, 0 a right angle, 1 the opposite. A vector of zeros
    gives 0.

    Args:
        y_true: targets.
        y_pred: predictions of the same shape.
        axis: the axis of the vectors; default -1.

    Returns:
        One value for each vector.

    >>> import hornbeam as keras
    >>> float(keras.losses.cosine_similarity([[0.0, 2.0]], [[0.0, 5.0]])[0])
    -1.0
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    return -ops.sum(
        ops.normalize(y_true, axis=axis) * ops.normalize(y_pred, axis=axis), axis=axis
    )


def kl_divergence(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return the Kullback-Leibler divergence `sum(y_true * log(y_true / y_pred))`.

    Both are clipped to `[epsilon(), 1]`.

    Args:
        y_true: probabilities, shape `(batch, ..., d)`.
        y_pred: predicted probabilities of the same shape.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> loss = keras.losses.kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])
    >>> round(float(loss[0]), 4)
    0.1438
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    p = ops.clip(y_true, config.epsilon(), 1.0)
    q = ops.clip(y_pred, config.epsilon(), 1.0)
    return ops.sum(p * ops.log(p / q), axis=-1)


def poisson(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return the mean over the last axis of `y_pred - y_true * log(y_pred)`.

    It is the negative log likelihood of counts `y_true` at rates `y_pred` without the
    part that does not depend on the rates. `epsilon()` is added in the logarithm.

    Args:
        y_true: counts, shape `(batch, ..., d)`.
        y_pred: predicted rates of the same shape.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> round(float(keras.losses.poisson([[2.0]], [[1.0]])[0]), 4)
    1.0
    """
    y, p = as_pair(y_true, y_pred)
    return ops.mean(p - y * ops.log(p + config.epsilon()), axis=-1)


class MeanSquaredError(Loss):
    """The mean of the squared errors, `mean((y_true - y_pred)²)`.

    Args:
        reduction: how the values are combined, see `Loss`.
        name: default "mean_squared_error".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> float(keras.losses.MeanSquaredError()([0.0, 1.0], [2.0, 1.0]))
    2.0
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return mean_squared_error(y_true, y_pred)


class MeanAbsoluteError(Loss):
    """The mean of the absolute errors, `mean(|y_true - y_pred|)`.

    Args:
        reduction: how the values are combined, see `Loss`.
        name: default "mean_absolute_error".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> float(keras.losses.MeanAbsoluteError()([0.0, 1.0], [3.0, 1.0]))
    1.5
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return mean_absolute_error(y_true, y_pred)


class MeanAbsolutePercentageError(Loss):
    """The mean of the absolute errors in percent of the targets.

    Formula: `100 * mean(|y_true - y_pred| / max(|y_true|, epsilon()))`.

    Args:
        reduction: how the values are combined, see `Loss`.
        name: default "mean_absolute_percentage_error".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> float(keras.losses.MeanAbsolutePercentageError()([2.0, 4.0], [1.0, 4.0]))
    25.0
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return mean_absolute_percentage_error(y_true, y_pred)


class MeanSquaredLogarithmicError(Loss):
    """The mean of the squared errors of `log(1 + y)`.

    Args:
        reduction: how the values are combined, see `Loss`.
        name: default "mean_squared_logarithmic_error".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> float(keras.losses.MeanSquaredLogarithmicError()([3.0, 1.0], [3.0, 1.0]))
    0.0
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return mean_squared_logarithmic_error(y_true, y_pred)


class LogCosh(Loss):
    """The mean of `log(cosh(y_pred - y_true))`.

    Near zero it is `error² / 2`, far from it `|error| - log(2)`.

    Args:
        reduction: how the values are combined, see `Loss`.
        name: default "log_cosh".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> float(keras.losses.LogCosh()([1.0], [1.0]))
    0.0
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return log_cosh(y_true, y_pred)


class KLDivergence(Loss):
    """The Kullback-Leibler divergence `sum(y_true * log(y_true / y_pred))`.

    Args:
        reduction: how the values are combined, see `Loss`.
        name: default "kl_divergence".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> float(keras.losses.KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
    0.0
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return kl_divergence(y_true, y_pred)


class Poisson(Loss):
    """The Poisson loss `mean(y_pred - y_true * log(y_pred))`.

    The negative log likelihood of counts without the part that does not depend on the
    predicted rates.

    Args:
        reduction: how the values are combined, see `Loss`.
        name: default "poisson".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> float(keras.losses.Poisson()([0.0, 0.0], [1.0, 2.0]))
    1.5
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return poisson(y_true, y_pred)


class Huber(Loss):
    """Huber's loss: `e² / 2` where `|e| <= delta`, else `delta * |e| - delta² / 2`.

    Args:
        delta: where the square becomes a line; default 1.
        reduction: how the values are combined, see `Loss`.
        name: default "huber_loss".
        dtype: default `floatx()`.

    Huber, "Robust Estimation of a Location Parameter", 1964.

    >>> import hornbeam as keras
    >>> float(keras.losses.Huber(delta=2.0)([0.0], [3.0]))
    4.0
    """

    delta: float = Hyperparameter(above=0)

    def __init__(
        self,
        delta: float = 1.0,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.delta = delta

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return huber(y_true, y_pred, delta=self.delta)


class CosineSimilarity(Loss):
    """Minus the cosine of the angle between targets and predictions.

    Args:
        axis: the axis of the vectors; default -1.
        reduction: how the values are combined, see `Loss`.
        name: default "cosine_similarity".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> float(keras.losses.CosineSimilarity()([[0.0, 2.0]], [[0.0, 5.0]]))
    -1.0
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """Vectors along the batch axis would be mixed with padding."""
        return super().accepts_padding and self.axis != 0

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each vector."""
        return cosine_similarity(y_true, y_pred, axis=self.axis)
