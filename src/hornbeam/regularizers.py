"""Regularizers: penalties on weights or outputs, added to the loss."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping
from typing import Any, Literal

from hornbeam import ops
from hornbeam.core import configurable, serialization
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.typing import Config, RegularizerLike, Tensor, TensorLike

__all__ = [
    "Regularizer",
    "L1",
    "L2",
    "L1L2",
    "OrthogonalRegularizer",
    "validate_float_arg",
    "l1",
    "l2",
    "l1_l2",
    "orthogonal_regularizer",
    "get",
    "serialize",
    "deserialize",
]


class Regularizer(configurable.Configurable):
    """The base of regularizers: callables from a tensor to a scalar.

    >>> import hornbeam as keras
    >>> class LargestWeight(keras.regularizers.Regularizer):
    ...     def __call__(self, x):
    ...         return keras.ops.max(keras.ops.abs(x))
    >>> dense = keras.layers.Dense(2, kernel_regularizer=LargestWeight())
    """

    def __call__(self, x: TensorLike) -> Tensor:
        """Return the penalty of the tensor `x`."""
        return 0.0


class L1(Regularizer):
    """The sum of absolute values: `l1 * sum(|x|)`.

    Args:
        l1: the factor. Default: 0.01.

    >>> import hornbeam as keras
    >>> float(keras.regularizers.L1(0.5)(keras.ops.array([1.0, -3.0])))
    2.0
    """

    l1: float = Hyperparameter()

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = validate_float_arg(0.01 if l1 is None else l1, "l1")

    def __call__(self, x: TensorLike) -> Tensor:
        """Return the penalty of the tensor `x`."""
        return _sum_of_sizes(x, self.l1)


class L2(Regularizer):
    """The sum of squares: `l2 * sum(x**2)`.

    Args:
        l2: the factor. Default: 0.01.

    >>> import hornbeam as keras
    >>> float(keras.regularizers.L2(0.5)(keras.ops.array([1.0, -3.0])))
    5.0
    """

    l2: float = Hyperparameter()

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = validate_float_arg(0.01 if l2 is None else l2, "l2")

    def __call__(self, x: TensorLike) -> Tensor:
        """Return the penalty of the tensor `x`."""
        return _sum_of_squares(x, self.l2)


class L1L2(Regularizer):
    """Both sums: `l1 * sum(|x|) + l2 * sum(x**2)`.

    Args:
        l1: the factor of the absolute values. Default: 0.
        l2: the factor of the squares. Default: 0.

    >>> import hornbeam as keras
    >>> float(keras.regularizers.L1L2(0.5, 1.0)(keras.ops.array([1.0, -3.0])))
    12.0
    """

    l1: float = Hyperparameter()
    l2: float = Hyperparameter()

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = validate_float_arg(0.0 if l1 is None else l1, "l1")
        self.l2 = validate_float_arg(0.0 if l2 is None else l2, "l2")

    def __call__(self, x: TensorLike) -> Tensor:
        """Return the penalty of the tensor `x`."""
        return _sum_of_sizes(x, self.l1) + _sum_of_squares(x, self.l2)


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean absolute cosine of pairs of rows (or columns).

    Args:
        factor: the factor. Default: 0.01.
        mode: "rows" (default) or "columns".

    >>> import hornbeam as keras
    >>> regularizer = keras.regularizers.OrthogonalRegularizer(factor=0.01)
    >>> float(regularizer(keras.ops.eye(3)))
    0.0
    """

    factor: float = Hyperparameter()

    def __init__(
        self, factor: float = 0.01, mode: Literal["rows", "columns"] = "rows"
    ) -> None:
        self.factor = validate_float_arg(factor, "factor")
        if mode not in ("rows", "columns"):
            raise ValueError(
                'Invalid value for argument `mode`. Expected one of {"rows", '
                f'"columns"}}. Received: mode={mode}'
            )
        self.mode = mode

    def __call__(self, inputs: TensorLike) -> Tensor:
        """Return the penalty of the matrix `inputs`."""
        inputs = ops.convert_to_tensor(inputs)
        if len(inputs.shape) != 2:
            raise ValueError(
                "Inputs to OrthogonalRegularizer must have rank 2. Received: "
                f"inputs.shape={tuple(inputs.shape)}"
            )
        vectors = inputs if self.mode == "rows" else ops.transpose(inputs)
        vectors = ops.normalize(vectors, axis=1)
        size = vectors.shape[0]
        cosines = ops.matmul(vectors, ops.transpose(vectors))
        cosines = cosines * (1.0 - ops.eye(size, dtype=cosines.dtype))
        pairs = max(size * (size - 1) / 2, 1)
        return self.factor * 0.5 * ops.sum(ops.absolute(cosines)) / pairs


def _sum_of_sizes(x, factor):
    return factor * ops.sum(ops.absolute(x))


def _sum_of_squares(x, factor):
    return factor * ops.sum(ops.square(x))


def validate_float_arg(value: float, name: str) -> float:
    """Return `value` as a float if it is a finite number that is not negative."""
    good = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (good and math.isfinite(value) and value >= 0):
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float. "
            f"Received: {name}={value}"
        )
    return float(value)


l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer


def _table():
    classes = (L1, L2, L1L2, OrthogonalRegularizer)
    return {c.__name__: c for c in classes} | {
        "l1": L1,
        "l2": L2,
        "l1l2": L1L2,
        "l1_l2": L1L2,
        "orthogonal_regularizer": OrthogonalRegularizer,
    }


_get = configurable.getter("regularizer", _table, Regularizer)


def get(identifier: RegularizerLike) -> Any:
    """Return the regularizer for a name, config, class or instance.

    Args:
        identifier: None, a name, a config, a class, an instance or a callable.

    >>> import hornbeam as keras
    >>> keras.regularizers.get("l2").get_config()
    {'l2': 0.01}
    """
    return _get(identifier)


def serialize(regularizer: Regularizer | Callable[..., Any]) -> Config:
    """Return the config of a regularizer."""
    return serialization.serialize_keras_object(regularizer)


def deserialize(
    config: str | Config, custom_objects: Mapping[str, Any] | None = None
) -> Any:
    """Return the regularizer of a config."""
    if isinstance(config, str):
        return get(config)
    return serialization.deserialize_keras_object(config, custom_objects=custom_objects)
