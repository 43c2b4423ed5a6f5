"""Windows that slide over images: blur, edges, and the similarity of two images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.core import dtypes
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import rules, windows
from hornbeam.ops.axes import shape_of
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.declare import composite
from hornbeam.ops.image.axes import spatial_axes
from hornbeam.ops.image.sampling import narrowed, wide
from hornbeam.ops.numpy import divide, exp, mean, pad, square, stack, sum
from hornbeam.typing import DataFormat, IntOrInts, Padding, Tensor, TensorLike


def gaussian_kernel(size: int, sigma: Any) -> Tensor:
    """Return `size` weights that add up to 1."""
    places = np.arange(size, dtype="float32") - (size - 1) / 2
    weights = exp(-0.5 * square(divide(places, sigma)))
    return weights / sum(weights)


def window_sum(x: Tensor, weights: Any, axis: int, padding: Padding) -> Tensor:
    """Return the weighted sums of the windows along an axis; "same" pads with zeros."""
    (count,) = shape_of(weights)
    if padding == "same":
        widths = [(0, 0)] * len(x.shape)
        widths[axis] = ((count - 1) // 2, count // 2)
        x = pad(x, widths)
    total: Any = 0
    for i in range(count):
        part = slice(i, (i - count + 1) or None)
        total = total + x[(slice(None),) * axis + (part,)] * weights[i]
    return total


def _blur_plan(images, kernel_size, sigma, data_format):
    """Return the first spatial axis, and the sizes and widths of the two kernels."""
    first, _ = spatial_axes("gaussian_blur", images, data_format)
    sizes = windows.per_axis(kernel_size, 2, "gaussian_blur", "kernel_size")
    if min(sizes) < 1:
        raise ValueError(
            "gaussian_blur(): `kernel_size` must be positive. Received: "
            f"kernel_size={kernel_size}"
        )
    if shape_of(sigma) not in ((), (2,)):
        raise ValueError(
            "gaussian_blur(): `sigma` must be a number, or one for height and one for "
            f"width. Received: sigma={sigma}"
        )
    widths = (sigma, sigma) if shape_of(sigma) == () else (sigma[0], sigma[1])
    return first, sizes, widths


def _blur_spec(a):
    _blur_plan(*a.values())
    return KerasTensor(a["images"].shape, a["images"].dtype)


@composite(rule=_blur_spec)
def gaussian_blur(
    images: TensorLike,
    kernel_size: IntOrInts = (3, 3),
    sigma: float | Sequence[float] = (1.0, 1.0),
    data_format: DataFormat | None = None,
) -> Tensor:
    """Blur images: each pixel becomes a mean of its surroundings, weighted by distance.

    Beyond the edges the images are 0.

    Args:
        images: `(height, width, channels)` or a batch of them, or channels first.
        kernel_size: height and width of the surroundings in pixels, or one number for
            both. Default: (3, 3).
        sigma: standard deviation of the Gaussian along height and width in pixels, or
            one number for both. Default: (1.0, 1.0).
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    Returns:
        A tensor of the shape and dtype of `images`; integers are rounded.

    >>> import hornbeam as keras
    >>> x = keras.ops.pad(keras.ops.ones((1, 1, 1)), ((1, 1), (1, 1), (0, 0)))
    >>> [round(float(v), 3) for v in keras.ops.image.gaussian_blur(x)[1, :, 0]]
    [0.124, 0.204, 0.124]
    """
    images = convert_to_tensor(images)
    first, sizes, widths = _blur_plan(images, kernel_size, sigma, data_format)
    x = wide(images)
    for axis, size, width in zip((first, first + 1), sizes, widths, strict=True):
        x = window_sum(x, gaussian_kernel(size, width), axis, "same")
    return narrowed(x, dtypes.standardize_dtype(images.dtype))


def _sobel_spec(a):
    images = a["images"]
    spatial_axes("sobel_edges", images, a["data_format"])
    return KerasTensor((*images.shape, 2), dtypes.result_type(images.dtype, "int32"))


@composite(rule=_sobel_spec)
def sobel_edges(images: TensorLike, data_format: DataFormat | None = None) -> Tensor:
    """Return how fast images change from pixel to pixel, after Sobel.

    Along one axis the difference `[-1, 0, 1]` is taken, along the other the sum
    `[1, 2, 1]`. Beyond the edges the images are 0.

    Args:
        images: `(height, width, channels)` or a batch of them, or channels first.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    Returns:
        The shape of `images` with a last axis of 2: the change down the height, and
        that along the width. Floats keep their dtype, integers have at least 32 bits.

    >>> import hornbeam as keras
    >>> x = keras.ops.reshape(keras.ops.arange(9.0), (3, 3, 1))
    >>> keras.ops.image.sobel_edges(x)[1, 1, 0].tolist()
    [24.0, 8.0]
    """
    images = convert_to_tensor(images)
    first, _ = spatial_axes("sobel_edges", images, data_format)
    dtype = dtypes.result_type(dtypes.standardize_dtype(images.dtype), "int32")
    x = cast(images, dtype)
    down, along = (
        window_sum(
            window_sum(x, (1, 2, 1), smooth, "same"), (-1, 0, 1), changing, "same"
        )
        for changing, smooth in ((first, first + 1), (first + 1, first))
    )
    return stack([down, along], axis=-1)


def _similarity_plan(image1, image2, filter_size, data_format):
    """Return the first spatial axis and that of the channels."""
    first, channels = spatial_axes("ssim", image1, data_format)
    shapes = tuple(image1.shape), tuple(image2.shape)
    if not rules.may_be_equal(*shapes):
        raise ValueError(
            "ssim(): `image1` and `image2` must have the same shape. Received: "
            f"image1.shape={shapes[0]}, image2.shape={shapes[1]}"
        )
    known = [n for n in shapes[0][first : first + 2] if isinstance(n, int)]
    if filter_size < 1 or any(filter_size > n for n in known):
        raise ValueError(
            "ssim(): `filter_size` must be at least 1 and at most the height and width "
            f"of the images. Received: filter_size={filter_size}, "
            f"image1.shape={shapes[0]}"
        )
    return first, channels


def _similarity_dtype(x1, x2):
    return dtypes.result_type(*map(rules.weak_dtype, (x1, x2)), float)


def _similarity_spec(a):
    image1, image2 = a["image1"], a["image2"]
    _similarity_plan(image1, image2, a["filter_size"], a["data_format"])
    return KerasTensor(image1.shape[:-3], _similarity_dtype(image1, image2))


@composite(rule=_similarity_spec)
def ssim(
    image1: TensorLike,
    image2: TensorLike,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: DataFormat | None = None,
) -> Tensor:
    """Return how similar two images look: 1 where they are equal, at least -1.

    The mean, over all windows and channels, of `(2 m1 m2 + c1) (2 v12 + c2) /
    ((m1^2 + m2^2 + c1) (v1 + v2 + c2))` with means `m`, variances `v` and covariance
    `v12` in a window weighted by a Gaussian, and `c = (k max_val)^2`.

    Args:
        image1: `(height, width, channels)` or a batch of them, or channels first.
        image2: the same.
        max_val: the range of the values: 1 (default), or 255 for 8-bit images.
        filter_size: height and width of the window in pixels. Default: 11.
        filter_sigma: standard deviation of the Gaussian in pixels. Default: 1.5.
        k1: what keeps dark windows stable. Default: 0.01.
        k2: what keeps even windows stable. Default: 0.03.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    Returns:
        A float for each pair of images, a scalar for a single one.

    Reference: Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from
    error visibility to structural similarity" (2004).

    >>> import hornbeam as keras
    >>> x = keras.ops.reshape(keras.ops.arange(432.0) / 432, (12, 12, 3))
    >>> round(float(keras.ops.image.ssim(x, 1 - x)), 3)
    -0.931
    """
    image1, image2 = convert_to_tensor(image1), convert_to_tensor(image2)
    first, channels = _similarity_plan(image1, image2, filter_size, data_format)
    dtype = _similarity_dtype(image1, image2)
    x1, x2 = wide(image1), wide(image2)
    moments = stack([x1, x2, square(x1) + square(x2), x1 * x2])
    kernel = gaussian_kernel(filter_size, filter_sigma)
    for axis in (first + 1, first + 2):
        moments = window_sum(moments, kernel, axis, "valid")
    mean1, mean2, squares, products = (moments[i] for i in range(4))
    product, length = mean1 * mean2, square(mean1) + square(mean2)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    luminance = (2 * product + c1) / (length + c1)
    structure = (2 * (products - product) + c2) / (squares - length + c2)
    axes = sorted((first, first + 1, channels))
    return cast(mean(luminance * structure, axis=axes), dtype)
