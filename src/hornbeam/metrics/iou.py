"""Intersection over union of classes, from one confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

from hornbeam import ops
from hornbeam.core import dtypes
from hornbeam.core.errors import check_number
from hornbeam.core.variable import Variable
from hornbeam.losses.loss import align
from hornbeam.metrics.metric import Metric
from hornbeam.metrics.reduction import as_weight
from hornbeam.typing import DTypePolicyLike, Tensor, TensorLike


class IoU(Metric):
    """The mean over classes of `tp / (tp + fp + fn)`, the intersection over union.

    Classes that occur neither in targets nor in predictions do not count; nor do
    targets and predictions outside the classes.

    Args:
        num_classes: the number of classes.
        target_class_ids: the classes to average.
        name: default: generated from the class name.
        dtype: of the confusion matrix; default "int32", which counts exactly.
        ignore_class: targets of this class do not count; default None.
        sparse_y_true: whether targets are class indices; default True. Else the
            greatest along `axis` is taken.
        sparse_y_pred: whether predictions are class indices; default True.
        axis: the axis of the classes; default -1.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.IoU(num_classes=2, target_class_ids=[0])
    >>> metric.update_state([0, 0, 1, 1], [0, 0, 0, 1])
    >>> round(float(metric.result()), 4)
    0.6667
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: DTypePolicyLike = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(name=name, dtype=dtype or "int32")
        self._is_exact = not dtypes.is_float_dtype(self.dtype)
        name_of = type(self).__name__
        check_number(name_of, "num_classes", num_classes, low=1, integer=True)
        self.num_classes = num_classes
        self.total_cm: Variable = self.add_variable(
            (num_classes, num_classes), "zeros", name="total_confusion_matrix"
        )
        if self._is_exact:
            # The fractional parts of weights, which an integer matrix cannot hold.
            self._fractions = self.add_variable(
                (num_classes, num_classes), "zeros", "float32", name="fractions"
            )
        self.target_class_ids: list[int] = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        outside = [i for i in self.target_class_ids if not 0 <= i < num_classes]
        if outside:
            raise ValueError(
                f"Target class id {outside[0]} is out of range, which is [0, "
                f"{num_classes}). Received: target_class_ids={target_class_ids}"
            )

    def update_state(
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Add a batch to the confusion matrix."""
        labels = self._classes(y_true, self.sparse_y_true)
        predictions = self._classes(y_pred, self.sparse_y_pred)
        weight = self._weight(sample_weight, labels)
        labels, predictions = (
            ops.reshape(labels, (-1,)),
            ops.reshape(predictions, (-1,)),
        )
        n = self.num_classes
        valid = (labels >= 0) & (labels < n) & (predictions >= 0) & (predictions < n)
        if self.ignore_class is not None:
            valid = valid & (labels != self.ignore_class)
        count = ops.cast(valid, self.dtype)
        if weight is not None:
            count = ops.cast(valid, weight.dtype) * weight
        cell = ops.where(valid, labels * n + predictions, 0)
        matrix = ops.segment_sum(count, cell, num_segments=n * n)
        self._add(ops.reshape(matrix, (n, n)))

    def _add(self, matrix):
        """Add to the confusion matrix, and to the fractions that it cannot hold."""
        if self._is_exact and dtypes.is_float_dtype(matrix.dtype):
            matrix = matrix + self._fractions
            whole = ops.floor(matrix)
            self._fractions.assign(matrix - whole)
            matrix = ops.cast(whole, self.dtype)
        self.total_cm.assign_add(matrix)

    def _classes(self, x, sparse):
        x = ops.convert_to_tensor(x)
        if not sparse:
            x = ops.argmax(x, axis=self.axis)
        return ops.cast(x, "int32")

    def _weight(self, sample_weight, y_true):
        """Return a weight for each target, in one row, or None."""
        if sample_weight is None:
            return None
        weight = align(as_weight(sample_weight, self.dtype), y_true)
        return ops.reshape(ops.broadcast_to(weight, y_true.shape), (-1,))

    def result(self) -> Tensor:
        """Return the mean of the target classes that occur."""
        matrix = ops.cast(self.total_cm, _float_of(self.dtype))
        if self._is_exact:
            matrix = matrix + self._fractions
        hits = ops.diagonal(matrix)
        union = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - hits
        indices = ops.convert_to_tensor(self.target_class_ids, dtype="int32")
        hits, union = ops.take(hits, indices), ops.take(union, indices)
        present = ops.cast(union > 0, matrix.dtype)
        return ops.divide_no_nan(
            ops.sum(ops.divide_no_nan(hits, union)), ops.sum(present)
        )


def _float_of(dtype):
    return dtype if dtypes.is_float_dtype(dtype) else "float32"


class BinaryIoU(IoU):
    """The mean intersection over union of labels 0 and 1.

    Args:
        target_class_ids: the labels to average; default (0, 1).
        threshold: predictions of at least this are label 1; default 0.5.
        name: default: generated from the class name.
        dtype: of the confusion matrix; default "int32", which counts exactly.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.BinaryIoU(threshold=0.3)
    >>> metric.update_state([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])
    >>> round(float(metric.result()), 4)
    0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ):
        super().__init__(
            num_classes=2, target_class_ids=target_class_ids, name=name, dtype=dtype
        )
        self.threshold = threshold

    def update_state(
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Add a batch to the confusion matrix."""
        predictions = ops.convert_to_tensor(y_pred, dtype=_float_of(self.dtype))
        decision = ops.cast(predictions >= self.threshold, "int32")
        super().update_state(y_true, decision, sample_weight)


class MeanIoU(IoU):
    """The mean over all classes of the intersection over union.

    Args:
        num_classes: the number of classes.
        name: default: generated from the class name.
        dtype: of the confusion matrix; default "int32", which counts exactly.
        ignore_class: targets of this class do not count; default None.
        sparse_y_true: whether targets are class indices; default True.
        sparse_y_pred: whether predictions are class indices; default True.
        axis: the axis of the classes; default -1.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.MeanIoU(num_classes=2)
    >>> metric.update_state([0, 0, 1, 1], [0, 1, 0, 1])
    >>> round(float(metric.result()), 4)
    0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        check_number(
            type(self).__name__, "num_classes", num_classes, low=1, integer=True
        )
        super().__init__(
            num_classes=num_classes,
            target_class_ids=range(int(num_classes)),
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=sparse_y_true,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )


class OneHotIoU(IoU):
    """The mean intersection over union of some classes, for one-hot targets.

    Args:
        num_classes: the number of classes.
        target_class_ids: the classes to average.
        name: default: generated from the class name.
        dtype: of the confusion matrix; default "int32", which counts exactly.
        ignore_class: targets of this class do not count; default None.
        sparse_y_pred: whether predictions are class indices; default False.
        axis: the axis of the classes; default -1.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.OneHotIoU(num_classes=2, target_class_ids=[0])
    >>> metric.update_state([[1, 0], [0, 1]], [[0.9, 0.1], [0.3, 0.7]])
    >>> round(float(metric.result()), 4)
    1.0
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: DTypePolicyLike = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(
            num_classes=num_classes,
            target_class_ids=target_class_ids,
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )


class OneHotMeanIoU(MeanIoU):
    """The mean over all classes of the intersection over union, for one-hot targets.

    Args:
        num_classes: the number of classes.
        name: default: generated from the class name.
        dtype: of the confusion matrix; default "int32", which counts exactly.
        ignore_class: targets of this class do not count; default None.
        sparse_y_pred: whether predictions are class indices; default False.
        axis: the axis of the classes; default -1.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.OneHotMeanIoU(num_classes=2)
    >>> metric.update_state([[1, 0], [0, 1]], [[0.9, 0.1], [0.3, 0.7]])
    >>> round(float(metric.result()), 4)
    1.0
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(
            num_classes=num_classes,
            name=name,
            dtype=dtype,
            ignore_class=ignore_class,
            sparse_y_true=False,
            sparse_y_pred=sparse_y_pred,
            axis=axis,
        )
