"""Pooling: the maximum or mean of windows."""

from __future__ import annotations

import math

from hornbeam import backends
from hornbeam.core.config import standardize_data_format
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import windows
from hornbeam.ops.core import convert_to_tensor, shape
from hornbeam.ops.declare import composite
from hornbeam.ops.numpy import max as largest
from hornbeam.ops.numpy import mean, moveaxis, reshape, stack
from hornbeam.typing import DataFormat, IntOrInts, Padding, Tensor, TensorLike


def _pool_plan(owner, inputs, pool_size, strides, padding, data_format):
    strides = pool_size if strides is None else strides
    shape = inputs.shape
    return windows.Windows(owner, shape, pool_size, strides, padding, data_format)


def _pool_spec(a):
    plan = _pool_plan("The pool", **a)
    return KerasTensor(plan.output_shape(plan.channels), a["inputs"].dtype)


@composite(rule=_pool_spec)
def max_pool(
    inputs: TensorLike,
    pool_size: IntOrInts,
    strides: IntOrInts | None = None,
    padding: Padding = "valid",
    data_format: DataFormat | None = None,
) -> Tensor:
    """The maximum of each window.

    Args:
        inputs: `(batch, *spatial, channels)`, or channels first by `data_format`.
        pool_size: the window: a number, or one for each axis.
        strides: a number, or one for each axis. Default: `pool_size`.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    Returns:
        A tensor `(batch, *new spatial, channels)`.

    >>> import hornbeam as keras
    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (1, 4, 1))
    >>> [float(v) for v in keras.ops.max_pool(x, 2)[0, :, 0]]
    [1.0, 3.0]
    """
    inputs = convert_to_tensor(inputs)
    plan = _pool_plan("max_pool", inputs, pool_size, strides, padding, data_format)
    plan.output_shape(plan.channels)
    return backends.current().window_max(
        inputs, plan.size, plan.strides, plan.pads(), plan.data_format
    )


@composite(rule=_pool_spec)
def average_pool(
    inputs: TensorLike,
    pool_size: IntOrInts,
    strides: IntOrInts | None = None,
    padding: Padding = "valid",
    data_format: DataFormat | None = None,
) -> Tensor:
    """The mean of each window, without padding.

    Args:
        inputs: `(batch, *spatial, channels)`, or channels first by `data_format`.
        pool_size: the window: a number, or one for each axis.
        strides: a number, or one for each axis. Default: `pool_size`.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    Returns:
        A tensor `(batch, *new spatial, channels)`.

    >>> import hornbeam as keras
    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (1, 4, 1))
    >>> [float(v) for v in keras.ops.average_pool(x, 2)[0, :, 0]]
    [0.5, 2.5]
    """
    inputs = convert_to_tensor(inputs)
    plan = _pool_plan("average_pool", inputs, pool_size, strides, padding, data_format)
    plan.output_shape(plan.channels)
    pads = plan.pads()
    sums = backends.current().window_sum(
        inputs, plan.size, plan.strides, pads, plan.data_format
    )
    if not any(a or b for a, b in pads):
        return sums / math.prod(plan.size)
    covered = windows.counts(plan.spatial, plan.size, plan.strides, pads)
    if plan.data_format == "channels_last":
        covered = covered[..., None]
    return sums / convert_to_tensor(covered, dtype=sums.dtype)


def _adaptive_plan(a, owner):
    data_format = standardize_data_format(a["data_format"])
    spatial, channels = windows.split_shape(a["inputs"].shape, data_format)
    sizes = windows.per_axis(a["output_size"], len(spatial), owner, "output_size")
    return data_format, spatial, channels, sizes


def _adaptive_spec(a):
    data_format, _, channels, sizes = _adaptive_plan(a, "The adaptive pool")
    new_shape = windows.assembled(a["inputs"].shape[0], sizes, channels, data_format)
    return KerasTensor(new_shape, a["inputs"].dtype)


def _adaptive(inputs, output_size, data_format, reduce, owner):
    """Reduce each axis by itself: bin i of m covers floor(i n/m) to ceil((i+1) n/m)."""
    x = convert_to_tensor(inputs)
    data_format, spatial, _, sizes = _adaptive_plan(
        {"inputs": x, "output_size": output_size, "data_format": data_format}, owner
    )
    first = 1 if data_format == "channels_last" else 2
    for axis, (n, m) in enumerate(zip(spatial, sizes, strict=True), first):
        x = moveaxis(x, axis, 0)
        if n % m == 0:
            x = reduce(reshape(x, (m, n // m, *shape(x)[1:])), 1)
        else:
            edges = [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
            x = stack([reduce(x[a:b], 0) for a, b in edges], 0)
        x = moveaxis(x, 0, axis)
    return x


@composite(rule=_adaptive_spec)
def adaptive_max_pool(
    inputs: TensorLike, output_size: IntOrInts, data_format: DataFormat | None = None
) -> Tensor:
    """The maximum over bins that divide each axis as evenly as possible.

    Args:
        inputs: `(batch, *spatial, channels)`, or channels first by `data_format`.
        output_size: the number of bins: a number, or one for each axis.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    Returns:
        A tensor `(batch, *output_size, channels)`.
    """
    return _adaptive(inputs, output_size, data_format, largest, "adaptive_max_pool")


@composite(rule=_adaptive_spec)
def adaptive_average_pool(
    inputs: TensorLike, output_size: IntOrInts, data_format: DataFormat | None = None
) -> Tensor:
    """The mean over bins that divide each axis as evenly as possible.

    Args:
        inputs: `(batch, *spatial, channels)`, or channels first by `data_format`.
        output_size: the number of bins: a number, or one for each axis.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    Returns:
        A tensor `(batch, *output_size, channels)`.
    """
    return _adaptive(inputs, output_size, data_format, mean, "adaptive_average_pool")
