"""Batches of images as pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core import config
from hornbeam.core.errors import check_choice
from hornbeam.core.warning import warn
from hornbeam.typing import DataFormat
from hornbeam.visualization.checks import numbers


def channels_last(
    owner: str, images: Any, data_format: DataFormat | None
) -> tuple[np.ndarray, bool]:
    """Return images as an array with the channels last, and whether they were first."""
    data_format = data_format or config.image_data_format()
    choices = ("channels_last", "channels_first")
    check_choice(f"{owner}()", "data_format", data_format, choices)
    array = numbers(owner, "images", images)
    if array.dtype.kind not in "iubf":
        array = array.astype("float32")  # of bfloat16 and the like
    is_first = data_format == "channels_first"
    if array.ndim == 4 and is_first:
        array = np.moveaxis(array, 1, -1)
    if array.ndim != 4 or array.shape[-1] not in (1, 3, 4):
        fix = " For one image add the axis of the batch: `image[None]`."
        raise ValueError(
            f"{owner}() expects a batch of images with 1 or 3 channels, of 4 axes "
            f"({data_format}). Received: shape {np.shape(images)}."
            f"{fix * (array.ndim == 3)}"
        )
    return array, is_first


def as_pixels(
    images: np.ndarray, value_range: tuple[float, float] = (0, 255), owner: str = ""
) -> np.ndarray:
    """Return images as uint8; values beyond the range are cut, NaN is 0.

    With an `owner`, the name of a public function, images that look scaled otherwise
    are warned of.
    """
    if images.dtype == np.uint8 and tuple(value_range) == (0, 255):
        return images
    low, high = value_range
    greatest = np.nanmax(np.abs(images), initial=0) if images.dtype.kind == "f" else 0
    if owner and tuple(value_range) == (0, 255) and 0 < greatest <= 1:
        warn(
            f"{owner}(): the values of the images are at most {greatest:.3g}, and with "
            "value_range=(0, 255) they are black. Give value_range=(0, 1), or (-1, 1)."
        )
    scaled = (images.astype(float) - low) * (255 / (high - low))
    return np.clip(np.nan_to_num(scaled), 0, 255).round().astype("uint8")
