"""Losses of regression: distances between numbers, vectors and rates."""

import math

from hornbeam import ops
from hornbeam.core import config, dtypes
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.losses.loss import Loss, squeeze_or_expand_to_same_rank


def as_pair(y_true, y_pred):
    """Return targets and predictions as float tensors of one dtype and rank."""
    y_pred = ops.convert_to_tensor(y_pred)
    if not dtypes.is_float_dtype(dtypes.standardize_dtype(y_pred.dtype)):
        y_pred = ops.cast(y_pred, config.floatx())
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    return squeeze_or_expand_to_same_rank(y_true, y_pred)


def mean_squared_error(y_true, y_pred):
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
    y_true, y_pred = as_pair(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true, y_pred):
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
    y_true, y_pred = as_pair(y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true, y_pred):
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
    y_true, y_pred = as_pair(y_true, y_pred)
    scale = ops.maximum(ops.abs(y_true), config.epsilon())
    return 100.0 * ops.mean(ops.abs((y_true - y_pred) / scale), axis=-1)


def mean_squared_logarithmic_error(y_true, y_pred):
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
    y_true, y_pred = as_pair(y_true, y_pred)
    epsilon = config.epsilon()
    log_true = ops.log1p(ops.maximum(y_true, epsilon))
    log_pred = ops.log1p(ops.maximum(y_pred, epsilon))
    return ops.mean(ops.square(log_true - log_pred), axis=-1)


def huber(y_true, y_pred, delta=1.0):
    """Return the mean over the last axis of Huber's function of the error.

    With `e = y_true - y_pred` it is `e² / 2` where `|e| <= delta`, else
    `delta * |e| - delta² / 2` (Huber, "Robust Estimation of a Location Parameter",
    1964).

    Args:
        y_true: targets, shape `(batch, ..., d)`.
        y_pred: predictions of the same shape.
        delta: where the square turns into a line; default 1.

    Returns:
        One value for each sample, shape `(batch, ...)`.

    >>> import hornbeam as keras
    >>> float(keras.losses.huber([[0.0]], [[3.0]])[0])
    2.5
    """
    y_true, y_pred = as_pair(y_true, y_pred)
    delta = ops.convert_to_tensor(delta, dtype=y_pred.dtype)
    error = ops.abs(y_true - y_pred)
    square = 0.5 * error * error
    line = error * delta - 0.5 * delta * delta
    return ops.mean(ops.where(error <= delta, square, line), axis=-1)


def log_cosh(y_true, y_pred):
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
    y_true, y_pred = as_pair(y_true, y_pred)
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(-2.0 * error) - math.log(2.0), axis=-1)


def cosine_similarity(y_true, y_pred, axis=-1):
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


def kl_divergence(y_true, y_pred):
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


def poisson(y_true, y_pred):
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
    y_true, y_pred = as_pair(y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + config.epsilon()), axis=-1)


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
        reduction="sum_over_batch_size",
        name="mean_squared_error",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
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
        reduction="sum_over_batch_size",
        name="mean_absolute_error",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
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
        reduction="sum_over_batch_size",
        name="mean_absolute_percentage_error",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
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
        reduction="sum_over_batch_size",
        name="mean_squared_logarithmic_error",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
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
        reduction="sum_over_batch_size",
        name="log_cosh",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
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
        reduction="sum_over_batch_size",
        name="kl_divergence",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
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
        reduction="sum_over_batch_size",
        name="poisson",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        """Return the loss of each sample."""
        return poisson(y_true, y_pred)


class Huber(Loss):
    """Huber's loss: `e² / 2` where `|e| <= delta`, else `delta * |e| - delta² / 2`.

    Args:
        delta: where the square turns into a line; default 1.
        reduction: how the values are combined, see `Loss`.
        name: default "huber_loss".
        dtype: default `floatx()`.

    Huber, "Robust Estimation of a Location Parameter", 1964.

    >>> import hornbeam as keras
    >>> float(keras.losses.Huber(delta=2.0)([0.0], [3.0]))
    4.0
    """

    delta = Hyperparameter()

    def __init__(
        self,
        delta=1.0,
        reduction="sum_over_batch_size",
        name="huber_loss",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.delta = delta

    def call(self, y_true, y_pred):
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
        axis=-1,
        reduction="sum_over_batch_size",
        name="cosine_similarity",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.axis = axis

    @property
    def accepts_padding(self):
        """Vectors along the batch axis would mix with the padding."""
        return super().accepts_padding and self.axis != 0

    def call(self, y_true, y_pred):
        """Return the loss of each vector."""
        return cosine_similarity(y_true, y_pred, axis=self.axis)
