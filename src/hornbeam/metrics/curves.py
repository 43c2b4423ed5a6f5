"""Metrics of the whole range of thresholds: areas under curves, one rate at another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hornbeam import ops
from hornbeam.core import budget
from hornbeam.core.errors import check_number, did_you_mean
from hornbeam.core.variable import Variable
from hornbeam.metrics.counts import (
    KINDS,
    confusion_counts,
    prepare,
    standardize_thresholds,
)
from hornbeam.metrics.metric import Metric, positive_count
from hornbeam.typing import Config, DTypePolicyLike, ShapeLike, Tensor, TensorLike

_EPSILON = 1e-7
BYTES_OF_THRESHOLD = 80
CURVES = ("PR", "ROC", "PRGAIN")
SUMMATION_METHODS = ("interpolation", "majoring", "minoring")


class _FourCounts(Metric):
    """Keeps the four counts at each threshold."""

    true_positives: Variable
    false_positives: Variable
    true_negatives: Variable
    false_negatives: Variable

    _direction = "up"
    _is_real = True

    def _add_counts(self, shape):
        for kind in KINDS:
            setattr(self, kind, self.add_variable(shape, "zeros", name=kind))

    def _count(self, parts: tuple[Tensor, Tensor, Tensor], thresholds):
        counts = confusion_counts(list(KINDS), *parts, thresholds)
        for kind, count in zip(KINDS, counts, strict=True):
            getattr(self, kind).assign_add(count)

    def _rate(self, kind, *others):
        """Return one count divided by itself and the others, 0 where that is 0."""
        count = getattr(self, kind)
        return ops.divide_no_nan(count, sum((getattr(self, k) for k in others), count))


def _evenly(count):
    """Return so many numbers from 0 to 1."""
    budget.take(BYTES_OF_THRESHOLD * count, f"The {count} thresholds of a metric")
    return np.linspace(0.0, 1.0, count).tolist()


class AUC(_FourCounts):
    """The area under a curve of two rates over all thresholds.

    "ROC" is the true positive rate over the false positive rate, "PR" the precision
    over the recall (interpolated as in Davis and Goadrich, ICML 2006), "PRGAIN" the
    precision gain over the recall gain (Flach and Kull, NIPS 2015). The area is a sum
    over thresholds between 0 and 1, so predictions should be spread over that range.

    Args:
        num_thresholds: the number of thresholds; default 200.
        curve: "ROC" (default), "PR" or "PRGAIN".
        summation_method: "interpolation" (default), "majoring" or "minoring": the
            mean, the greater or the smaller of two neighbours.
        name: default: generated from the class name.
        dtype: default `floatx()`.
        thresholds: a list in [0, 1] to use instead; 0 and 1 are added.
        multi_label: whether each place along the last axis has an area of its own,
            which are averaged; default False.
        num_labels: how many labels; default: as in the first batch.
        label_weights: a weight for each label; default None.
        from_logits: whether predictions are logits; default False.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.AUC(num_thresholds=3)
    >>> metric.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    >>> float(metric.result())
    0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: DTypePolicyLike = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ):
        super().__init__(name=name, dtype=dtype)
        self.curve: str = _choice("AUC curve", str(curve).upper(), curve, CURVES)
        self.summation_method: str = _choice(
            "AUC summation method",
            str(summation_method).lower(),
            summation_method,
            SUMMATION_METHODS,
        )
        chosen, inner = self._inner_thresholds(num_thresholds, thresholds)
        self.init_thresholds: list[float] | None = chosen
        self._thresholds = [-_EPSILON, *inner, 1.0 + _EPSILON]
        self.num_thresholds: int = len(self._thresholds)
        self.multi_label = multi_label
        self.num_labels = num_labels
        if num_labels is not None and not multi_label:
            raise ValueError(
                "Argument `num_labels` of AUC is for several labels: give "
                f"`multi_label=True` too. Received: num_labels={num_labels}"
            )
        if label_weights is not None and num_labels not in (None, len(label_weights)):
            raise ValueError(
                f"Argument `label_weights` of AUC must hold {num_labels} weights, as "
                f"`num_labels` says. Received: label_weights={label_weights}"
            )
        self.label_weights: list[float] | None = (
            None if label_weights is None else list(label_weights)
        )
        self.from_logits = from_logits
        self._built = False
        if not multi_label or num_labels is not None:
            self._make_counts(num_labels if multi_label else None)

    @property
    def thresholds(self) -> list[float]:
        """The thresholds, from a little below 0 to a little above 1."""
        return list(self._thresholds)

    def _inner_thresholds(self, num_thresholds, thresholds):
        if thresholds is not None:
            chosen = sorted(standardize_thresholds(thresholds))
            return chosen, chosen
        check_number("AUC", "num_thresholds", num_thresholds, low=2, integer=True)
        return None, _evenly(num_thresholds)[1:-1]

    def _make_counts(self, labels):
        shape = (self.num_thresholds,)
        self._add_counts(shape if labels is None else (*shape, labels))
        self._built = True

    def build(self, y_true_shape: ShapeLike, y_pred_shape: ShapeLike) -> None:
        """Make the counts of several labels once their number is known."""
        if self._built:
            return
        if len(y_pred_shape) != 2:
            raise ValueError(
                "`y_pred` must have rank 2 when `multi_label=True`. Received rank "
                f"{len(y_pred_shape)}: y_pred.shape={tuple(y_pred_shape)}"
            )
        self._make_counts(y_pred_shape[1])

    def update_state(
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Count a batch."""
        labels = ops.convert_to_tensor(y_true)
        predictions = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        self.build(labels.shape, predictions.shape)
        if self.from_logits:
            predictions = ops.sigmoid(predictions)
        parts = prepare(
            labels,
            predictions,
            sample_weight,
            self.dtype,
            multi_label=self.multi_label,
            label_weights=None if self.multi_label else self.label_weights,
        )
        self._count(parts, self.thresholds)

    def interpolate_pr_auc(self) -> Tensor:
        """Return the area under the precision-recall curve, interpolated.

        Between two thresholds the counts change linearly, and the precision as their
        quotient (Davis and Goadrich, ICML 2006).
        """
        tp = ops.convert_to_tensor(self.true_positives)
        p = tp + self.false_positives
        step_tp, step_p = tp[:-1] - tp[1:], p[:-1] - p[1:]
        slope = ops.divide_no_nan(step_tp, ops.maximum(step_p, 0.0))
        intercept = tp[1:] - slope * p[1:]
        both = ops.logical_and(p[:-1] > 0, p[1:] > 0)
        ratio = ops.where(both, ops.divide_no_nan(p[:-1], ops.maximum(p[1:], 0.0)), 1.0)
        area = slope * (step_tp + intercept * ops.log(ratio))
        missed = ops.convert_to_tensor(self.false_negatives)
        positives = ops.maximum(tp[1:] + missed[1:], 0.0)
        return self._over_labels(ops.sum(ops.divide_no_nan(area, positives), axis=0))

    def result(self) -> Tensor:
        """Return the area."""
        if not self._built:
            return ops.zeros((), dtype=self.dtype)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolate_pr_auc()
        x, y = self._points()
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2.0
        elif self.summation_method == "minoring":
            heights = ops.minimum(y[:-1], y[1:])
        else:
            heights = ops.maximum(y[:-1], y[1:])
        return self._over_labels(ops.sum((x[:-1] - x[1:]) * heights, axis=0))

    def _points(self):
        """Return the two rates of the curve at each threshold."""
        recall = self._rate("true_positives", "false_negatives")
        if self.curve == "ROC":
            return self._rate("false_positives", "true_negatives"), recall
        if self.curve == "PR":
            return recall, self._rate("true_positives", "false_positives")
        odds = ops.divide_no_nan(
            self.true_positives + self.false_negatives,
            self.false_positives + self.true_negatives,
        )
        recall_gain = _gain(odds, self.false_negatives, self.true_positives, 0.0)
        return recall_gain, _gain(odds, self.false_positives, self.true_positives, 1.0)

    def _over_labels(self, areas):
        """Return the mean of the labels' areas, or the one area."""
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = ops.convert_to_tensor(self.label_weights, dtype=areas.dtype)
        return ops.divide_no_nan(ops.sum(areas * weights), ops.sum(weights))

    def get_config(self) -> Config:
        """Return the arguments that make an equal metric."""
        config = super().get_config()
        config.pop("thresholds")
        if self.init_thresholds is not None:
            config["thresholds"] = self.init_thresholds
        return config


def _choice(what, value, received, choices):
    if value not in choices:
        raise ValueError(
            f'Invalid {what} value: "{received}". Expected one of {list(choices)}.'
            f"{did_you_mean(value, choices)}"
        )
    return value


def _gain(odds, wrong, right, limit):
    """Return `1 - odds * wrong / right` in [0, 1], or `limit` where right is 0."""
    gain = 1.0 - odds * ops.divide_no_nan(wrong, right)
    has_right = ops.convert_to_tensor(right) > 0
    return ops.where(has_right, ops.clip(gain, 0.0, 1.0), limit)


class _OneRateAtAnother(_FourCounts):
    """The best of one rate where another reaches a value."""

    value_name: str

    def __init__(
        self,
        value: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: DTypePolicyLike,
    ):
        super().__init__(name=name, dtype=dtype)
        check_number(type(self).__name__, self.value_name, value, low=0, high=1)
        positive_count(self, "num_thresholds", num_thresholds)
        setattr(self, self.value_name, value)
        self.num_thresholds = num_thresholds
        self.class_id: int | None = positive_count(self, "class_id", class_id, low=0)
        self.thresholds: list[float] = (
            [0.5] if num_thresholds == 1 else _evenly(num_thresholds)
        )
        self._add_counts((num_thresholds,))

    def update_state(
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Count a batch."""
        parts = prepare(
            y_true, y_pred, sample_weight, self.dtype, class_id=self.class_id
        )
        self._count(parts, self.thresholds)

    def _best(self, rate, constrained):
        """Return the greatest `rate` where the other one reaches its value, or 0."""
        reached = constrained >= getattr(self, self.value_name)
        return ops.max(ops.where(reached, rate, ops.zeros_like(rate)))

    def _sensitivity(self):
        return self._rate("true_positives", "false_negatives")

    def _specificity(self):
        return self._rate("true_negatives", "false_positives")

    def _precision(self):
        return self._rate("true_positives", "false_positives")


class SensitivityAtSpecificity(_OneRateAtAnother):
    """The best sensitivity `tp / (tp + fn)` at a specificity `tn / (tn + fp)`.

    It is 0 where no threshold reaches the specificity.

    Args:
        specificity: the value to reach, in [0, 1].
        num_thresholds: how many thresholds between 0 and 1; default 200.
        class_id: the class to look at; default None, all.
        name: default: generated from the class name.
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.SensitivityAtSpecificity(0.5)
    >>> metric.update_state([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    >>> float(metric.result())
    1.0
    """

    value_name = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def result(self) -> Tensor:
        """Return the best rate."""
        return self._best(self._sensitivity(), self._specificity())


class SpecificityAtSensitivity(_OneRateAtAnother):
    """The best specificity `tn / (tn + fp)` at a sensitivity `tp / (tp + fn)`.

    It is 0 where no threshold reaches the sensitivity.

    Args:
        sensitivity: the value to reach, in [0, 1].
        num_thresholds: how many thresholds between 0 and 1; default 200.
        class_id: the class to look at; default None, all.
        name: default: generated from the class name.
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.SpecificityAtSensitivity(0.5)
    >>> metric.update_state([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    >>> float(metric.result())
    1.0
    """

    value_name = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def result(self) -> Tensor:
        """Return the best rate."""
        return self._best(self._specificity(), self._sensitivity())


class PrecisionAtRecall(_OneRateAtAnother):
    """The best precision `tp / (tp + fp)` at a recall `tp / (tp + fn)`.

    It is 0 where no threshold reaches the recall.

    Args:
        recall: the value to reach, in [0, 1].
        num_thresholds: how many thresholds between 0 and 1; default 200.
        class_id: the class to look at; default None, all.
        name: default: generated from the class name.
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.PrecisionAtRecall(0.5)
    >>> metric.update_state([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    >>> float(metric.result())
    1.0
    """

    value_name = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def result(self) -> Tensor:
        """Return the best rate."""
        return self._best(self._precision(), self._sensitivity())


class RecallAtPrecision(_OneRateAtAnother):
    """The best recall `tp / (tp + fn)` at a precision `tp / (tp + fp)`.

    It is 0 where no threshold reaches the precision.

    Args:
        precision: the value to reach, in [0, 1].
        num_thresholds: how many thresholds between 0 and 1; default 200.
        class_id: the class to look at; default None, all.
        name: default: generated from the class name.
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.RecallAtPrecision(0.5)
    >>> metric.update_state([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    >>> float(metric.result())
    1.0
    """

    value_name = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def result(self) -> Tensor:
        """Return the best rate."""
        return self._best(self._sensitivity(), self._precision())
