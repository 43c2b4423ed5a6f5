"""The coefficient of determination."""

from __future__ import annotations

from typing import Literal

from hornbeam import ops
from hornbeam.core.errors import check_choice, check_number
from hornbeam.core.variable import Variable
from hornbeam.metrics.metric import Metric, check_two_axes
from hornbeam.typing import DTypePolicyLike, ShapeLike, Tensor, TensorLike

_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


class R2Score(Metric):
    """The fraction of the targets' variation that the predictions explain.

    `1 - sum((y_true - y_pred)²) / sum((y_true - mean(y_true))²)` for each output; 1 is
    perfect, 0 is as good as the mean. An output that does not vary gives 1 if it is
    predicted exactly, else 0, as in scikit-learn. The variation is updated batch by
    batch around the running mean (Chan et al., 1979), so that a large mean costs no
    accuracy.

    Args:
        class_aggregation: "uniform_average" (default), "variance_weighted_average" or
            None (a value for each output).
        num_regressors: number of independent variables for the adjusted score;
            default 0, not adjusted.
        name: default "r2_score".
        dtype: default `floatx()`.

    Input shapes: `(batch, outputs)`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.R2Score()
    >>> metric.update_state([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
    >>> round(float(metric.result()), 4)
    0.5714
    """

    _direction = "up"
    _is_real = True

    def __init__(
        self,
        class_aggregation: Literal["uniform_average", "variance_weighted_average"]
        | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(name=name, dtype=dtype)
        owner = type(self).__name__
        self.class_aggregation: str | None = check_choice(
            owner, "class_aggregation", class_aggregation, _AGGREGATIONS
        )
        self.num_regressors: int = check_number(
            owner, "num_regressors", num_regressors, low=0, integer=True
        )
        self.num_samples: Variable = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def build(self, y_true_shape: ShapeLike, y_pred_shape: ShapeLike) -> None:
        """Make the sums, one for each output."""
        if self._built:
            return
        check_two_axes("R2Score", y_true_shape, y_pred_shape)
        shape = (y_pred_shape[-1],)
        self.count: Variable = self.add_variable(shape, "zeros", name="count")
        self.mean: Variable = self.add_variable(shape, "zeros", name="mean")
        self.variation: Variable = self.add_variable(shape, "zeros", name="variation")
        self.residual: Variable = self.add_variable(shape, "zeros", name="residual")
        self._built = True

    def update_state(
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Update the sums with a batch."""
        targets = ops.convert_to_tensor(y_true, dtype=self.dtype)
        predictions = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        self.build(targets.shape, predictions.shape)
        if len(targets.shape) == 1:
            targets = ops.expand_dims(targets, axis=-1)
        weight = 1.0 if sample_weight is None else sample_weight
        weight = ops.convert_to_tensor(weight, dtype=self.dtype)
        if len(weight.shape) == 1:
            weight = ops.expand_dims(weight, axis=-1)
        weight = ops.broadcast_to(weight, targets.shape)

        count = ops.sum(weight, axis=0)
        mean = ops.divide_no_nan(ops.sum(weight * targets, axis=0), count)
        variation = ops.sum(weight * ops.square(targets - mean), axis=0)
        total = self.count + count
        fraction = ops.divide_no_nan(count, total)
        step = mean - self.mean
        self.variation.assign_add(
            variation + ops.square(step) * ops.convert_to_tensor(self.count) * fraction
        )
        self.mean.assign_add(step * fraction)
        self.count.assign(total)
        self.residual.assign_add(
            ops.sum(weight * ops.square(targets - predictions), axis=0)
        )
        self.num_samples.assign_add(ops.sum(ops.cast(weight != 0, self.dtype)))

    def result(self) -> Tensor:
        """Return the score, one for each output where `class_aggregation` is None."""
        if not self._built:
            return ops.zeros((), dtype=self.dtype)
        total, residual = map(ops.convert_to_tensor, (self.variation, self.residual))
        constant = ops.where(residual > 0, 0.0, 1.0)
        score = 1.0 - ops.divide_no_nan(residual, total)
        score = ops.where(total > 0, score, ops.cast(constant, self.dtype))
        if self.class_aggregation == "uniform_average":
            score = ops.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            score = ops.divide_no_nan(ops.sum(score * total), ops.sum(total))
        return self._adjusted(score) if self.num_regressors else score

    def _adjusted(self, score):
        """Return the adjusted score, or the plain one where there are few samples."""
        n = ops.convert_to_tensor(self.num_samples)
        freedom = n - self.num_regressors - 1.0
        adjusted = 1.0 - ops.divide_no_nan((1.0 - score) * (n - 1.0), freedom)
        return ops.where(freedom > 0, adjusted, score)
