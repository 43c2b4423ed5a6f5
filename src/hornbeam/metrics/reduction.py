"""Sum, Mean, and means of functions of targets and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbeam import ops
from hornbeam.core import dtypes
from hornbeam.core.masking import get_keras_mask
from hornbeam.core.serialization import serialize_keras_object
from hornbeam.core.variable import Variable
from hornbeam.losses.loss import (
    Loss,
    align,
    is_ours,
    is_used_up,
    keep_integers,
    returned,
)
from hornbeam.metrics.metric import Metric
from hornbeam.typing import Config, DTypePolicyLike, Tensor, TensorLike


def direction_of(fn: Any) -> str | None:
    """Return which values of a function are better: "up", "down" or None."""
    if isinstance(fn, Loss):
        return "down"
    module = str(getattr(fn, "__module__", ""))
    for package, direction in (("losses", "down"), ("metrics", "up")):
        if module.startswith(f"hornbeam.{package}."):
            return direction
    return getattr(fn, "_direction", None)


def as_weight(sample_weight: TensorLike, dtype: str) -> Tensor:
    """Return weights as `dtype`, but fractions not as integers."""
    weight = ops.convert_to_tensor(sample_weight)
    weight_dtype = dtypes.standardize_dtype(weight.dtype)
    if dtypes.is_float_dtype(weight_dtype) and not dtypes.is_float_dtype(dtype):
        dtype = "float32"
    return ops.cast(weight, dtype)


def merge_mask(
    sample_weight: TensorLike | None, mask: Tensor | None, dtype: str
) -> Tensor | None:
    """Return the weights times the mask of the predictions; either may be None."""
    if sample_weight is None:
        return None if mask is None else ops.cast(mask, dtype)
    weight = as_weight(sample_weight, dtype)
    if mask is None:
        return weight
    mask = ops.cast(mask, weight.dtype)
    if len(weight.shape) < len(mask.shape):
        return mask * align(weight, mask)
    return weight * align(mask, weight, "mask")


def per_weight(
    values: TensorLike, sample_weight: TensorLike | None, dtype: str
) -> tuple[Tensor, Tensor | None]:
    """Return values and weights of one shape.

    Without weights each sample counts once: other axes are averaged. Weights of fewer
    axes than the values average the axes that they lack.
    """
    numbers = ops.convert_to_tensor(values, dtype=dtype)
    rank = len(numbers.shape)
    if sample_weight is None:
        if rank > 1:
            numbers = ops.mean(numbers, axis=tuple(range(1, rank)))
        return numbers, None
    weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
    weight_rank = len(weight.shape)
    if 0 < weight_rank < rank:
        numbers = ops.mean(numbers, axis=tuple(range(weight_rank, rank)))
    return numbers, ops.broadcast_to(align(weight, numbers), numbers.shape)


class Sum(Metric):
    """The weighted sum of the values.

    Args:
        name: default "sum".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.Sum()
    >>> metric.update_state([1.0, 3.0])
    >>> float(metric.result())
    4.0
    """

    def __init__(self, name: str | None = "sum", dtype: DTypePolicyLike = None):
        super().__init__(name=name, dtype=dtype)
        self.total: Variable = self.add_variable((), "zeros", name="total")

    def update_state(
        self, values: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Add the values, times the weights."""
        numbers = ops.convert_to_tensor(values, dtype=self.dtype)
        if sample_weight is not None:
            weight = as_weight(sample_weight, self.dtype)
            if weight.dtype != numbers.dtype:
                raise ValueError(
                    f"{self!r} of dtype {self.dtype!r} cannot take `sample_weight` of "
                    f"dtype {weight.dtype}: make it with dtype='float32'."
                )
            numbers = numbers * align(weight, numbers)
        self.total.assign_add(ops.sum(numbers))

    def result(self) -> Tensor:
        """Return the sum."""
        return ops.convert_to_tensor(self.total)


class Mean(Metric):
    """The weighted mean of the values; 0 before the first.

    Args:
        name: default "mean".
        dtype: default `floatx()`.

    >>> import hornbeam as keras
    >>> metric = keras.metrics.Mean()
    >>> metric.update_state([1.0, 3.0], sample_weight=[3.0, 1.0])
    >>> float(metric.result())
    1.5
    """

    _is_real = True

    def __init__(self, name: str | None = "mean", dtype: DTypePolicyLike = None):
        super().__init__(name=name, dtype=dtype)
        self.total: Variable = self.add_variable((), "zeros", name="total")
        self.count: Variable = self.add_variable((), "zeros", name="count")

    def update_state(
        self, values: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Update the mean with the weighted values."""
        values, weight = per_weight(values, sample_weight, self.dtype)
        if weight is None:
            self.total.assign_add(ops.sum(values))
            self.count.assign_add(ops.cast(ops.size(values), self.dtype))
        else:
            self.total.assign_add(ops.sum(values * weight))
            self.count.assign_add(ops.sum(weight))

    def result(self) -> Tensor:
        """Return the mean."""
        return ops.divide_no_nan(self.total, self.count)


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions.

    Args:
        fn: a function `(y_true, y_pred, **kwargs)` that gives a value for each sample.
        name: default: generated from the class name.
        dtype: default `floatx()`.
        **kwargs: passed on to `fn`.

    >>> import hornbeam as keras
    >>> def miss(y_true, y_pred):
    ...     return keras.ops.abs(y_true - y_pred)
    >>> metric = keras.metrics.MeanMetricWrapper(miss, name="miss")
    >>> metric.update_state([1.0, 2.0], [1.0, 4.0])
    >>> float(metric.result())
    1.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: DTypePolicyLike = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, dtype=dtype)
        if not callable(fn):
            raise TypeError(
                f"Argument `fn` of {type(self).__name__} must be a function "
                f"`(y_true, y_pred)`. Received: fn={fn!r}"
            )
        self.fn = fn
        self._kwargs = kwargs
        if self._direction is None:
            self._direction = direction_of(fn)

    @property
    def accepts_padding(self) -> bool:
        """A user's function may mix the samples."""
        return super().accepts_padding and is_ours(self.fn)

    def structure_key(self) -> tuple[Any, ...]:
        """Return what a program depends on besides the arguments of `__init__`."""
        return tuple((name, repr(value)) for name, value in self._kwargs.items())

    def update_state(  # type: ignore[override]  # takes targets, not values
        self,
        y_true: TensorLike,
        y_pred: TensorLike,
        sample_weight: TensorLike | None = None,
    ) -> None:
        """Update the mean with the function's values of a batch."""
        mask = get_keras_mask(y_pred)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        if getattr(self.fn, "takes_class_indices", False):
            y_true = keep_integers(y_true, self.dtype)
        else:
            y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
        values = returned(self, self.fn(y_true, y_pred, **self._kwargs))
        if mask is not None and is_used_up(mask, values):
            mask = None
        super().update_state(values, merge_mask(sample_weight, mask, self.dtype))

    def get_config(self) -> Config:
        """Return the arguments that make an equal metric."""
        config = super().get_config()
        if type(self) is MeanMetricWrapper:
            config = {**config, "fn": serialize_keras_object(self.fn), **self._kwargs}
        return config
