"""Activation functions, and their names: `activation="relu"`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hornbeam import activations
from hornbeam.core.configurable import getter, serialize_argument
from hornbeam.core.lazy import names_of
from hornbeam.core.registry import CustomObjectScope
from hornbeam.ops import activation as _ops
from hornbeam.ops.activation import softplus
from hornbeam.ops.arithmetic import to_float
from hornbeam.ops.declare import composite
from hornbeam.ops.numpy import exp, minimum, tanh, where
from hornbeam.typing import ActivationLike, Config, Tensor, TensorLike


def relu(
    x: TensorLike,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Tensor:
    """The rectifier, with a slope below and limits.

    `max_value` where `x >= max_value`, `x` where `threshold < x < max_value`, else
    `negative_slope * (x - threshold)`. With the defaults it is `max(x, 0)`.

    Args:
        x: a tensor.
        negative_slope: slope below the threshold. Default: 0.0.
        max_value: the largest output. Default: None, no limit.
        threshold: inputs below it are damped. Default: 0.0.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.activations.relu([-10.0, 2.0], negative_slope=0.5)]
    [-5.0, 2.0]
    """
    plain = negative_slope == 0 and threshold == 0
    if plain and max_value is None:
        return _ops.relu(x)
    if plain and max_value == 6:
        return _ops.relu6(x)
    return _general_relu(x, negative_slope, max_value, threshold)


@composite(rule="same_float")
def _general_relu(x, negative_slope, max_value, threshold):
    x = to_float(x)
    above = x if max_value is None else minimum(x, max_value)
    return where(x > threshold, above, negative_slope * (x - threshold))


def gelu(x: TensorLike, approximate: bool = False) -> Tensor:
    """`x` times the normal distribution function of `x` (Hendrycks and Gimpel, 2016).

    Args:
        x: a tensor.
        approximate: whether to use the paper's tanh approximation. Default: False.

    >>> import hornbeam as keras
    >>> round(float(keras.activations.gelu(1.0)), 4)
    0.8413
    """
    return _ops.gelu(x, approximate)


def exponential(x: TensorLike) -> Tensor:
    """e to the power of each element.

    >>> import hornbeam as keras
    >>> float(keras.activations.exponential(0.0))
    1.0
    """
    return exp(x)


@composite(rule="same_float")
def mish(x: TensorLike) -> Tensor:
    """`x * tanh(softplus(x))` (Misra, 2019).

    >>> import hornbeam as keras
    >>> float(keras.activations.mish(0.0))
    0.0
    """
    x = to_float(x)
    return x * tanh(softplus(x))


def linear(x: TensorLike) -> Tensor:
    """The identity.

    >>> import hornbeam as keras
    >>> keras.activations.linear(3)
    3
    """
    return x


def _table() -> dict[str, Callable[..., Any]]:
    public = set(names_of("hornbeam.activations")) - {"get", "serialize", "deserialize"}
    return {name: getattr(activations, name) for name in public}


_get = getter("activation function", _table)


def get(identifier: ActivationLike) -> Callable[..., Any]:
    """Return the activation function for a name, config or layer.

    Args:
        identifier: a name, a config, a function, a layer, or None (the identity).

    >>> import hornbeam as keras
    >>> keras.activations.get("relu").__name__
    'relu'
    """
    return linear if identifier is None else _get(identifier)


def serialize(activation: Callable[..., Any]) -> str | Config:
    """Return the name of an activation function of this module, or a config.

    >>> import hornbeam as keras
    >>> keras.activations.serialize(keras.activations.relu)
    'relu'
    """
    return serialize_argument(activation)


def deserialize(
    config: str | Config, custom_objects: Mapping[str, Any] | None = None
) -> Callable[..., Any]:
    """Return the activation function of what `serialize` returned.

    >>> import hornbeam as keras
    >>> keras.activations.deserialize("relu").__name__
    'relu'
    """
    with CustomObjectScope(custom_objects or {}):
        return _get(config)
