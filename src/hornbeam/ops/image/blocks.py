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


def _plan(owner, rank, images, size, strides, dilation_rate, padding, data_format):
    """Return the first spatial axis, that of channels, and (k, s, d) of each axis."""
    if not isinstance(size, int) and len(size) != rank:
        raise TypeError(
            f"{owner}(): `size` must be an integer, or {rank} of them. "
            f"Received: size={size!r}"
        )
    first, channels = spatial_axes(owner, images, data_format, rank)
    windows.check_padding(padding, owner)
    sizes = {"size": size, "strides": size if strides is None else strides}
    per_axis = [
        windows.per_axis(value, rank, owner, name) for name, value in sizes.items()
    ]
    for name, numbers in zip(sizes, per_axis, strict=True):
        if min(numbers) < 1:
            raise ValueError(
                f"{owner}(): `{name}` must be positive. Received: {name}={sizes[name]}"
            )
    dilation = windows.per_axis(dilation_rate, rank, owner, "dilation_rate")
    return first, channels, list(zip(*per_axis, dilation, strict=True))


def _rank_of(size):
    """Return the rank of the patches: the number of sizes, 2 for one number."""
    if isinstance(size, int):
        return 2
    if not isinstance(size, list | tuple) or len(size) not in (2, 3):
        raise TypeError(
            "extract_patches(): `size` must be an integer, or 2 or 3 of them. "
            f"Received: size={size!r}"
        )
    return len(size)


def _spec(owner, rank_of):
    def spec(a):
        images, size, *_ = a.values()
        first, channels, windows_of = _plan(owner, rank_of(size), *a.values())
        shape = list(images.shape)
        for axis, (k, s, d) in enumerate(windows_of, first):
            shape[axis] = windows.output_size(shape[axis], k, s, a["padding"], d)
        elements = [k for k, _, _ in windows_of]
        shape[channels] = rules.size_of((shape[channels], *elements))
        return KerasTensor(shape, images.dtype)

    return spec


def _patches(owner, rank, images, size, strides, dilation_rate, padding, data_format):
    """Each axis becomes windows and their elements, and these go to the channels."""
    images = convert_to_tensor(images)
    _, channels, windows_of = _plan(
        owner, rank, images, size, strides, dilation_rate, padding, data_format
    )
    x = moveaxis(images, channels, -1)
    first = len(x.shape) - rank - 1
    widths = [(0, 0)] * len(x.shape)
    for axis, (k, s, d) in enumerate(windows_of, first):
        widths[axis] = windows.pads(x.shape[axis], k, s, padding, d)
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


@composite(rule=_spec("extract_patches", _rank_of))
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
    return _patches(
        "extract_patches",
        _rank_of(size),
        images,
        size,
        strides,
        dilation_rate,
        padding,
        data_format,
    )


@composite(rule=_spec("extract_patches_3d", lambda size: 3))
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
    return _patches(
        "extract_patches_3d",
        3,
        volumes,
        size,
        strides,
        dilation_rate,
        padding,
        data_format,
    )
