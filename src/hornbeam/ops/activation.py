"""Activation functions."""

# Bodies compute with float tensors: `_pointwise` converts the arguments.
# mypy: disable-error-code="operator, union-attr"

from __future__ import annotations

import functools

from hornbeam.ops import rules
from hornbeam.ops.arithmetic import to_float
from hornbeam.ops.core import cast, shape
from hornbeam.ops.declare import composite
from hornbeam.ops.math import erf, logsumexp
from hornbeam.ops.numpy import (
    abs,
    arange,
    clip,
    cumsum,
    exp,
    expm1,
    flip,
    log1p,
    max,
    maximum,
    minimum,
    moveaxis,
    sign,
    sort,
    split,
    sqrt,
    sum,
    tanh,
    where,
)
from hornbeam.typing import Axes, Tensor, TensorLike

# Klambauer et al., 2017: the fixed point of mean 0 and variance 1.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _pointwise(body):
    """Declare an elementwise op: `x` arrives as floats, and its dtype is kept."""

    @functools.wraps(body)
    def run(x, *args, **kwargs):
        x = to_float(x)
        return cast(body(x, *args, **kwargs), x.dtype)

    return composite(rule="same_float")(run)


@composite(rule=rules.same_number)
def relu(x: TensorLike) -> Tensor:
    """The rectifier: `max(x, 0)`.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.relu([-1.0, 2.0])]
    [0.0, 2.0]
    """
    return maximum(x, 0)


@composite(rule=rules.same_number)
def relu6(x: TensorLike) -> Tensor:
    """The rectifier up to 6: `min(max(x, 0), 6)` (Krizhevsky, 2010).

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.relu6([-1.0, 2.0, 8.0])]
    [0.0, 2.0, 6.0]
    """
    return clip(x, 0, 6)


@_pointwise
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """`x` above 0, `negative_slope * x` below (Maas et al., 2013).

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.leaky_relu([-1.0, 2.0], 0.5)]
    [-0.5, 2.0]
    """
    return where(x > 0, x, x * negative_slope)


@_pointwise
def sigmoid(x: TensorLike) -> Tensor:
    """The logistic function: `1 / (1 + exp(-x))`.

    >>> import hornbeam as keras
    >>> float(keras.ops.sigmoid(0.0))
    0.5
    """
    small = exp(-abs(x))
    return where(x >= 0, 1, small) / (1 + small)


@_pointwise
def hard_sigmoid(x: TensorLike) -> Tensor:
    """A piecewise linear sigmoid: `min(max(x / 6 + 1 / 2, 0), 1)`.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.hard_sigmoid([-3.0, 0.0, 3.0])]
    [0.0, 0.5, 1.0]
    """
    return clip(x / 6 + 0.5, 0, 1)


@_pointwise
def silu(x: TensorLike) -> Tensor:
    """Swish: `x * sigmoid(x)` (Elfwing et al., 2017; Ramachandran et al., 2017).

    >>> import hornbeam as keras
    >>> float(keras.ops.silu(0.0))
    0.0
    """
    return x * sigmoid(x)


swish = silu


@_pointwise
def hard_silu(x: TensorLike) -> Tensor:
    """`x * hard_sigmoid(x)` (Howard et al., 2019).

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.hard_silu([-3.0, 3.0])]
    [-0.0, 3.0]
    """
    return x * hard_sigmoid(x)


hard_swish = hard_silu


@_pointwise
def softplus(x: TensorLike) -> Tensor:
    """A smooth rectifier: `log(1 + exp(x))`.

    >>> import hornbeam as keras
    >>> round(float(keras.ops.softplus(0.0)), 4)
    0.6931
    """
    return maximum(x, 0) + log1p(exp(-abs(x)))


@_pointwise
def log_sigmoid(x: TensorLike) -> Tensor:
    """The logarithm of the sigmoid: `-log(1 + exp(-x))`.

    >>> import hornbeam as keras
    >>> round(float(keras.ops.log_sigmoid(0.0)), 4)
    -0.6931
    """
    return -softplus(-x)


@_pointwise
def softsign(x: TensorLike) -> Tensor:
    """`x / (1 + abs(x))`.

    >>> import hornbeam as keras
    >>> float(keras.ops.softsign(1.0))
    0.5
    """
    return x / (1 + abs(x))


@_pointwise
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`x` above 0, `alpha * (exp(x) - 1)` below (Clevert et al., 2015).

    >>> import hornbeam as keras
    >>> float(keras.ops.elu(2.0))
    2.0
    """
    return where(x > 0, x, alpha * expm1(minimum(x, 0)))


@_pointwise
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)` (Barron, 2017).

    >>> import hornbeam as keras
    >>> float(keras.ops.celu(2.0))
    2.0
    """
    return maximum(x, 0) + alpha * expm1(minimum(x, 0) / alpha)


@_pointwise
def selu(x: TensorLike) -> Tensor:
    """The self-normalizing unit: `scale * elu(x, alpha)` (Klambauer et al., 2017).

    >>> import hornbeam as keras
    >>> round(float(keras.ops.selu(1.0)), 4)
    1.0507
    """
    return elu(x, _SELU_ALPHA) * _SELU_SCALE


