"""Colours: red, green and blue; grey; hue, saturation and value."""

from __future__ import annotations

import numpy as np

from hornbeam.core import dtypes
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.declare import composite
from hornbeam.ops.image.axes import spatial_axes
from hornbeam.ops.numpy import (
    clip,
    divide_no_nan,
    equal,
    max,
    min,
    minimum,
    mod,
    moveaxis,
    split,
    stack,
    where,
)
from hornbeam.typing import DataFormat, Tensor, TensorLike

# How bright a colour looks: luma of Rec. ITU-R BT.601.
_LUMA = np.array([0.2989, 0.587, 0.114], "float32")


def _channels(owner, images, data_format):
    """Return the axis of the three channels."""
    _, axis = spatial_axes(owner, images, data_format)
    if images.shape[axis] not in (3, None):
        raise ValueError(
            f"{owner}() expects images with 3 channels at axis {axis}. Received: "
            f"images.shape={tuple(images.shape)}, data_format={data_format}"
        )
    return axis


def _check_float(owner, images):
    if not dtypes.is_float_dtype(images.dtype):
        raise ValueError(
            f"Invalid images dtype: {owner}() expects floats in [0, 1]. "
            f"Received: images.dtype={images.dtype}"
        )


def _gray_axis(images, data_format):
    """Return the axis of the channels, and whether they are gray already."""
    _, axis = spatial_axes("rgb_to_grayscale", images, data_format)
    if images.shape[axis] == 1:
        return axis, True
    return _channels("rgb_to_grayscale", images, data_format), False


def _gray_spec(a):
    shape = list(a["images"].shape)
    shape[_gray_axis(a["images"], a["data_format"])[0]] = 1
    return KerasTensor(shape, a["images"].dtype)


@composite(rule=_gray_spec)
def rgb_to_grayscale(
    images: TensorLike, data_format: DataFormat | None = None
) -> Tensor:
    """Make images grey: `0.2989 red + 0.587 green + 0.114 blue`, as one channel.

    Images of one channel stay as they are. Source: luma of Rec. ITU-R BT.601.

    Args:
        images: `(height, width, 3)`, `(height, width, 1)` or a batch of them, or
            channels first.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> keras.ops.image.rgb_to_grayscale(keras.ops.ones((4, 4, 3))).shape
    (4, 4, 1)
    """
    images = convert_to_tensor(images)
    axis, is_gray = _gray_axis(images, data_format)
    if is_gray:
        return images
    wide = _wide(images)
    # A product with a matrix takes twice the time.
    red, green, blue = split(wide, 3, axis=axis)
    r, g, b = (float(weight) for weight in _LUMA)
    return cast(red * r + green * g + blue * b, images.dtype)


def _same_spec(owner):
    def spec(a):
        _channels(owner, a["images"], a["data_format"])
        _check_float(owner, a["images"])
        return KerasTensor(a["images"].shape, a["images"].dtype)

    return spec


def _split(owner, images, data_format):
    """Return the three channels, wide enough for colour, their axis, the dtype."""
    images = convert_to_tensor(images)
    axis = _channels(owner, images, data_format)
    _check_float(owner, images)
    first = moveaxis(_wide(images), axis, 0)
    return first[0], first[1], first[2], axis, images.dtype


def _wide(images):
    return images if images.dtype == "float64" else cast(images, "float32")


@composite(rule=_same_spec("rgb_to_hsv"))
def rgb_to_hsv(images: TensorLike, data_format: DataFormat | None = None) -> Tensor:
    """Red, green and blue as hue, saturation and value.

    With V the largest and m the smallest of the three: `S = (V - m) / V`, and H is the
    place on the colour circle in [0, 1): 0 is red, 1/3 green, 2/3 blue.

    Source: Smith, 1978.

    Args:
        images: floats in [0, 1], `(height, width, 3)` or a batch of them, or channels
            first.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> red = keras.ops.array([[[1.0, 0.0, 0.0]]])
    >>> [float(x) for x in keras.ops.image.rgb_to_hsv(red)[0, 0]]
    [0.0, 1.0, 1.0]
    """
    red, green, blue, axis, dtype = _split("rgb_to_hsv", images, data_format)
    colors = stack([red, green, blue])
    value = max(colors, axis=0)
    chroma = value - min(colors, axis=0)
    place = where(
        equal(value, red),
        mod(divide_no_nan(green - blue, chroma), 6.0),
        where(
            equal(value, green),
            divide_no_nan(blue - red, chroma) + 2.0,
            divide_no_nan(red - green, chroma) + 4.0,
        ),
    )
    saturation = divide_no_nan(chroma, value)
    return cast(stack([place / 6.0, saturation, value], axis=axis), dtype)


@composite(rule=_same_spec("hsv_to_rgb"))
def hsv_to_rgb(images: TensorLike, data_format: DataFormat | None = None) -> Tensor:
    """Hue, saturation and value as red, green and blue.

    `f(n) = V - V S max(0, min(k, 4 - k, 1))` with `k = (n + 6 H) mod 6`; red is f(5),
    green f(3), blue f(1).

    Source: Smith, 1978.

    Args:
        images: floats in [0, 1], `(height, width, 3)` or a batch of them, or channels
            first.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> green = keras.ops.array([[[1 / 3, 1.0, 1.0]]])
    >>> [round(float(x), 4) for x in keras.ops.image.hsv_to_rgb(green)[0, 0]]
    [0.0, 1.0, 0.0]
    """
    hue, saturation, value, axis, dtype = _split("hsv_to_rgb", images, data_format)

    def color(n):
        k = mod(hue * 6.0 + n, 6.0)
        return value - value * saturation * clip(minimum(k, 4.0 - k), 0.0, 1.0)

    return cast(stack([color(5.0), color(3.0), color(1.0)], axis=axis), dtype)
