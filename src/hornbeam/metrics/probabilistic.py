"""Means of divergences and cross-entropies."""

from __future__ import annotations

from hornbeam import ops
from hornbeam.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
    squeeze_class_axis,
)
from hornbeam.losses.regression import kl_divergence, poisson
from hornbeam.metrics.reduction import MeanMetricWrapper, merge_mask
from hornbeam.typing import DTypePolicyLike, TensorLike


class KLDivergence(MeanMetricWrapper):
    """The mean of the Kullback-Leibler divergence.

    Args:
        name: default "kl_divergence".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.KLDivergence()
    >>> metric.update_state([[0.5, 0.5]], [[0.5, 0.5]])
    >>> float(metric.result())
    0.0
    """

    def __init__(
        self, name: str | None = "kl_divergence", dtype: DTypePolicyLike = None
    ):
        super().__init__(fn=kl_divergence, name=name, dtype=dtype)


class Poisson(MeanMetricWrapper):
    """The mean of `y_pred - y_true * log(y_pred)`.

    Args:
        name: default "poisson".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.Poisson()
    >>> metric.update_state([[0.0, 0.0]], [[1.0, 2.0]])
    >>> float(metric.result())
    1.5
    """

    def __init__(self, name: str | None = "poisson", dtype: DTypePolicyLike = None):
        super().__init__(fn=poisson, name=name, dtype=dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of labels 0 and 1.

    Args:
        name: default "binary_crossentropy".
        dtype: default `floatx()`.
        from_logits: whether predictions are logits; default False.
        label_smoothing: moves the labels towards 0.5; default 0.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.BinaryCrossentropy()
    >>> metric.update_state([[0.0, 1.0]], [[0.5, 0.5]])
    >>> round(float(metric.result()), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: DTypePolicyLike = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ):
        super().__init__(
            fn=binary_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of one-hot labels.

    Args:
        name: default "categorical_crossentropy".
        dtype: default `floatx()`.
        from_logits: whether predictions are logits; default False.
        label_smoothing: mixes the labels with the uniform distribution; default 0.
        axis: the axis of the classes; default -1.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.CategoricalCrossentropy()
    >>> metric.update_state([[0.0, 1.0]], [[0.5, 0.5]])
    >>> round(float(metric.result()), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: DTypePolicyLike = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ):
        super().__init__(
            fn=categorical_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """Classes along the batch axis would be mixed with padding."""
        return super().accepts_padding and self.axis != 0


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean cross-entropy of class indices.

    Args:
        name: default "sparse_categorical_crossentropy".
        dtype: default `floatx()`.
        from_logits: whether predictions are logits; default False.
        ignore_class: targets of this index do not count; default None.
        axis: the axis of the classes; default -1.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.SparseCategoricalCrossentropy()
    >>> metric.update_state([1], [[0.5, 0.5]])
    >>> round(float(metric.result()), 4)
    0.6931
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: DTypePolicyLike = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ):
        super().__init__(
            fn=sparse_categorical_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    @property
    def accepts_padding(self) -> bool:
        """Classes along the batch axis would be mixed with padding."""
        return super().accepts_padding and self.axis != 0

    def update_state(  # type: ignore[override]  # takes targets, not values
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Update the mean with a batch, without the targets to ignore."""
        if self.ignore_class is not None:
            y_true, y_pred = map(ops.convert_to_tensor, (y_true, y_pred))
            targets = squeeze_class_axis(y_true, y_pred, self.axis)
            sample_weight = merge_mask(
                sample_weight, targets != self.ignore_class, self.dtype
            )
        super().update_state(y_true, y_pred, sample_weight)
