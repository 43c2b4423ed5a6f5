"""F scores: precision and recall in one number."""

from __future__ import annotations

from typing import Literal

from hornbeam import ops
from hornbeam.core.variable import Variable
from hornbeam.metrics.metric import Metric, check_two_axes
from hornbeam.typing import DTypePolicyLike, ShapeLike, Tensor, TensorLike

_AVERAGES = (None, "micro", "macro", "weighted")
_COUNTS = (
    "true_positives",
    "false_positives",
    "false_negatives",
    "intermediate_weights",
)


class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall.

    `(1 + beta²) precision recall / (beta² precision + recall)`, which is
    `(1 + beta²) tp / ((1 + beta²) tp + beta² fn + fp)`, for each class.

    Args:
        average: None (a value for each class), "micro" (over all decisions), "macro"
            (the mean of the classes) or "weighted" (by their number of samples);
            default None.
        beta: how many times recall counts as much as precision; default 1.
        threshold: a prediction above it is positive; default None: a sample's
            greatest prediction is.
        name: default "fbeta_score".
        dtype: default `floatx()`.

    Input shapes: one-hot or multi-hot labels and predictions, `(batch, classes)`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.FBetaScore(average="micro", beta=2.0)
    >>> metric.update_state([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]])
    >>> float(metric.result())
    0.5
    """

    true_positives: Variable
    false_positives: Variable
    false_negatives: Variable
    intermediate_weights: Variable

    _direction = "up"
    _is_real = True

    def __init__(
        self,
        average: Literal["micro", "macro", "weighted"] | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, dtype=dtype)
        if average not in _AVERAGES:
            raise ValueError(
                "Invalid `average` argument value. Expected one of: {None, 'micro', "
                f"'macro', 'weighted'}}. Received: average={average}"
            )
        _check_float("beta", beta)
        if beta <= 0:
            raise ValueError(
                "Invalid `beta` argument value. It should be > 0. Received: "
                f"beta={beta}"
            )
        if threshold is not None:
            _check_float("threshold", threshold)
            if not 0 < threshold <= 1:
                raise ValueError(
                    "Invalid `threshold` argument value. It should verify 0 < "
                    f"threshold <= 1. Received: threshold={threshold}"
                )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.axis = None if average == "micro" else 0
        self._built = False

    def build(self, y_true_shape: ShapeLike, y_pred_shape: ShapeLike) -> None:
        """Make the counts, one for each class."""
        if self._built:
            return
        check_two_axes("FBetaScore", y_true_shape, y_pred_shape)
        shape = () if self.average == "micro" else (y_pred_shape[-1],)
        for name in _COUNTS:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))
        self._built = True

    def update_state(
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Count a batch."""
        labels = ops.convert_to_tensor(y_true, dtype=self.dtype)
        predictions = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        self.build(labels.shape, predictions.shape)
        if len(labels.shape) == 1:
            labels = ops.expand_dims(labels, axis=-1)
        decision = ops.cast(self._decide(predictions), self.dtype)
        weight = None
        if sample_weight is not None:
            weight = ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            if len(weight.shape) == 1:
                weight = ops.expand_dims(weight, axis=-1)
        missed = labels * (1.0 - decision)
        counts = (labels * decision, (1.0 - labels) * decision, missed, labels)
        for name, count in zip(_COUNTS, counts, strict=True):
            count = count if weight is None else count * weight
            getattr(self, name).assign_add(ops.sum(count, axis=self.axis))

    def _decide(self, y_pred):
        if self.threshold is not None:
            return y_pred > self.threshold
        is_greatest = y_pred >= ops.max(y_pred, axis=-1, keepdims=True)
        # A sample of zeros has no greatest prediction.
        return ops.logical_and(is_greatest, ops.abs(y_pred) > 1e-9)

    def result(self) -> Tensor:
        """Return the score, one for each class where `average` is None."""
        if not self._built:
            return ops.zeros((), dtype=self.dtype)
        square = self.beta**2
        hits = (1.0 + square) * self.true_positives
        score = ops.divide_no_nan(
            hits, hits + square * self.false_negatives + self.false_positives
        )
        if self.average == "macro":
            return ops.mean(score)
        if self.average == "weighted":
            weights = self.intermediate_weights
            return ops.divide_no_nan(ops.sum(score * weights), ops.sum(weights))
        return score


def _check_float(name, value):
    if not isinstance(value, float):
        raise ValueError(
            f"Invalid `{name}` argument value. It should be a Python float. Received: "
            f"{name}={value} of type '{type(value)}'"
        )


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall, `2 tp / (2 tp + fn + fp)`.

    Args:
        average: None (a value for each class), "micro" (over all decisions), "macro"
            (the mean of the classes) or "weighted" (by their number of samples);
            default None.
        threshold: a prediction above it is positive; default None: a sample's
            greatest prediction is.
        name: default "f1_score".
        dtype: default `floatx()`.

    Input shapes: one-hot or multi-hot labels and predictions, `(batch, classes)`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.F1Score(average="micro")
    >>> metric.update_state([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]])
    >>> float(metric.result())
    0.5
    """

    def __init__(
        self,
        average: Literal["micro", "macro", "weighted"] | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(
            average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype
        )
