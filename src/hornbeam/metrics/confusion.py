"""Counts of right and wrong decisions; precision and recall."""

from __future__ import annotations

from collections.abc import Sequence

from hornbeam import ops
from hornbeam.core.variable import Variable
from hornbeam.metrics.counts import (
    confusion_counts,
    prepare,
    standardize_thresholds,
)
from hornbeam.metrics.metric import Metric, positive_count
from hornbeam.typing import Config, DTypePolicyLike, Tensor, TensorLike


class _Count(Metric):
    """One of the four counts, at each threshold."""

    kind: str
    _is_real = True

    def __init__(
        self,
        thresholds: Sequence[float] | float | None = None,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds: list[float] = standardize_thresholds(thresholds)
        self.accumulator: Variable = self.add_variable(
            (len(self.thresholds),), "zeros", name="accumulator"
        )

    def update_state(
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Count a batch."""
        parts = prepare(y_true, y_pred, sample_weight, self.dtype)
        (count,) = confusion_counts([self.kind], *parts, self.thresholds)
        self.accumulator.assign_add(count)

    def result(self) -> Tensor:
        """Return the count, a scalar for one threshold."""
        return _scalar_for_one(self.accumulator, self.thresholds)

    def get_config(self) -> Config:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


def _scalar_for_one(values, thresholds):
    values = ops.convert_to_tensor(values)
    return values[0] if len(thresholds) == 1 else values


class FalsePositives(_Count):
    """The number of negatives that are predicted positive.

    Args:
        thresholds: a number or a list in [0, 1]; a prediction above it is positive.
            Default 0.5.
        name: default: generated from the class name.
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.FalsePositives()
    >>> metric.update_state([0, 1, 0, 0], [0.1, 0.8, 0.7, 0.2])
    >>> float(metric.result())
    1.0
    """

    kind = "false_positives"
    _direction = "down"


class FalseNegatives(_Count):
    """The number of positives that are predicted negative.

    Args:
        thresholds: a number or a list in [0, 1]; a prediction above it is positive.
            Default 0.5.
        name: default: generated from the class name.
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.FalseNegatives()
    >>> metric.update_state([0, 1, 0, 0], [0.1, 0.8, 0.7, 0.2])
    >>> float(metric.result())
    0.0
    """

    kind = "false_negatives"
    _direction = "down"


class TrueNegatives(_Count):
    """The number of negatives that are predicted negative.

    Args:
        thresholds: a number or a list in [0, 1]; a prediction above it is positive.
            Default 0.5.
        name: default: generated from the class name.
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.TrueNegatives()
    >>> metric.update_state([0, 1, 0, 0], [0.1, 0.8, 0.7, 0.2])
    >>> float(metric.result())
    2.0
    """

    kind = "true_negatives"
    _direction = "up"


class TruePositives(_Count):
    """The number of positives that are predicted positive.

    Args:
        thresholds: a number or a list in [0, 1]; a prediction above it is positive.
            Default 0.5.
        name: default: generated from the class name.
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.TruePositives()
    >>> metric.update_state([0, 1, 0, 0], [0.1, 0.8, 0.7, 0.2])
    >>> float(metric.result())
    1.0
    """

    kind = "true_positives"
    _direction = "up"


class _Ratio(Metric):
    """The true positives divided by themselves and one of the false counts."""

    other: str
    _direction = "up"
    _is_real = True

    def __init__(
        self,
        thresholds: Sequence[float] | float | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = positive_count(self, "top_k", top_k)
        self.class_id = positive_count(self, "class_id", class_id, low=0)
        default = 0.5 if top_k is None else -1e10
        self.thresholds: list[float] = standardize_thresholds(thresholds, default)
        shape = (len(self.thresholds),)
        self.true_positives: Variable = self.add_variable(
            shape, "zeros", name="true_positives"
        )
        setattr(self, self.other, self.add_variable(shape, "zeros", name=self.other))

    def update_state(
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Count a batch."""
        parts = prepare(
            y_true,
            y_pred,
            sample_weight,
            self.dtype,
            top_k=self.top_k,
            class_id=self.class_id,
        )
        kinds = ("true_positives", self.other)
        counts = confusion_counts(kinds, *parts, self.thresholds)
        for kind, count in zip(kinds, counts, strict=True):
            getattr(self, kind).assign_add(count)

    def result(self) -> Tensor:
        """Return the ratio, a scalar for one threshold."""
        total = self.true_positives + getattr(self, self.other)
        return _scalar_for_one(
            ops.divide_no_nan(self.true_positives, total), self.thresholds
        )

    def get_config(self) -> Config:
        """Return the arguments that make an equal metric."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class Precision(_Ratio):
    """The fraction of the predicted positives that are positive: `tp / (tp + fp)`.

    Args:
        thresholds: a number or a list in [0, 1]; a prediction above it is positive.
            Default 0.5, or none at all with `top_k`.
        top_k: only the `top_k` greatest predictions of a sample are positive;
            default None.
        class_id: the class to look at; default None, all.
        name: default: generated from the class name.
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.Precision()
    >>> metric.update_state([0, 1, 0, 0], [0.1, 0.8, 0.7, 0.2])
    >>> float(metric.result())
    0.5
    """

    other = "false_positives"


class Recall(_Ratio):
    """The fraction of the positives that are predicted positive: `tp / (tp + fn)`.

    Args:
        thresholds: a number or a list in [0, 1]; a prediction above it is positive.
            Default 0.5, or none at all with `top_k`.
        top_k: only the `top_k` greatest predictions of a sample are positive;
            default None.
        class_id: the class to look at; default None, all.
        name: default: generated from the class name.
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.Recall()
    >>> metric.update_state([0, 1, 0, 0], [0.1, 0.8, 0.7, 0.2])
    >>> float(metric.result())
    1.0
    """

    other = "false_negatives"