@_pointwise
def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """`x` times the normal distribution function of `x` (Hendrycks and Gimpel, 2016).

    Args:
        x: a tensor.
        approximate: whether to use the paper's tanh approximation. Default: True.

    >>> import hornbeam as keras
    >>> float(keras.ops.gelu(0.0))
    0.0
    """
    if approximate:
        return (
            x * 0.5 * (1 + tanh((2 / 3.141592653589793) ** 0.5 * (x + 0.044715 * x**3)))
        )
    return x * 0.5 * (1 + erf(x * 0.5**0.5))


@composite
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """The gated linear unit: `a * sigmoid(b)` for the halves of `x` (Dauphin, 2016).

    >>> import hornbeam as keras
    >>> keras.ops.glu(keras.ops.ones((2, 6))).shape
    (2, 3)
    """
    a, b = split(to_float(x), 2, axis)
    return a * sigmoid(b)


@composite(rule=rules.same_number)
def hard_tanh(x: TensorLike) -> Tensor:
    """`min(max(x, -1), 1)`.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.hard_tanh([-2.0, 0.5, 2.0])]
    [-1.0, 0.5, 1.0]
    """
    return clip(x, -1, 1)


@_pointwise
def tanh_shrink(x: TensorLike) -> Tensor:
    """`x - tanh(x)`.

    >>> import hornbeam as keras
    >>> float(keras.ops.tanh_shrink(0.0))
    0.0
    """
    return x - tanh(x)


@_pointwise
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` where `abs(x) > threshold`, else 0.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.hard_shrink([-0.25, 1.0])]
    [0.0, 1.0]
    """
    return where(abs(x) > threshold, x, 0)


@_pointwise
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` moved towards 0 by `threshold`; 0 where `abs(x) <= threshold`.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.soft_shrink([-0.25, 1.0])]
    [0.0, 0.5]
    """
    return where(abs(x) > threshold, x - sign(x) * threshold, 0)


@_pointwise
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """`x` where `x > threshold`, else `default_value`.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.threshold([0.0, 2.0], 1, -1)]
    [-1.0, 2.0]
    """
    return where(x > threshold, x, cast(default_value, x.dtype))


@_pointwise
def squareplus(x: TensorLike, b: float = 4) -> Tensor:
    """`(x + sqrt(x**2 + b)) / 2` (Barron, 2021).

    >>> import hornbeam as keras
    >>> float(keras.ops.squareplus(0.0))
    1.0
    """
    return (x + sqrt(x * x + b)) / 2


@_pointwise
def sparse_plus(x: TensorLike) -> Tensor:
    """0 below -1, `x` above 1, `(x + 1)**2 / 4` between.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.sparse_plus([-1.0, 0.0, 1.0])]
    [0.0, 0.25, 1.0]
    """
    return where(x <= -1, 0, where(x < 1, (x + 1) ** 2 / 4, x))


@_pointwise
def sparse_sigmoid(x: TensorLike) -> Tensor:
    """0 below -1, 1 above 1, `(x + 1) / 2` between.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.sparse_sigmoid([-2.0, 0.0, 2.0])]
    [0.0, 0.5, 1.0]
    """
    return clip((x + 1) / 2, 0, 1)


@composite(rule="same_float")
def softmax(x: TensorLike, axis: Axes = -1) -> Tensor:
    """`exp(x)` divided by its sum over `axis`.

    Args:
        x: a tensor.
        axis: an axis or several; None is all. Default: -1.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.softmax([1.0, 1.0])]
    [0.5, 0.5]
    """
    x = to_float(x)
    powers = exp(x - max(x, axis=axis, keepdims=True))
    return powers / sum(powers, axis=axis, keepdims=True)


@composite(rule="same_float")
def log_softmax(x: TensorLike, axis: Axes = -1) -> Tensor:
    """The logarithm of the softmax: `x - log(sum(exp(x)))`.

    Args:
        x: a tensor.
        axis: an axis or several; None is all. Default: -1.

    >>> import hornbeam as keras
    >>> round(float(keras.ops.log_softmax([1.0, 1.0])[0]), 4)
    -0.6931
    """
    x = to_float(x)
    return x - logsumexp(x, axis=axis, keepdims=True)


@composite(rule="same_float")
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """The projection of `x` on the simplex (Martins and Astudillo, 2016).

    It is `max(x - tau, 0)` with the `tau` for which the result sums to 1.

    Args:
        x: a tensor.
        axis: the axis. Default: -1.

    >>> import hornbeam as keras
    >>> [float(v) for v in keras.ops.sparsemax([-1.0, 0.0, 1.0])]
    [0.0, 0.0, 1.0]
    """
    x = to_float(x)
    z = moveaxis(x, axis, -1)
    ordered = flip(sort(z, axis=-1), axis=-1)
    k = cast(arange(1, shape(z)[-1] + 1), z.dtype)
    sums = cumsum(ordered, axis=-1)
    in_support = 1 + k * ordered > sums
    size = sum(cast(in_support, z.dtype), axis=-1, keepdims=True)
    total = sum(where(in_support, ordered, 0), axis=-1, keepdims=True)
    return moveaxis(maximum(z - (total - 1) / size, 0), -1, axis)
