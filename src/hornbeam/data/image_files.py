"""Image files: reading, writing, and arrays from and to Pillow's images."""

from __future__ import annotations

import contextlib
import math
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.core import config
from hornbeam.core.errors import DamagedFileError, check_choice
from hornbeam.core.warning import warn
from hornbeam.data.optional import if_installed, library
from hornbeam.typing import DataFormat, DTypeLike, TensorLike

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
# Pillow's mode for each color mode, and the number of channels.
COLOR_MODES = {"grayscale": ("L", 1), "rgb": ("RGB", 3), "rgba": ("RGBA", 4)}
_RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
# Single channels of more than 8 bits, which `load_img` keeps where gray is asked for.
_JPEG_COLORS = {"L": "GRAY", "RGB": "RGB"}
_DEEP = ("I", "I;16", "I;16B", "I;16L")


def _pillow(what):
    return library("PIL.Image", what)


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Return the image in a file, as an image of Pillow.

    Args:
        path: a path, or a file object that is open for reading bytes.
        color_mode: "grayscale", "rgb" or "rgba". Default: "rgb"
        target_size: the `(height, width)` to resize it to. Default: None
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos",
            as Pillow resizes. Default: "nearest"
        keep_aspect_ratio: whether to cut the centre of the target's aspect ratio out
            before resizing. Default: False

    Raises a `DamagedFileError`, a ValueError, that names a file which is no image or
    is cut off.

    >>> import io
    >>> import numpy as np
    >>> import hornbeam as keras
    >>> file = io.BytesIO()
    >>> keras.utils.save_img(file, np.zeros((4, 6, 3)), file_format="png")
    >>> keras.utils.load_img(file, target_size=(2, 3)).size
    (3, 2)
    """
    if color_mode not in COLOR_MODES:
        raise ValueError(
            '`color_mode` of load_img() must be "grayscale", "rgb" or "rgba". '
            f"Received: color_mode={color_mode!r}"
        )
    if target_size is not None and np.shape(target_size) != (2,):
        raise ValueError(
            "`target_size` of load_img() must be a pair (height, width). Received: "
            f"target_size={target_size!r}"
        )
    image = _opened(path, "load_img()")
    mode = COLOR_MODES[color_mode][0]
    if image.mode != mode and not (mode == "L" and image.mode in _DEEP):
        image = image.convert(mode)
    if target_size is None:
        return image
    check_choice("load_img()", "interpolation", interpolation, _RESAMPLING)
    height, width = target_size
    box = None
    if keep_aspect_ratio:
        box = centre_box(image.height, image.width, height, width)
    elif image.size == (width, height):
        return image
    resampling = getattr(_pillow("load_img()").Resampling, interpolation.upper())
    return image.resize((width, height), resampling, box)


def _opened(path, what, draft=None):
    """Return the image of a file, decoded; errors name the file."""
    pillow = _pillow(what)
    is_path = isinstance(path, str | os.PathLike)
    name = path if is_path else "The file object"
    if not (is_path or hasattr(path, "read")):
        raise TypeError(
            f"`path` of {what} must be a path or a file object. Received: path={path!r}"
        )
    try:
        with open(path, "rb") if is_path else contextlib.nullcontext(path) as file:
            image = pillow.open(file)
            if draft is not None:
                image.draft(draft, None)
            image.load()
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        raise DamagedFileError(
            f"{name} cannot be read as an image: {error}. Expected a complete file of "
            f"one of the formats {', '.join(SUFFIXES)}."
        ) from error
    return image


_arrays = threading.local()


def scratch(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """Return an array of this thread's to compute in; it is used again and again.

    Fresh memory for each image costs as much as what is computed in it.
    """
    size = math.prod(shape)
    array = vars(_arrays).get(name)
    if array is None or array.size < size:
        array = vars(_arrays)[name] = np.empty(size, dtype)
    return array[:size].reshape(shape)


def read_pixels(path: str, mode: str) -> np.ndarray:
    """Return the 8-bit pixels of a file as an array (height, width, channels).

    The array may be used again by the next call in this thread.

    Args:
        path: the path.
        mode: Pillow's mode: "L", "RGB" or "RGBA".
    """
    if mode in _JPEG_COLORS and path.lower().endswith((".jpg", ".jpeg")):
        pixels = _decoded_jpeg(path, _JPEG_COLORS[mode])
        if pixels is not None:
            return pixels
    # A JPEG file holds the brightness itself.
    image = _opened(path, "Reading images", draft="L" if mode == "L" else None)
    if image.mode in _DEEP:
        deep = np.asarray(image)
        image = _pillow("").fromarray((deep >> 8).astype(np.uint8))
    if image.mode != mode:
        image = image.convert(mode)
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _decoded_jpeg(path, colors):
    """Return what libjpeg-turbo makes of a file: Pillow's values in less time, or None.

    What it does not take as it is, Pillow reads or complains about.
    """
    decoder = if_installed("simplejpeg")
    if decoder is None:
        return None
    content = Path(path).read_bytes()
    try:
        height, width, *_ = decoder.decode_jpeg_header(content)
        buffer = scratch(
            "pixels", (height * width * (1 if colors == "GRAY" else 3),), np.uint8
        )
        return decoder.decode_jpeg(content, colors, buffer=buffer, strict=True)
    except ValueError:
        return None


def centre_box(
    height: int, width: int, new_height: int, new_width: int
) -> tuple[int, int, int, int]:
    """Return `(left, top, right, bottom)` of the largest centred box of a new shape."""
    box_height = max(1, min(height, int(width * new_height / new_width)))
    box_width = max(1, min(width, int(height * new_width / new_height)))
    top, left = (height - box_height) // 2, (width - box_width) // 2
    return left, top, left + box_width, top + box_height


def img_to_array(
    img: Any, data_format: DataFormat | None = None, dtype: DTypeLike | None = None
) -> np.ndarray:
    """Return an image of Pillow as an array of three axes.

    Args:
        img: an image of Pillow, or an array of two or three axes.
        data_format: "channels_last" or "channels_first". Default: None (that of
            `keras.config.image_data_format()`)
        dtype: the dtype. Default: None (`keras.config.floatx()`)

    >>> from PIL import Image
    >>> import hornbeam as keras
    >>> keras.utils.img_to_array(Image.new("RGB", (4, 2))).shape
    (2, 4, 3)
    """
    first = config.standardize_data_format(data_format) == "channels_first"
    array = np.asarray(img, dtype=np.dtype(dtype or config.floatx()))
    if array.ndim == 2:
        return array[None] if first else array[..., None]
    if array.ndim != 3:
        raise ValueError(
            "`img` of img_to_array() must have two or three axes. Received an image of "
            f"shape {array.shape}."
        )
    return np.moveaxis(array, -1, 0) if first else array


def array_to_img(
    x: TensorLike,
    data_format: DataFormat | None = None,
    scale: bool = True,
    dtype: DTypeLike | None = None,
) -> Any:
    """Return an array of three axes as an image of Pillow.

    Args:
        x: an array or tensor with 1, 3 or 4 channels.
        data_format: "channels_last" or "channels_first". Default: None (that of
            `keras.config.image_data_format()`)
        scale: whether the values are moved and scaled to [0, 255]. Default: True
        dtype: the dtype to compute in. Default: None (`keras.config.floatx()`)

    >>> import numpy as np
    >>> import hornbeam as keras
    >>> keras.utils.array_to_img(np.ones((2, 4, 3))).size
    (4, 2)
    """
    pillow = _pillow("array_to_img()")
    engine = backends.of(x)
    array = np.asarray(
        x if engine is None else engine.to_numpy(x),
        dtype=np.dtype(dtype or config.floatx()),
    )
    if array.ndim != 3:
        raise ValueError(
            "`x` of array_to_img() must be one image, an array of three axes (height, "
            f"width, channels). Received an array of shape {array.shape}."
        )
    if config.standardize_data_format(data_format) == "channels_first":
        array = np.moveaxis(array, 0, -1)
    if array.shape[-1] not in (1, 3, 4):
        raise ValueError(
            "`x` of array_to_img() must have 1, 3 or 4 channels. Received: "
            f"{array.shape[-1]} channels (data_format={data_format!r})"
        )
    if scale:
        array = array - array.min()
        largest = array.max()
        array = array / (largest or 1) * 255
    if array.shape[-1] > 1:
        return pillow.fromarray(array.astype(np.uint8))
    if array.max() > 255:  # more than 8 bits: 32 of them
        return pillow.fromarray(array[..., 0].astype(np.int32))
    return pillow.fromarray(array[..., 0].astype(np.uint8))


def save_img(
    path: Any,
    x: TensorLike,
    data_format: DataFormat | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array as an image file.

    Args:
        path: a path, or a file object that is open for writing bytes.
        x: an array or tensor of three axes.
        data_format: "channels_last" or "channels_first". Default: None (that of
            `keras.config.image_data_format()`)
        file_format: the format, such as "png". Default: None (by the suffix of `path`)
        scale: whether the values are moved and scaled to [0, 255]. Default: True
        **kwargs: arguments of Pillow's `Image.save`.
    """
    image = array_to_img(x, data_format=data_format, scale=scale)
    is_path = isinstance(path, str | os.PathLike)
    if file_format is None and not is_path:
        raise ValueError("save_img() needs `file_format` to write to a file object.")
    suffix = (file_format or Path(path).suffix).lower().lstrip(".")
    if image.mode == "RGBA" and suffix in ("jpg", "jpeg"):
        warn("JPEG files hold no transparency: save_img() writes red, green, blue.")
        image = image.convert("RGB")
    image.save(path, format="jpeg" if file_format == "jpg" else file_format, **kwargs)
