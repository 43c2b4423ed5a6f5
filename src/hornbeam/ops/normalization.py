"""Moments and normalizations."""

from __future__ import annotations

from typing import Any

from hornbeam.core import dtypes
from hornbeam.core.config import epsilon as default_epsilon
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules
from hornbeam.ops.arithmetic import to_float
from hornbeam.ops.axes import several
from hornbeam.ops.core import cast, convert_to_tensor, saturate_cast
from hornbeam.ops.declare import composite, reduced_shape
from hornbeam.ops.math import rsqrt
from hornbeam.ops.numpy import abs, log10, maximum, mean, power, reshape, square, sum
from hornbeam.typing import Axes, Tensor, TensorLike

# Squares of 16-bit floats overflow or underflow, so they are summed in 32 bits.
_SHORT = ("float16", "bfloat16")


def _moments_spec(a):
    result = reduced_shape(tuple(a["x"].shape), a["axes"], a["keepdims"])
    return KerasTensor(result, a["x"].dtype), KerasTensor(result, a["x"].dtype)


@composite(rule=_moments_spec)
def moments(
    x: TensorLike, axes: Axes, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the mean and the (biased) variance over `axes`.

    Args:
        x: a tensor.
        axes: the axes that are reduced.
        keepdims: whether they stay with size 1. Default: False.
        synchronized: no effect: there is one replica.

    >>> import hornbeam as keras
    >>> mean, variance = keras.ops.moments(keras.ops.arange(3.0), axes=[0])
    >>> float(mean), round(float(variance), 4)
    (1.0, 0.6667)
    """
    x = to_float(x)
    wide = _widened(x)
    axes = tuple(axes) if isinstance(axes, list | tuple) else axes
    center = mean(wide, axis=axes, keepdims=True)
    variance = mean(square(wide - center), axis=axes, keepdims=keepdims)
    if not keepdims:
        center = reshape(center, variance.shape)
    if wide is x:
        return center, variance
    return _narrowed(center, x.dtype), _narrowed(variance, x.dtype)


def _narrowed(x, dtype):
    return saturate_cast(x, dtype)


def _widened(x):
    return cast(x, "float32") if dtypes.standardize_dtype(x.dtype) in _SHORT else x


def _check_vector(name, vector, x, axis):
    size = x.shape[axis]
    if vector is not None and not rules.may_be_equal(tuple(vector.shape), (size,)):
        raise ValueError(
            f"batch_normalization: `{name}` must be a vector of length {size}, the size"
            f" of axis {axis} of `x`. Received: {name} of shape {tuple(vector.shape)}, "
            f"x of shape {tuple(x.shape)}"
        )


def _batch_normalization_spec(a):
    for name in ("mean", "variance", "offset", "scale"):
        _check_vector(name, a[name], a["x"], a["axis"])
    return KerasTensor(a["x"].shape, dtypes.result_type(a["x"].dtype, float))


@composite(rule=_batch_normalization_spec)
def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 0.001,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset` along one axis.

    Source: Ioffe and Szegedy, 2015.

    Args:
        x: a tensor.
        mean: a vector as long as `axis`.
        variance: a vector as long as `axis`.
        axis: the axis of the features.
        offset: a vector as long as `axis`. Default: None, no offset.
        scale: a vector as long as `axis`. Default: None, no scale.
        epsilon: keeps the quotient finite. Default: 1e-3.

    >>> import hornbeam as keras
    >>> zeros, ones = keras.ops.zeros(3), keras.ops.ones(3)
    >>> keras.ops.batch_normalization(keras.ops.ones((2, 3)), zeros, ones, -1).shape
    (2, 3)
    """
    x, mean, variance = to_float(x), to_float(mean), to_float(variance)
    along = [1] * len(x.shape)
    along[axis] = x.shape[axis]
    factor = rsqrt(variance + epsilon)
    if scale is not None:
        factor = factor * convert_to_tensor(scale)
    shift = -mean * factor
    if offset is not None:
        shift = shift + convert_to_tensor(offset)
    factor = cast(reshape(factor, along), x.dtype)
    return x * factor + cast(reshape(shift, along), x.dtype)


@composite
def normalize_batch(
    x: Tensor, gamma: Tensor, beta: Tensor, axis: int, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalization by the moments of `x`; the outputs and these moments.

    The gradient goes through the outputs alone.
    """
    axes = [a for a in range(len(x.shape)) if a != axis % len(x.shape)]
    mean, variance = moments(x, axes)
    outputs = batch_normalization(x, mean, variance, axis, beta, gamma, epsilon)
    return outputs, mean, variance


@composite(rule="same_float")
def normalize_last(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> Tensor:
    """Layer normalization over the last axis."""
    return _layer_normalized(x, gamma, beta, -1, epsilon)


@composite(rule="same_float")
def rms_normalize_last(x: Tensor, scale: Tensor, epsilon: float) -> Tensor:
    """RMS normalization over the last axis."""
    return _rms_normalized(x, scale, -1, epsilon)


def _is_last(x, axis):
    last = (-1, len(x.shape) - 1)
    return axis in last or (
        isinstance(axis, list | tuple) and list(axis) in [[-1], [last[1]]]
    )


@composite(rule="same_float")
def layer_normalization(
    x: TensorLike,
    gamma: TensorLike | None = None,
    beta: TensorLike | None = None,
    axis: Axes = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta` over `axis`.

    Source: Ba et al., 2016.

    Args:
        x: a tensor.
        gamma: a tensor of the sizes of `axis`. Default: None, no scale.
        beta: a tensor of the sizes of `axis`. Default: None, no offset.
        axis: an axis or several. Default: -1.
        epsilon: keeps the quotient finite. Default: `keras.config.epsilon()`.

    >>> import hornbeam as keras
    >>> [round(float(v), 3) for v in keras.ops.layer_normalization([1.0, 2.0, 3.0])]
    [-1.225, 0.0, 1.225]
    """
    x = to_float(x)
    epsilon = default_epsilon() if epsilon is None else epsilon
    if kwargs.pop("rms_scaling", False):
        return rms_normalization(x, gamma, axis, epsilon)
    if _is_last(x, axis):
        return normalize_last(x, gamma, beta, epsilon)
    return _layer_normalized(x, gamma, beta, axis, epsilon)


def _layer_normalized(x, gamma, beta, axis, epsilon):
    x = to_float(x)
    wide = _widened(x)
    axes = tuple(axis) if isinstance(axis, list | tuple) else axis
    centered = wide - mean(wide, axis=axes, keepdims=True)
    variance = mean(square(centered), axis=axes, keepdims=True)
    result = centered * rsqrt(variance + epsilon)
    if gamma is not None:
        result = result * _aligned(gamma, wide, axis)
    if beta is not None:
        result = result + _aligned(beta, wide, axis)
    return cast(result, x.dtype)


@composite(rule="same_float")
def rms_normalization(
    x: TensorLike,
    scale: TensorLike | None = None,
    axis: Axes = -1,
    epsilon: float | None = None,
) -> Tensor:
    """`x / sqrt(mean(x**2) + epsilon) * scale` over `axis`.

    Source: Zhang and Sennrich, 2019.

    Args:
        x: a tensor.
        scale: a tensor of the sizes of `axis`. Default: None, no scale.
        axis: an axis or several. Default: -1.
        epsilon: keeps the quotient finite. Default: `keras.config.epsilon()`.

    >>> import hornbeam as keras
    >>> [round(float(v), 3) for v in keras.ops.rms_normalization([3.0, 4.0])]
    [0.849, 1.131]
    """
    x = to_float(x)
    epsilon = default_epsilon() if epsilon is None else epsilon
    if _is_last(x, axis):
        return rms_normalize_last(x, scale, epsilon)
    return _rms_normalized(x, scale, axis, epsilon)


def _rms_normalized(x, scale, axis, epsilon):
    x = to_float(x)
    wide = _widened(x)
    axes = tuple(axis) if isinstance(axis, list | tuple) else axis
    result = wide * rsqrt(mean(square(wide), axis=axes, keepdims=True) + epsilon)
    if scale is not None:
        result = result * _aligned(scale, wide, axis)
    return cast(result, x.dtype)


def _aligned(parameter, x, axis):
    """Return a parameter over `axis` in a shape and dtype that fit `x`."""
    axes = sorted(range(len(x.shape))[a] for a in several(axis))
    parameter = cast(parameter, x.dtype)
    if axes == list(range(len(x.shape) - len(axes), len(x.shape))):
        return parameter
    sizes = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    return reshape(parameter, sizes)


def _normalize_spec(a):
    _check_order(a["order"])
    return KerasTensor(a["x"].shape, dtypes.result_type(a["x"].dtype, float))


def _check_order(order):
    if not isinstance(order, int) or order < 1:
        raise ValueError(
            f"Argument `order` must be an int >= 1. Received: order={order}"
        )


@composite(rule=_normalize_spec)
def normalize(
    x: TensorLike, axis: Axes = -1, order: float = 2, epsilon: float | None = None
) -> Tensor:
    """`x / max(norm(x), epsilon)` over `axis`.

    Args:
        x: a tensor.
        axis: an axis or several. Default: -1.
        order: the exponent of the norm. Default: 2.
        epsilon: the least norm. Default: `keras.config.epsilon()`.

    >>> import hornbeam as keras
    >>> [round(float(v), 3) for v in keras.ops.normalize([3.0, 4.0])]
    [0.6, 0.8]
    """
    _check_order(order)
    x = to_float(x)
    epsilon = default_epsilon() if epsilon is None else epsilon
    if order == 2:
        # The gradient of the root is infinite at 0: the lower limit goes inside.
        squares = sum(square(x), axis=axis, keepdims=True)
        return x * rsqrt(maximum(squares, epsilon**2))
    total = sum(power(abs(x), order), axis=axis, keepdims=True)
    return x / maximum(power(total, 1 / order), epsilon)


@composite
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Tensor:
    """The peak signal-to-noise ratio: `10 log10(max_val**2 / mean((x1 - x2)**2))`.

    Args:
        x1: a tensor.
        x2: a tensor of the same shape.
        max_val: the largest value that a signal can have.

    >>> import hornbeam as keras
    >>> round(float(keras.ops.psnr([0.0, 0.0], [0.1, 0.1], 1.0)), 3)
    20.0
    """
    x1, x2 = to_float(x1), to_float(x2)
    if not rules.may_be_equal(tuple(x1.shape), tuple(x2.shape)):
        raise ValueError(
            "psnr: `x1` and `x2` must have the same shape. Received: "
            f"{tuple(x1.shape)} and {tuple(x2.shape)}"
        )
    peak = log10(cast(max_val, x1.dtype))
    return -10 * log10(mean(square(x1 - x2))) + 20 * peak
