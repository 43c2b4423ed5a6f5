"""Resizing images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from hornbeam.core import dtypes
from hornbeam.core.config import standardize_data_format
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.core import cast, convert_to_tensor, saturate_cast
from hornbeam.ops.declare import composite
from hornbeam.ops.image.sampling import wide
from hornbeam.ops.image.scaling import KERNELS, weights_at
from hornbeam.ops.numpy import moveaxis, pad, round, take, tensordot
from hornbeam.typing import DataFormat, Tensor, TensorLike


def resize_weights(old: int, new: int, interpolation: str, antialias: bool) -> Tensor:
    """Return the matrix (old, new) that resizes an axis; pixel centres are at 1/2."""
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    stretch = max(old / new, 1) if antialias else 1
    return weights_at(centres, stretch, old, interpolation).astype("float32")


def _check_resize(images, size, interpolation, crop, pad, fill_mode, data_format):
    """Return the new height and width, and the first of the two axes."""
    if len(size) != 2 or any(n is None or int(n) <= 0 for n in size):
        raise ValueError(
            "resize: `size` must have positive height and width, two integers. "
            f"Received: size={size}"
        )
    choices = ("nearest", *KERNELS)
    check_choice("resize", "interpolation", interpolation, choices)
    check_choice("resize", "fill_mode", fill_mode, ("constant",))
    if crop and pad:
        raise ValueError(
            "resize: only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can "
            "be True."
        )
    if len(images.shape) not in (3, 4):
        raise ValueError(
            "Invalid images rank: expected rank 3 (single image) or rank 4 (batch of "
            f"images). Received: images.shape={tuple(images.shape)}"
        )
    data_format = standardize_data_format(data_format)
    first = len(images.shape) - (3 if data_format == "channels_last" else 2)
    return (int(size[0]), int(size[1])), first


def _resize_spec(a):
    images, size, interpolation, _, crop, pad, fill_mode, _, data_format = a.values()
    (height, width), first = _check_resize(
        images, size, interpolation, crop, pad, fill_mode, data_format
    )
    sizes = list(images.shape)
    sizes[first : first + 2] = height, width
    return KerasTensor(sizes, images.dtype)


@composite(rule=_resize_spec)
def resize(
    images: TensorLike,
    size: tuple[int, int] | Sequence[int],
    interpolation: Literal[
        "bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"
    ] = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: Literal["constant"] = "constant",
    fill_value: float = 0.0,
    data_format: DataFormat | None = None,
) -> Tensor:
    """Resize images.

    Args:
        images: `(height, width, channels)` or a batch of them, or channels first.
        size: the new height and width.
        interpolation: `"bilinear"` (default), `"nearest"`, `"bicubic"`, `"lanczos3"`
            or `"lanczos5"`.
        antialias: whether the kernel widens when the image shrinks. Default: False.
        crop_to_aspect_ratio: whether what does not fit is cut off. Default: False.
        pad_to_aspect_ratio: whether what is missing is filled up. Default: False.
        fill_mode: `"constant"`.
        fill_value: what the padding holds. Default: 0.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> keras.ops.image.resize(keras.ops.ones((1, 4, 4, 3)), (8, 6)).shape
    (1, 8, 6, 3)
    """
    images = convert_to_tensor(images)
    size, first = _check_resize(
        images,
        size,
        interpolation,
        crop_to_aspect_ratio,
        pad_to_aspect_ratio,
        fill_mode,
        data_format,
    )
    dtype = dtypes.standardize_dtype(images.dtype)
    x = images if interpolation == "nearest" else wide(images)
    if crop_to_aspect_ratio:
        x = _cropped(x, size, first)
    elif pad_to_aspect_ratio:
        x = _padded(x, size, first, fill_value)
    for axis, new in enumerate(size, first):
        old = x.shape[axis]
        if old == new:
            continue
        if interpolation == "nearest":
            places = ((np.arange(new) + 0.5) * old / new).astype("int32")
            x = take(x, places, axis=axis)
        else:
            weights = resize_weights(old, new, interpolation, antialias)
            x = moveaxis(tensordot(x, weights, axes=[[axis], [0]]), -1, axis)
    if dtypes.is_int_dtype(dtype) and interpolation != "nearest":
        return saturate_cast(round(x), dtype)
    return cast(x, dtype)


def _fitting(x, size, first):
    """Return the sizes with the aspect ratio of `size` that the image's sides give."""
    height, width = x.shape[first : first + 2]
    return int(width * size[0] / size[1]), int(height * size[1] / size[0])


def _cropped(x, size, first):
    for axis, wanted in enumerate(_fitting(x, size, first), first):
        length = x.shape[axis]
        kept = max(min(wanted, length), 1)
        start = (length - kept) // 2
        x = x[(slice(None),) * axis + (slice(start, start + kept),)]
    return x


def _padded(x, size, first, fill_value):
    around = [(0, 0)] * len(x.shape)
    for axis, wanted in enumerate(_fitting(x, size, first), first):
        half = max(wanted - x.shape[axis], 0) // 2
        around[axis] = (half, half)
    return pad(x, around, constant_values=fill_value)
