"""Resizing images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from hornbeam import backends
from hornbeam.core import dtypes
from hornbeam.core.config import standardize_data_format
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import numpy as tensors
from hornbeam.ops.core import cast, convert_to_tensor, saturate_cast, shape
from hornbeam.ops.declare import composite
from hornbeam.ops.image.sampling import wide
from hornbeam.ops.image.scaling import KERNELS, weights_at
from hornbeam.ops.numpy import (
    maximum,
    minimum,
    moveaxis,
    pad,
    reshape,
    round,
    take,
    tensordot,
)
from hornbeam.typing import DataFormat, Tensor, TensorLike


def resize_weights(old: Any, new: int, interpolation: str, antialias: bool) -> Any:
    """Return the matrix (old, new) that resizes an axis; pixel centres are at 1/2.

    Args:
        old: the size; a tensor where it is unknown while a program is traced.
        new: the new size.
        interpolation: a name in `KERNELS`.
        antialias: whether the kernel widens when the image shrinks.
    """
    xp: Any = np if isinstance(old, int) else tensors
    ratio = _ratio(old, new)
    centres = _centres(old, new) - 0.5
    stretch = xp.maximum(ratio, 1) if antialias else 1
    weights = weights_at(centres, stretch, old, interpolation, xp)
    return weights.astype("float32") if xp is np else weights


def _centres(old, new):
    """Return where the centres of new pixels are, from 0 to the old size."""
    if isinstance(old, int):
        return (np.arange(new) + 0.5) * old / new
    return (tensors.arange(new, dtype="float32") + 0.5) * _ratio(old, new)


def _ratio(old, new):
    return old / new if isinstance(old, int) else cast(old, "float32") / new


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
    if interpolation == "bilinear" and not antialias and _has_kernel(x):
        x = _by_kernel(x, size, first)
    for axis, new in enumerate(size, first):
        x = _along_axis(x, axis, new, interpolation, antialias)
    if dtypes.is_int_dtype(dtype) and interpolation != "nearest":
        return saturate_cast(round(x), dtype)
    return cast(x, dtype)


def _has_kernel(x):
    is_float32 = dtypes.standardize_dtype(x.dtype) == "float32"
    return is_float32 and backends.current().resize_bilinear is not None


def _by_kernel(x, size, first):
    """Resize both axes as the engine does it."""
    sizes = shape(x)
    before, after = sizes[:first], sizes[first + 2 :]
    images = reshape(x, (math.prod(before), *sizes[first : first + 2], *(after or [1])))
    return reshape(
        backends.current().resize_bilinear(images, size), (*before, *size, *after)
    )


def _along_axis(x, axis, new, interpolation, antialias):
    """Resize one axis."""
    old = shape(x)[axis]
    if isinstance(old, int) and old == new:
        return x
    if interpolation == "nearest":
        return take(x, cast(_centres(old, new), "int32"), axis=axis)
    if interpolation == "bilinear" and _has_two_taps(old, new, antialias):
        return _between_two(x, axis, old, new)
    weights = resize_weights(old, new, interpolation, antialias)
    return moveaxis(tensordot(x, weights, axes=[[axis], [0]]), -1, axis)


def _has_two_taps(old, new, antialias):
    """Whether each new pixel of a bilinear kernel lies between two."""
    return isinstance(old, int) and old > 1 and not (antialias and old > new)


def _between_two(x, axis, old, new):
    """Resize an axis; a third of the time of a product with a matrix."""
    places = np.clip(_centres(old, new) - 0.5, 0, old - 1)
    low = np.minimum(places.astype("int32"), old - 2)
    weights = (places - low).astype("float32")
    high = reshape(cast(weights, x.dtype), (-1,) + (1,) * (len(x.shape) - axis - 1))
    return take(x, low, axis=axis) * (1 - high) + take(x, low + 1, axis=axis) * high


def _fitting(x, size, first):
    """Return the sizes with the aspect ratio of `size` that the image's sides give."""
    height, width = shape(x)[first : first + 2]
    return fitting(width, size[0], size[1]), fitting(height, size[1], size[0])


def fitting(length: Any, numerator: int, denominator: int) -> Any:
    """Return `length * numerator / denominator`, cut to an integer."""
    if isinstance(length, int):
        return int(length * numerator / denominator)
    return cast(cast(length, "float32") * (numerator / denominator), "int32")


def least(a: Any, b: Any) -> Any:
    """Return the smaller of two sizes, numbers or tensors, but at least 1."""
    known = isinstance(a, int) and isinstance(b, int)
    return max(min(a, b), 1) if known else maximum(minimum(a, b), 1)


def greatest(a: Any, b: Any) -> Any:
    """Return the greater of two sizes, numbers or tensors."""
    known = isinstance(a, int) and isinstance(b, int)
    return max(a, b) if known else maximum(a, b)


def _cropped(x, size, first):
    for axis, wanted in enumerate(_fitting(x, size, first), first):
        length = shape(x)[axis]
        kept = least(wanted, length)
        start = (length - kept) // 2
        x = x[(slice(None),) * axis + (slice(start, start + kept),)]
    return x


def _padded(x, size, first, fill_value):
    around: list[Any] = [(0, 0)] * len(x.shape)
    for axis, wanted in enumerate(_fitting(x, size, first), first):
        length = shape(x)[axis]
        half = (greatest(wanted, length) - length) // 2
        around[axis] = (half, half)
    return pad(x, around, constant_values=fill_value)
