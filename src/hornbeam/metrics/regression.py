"""Means of errors, and the coefficient of determination."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.core.masking import get_keras_mask
from hornbeam.losses.regression import (
    as_pair,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from hornbeam.losses.regression import cosine_similarity as _negative_cosine
from hornbeam.metrics.reduction import Mean, MeanMetricWrapper, merge_mask
from hornbeam.typing import DTypePolicyLike, Tensor, TensorLike


def cosine_similarity(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Tensor:
    """Return the cosine of the angle between targets and predictions."""
    return -_negative_cosine(y_true, y_pred, axis=axis)


class MeanSquaredError(MeanMetricWrapper):
    """The mean of the squared errors.

    Args:
        name: default "mean_squared_error".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.MeanSquaredError()
    >>> metric.update_state([[0.0, 1.0]], [[2.0, 1.0]])
    >>> float(metric.result())
    2.0
    """

    def __init__(
        self, name: str | None = "mean_squared_error", dtype: DTypePolicyLike = None
    ):
        super().__init__(fn=mean_squared_error, name=name, dtype=dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of the absolute errors.

    Args:
        name: default "mean_absolute_error".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.MeanAbsoluteError()
    >>> metric.update_state([[0.0, 1.0]], [[3.0, 1.0]])
    >>> float(metric.result())
    1.5
    """

    def __init__(
        self, name: str | None = "mean_absolute_error", dtype: DTypePolicyLike = None
    ):
        super().__init__(fn=mean_absolute_error, name=name, dtype=dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of the absolute errors in percent of the targets.

    Args:
        name: default "mean_absolute_percentage_error".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.MeanAbsolutePercentageError()
    >>> metric.update_state([[2.0, 4.0]], [[1.0, 4.0]])
    >>> float(metric.result())
    25.0
    """

    def __init__(
        self,
        name: str | None = "mean_absolute_percentage_error",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(fn=mean_absolute_percentage_error, name=name, dtype=dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of the squared errors of `log(1 + y)`.

    Args:
        name: default "mean_squared_logarithmic_error".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.MeanSquaredLogarithmicError()
    >>> metric.update_state([[3.0, 1.0]], [[3.0, 1.0]])
    >>> float(metric.result())
    0.0
    """

    def __init__(
        self,
        name: str | None = "mean_squared_logarithmic_error",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(fn=mean_squared_logarithmic_error, name=name, dtype=dtype)


class LogCoshError(MeanMetricWrapper):
    """The mean of `log(cosh(y_pred - y_true))`.

    Args:
        name: default "logcosh".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.LogCoshError()
    >>> metric.update_state([[1.0]], [[1.0]])
    >>> float(metric.result())
    0.0
    """

    def __init__(self, name: str | None = "logcosh", dtype: DTypePolicyLike = None):
        super().__init__(fn=log_cosh, name=name, dtype=dtype)


class RootMeanSquaredError(Mean):
    """The root of the mean of the squared errors.

    Args:
        name: default "root_mean_squared_error".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.RootMeanSquaredError()
    >>> metric.update_state([0.0, 0.0], [2.0, 2.0])
    >>> float(metric.result())
    2.0
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "root_mean_squared_error",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, dtype=dtype)

    def update_state(  # type: ignore[override]  # takes targets, not values
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Update the mean with a batch."""
        mask = get_keras_mask(y_pred)
        weight = merge_mask(sample_weight, mask, self.dtype)
        predictions = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        targets, predictions = as_pair(y_true, predictions)
        super().update_state(ops.square(targets - predictions), weight)

    def result(self) -> Tensor:
        """Return the root of the mean."""
        return ops.sqrt(super().result())


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and predictions.

    Args:
        name: default "cosine_similarity".
        dtype: default `floatx()`.
        axis: the axis of the vectors; default -1.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.CosineSimilarity()
    >>> metric.update_state([[0.0, 2.0]], [[0.0, 5.0]])
    >>> float(metric.result())
    1.0
    """

    def __init__(
        self,
        name: str | None = "cosine_similarity",
        dtype: DTypePolicyLike = None,
        axis: int = -1,
    ):
        super().__init__(fn=cosine_similarity, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """Vectors along the batch axis would mix with the padding."""
        return super().accepts_padding and self.axis != 0
