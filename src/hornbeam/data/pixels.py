"""Resizing of images on the host, as `tf.image.resize` computes it, without TensorFlow.

A value is the weighted mean of pixels near its place, `(i + 1/2) old / new - 1/2` along
each axis; the kernel is not widened where images get smaller (no antialiasing).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from hornbeam.data.image_files import centre_box, scratch
from hornbeam.data.optional import if_installed
from hornbeam.ops.image.resizing import resize_weights

_KERNELS: dict[str, Any] = {
    "gaussian": (1.5, lambda d: np.exp(-2 * d * d)),
    # Mitchell and Netravali (1988) with B = C = 1/3.
    "mitchellcubic": (
        2,
        lambda d: np.where(
            d < 1,
            (7 * d - 12) * d * d + 16 / 3,
            ((-7 / 3 * d + 12) * d - 20) * d + 32 / 3,
        ),
    ),
}
INTERPOLATIONS = (
    "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", *_KERNELS,
)  # fmt: skip


def resize_into(
    out: np.ndarray,
    pixels: np.ndarray,
    interpolation: str = "bilinear",
    crop: bool = False,
    pad: bool = False,
) -> None:
    """Write pixels (height, width, channels), resized, into an array of floats.

    Args:
        out: an array (new height, new width, channels) of float32.
        pixels: an array of 8-bit integers.
        interpolation: one of `INTERPOLATIONS`. Default: "bilinear"
        crop: whether the largest centred box of the new shape is taken. Default: False
        pad: whether the image keeps its shape, with zeros around it. Default: False
    """
    height, width = out.shape[:2]
    if crop:
        left, top, right, bottom = centre_box(
            pixels.shape[0], pixels.shape[1], height, width
        )
        pixels = pixels[top:bottom, left:right]
    elif pad:
        inner = _inner(out, *pixels.shape[:2])
        if inner.shape != out.shape:
            out[...] = 0
            resized = np.empty(inner.shape, out.dtype)
            resize_into(resized, pixels, interpolation)
            inner[...] = resized
            return
    if pixels.shape == out.shape:
        out[...] = pixels
    elif interpolation == "bilinear":
        _bilinear(out, pixels)
    elif interpolation == "nearest":
        rows, columns = map(_nearest, pixels.shape, out.shape[:2])
        out[...] = pixels[rows[:, None], columns]
    else:
        rows, columns = (
            _weights(old, new, interpolation)
            for old, new in zip(pixels.shape, out.shape[:2], strict=False)
        )
        resized = np.tensordot(rows, pixels.astype(np.float32), (0, 0))
        out[...] = np.moveaxis(np.tensordot(columns, resized, (0, 1)), 0, 1)


def _inner(out, height, width):
    """Return the part of an array that an image fills whose shape is kept."""
    # In float32, as Keras: it decides where a length is a whole number.
    ratio = max(np.float32(height / out.shape[0]), np.float32(width / out.shape[1]))
    new = [max(1.0, float(np.float32(length) / ratio)) for length in (height, width)]
    top, left = (
        int((length - size) / 2) for length, size in zip(out.shape, new, strict=False)
    )
    return out[top : top + int(new[0]), left : left + int(new[1])]


def _bilinear(out, pixels):
    """The case that matters for speed: four gathers and three interpolations."""
    opencv = if_installed("cv2")
    height, width, channels = out.shape
    if opencv is not None and out.flags.c_contiguous:
        floats = scratch("floats", pixels.shape, np.float32)
        np.copyto(floats, pixels)
        one = (..., 0) if channels == 1 else ...
        opencv.resize(
            floats[one], (width, height), out[one], interpolation=opencv.INTER_LINEAR
        )
        return
    flat = np.ascontiguousarray(pixels).reshape(len(pixels), -1)
    top, bottom, down = _neighbours(len(pixels), height, 1)
    left, right, across = _neighbours(pixels.shape[1], width, channels)
    target = out.reshape(height, width * channels)
    near = scratch("near", target.shape, np.uint8)
    far = scratch("far", target.shape, np.uint8)
    step = scratch("step", target.shape, np.int16)
    upper = scratch("upper", target.shape, np.float32)

    def interpolated(rows, values):
        rows = flat.take(rows, 0, mode="clip")
        rows.take(left, 1, out=near, mode="clip")
        rows.take(right, 1, out=far, mode="clip")
        np.subtract(far, near, out=step, dtype=np.int16)
        np.copyto(values, step)
        values *= across
        values += near

    interpolated(top, upper)
    interpolated(bottom, target)
    target -= upper
    target *= down[:, None]
    target += upper


@functools.lru_cache(maxsize=256)
def _neighbours(old, new, channels):
    """Return for each value its two neighbours along an axis, and how far between."""
    place = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * np.float32(old / new)
    place = np.maximum(place - np.float32(0.5), 0)
    before = np.minimum(place.astype(np.int64), old - 1)
    after = np.minimum(before + 1, old - 1)
    channel = np.arange(channels)
    before, after, between = (
        np.repeat(before, channels).reshape(-1, channels) * channels + channel,
        np.repeat(after, channels).reshape(-1, channels) * channels + channel,
        np.repeat((place - before).astype(np.float32), channels),
    )
    return before.ravel(), after.ravel(), between


def _nearest(old, new):
    place = (np.arange(new, dtype=np.float32) + 0.5) * np.float32(old / new)
    return np.minimum(place.astype(np.int64), old - 1)


@functools.lru_cache(maxsize=256)
def _weights(old, new, interpolation):
    """Return the matrix (old, new) that resizes an axis."""
    if interpolation == "area":
        edges = np.arange(new + 1) * old / new
        pixel = np.arange(old)[:, None]
        ends = np.minimum(edges[1:], pixel + 1), np.maximum(edges[:-1], pixel)
        return (np.maximum(ends[0] - ends[1], 0) * new / old).astype(np.float32)
    if interpolation not in _KERNELS:
        return resize_weights(old, new, interpolation, antialias=False)
    radius, kernel = _KERNELS[interpolation]
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    distance = np.abs(centres - np.arange(old)[:, None])
    weights = np.where(distance < radius, kernel(distance), 0)
    return (weights / weights.sum(0)).astype(np.float32)
