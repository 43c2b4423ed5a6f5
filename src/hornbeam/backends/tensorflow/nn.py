"""TensorFlow: convolutions, windows, and what is faster than its composition."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from hornbeam.backends import xla
from hornbeam.backends.functions import Function

from .arrays import shape_of
from .functions import _array, _not_bool, _promoted, _to_float
from .products import _product

Pairs = Sequence[tuple[int, int]]

# Said always: the gradients of three dimensions do not know the default.
_LAYOUTS = {3: "NWC", 4: "NHWC", 5: "NDHWC"}
_MAX = {3: tf.nn.max_pool1d, 4: tf.nn.max_pool2d, 5: tf.nn.max_pool3d}
_MEAN = {3: tf.nn.avg_pool1d, 4: tf.nn.avg_pool2d, 5: tf.nn.avg_pool3d}


def linear(x: Any, kernel: Any, bias: Any = None) -> tf.Tensor:
    """`x @ kernel + bias` over the last axis of `x`, as one product of matrices."""
    y = _product(_linear, x, kernel)
    return y if bias is None else tf.add(*_promoted(y, bias))


def _linear(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    if x.ndim == 2:
        return tf.matmul(x, kernel)
    y = tf.matmul(tf.reshape(x, (-1, x.shape[-1])), kernel)
    return tf.reshape(y, (*shape_of(x)[:-1], kernel.shape[-1]))


def general_conv(
    inputs: Any,
    kernel: Any,
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
    data_format: str,
) -> tf.Tensor:
    """Correlation of `inputs` with a kernel of layout (*window, in / groups, out)."""
    inputs, kernel = _floats(inputs, kernel)
    x = _channels_last(inputs, data_format)
    if max(dilation) > 1 < max(strides):
        kernel, dilation = _spread(kernel, dilation), (1,) * len(dilation)
    x, mode = _padded(x, kernel.shape[:-2], strides, padding, dilation)

    def conv(x, kernel):
        layout = _LAYOUTS[x.ndim]
        return tf.nn.convolution(x, kernel, list(strides), mode, layout, list(dilation))

    if groups == 1:
        y = conv(x, kernel)
    elif x.ndim < 5 and kernel.shape[-2] == 1 and len(set(strides)) == 1:
        y = _depthwise(x, kernel, groups, strides[0], mode, dilation)
    else:
        parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1), strict=True)
        y = tf.concat([conv(*part) for part in parts], -1)
    return _as_given(y, data_format)


def _padded(x, window, strides, padding, dilation):
    """`x` for a kernel, and the padding that the kernel adds itself."""
    axes = zip(x.shape[1:-1], window, strides, dilation, strict=True)
    totals = [
        max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0) if n else -1
        for n, k, s, d in axes
    ]
    if any(totals) and list(padding) == [(t // 2, t - t // 2) for t in totals]:
        return x, "SAME"
    return _around(x, padding), "VALID"


def _depthwise(x, kernel, channels, stride, mode, dilation):
    """Each channel by itself; sequences are images of height 1."""
    per_channel = kernel.shape[-1] // channels
    filters = tf.reshape(kernel, (*kernel.shape[:-2], channels, per_channel))
    is_sequence = x.ndim == 3
    if is_sequence:
        x, filters = tf.expand_dims(x, 1), tf.expand_dims(filters, 0)
        dilation = (1, *dilation)
    y = tf.nn.depthwise_conv2d(
        x, filters, [1, stride, stride, 1], mode, dilations=list(dilation)
    )
    return tf.squeeze(y, 1) if is_sequence else y


def general_conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    data_format: str,
) -> tf.Tensor:
    """The transpose of a strided convolution, for a kernel (*window, out, in).

    `padding` says by how much the full result is cropped (negative: extended).
    """
    inputs, kernel = _floats(inputs, kernel)
    # Without oneDNN a CPU has no kernel for transposed dilated windows.
    x = _channels_last(inputs, data_format)
    kernel = _spread(kernel, dilation)
    batch, *places, _ = shape_of(x)
    axes = list(zip(places, strides, kernel.shape[:-2], padding, strict=True))

    def transposed(sizes, mode):
        new_shape = [batch, *sizes, kernel.shape[-2]]
        layout = _LAYOUTS[x.ndim]
        return tf.nn.conv_transpose(x, kernel, new_shape, list(strides), mode, layout)

    for mode, fits in (("SAME", _is_same), ("VALID", _is_valid)):
        if all(fits(*axis) for axis in axes):
            sizes = [(n - 1) * s + k - a - b for n, s, k, (a, b) in axes]
            return _as_given(transposed(sizes, mode), data_format)
    y = transposed([(n - 1) * s + max(k, s) for n, s, k, _ in axes], "VALID")
    crop = [slice(max(a, 0), (n - 1) * s + k - max(b, 0)) for n, s, k, (a, b) in axes]
    y = _around(y[(slice(None), *crop)], [(max(-a, 0), max(-b, 0)) for a, b in padding])
    return _as_given(y, data_format)


def _is_same(size, stride, window, crop):
    """Whether the crop is the padding "SAME" of the convolution that is transposed."""
    a, b = crop
    if not isinstance(size, int) or a < 0 or b - a not in (0, 1):
        return False
    return -(-((size - 1) * stride + window - a - b) // stride) == size


def _is_valid(size, stride, window, crop):
    """Whether what is added at the end is less than another step of the window."""
    a, b = crop
    return a == 0 and 0 <= -b < stride


def _spread(kernel: tf.Tensor, dilation: Sequence[int]) -> tf.Tensor:
    """The kernel with `dilation - 1` zeros between its entries."""
    for axis, d in enumerate(dilation):
        if d > 1:
            *shape, size = kernel.shape[: axis + 1]
            kernel = tf.expand_dims(kernel, axis + 1)
            widths = [(0, 0)] * kernel.ndim
            widths[axis + 1] = (0, d - 1)
            kernel = tf.pad(kernel, widths)
            kernel = tf.reshape(kernel, (*shape, size * d, *kernel.shape[axis + 2 :]))
            kernel = kernel[(*[slice(None)] * axis, slice(0, (size - 1) * d + 1))]
    return kernel


def _floats(*xs: Any) -> list[tf.Tensor]:
    """Operands for a kernel: floats of one dtype."""
    result = _promoted(*xs)
    return result if result[0].dtype.is_floating else [_to_float(x) for x in result]


def _around(x: tf.Tensor, padding: Pairs, value: Any = 0) -> tf.Tensor:
    if not any(a or b for a, b in padding):
        return x
    return tf.pad(x, [(0, 0), *padding, (0, 0)], constant_values=value)


def _channels_last(x: tf.Tensor, data_format: str) -> tf.Tensor:
    if data_format == "channels_last":
        return x
    return tf.transpose(x, [0, *range(2, x.ndim), 1])


def _as_given(x: tf.Tensor, data_format: str) -> tf.Tensor:
    if data_format == "channels_last":
        return x
    return tf.transpose(x, [0, x.ndim - 1, *range(1, x.ndim - 1)])


def projects_in_loop(shape: Any, units: int, gates: int, training: bool) -> bool:
    """Whether sequences (steps, rows, features) are best projected step by step."""
    if tf.executing_eagerly() or tf.config.list_logical_devices("GPU"):
        return False
    return xla.projects_in_loop(shape, units, gates, training)


def window_max(
    inputs: Any,
    size: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    data_format: str,
) -> tf.Tensor:
    """The maximum of every window; the padding never wins."""
    inputs = _array(inputs)
    x = _channels_last(inputs, data_format)
    x = _around(x, padding, -math.inf if x.dtype.is_floating else x.dtype.min)
    if _has_pools(x):
        y = _MAX[x.ndim](x, size, strides, "VALID", _LAYOUTS[x.ndim])
    else:
        y = _sliding(x, size, strides, tf.maximum)
    return _as_given(y, data_format)


def window_sum(
    inputs: Any,
    size: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    data_format: str,
) -> tf.Tensor:
    """The sum of every window."""
    x = _around(_channels_last(_array(inputs), data_format), padding)
    if _has_pools(x):
        y = _MEAN[x.ndim](x, size, strides, "VALID", _LAYOUTS[x.ndim])
        y = y * math.prod(size)
    else:
        y = _sliding(x, size, strides, tf.add)
    return _as_given(y, data_format)


def _has_pools(x: tf.Tensor) -> bool:
    """Whether there are kernels; of volumes only on float32."""
    return x.dtype.is_floating if x.ndim < 5 else x.dtype == tf.float32


def _sliding(x, size, strides, combine):
    """Windows as a chain of shifted slices, axis by axis."""
    for axis, (k, s) in enumerate(zip(size, strides, strict=True), 1):
        reach = (x.shape[axis] - k) // s * s + 1
        lead = [slice(None)] * axis
        x = functools.reduce(
            combine, [x[(*lead, slice(i, i + reach, s))] for i in range(k)]
        )
    return x


def _on_floats(fn: Callable) -> Callable:
    return lambda x: fn(_to_float(x))


def relu(x: Any) -> tf.Tensor:
    """`max(x, 0)` with gradient 0 at 0."""
    return tf.nn.relu(*_not_bool([_array(x)]))


def relu6(x: Any) -> tf.Tensor:
    """`min(max(x, 0), 6)`."""
    return tf.nn.relu6(*_not_bool([_array(x)]))


sigmoid: Function = _on_floats(tf.sigmoid)
softplus: Function = _on_floats(tf.math.softplus)
silu: Function = _on_floats(tf.nn.silu)
log_sigmoid: Function = _on_floats(tf.math.log_sigmoid)
selu: Function = _on_floats(tf.nn.selu)


def gelu(x: Any, approximate: bool = True) -> tf.Tensor:
    """`x` times the normal distribution function of `x`."""
    return tf.nn.gelu(_to_float(x), approximate)


def softmax(x: Any, axis: int | tuple[int, ...] | None = -1) -> tf.Tensor:
    """`exp(x)` divided by its sum over `axis`."""
    x = _to_float(x)
    if isinstance(axis, int):
        return tf.nn.softmax(x, axis)
    return tf.exp(log_softmax(x, axis))


def log_softmax(x: Any, axis: int | tuple[int, ...] | None = -1) -> tf.Tensor:
    """`x - log(sum(exp(x)))` over `axis`."""
    x = _to_float(x)
    if isinstance(axis, int):
        return tf.nn.log_softmax(x, axis)
    axes = None if axis is None else list(axis)
    return x - tf.reduce_logsumexp(x, axes, keepdims=True)


def resize_bilinear(images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Images in a new size, by TensorFlow's kernel."""
    resize: Any = tf.raw_ops.ResizeBilinear
    return resize(images=images, size=size, half_pixel_centers=True)
