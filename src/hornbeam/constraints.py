"""Constraints: functions applied to a variable after each update."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hornbeam import backends, ops
from hornbeam.core import configurable, serialization
from hornbeam.core.errors import check_number
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.typing import Axes, Config, ConstraintLike, Tensor, TensorLike

__all__ = [
    "Constraint",
    "MaxNorm",
    "NonNeg",
    "UnitNorm",
    "MinMaxNorm",
    "max_norm",
    "non_neg",
    "unit_norm",
    "min_max_norm",
    "get",
    "serialize",
    "deserialize",
]


class Constraint(configurable.Configurable):
    """The base of constraints: callables from a tensor to one of the same shape.

    >>> import hornbeam as keras
    >>> class AtMostOne(keras.constraints.Constraint):
    ...     def __call__(self, w):
    ...         return keras.ops.minimum(w, 1.0)
    >>> float(AtMostOne()(keras.ops.array([3.0]))[0])
    1.0
    """

    def __call__(self, w: TensorLike) -> Tensor:
        """Return the values that are allowed: the base class allows all."""
        return backends.current().convert(w)


class MaxNorm(Constraint):
    """Vectors no longer than `max_value`: longer ones are scaled down.

    Source: Srivastava et al., "Dropout" (2014).

    Args:
        max_value: the largest length. Default: 2.
        axis: the axis, or axes, along which the vectors lie. Default: 0, the inputs of
            the units of a Dense kernel.

    >>> import hornbeam as keras
    >>> w = keras.ops.array([[3.0], [4.0]])
    >>> round(float(keras.ops.norm(keras.constraints.MaxNorm(2.0)(w))), 4)
    2.0
    """

    max_value: float = Hyperparameter(low=0)

    def __init__(self, max_value: float = 2, axis: Axes = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: TensorLike) -> Tensor:
        """Return `w` with its vectors scaled."""
        return _scaled(
            w, self.axis, lambda ops, norm: ops.clip(norm, 0, self.max_value)
        )


class NonNeg(Constraint):
    """No negative numbers: they become 0.

    >>> import hornbeam as keras
    >>> float(keras.constraints.NonNeg()(keras.ops.array([-1.0]))[0])
    0.0
    """

    def __call__(self, w: TensorLike) -> Tensor:
        """Return `w` without its negative elements."""
        return ops.maximum(w, 0)


class UnitNorm(Constraint):
    """Vectors of length 1.

    Args:
        axis: the axis, or axes, along which the vectors lie. Default: 0, the inputs of
            the units of a Dense kernel.

    >>> import hornbeam as keras
    >>> w = keras.ops.array([[3.0], [4.0]])
    >>> round(float(keras.constraints.UnitNorm()(w)[0, 0]), 4)
    0.6
    """

    def __init__(self, axis: Axes = 0) -> None:
        self.axis = axis

    def __call__(self, w: TensorLike) -> Tensor:
        """Return `w` with its vectors scaled."""
        return _scaled(w, self.axis, lambda ops, norm: 1.0)


class MinMaxNorm(Constraint):
    """Vectors between two lengths: shorter and longer ones are scaled towards them.

    Args:
        min_value: the smallest length. Default: 0.
        max_value: the largest length. Default: 1.
        rate: how far to go at each update, from 0 to 1: a length n becomes
            `rate * clip(n, min_value, max_value) + (1 - rate) * n`. Default: 1.
        axis: the axis, or axes, along which the vectors lie. Default: 0, the inputs of
            the units of a Dense kernel.

    >>> import hornbeam as keras
    >>> w = keras.ops.array([[3.0], [4.0]])
    >>> round(float(keras.ops.norm(keras.constraints.MinMaxNorm(0.2, 0.5)(w))), 4)
    0.5
    """

    min_value: float = Hyperparameter(low=0)
    max_value: float = Hyperparameter(low=0)
    rate: float = Hyperparameter(low=0, high=1)

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: Axes = 0,
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        if not hasattr(min_value, "dtype"):
            check_number("MinMaxNorm", "max_value", max_value, low=min_value)
        self.rate = rate
        self.axis = axis

    def __call__(self, w: TensorLike) -> Tensor:
        """Return `w` with its vectors scaled."""

        def wanted(ops, norm):
            clipped = ops.clip(norm, self.min_value, self.max_value)
            return self.rate * clipped + (1.0 - self.rate) * norm

        return _scaled(w, self.axis, wanted)


def _scaled(w, axis, wanted):
    """Return `w`, its vectors along `axis` scaled to `wanted(ops, lengths)`."""
    norm = ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))
    # Directions first: in 16 bits a length may be too small to divide by later.
    length = ops.cast(wanted(ops, norm), norm.dtype)
    return w / ops.where(norm == 0, 1.0, norm) * length


max_norm = MaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
min_max_norm = MinMaxNorm


def _table():
    classes = (MaxNorm, NonNeg, UnitNorm, MinMaxNorm)
    return {c.__name__: c for c in classes} | {
        "max_norm": MaxNorm,
        "non_neg": NonNeg,
        "unit_norm": UnitNorm,
        "min_max_norm": MinMaxNorm,
    }


_get = configurable.getter("constraint", _table, Constraint)


def get(identifier: ConstraintLike) -> Any:
    """Return the constraint for a name, config, class or instance.

    Args:
        identifier: None, a name, a config, a class, an instance or a callable.

    >>> import hornbeam as keras
    >>> keras.constraints.get("max_norm").get_config()
    {'max_value': 2, 'axis': 0}
    """
    return _get(identifier)


def serialize(constraint: Constraint | Callable[..., Any]) -> Config:
    """Return the config of a constraint."""
    return serialization.serialize_keras_object(constraint)


def deserialize(
    config: str | Config, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Return the constraint of a config."""
    if isinstance(config, str):
        return get(config)
    return serialization.deserialize_keras_object(config, custom_objects=custom_objects)
