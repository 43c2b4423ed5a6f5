"""Convolutions."""

from __future__ import annotations

from hornbeam import backends
from hornbeam.core import dtypes
from hornbeam.core.config import standardize_data_format
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules, windows
from hornbeam.ops.core import convert_to_tensor
from hornbeam.ops.declare import composite
from hornbeam.ops.numpy import reshape
from hornbeam.typing import DataFormat, IntOrInts, Padding, Tensor, TensorLike


def _check_channels(owner, channels, per_group, input_shape, kernel_shape):
    if None not in (channels, per_group) and channels % per_group:
        raise ValueError(
            f"{owner}: the number of input channels must match the kernel's: a multiple"
            f" of {per_group} is needed. Received: inputs of shape "
            f"{tuple(input_shape)}, a kernel of shape {tuple(kernel_shape)}"
        )


def _conv_plan(inputs, kernel, strides, padding, data_format, dilation_rate):
    plan = windows.Windows(
        "conv",
        inputs.shape,
        kernel.shape[:-2],
        strides,
        padding,
        data_format,
        dilation_rate,
    )
    _check_channels("conv", plan.channels, kernel.shape[-2], inputs.shape, kernel.shape)
    return plan


def _conv_spec(a):
    dtype = dtypes.result_type(a["inputs"].dtype, a["kernel"].dtype)
    return KerasTensor(_conv_plan(**a).output_shape(a["kernel"].shape[-1]), dtype)


@composite(rule=_conv_spec)
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: IntOrInts = 1,
    padding: Padding = "valid",
    data_format: DataFormat | None = None,
    dilation_rate: IntOrInts = 1,
) -> Tensor:
    """Correlate `inputs` with `kernel` along 1 to 3 spatial axes.

    Args:
        inputs: `(batch, *spatial, channels)`, or channels first by `data_format`.
        kernel: `(*window, channels / groups, filters)`. Where the inputs have more
            channels than the kernel takes, they are split into groups.
        strides: a number, or one for each axis. Default: 1.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting
            `keras.config.image_data_format()`.
        dilation_rate: spacing of the window's elements. Default: 1.

    Returns:
        A tensor `(batch, *new spatial, filters)`.

    >>> import hornbeam as keras
    >>> x, kernel = keras.ops.ones((1, 8, 8, 3)), keras.ops.ones((3, 3, 3, 5))
    >>> keras.ops.conv(x, kernel, strides=2, padding="same").shape
    (1, 4, 4, 5)
    """
    inputs, kernel = convert_to_tensor(inputs), convert_to_tensor(kernel)
    plan = _conv_plan(inputs, kernel, strides, padding, data_format, dilation_rate)
    plan.output_shape(kernel.shape[-1])
    return backends.current().general_conv(
        inputs,
        kernel,
        plan.strides,
        plan.pads(),
        plan.dilation,
        plan.channels // kernel.shape[-2],
        plan.data_format,
    )


def _depthwise_kernel(inputs, kernel, data_format, owner="depthwise_conv"):
    _, channels = windows.split_shape(
        inputs.shape, standardize_data_format(data_format)
    )
    *window, kernel_channels, multiplier = kernel.shape
    if not rules.may_be_equal(channels, kernel_channels):
        raise ValueError(
            f"{owner}: the number of input channels must match the kernel's. Received: "
            f"inputs of shape {tuple(inputs.shape)}, a kernel of shape "
            f"{tuple(kernel.shape)}"
        )
    return (*window, 1, rules.size_of((kernel_channels, multiplier)))


def _depthwise_spec(a):
    kernel = a["kernel"]
    new_shape = _depthwise_kernel(a["inputs"], kernel, a["data_format"])
    return _conv_spec({**a, "kernel": KerasTensor(new_shape, kernel.dtype)})


@composite(rule=_depthwise_spec)
def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: IntOrInts = 1,
    padding: Padding = "valid",
    data_format: DataFormat | None = None,
    dilation_rate: IntOrInts = 1,
) -> Tensor:
    """Correlate each channel with separate kernels.

    Args:
        inputs: `(batch, *spatial, channels)`, or channels first by `data_format`.
        kernel: `(*window, channels, multiplier)`.
        strides: a number, or one for each axis. Default: 1.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        dilation_rate: spacing of the window's elements. Default: 1.

    Returns:
        A tensor `(batch, *new spatial, channels * multiplier)`.

    >>> import hornbeam as keras
    >>> x, kernel = keras.ops.ones((1, 8, 8, 3)), keras.ops.ones((3, 3, 3, 2))
    >>> keras.ops.depthwise_conv(x, kernel).shape
    (1, 6, 6, 6)
    """
    inputs, kernel = convert_to_tensor(inputs), convert_to_tensor(kernel)
    new_shape = _depthwise_kernel(inputs, kernel, data_format)
    grouped = reshape(kernel, new_shape)
    return conv(inputs, grouped, strides, padding, data_format, dilation_rate)


