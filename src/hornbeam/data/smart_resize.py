"""`smart_resize`: the centre of images, resized without distortion."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.core.errors import check_number
from hornbeam.data.image_files import centre_box
from hornbeam.typing import DataFormat, Tensor, TensorLike


def smart_resize(
    x: TensorLike,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    data_format: DataFormat = "channels_last",
    **kwargs: Any,
) -> Tensor:
    """Return images resized to a shape, cut to its aspect ratio first.

    Args:
        x: an image or a batch of images, an array or a tensor.
        size: the new `(height, width)`.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
            Default: "bilinear"
        data_format: "channels_last" or "channels_first". Default: "channels_last"
        **kwargs: none are used.

    Output: of the kind of `x`, a NumPy array or a tensor.

    >>> import numpy as np
    >>> import hornbeam as keras
    >>> x = np.zeros((34, 50, 3))
    >>> keras.preprocessing.image.smart_resize(x, (20, 20)).shape
    (20, 20, 3)
    """
    if len(size) != 2:
        raise ValueError(
            f"`size` of smart_resize() must be (height, width). Received: size={size}"
        )
    for length in size:
        check_number("smart_resize()", "size", length, low=1, integer=True)
    images: Any = ops.convert_to_tensor(x)
    if len(images.shape) not in (3, 4):
        raise ValueError(
            "`x` of smart_resize() must be an image (height, width, channels) or a "
            f"batch of images. Received an array of shape {tuple(images.shape)}."
        )
    axis = len(images.shape) - (3 if data_format == "channels_last" else 2)
    height, width = images.shape[axis : axis + 2]
    left, top, right, bottom = centre_box(height, width, *size)
    box = (slice(None),) * axis + (slice(top, bottom), slice(left, right))
    how: Any = interpolation
    resized = ops.image.resize(
        images[box], size, interpolation=how, data_format=data_format
    )
    return ops.convert_to_numpy(resized) if isinstance(x, np.ndarray) else resized
