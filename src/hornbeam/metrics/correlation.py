"""Correlations of targets and predictions."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.core import config
from hornbeam.losses.regression import as_pair
from hornbeam.metrics.reduction import MeanMetricWrapper
from hornbeam.typing import DTypePolicyLike, Tensor, TensorLike


def _centred(y_true, y_pred, axis):
    y_true, y_pred = as_pair(y_true, y_pred)
    mean_true = ops.mean(y_true, axis=axis, keepdims=True)
    mean_pred = ops.mean(y_pred, axis=axis, keepdims=True)
    return y_true - mean_true, y_pred - mean_pred, mean_true - mean_pred


def pearson_correlation(
    y_true: TensorLike, y_pred: TensorLike, axis: int = -1
) -> Tensor:
    """Return Pearson's correlation `cov(t, p) / (std(t) std(p))` along `axis`.

    It is NaN where the targets or the predictions are constant.

    Args:
        y_true: targets.
        y_pred: predictions of the same shape.
        axis: default -1.

    Returns:
        One value for each place along the other axes.

    >>> import hornbeam as keras
    >>> r = keras.metrics.pearson_correlation([[0, 1, 2]], [[1.0, 3.0, 5.0]])
    >>> round(float(r[0]), 4)
    1.0
    """
    t, p, _ = _centred(y_true, y_pred, axis)
    scale = ops.sqrt(ops.sum(t * t, axis=axis) * ops.sum(p * p, axis=axis))
    return ops.sum(t * p, axis=axis) / scale


def concordance_correlation(
    y_true: TensorLike, y_pred: TensorLike, axis: int = -1
) -> Tensor:
    """Return `2 cov(t, p) / (var(t) + var(p) + (mean(t) - mean(p))²)` along `axis`.

    1 means equal values, not only a linear relation (Lin, Biometrics 1989).

    Args:
        y_true: targets.
        y_pred: predictions of the same shape.
        axis: default -1.

    Returns:
        One value for each place along the other axes.

    >>> import hornbeam as keras
    >>> r = keras.metrics.concordance_correlation([[0, 1, 2]], [[0.0, 1.0, 2.0]])
    >>> round(float(r[0]), 4)
    1.0
    """
    t, p, shift = _centred(y_true, y_pred, axis)
    covariance = ops.mean(t * p, axis=axis)
    spread = ops.mean(t * t, axis=axis) + ops.mean(p * p, axis=axis)
    offset = ops.square(ops.squeeze(shift, axis=axis))
    return 2.0 * covariance / (spread + offset + config.epsilon())


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of Pearson's correlation of each sample's targets and predictions.

    Args:
        name: default "pearson_correlation".
        dtype: default `floatx()`.
        axis: the axis along which values are correlated; default -1.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.PearsonCorrelation()
    >>> metric.update_state([[0, 1, 2]], [[0.0, 1.0, 2.0]])
    >>> round(float(metric.result()), 4)
    1.0
    """

    def __init__(
        self,
        name: str | None = "pearson_correlation",
        dtype: DTypePolicyLike = None,
        axis: int = -1,
    ):
        super().__init__(fn=pearson_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """Values along the batch axis would be mixed with padding."""
        return super().accepts_padding and self.axis != 0


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of the concordance correlation of each sample.

    Args:
        name: default "concordance_correlation".
        dtype: default `floatx()`.
        axis: the axis along which values are correlated; default -1.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.ConcordanceCorrelation()
    >>> metric.update_state([[0, 1, 2]], [[0.0, 1.0, 2.0]])
    >>> round(float(metric.result()), 4)
    1.0
    """

    def __init__(
        self,
        name: str | None = "concordance_correlation",
        dtype: DTypePolicyLike = None,
        axis: int = -1,
    ):
        super().__init__(fn=concordance_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """Values along the batch axis would be mixed with padding."""
        return super().accepts_padding and self.axis != 0
