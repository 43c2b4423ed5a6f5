"""Patches of images and volumes: the windows of a convolution, a row each."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules, windows
from hornbeam.ops.core import convert_to_tensor
from hornbeam.ops.declare import composite
from hornbeam.ops.image.axes import spatial_axes
from hornbeam.ops.numpy import moveaxis, pad, reshape, take, transpose
from hornbeam.typing import DataFormat, IntOrInts, Padding, Tensor, TensorLike


def _plan(owner, images, a, rank):
    """Return the first spatial axis, that of channels, and (k, s, d) of each axis."""
    if not isinstance(a["size"], int) and len(a["size"]) != rank:
        raise TypeError(
            f"{owner}(): `size` must be an integer, or {rank} of them. "
            f"Received: size={a['size']!r}"
        )
    first, channels = spatial_axes(owner, images, a["data_format"], rank)
    size = windows.per_axis(a["size"], rank, owner, "size")
    strides = a["size"] if a["strides"] is None else a["strides"]
    strides = windows.per_axis(strides, rank, owner, "strides")
    dilation = windows.per_axis(a["dilation_rate"], rank, owner, "dilation_rate")
    windows.check_padding(a["padding"], owner)
    for name, numbers in (("size", size), ("strides", strides)):
        if min(numbers) < 1:
            raise ValueError(
                f"{owner}(): `{name}` must be positive. Received: {name}={a[name]}"
            )
    return first, channels, list(zip(size, strides, dilation, strict=True))


def _rank_of(a):
    """Return the rank of the patches: the number of sizes, 2 for one number."""
    size = a["size"]
    if isinstance(size, int):
        return 2
    if not isinstance(size, list | tuple) or len(size) not in (2, 3):
        raise TypeError(
            "extract_patches(): `size` must be an integer, or 2 or 3 of them. "
            f"Received: size={size!r}"
        )
    return len(size)


def _spec(owner, name, rank_of):
    def spec(a):
        images, rank = a[name], rank_of(a)
        first, channels, windows_of = _plan(owner, images, a, rank)
        shape = list(images.shape)
        for axis, (k, s, d) in enumerate(windows_of, first):
            shape[axis] = windows.output_size(shape[axis], k, s, a["padding"], d)
        elements = [k for k, _, _ in windows_of]
        shape[channels] = rules.size_of((shape[channels], *elements))
        return KerasTensor(shape, images.dtype)

    return spec


def _patches(owner, images, a, rank):
    """Each axis becomes windows and their elements, and these go to the channels."""
    images = convert_to_tensor(images)
    first, channels, windows_of = _plan(owner, images, a, rank)
    x = moveaxis(images, channels, -1)
    first = len(x.shape) - rank - 1
    widths = [(0, 0)] * len(x.shape)
    for axis, (k, s, d) in enumerate(windows_of, first):
        widths[axis] = windows.pads(x.shape[axis], k, s, a["padding"], d)
    x = pad(x, widths) if any(map(any, widths)) else x
    for i, (k, s, d) in enumerate(windows_of):
        axis = first + 2 * i
        count: Any = windows.output_size(x.shape[axis], k, s, "valid", d)
        places = np.arange(count)[:, None] * s + np.arange(k) * d
        x = take(x, places.astype("int32"), axis=axis)
    counts = [first + 2 * i for i in range(rank)]
    order = [*range(first), *counts, *(i + 1 for i in counts), first + 2 * rank]
    x = transpose(x, order)
    x = reshape(x, (*x.shape[: first + rank], -1))
    return moveaxis(x, -1, channels)


@composite(rule=_spec("extract_patches", "images", _rank_of))
def extract_patches(
    images: TensorLike,
    size: IntOrInts,
    strides: IntOrInts | None = None,
    dilation_rate: IntOrInts = 1,
    padding: Padding = "valid",
    data_format: DataFormat | None = None,
) -> Tensor:
    """Cut images, or volumes, into patches, each of which becomes a row of channels.

    Args:
        images: `(height, width, channels)` or a batch of them, or channels first; with
            three sizes volumes `(depth, height, width, channels)`.
        size: the height and width of a patch, or depth, height and width.
        strides: how far patches are apart. Default: `size`, side by side.
        dilation_rate: spacing of a patch's elements. Default: 1.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    Returns:
        A tensor with the number of patches along each axis, and for channels the
        elements of a patch, row by row, the channels of each together.

    >>> import hornbeam as keras
    >>> keras.ops.image.extract_patches(keras.ops.ones((2, 20, 20, 3)), (5, 5)).shape
    (2, 4, 4, 75)
    """
    arguments = locals()
    return _patches("extract_patches", images, arguments, _rank_of(arguments))


@composite(rule=_spec("extract_patches_3d", "volumes", lambda a: 3))
def extract_patches_3d(
    volumes: TensorLike,
    size: IntOrInts,
    strides: IntOrInts | None = None,
    dilation_rate: IntOrInts = 1,
    padding: Padding = "valid",
    data_format: DataFormat | None = None,
) -> Tensor:
    """Cut volumes into patches, each of which becomes a row of channels.

    Args:
        volumes: `(depth, height, width, channels)` or a batch of them, or channels
            first.
        size: depth, height and width of a patch, or one number for all.
        strides: how far patches are apart. Default: `size`, side by side.
        dilation_rate: spacing of a patch's elements. Default: 1.
        padding: `"valid"` (default) or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    Returns:
        As `extract_patches`.

    >>> import hornbeam as keras
    >>> keras.ops.image.extract_patches_3d(keras.ops.ones((9, 9, 9, 2)), 3).shape
    (3, 3, 3, 54)
    """
    return _patches("extract_patches_3d", volumes, locals(), 3)
