"""Blocks of images: to columns, to channels, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.config import standardize_data_format
from hornbeam.core.errors import check_number
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules, windows
from hornbeam.ops.core import convert_to_tensor, scatter, shape
from hornbeam.ops.declare import composite
from hornbeam.ops.numpy import pad, reshape, stack, transpose
from hornbeam.typing import DataFormat, IntOrInts, Tensor, TensorLike


class _Blocks:
    """Where the windows of an image of size `sizes` lie."""

    def __init__(self, owner, sizes, kernel_size, dilation, padding, stride):
        self.sizes = sizes
        self.kernel = windows.per_axis(kernel_size, 2, owner, "kernel_size")
        self.dilation = windows.per_axis(dilation, 2, owner, "dilation")
        self.padding = windows.per_axis(padding, 2, owner, "padding")
        self.stride = windows.per_axis(stride, 2, owner, "stride")
        self.padded = [
            None if n is None else n + 2 * p
            for n, p in zip(sizes, self.padding, strict=True)
        ]
        self.counts: list[Any] = [
            windows.output_size(n, k, s, "valid", d)
            for n, k, s, d in zip(
                self.padded, self.kernel, self.stride, self.dilation, strict=True
            )
        ]

    def offsets(self):
        """Yield, for each element of the kernel, its slices of the padded image."""
        for place in np.ndindex(*self.kernel):
            yield tuple(
                slice(i * d, i * d + (count - 1) * s + 1, s)
                for i, d, count, s in zip(
                    place, self.dilation, self.counts, self.stride, strict=True
                )
            )


def _unfold_spec(a):
    batch, channels, *sizes = a["x"].shape
    names = ("kernel_size", "dilation", "padding", "stride")
    blocks = _Blocks("unfold", sizes, *(a[n] for n in names))
    rows = rules.size_of((channels, *blocks.kernel))
    return KerasTensor((batch, rows, rules.size_of(blocks.counts)), a["x"].dtype)


@composite(rule=_unfold_spec)
def unfold(
    x: TensorLike,
    kernel_size: IntOrInts,
    dilation: IntOrInts = 1,
    padding: IntOrInts = 0,
    stride: IntOrInts = 1,
) -> Tensor:
    """Cut an image into overlapping blocks: im2col.

    Args:
        x: `(batch, channels, height, width)`.
        kernel_size: size of the blocks: a number or two.
        dilation: spacing of a block's elements. Default: 1.
        padding: zeros added on each side. Default: 0.
        stride: distance of the blocks. Default: 1.

    Returns:
        A tensor `(batch, channels * kernel height * kernel width, blocks)`.

    >>> import hornbeam as keras
    >>> keras.ops.unfold(keras.ops.ones((1, 2, 4, 4)), 2, stride=2).shape
    (1, 8, 4)
    """
    x = convert_to_tensor(x)
    batch, channels, *sizes = shape(x)
    blocks = _Blocks("unfold", sizes, kernel_size, dilation, padding, stride)
    if any(blocks.padding):
        x = pad(x, ((0, 0), (0, 0), *((p, p) for p in blocks.padding)))
    parts = [x[(slice(None), slice(None), *place)] for place in blocks.offsets()]
    return reshape(
        stack(parts, axis=2),
        (batch, channels * len(parts), int(np.prod(blocks.counts))),
    )


def _fold_plan(x, output_size, kernel_size, dilation, padding, stride):
    if len(x.shape) != 3:
        raise ValueError(
            "fold expects a 3D tensor (batch, channels * window, blocks). Received: x "
            f"of shape {tuple(x.shape)}"
        )
    sizes = windows.per_axis(output_size, 2, "fold", "output_size")
    blocks = _Blocks("fold", sizes, kernel_size, dilation, padding, stride)
    window = int(np.prod(blocks.kernel))
    if x.shape[1] is not None and x.shape[1] % window:
        raise ValueError(
            f"fold: axis 1 of `x` must be a multiple of the window's {window} elements."
            f" Received: x of shape {tuple(x.shape)}, kernel_size={kernel_size}"
        )
    expected = int(np.prod(blocks.counts))
    if x.shape[2] is not None and x.shape[2] != expected:
        raise ValueError(
            f"fold: axis 2 of `x` must have {expected} blocks for "
            f"output_size={output_size}. Received: x of shape {tuple(x.shape)}"
        )
    return blocks, window


def _fold_spec(a):
    blocks, window = _fold_plan(**a)
    batch, columns, _ = a["x"].shape
    channels = None if columns is None else columns // window
    return KerasTensor((batch, channels, *blocks.sizes), a["x"].dtype)


@composite(rule=_fold_spec)
def fold(
    x: TensorLike,
    output_size: IntOrInts,
    kernel_size: IntOrInts,
    dilation: IntOrInts = 1,
    padding: IntOrInts = 0,
    stride: IntOrInts = 1,
) -> Tensor:
    """Add blocks up to an image: col2im, the transpose of `unfold`.

    Args:
        x: `(batch, channels * kernel height * kernel width, blocks)`.
        output_size: height and width of the image: a number or two.
        kernel_size: size of the blocks: a number or two.
        dilation: spacing of a block's elements. Default: 1.
        padding: zeros that `unfold` added on each side. Default: 0.
        stride: distance of the blocks. Default: 1.

    Returns:
        A tensor `(batch, channels, height, width)`.

    >>> import hornbeam as keras
    >>> x = keras.ops.ones((1, 8, 4))
    >>> keras.ops.fold(x, (4, 4), 2, stride=2).shape
    (1, 2, 4, 4)
    """
    x = convert_to_tensor(x)
    blocks, window = _fold_plan(x, output_size, kernel_size, dilation, padding, stride)
    batch, columns, count = shape(x)
    channels = columns // window
    places = np.arange(int(np.prod(blocks.padded))).reshape(blocks.padded)
    order = np.concatenate([places[place].ravel() for place in blocks.offsets()])
    values = reshape(x, (batch * channels, window * count))
    flat = scatter(
        order[:, None].astype("int32"),
        transpose(values),
        (places.size, batch * channels),
    )
    image = reshape(transpose(flat), (batch, channels, *blocks.padded))
    (top, left), (height, width) = blocks.padding, blocks.sizes
    return image[:, :, top : top + height, left : left + width]


def _check_block(owner, x, block_size):
    check_number(owner, "block_size", block_size, integer=True)
    if block_size < 2:
        raise ValueError(
            f"{owner}: `block_size` must be at least 2. "
            f"Received: block_size={block_size}"
        )
    if len(x.shape) != 4:
        raise ValueError(
            f"{owner} expects a 4D tensor. Received: x of shape {tuple(x.shape)}"
        )


def _divided(owner, size, divisor, what):
    if size is None:
        return None
    if size % divisor:
        raise ValueError(
            f"{owner}: the {what} must be divisible by {divisor}. Received: {size}"
        )
    return size // divisor


def _multiplied(size, factor):
    return None if size is None else size * factor


def _arranged(x_shape, data_format):
    """Return (batch, height, width, channels) of a shape in `data_format`."""
    if data_format == "channels_last":
        return tuple(x_shape)
    batch, channels, height, width = x_shape
    return batch, height, width, channels


def _given(batch, height, width, channels, data_format):
    if data_format == "channels_last":
        return (batch, height, width, channels)
    return (batch, channels, height, width)


def _depth_to_space_shape(x, block_size, data_format):
    _check_block("depth_to_space", x, block_size)
    batch, height, width, channels = _arranged(x.shape, data_format)
    depth = _divided("depth_to_space", channels, block_size**2, "number of channels")
    return _given(
        batch,
        _multiplied(height, block_size),
        _multiplied(width, block_size),
        depth,
        data_format,
    )


def _space_to_depth_shape(x, block_size, data_format):
    _check_block("space_to_depth", x, block_size)
    batch, height, width, channels = _arranged(x.shape, data_format)
    return _given(
        batch,
        _divided("space_to_depth", height, block_size, "height"),
        _divided("space_to_depth", width, block_size, "width"),
        _multiplied(channels, block_size**2),
        data_format,
    )


def _block_spec(result_shape):
    def rule(a):
        data_format = standardize_data_format(a["data_format"])
        x = a["x"]
        return KerasTensor(result_shape(x, a["block_size"], data_format), x.dtype)

    return rule


@composite(rule=_block_spec(_depth_to_space_shape))
def depth_to_space(
    x: TensorLike, block_size: int, data_format: DataFormat = "channels_last"
) -> Tensor:
    """Move channels into blocks of pixels: the pixel shuffle.

    Args:
        x: `(batch, height, width, channels)`, or channels first by `data_format`.
        block_size: side of the blocks.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Returns:
        A tensor `(batch, height * block, width * block, channels / block**2)`.

    >>> import hornbeam as keras
    >>> keras.ops.depth_to_space(keras.ops.ones((1, 2, 2, 12)), 2).shape
    (1, 4, 4, 3)
    """
    x, data_format = convert_to_tensor(x), standardize_data_format(data_format)
    result = _depth_to_space_shape(x, block_size, data_format)
    batch, height, width, channels = _arranged(x.shape, data_format)
    b, depth = block_size, channels // block_size**2
    if data_format == "channels_last":
        x = reshape(x, (batch, height, width, b, b, depth))
        x = transpose(x, (0, 1, 3, 2, 4, 5))
    else:
        x = reshape(x, (batch, depth, b, b, height, width))
        x = transpose(x, (0, 1, 4, 2, 5, 3))
    return reshape(x, result)


@composite(rule=_block_spec(_space_to_depth_shape))
def space_to_depth(
    x: TensorLike, block_size: int, data_format: DataFormat = "channels_last"
) -> Tensor:
    """Move blocks of pixels into channels: the inverse of `depth_to_space`.

    Args:
        x: `(batch, height, width, channels)`, or channels first by `data_format`.
        block_size: side of the blocks.
        data_format: `"channels_last"` (default) or `"channels_first"`.

    Returns:
        A tensor `(batch, height / block, width / block, channels * block**2)`.

    >>> import hornbeam as keras
    >>> keras.ops.space_to_depth(keras.ops.ones((1, 4, 4, 3)), 2).shape
    (1, 2, 2, 12)
    """
    x, data_format = convert_to_tensor(x), standardize_data_format(data_format)
    result = _space_to_depth_shape(x, block_size, data_format)
    batch, height, width, channels = _arranged(x.shape, data_format)
    b, rows, columns = block_size, height // block_size, width // block_size
    if data_format == "channels_last":
        x = reshape(x, (batch, rows, b, columns, b, channels))
        x = transpose(x, (0, 1, 3, 2, 4, 5))
    else:
        x = reshape(x, (batch, channels, rows, b, columns, b))
        x = transpose(x, (0, 1, 3, 5, 2, 4))
    return reshape(x, result)