def _separable_spec(a):
    a = dict(a)
    depthwise, pointwise = a.pop("depthwise_kernel"), a.pop("pointwise_kernel")
    middle = _depthwise_spec({**a, "kernel": depthwise})
    a |= {"strides": 1, "padding": "valid", "dilation_rate": 1}
    return _conv_spec({**a, "inputs": middle, "kernel": pointwise})


@composite(rule=_separable_spec)
def separable_conv(
    inputs: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: IntOrInts = 1,
    padding: Padding = "valid",
    data_format: DataFormat | None = None,
    dilation_rate: IntOrInts = 1,
) -> Tensor:
    """A depthwise convolution followed by one with a window of size 1.

    Args:
        inputs: `(batch, *spatial, channels)`, or channels first by `data_format`.
        depthwise_kernel: `(*window, channels, multiplier)`.
        pointwise_kernel: `(1, ..., channels * multiplier, filters)`.
        strides: a number, or one for each axis. Default: 1.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        dilation_rate: spacing of the window's elements. Default: 1.

    Returns:
        A tensor `(batch, *new spatial, filters)`.
    """
    x = depthwise_conv(
        inputs, depthwise_kernel, strides, padding, data_format, dilation_rate
    )
    return conv(x, pointwise_kernel, data_format=data_format)


def _transpose_plan(
    inputs, kernel, strides, padding, output_padding, data_format, dilation_rate
):
    plan = windows.Windows(
        "conv_transpose",
        inputs.shape,
        kernel.shape[:-2],
        strides,
        padding,
        data_format,
        dilation_rate,
    )
    if not rules.may_be_equal(plan.channels, kernel.shape[-1]):
        raise ValueError(
            "conv_transpose: the number of input channels must match the kernel's last "
            f"size. Received: inputs of shape {tuple(inputs.shape)}, a kernel of shape "
            f"{tuple(kernel.shape)}"
        )
    rank = len(plan.spatial)
    extra = (None,) * rank
    if output_padding is not None:
        extra = windows.per_axis(
            output_padding, rank, "conv_transpose", "output_padding"
        )
    lengths = tuple(
        windows.transposed_size(n, k, s, p, e, d)
        for (n, k, s, p, d), e in zip(plan.axes(), extra, strict=True)
    )
    return plan, lengths


def _transpose_spec(a):
    plan, lengths = _transpose_plan(**a)
    kernel = a["kernel"]
    new_shape = windows.assembled(
        plan.batch, lengths, kernel.shape[-2], plan.data_format
    )
    dtype = dtypes.result_type(a["inputs"].dtype, kernel.dtype)
    return KerasTensor(new_shape, dtype)


@composite(rule=_transpose_spec)
def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: IntOrInts = 1,
    padding: Padding = "valid",
    output_padding: IntOrInts | None = None,
    data_format: DataFormat | None = None,
    dilation_rate: IntOrInts = 1,
) -> Tensor:
    """The transpose (the gradient) of a strided convolution: it enlarges.

    Args:
        inputs: `(batch, *spatial, channels)`, or channels first by `data_format`.
        kernel: `(*window, filters, channels)`.
        strides: a number, or one for each axis. Default: 1.
        padding: `"valid"` (default) or `"same"`.
        output_padding: elements added to each axis of the result; it chooses among
            the sizes that a strided convolution maps to the same one. Default: None.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        dilation_rate: spacing of the window's elements. Default: 1.

    Returns:
        A tensor `(batch, *new spatial, filters)`; with `"same"` and no
        `output_padding` each size is multiplied by the stride.

    >>> import hornbeam as keras
    >>> x, kernel = keras.ops.ones((1, 4, 4, 3)), keras.ops.ones((3, 3, 5, 3))
    >>> keras.ops.conv_transpose(x, kernel, strides=2, padding="same").shape
    (1, 8, 8, 5)
    """
    inputs, kernel = convert_to_tensor(inputs), convert_to_tensor(kernel)
    plan, lengths = _transpose_plan(
        inputs, kernel, strides, padding, output_padding, data_format, dilation_rate
    )
    crops = [
        windows.transposed_crop(n, length, k, s, p, d)
        for (n, k, s, p, d), length in zip(plan.axes(), lengths, strict=True)
    ]
    return backends.current().general_conv_transpose(
        inputs, kernel, plan.strides, crops, plan.dilation, plan.data_format
    )
