"""Cutting off the borders of images, and adding some."""

from __future__ import annotations

from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.core import convert_to_tensor
from hornbeam.ops.declare import composite
from hornbeam.ops.image.axes import spatial_axes
from hornbeam.ops.numpy import pad
from hornbeam.typing import DataFormat, Tensor, TensorLike


def _borders(owner, kind, images, top, left, bottom, right, height, width, data_format):
    """Return the first spatial axis, and for each of two the border and the new size.

    `kind` is "cropping" or "padding". What is unknown is None.
    """
    first, _ = spatial_axes(owner, images, data_format)
    sign = -1 if kind == "cropping" else 1
    sides = []
    for axis, (before, after, target, numbers) in enumerate(
        (
            ("top", "bottom", "target_height", (top, bottom, height)),
            ("left", "right", "target_width", (left, right, width)),
        ),
        first,
    ):
        names = (f"{before}_{kind}", f"{after}_{kind}", target)
        if sum(number is None for number in numbers) != 1:
            raise ValueError(
                f"{owner}(): must specify exactly two of "
                f"{names[0]}, {names[1]}, {names[2]}. Received: "
                + ", ".join(f"{n}={v}" for n, v in zip(names, numbers, strict=True))
            )
        size = images.shape[axis]
        if size is None and numbers[2] is None and kind == "cropping":
            raise ValueError(
                f"{owner}(): where the size of the images is unknown, `{target}` must "
                f"be given. Received: images.shape={tuple(images.shape)}"
            )
        sides.append(_side(owner, names, numbers, size, sign))
    return first, sides


def _side(owner, names, numbers, size, sign):
    before, after, target = numbers
    if size is not None:
        if target is None:
            target = size + sign * (before + after)
        border = sign * (target - size)
        before = border - after if before is None else before
        after = border - before
    for name, number in zip(names, (before, after, target), strict=True):
        least = 1 if name == names[2] else 0
        if number is not None and number < least:
            raise ValueError(
                f"{owner}(): `{name}` must be >= {least}. Received: {name}={number} "
                f"for images whose size is {size} there"
            )
    return before, after, target


def _spec(owner, kind):
    def spec(a):
        first, sides = _borders(owner, kind, *a.values())
        shape = list(a["images"].shape)
        shape[first : first + 2] = [target for _, _, target in sides]
        return KerasTensor(shape, a["images"].dtype)

    return spec


@composite(rule=_spec("crop_images", "cropping"))
def crop_images(
    images: TensorLike,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: DataFormat | None = None,
) -> Tensor:
    """Cut off the borders of images.

    Pass two of `top_cropping`, `bottom_cropping` and `target_height`, and likewise
    of the three for the width.

    Args:
        images: `(height, width, channels)` or a batch of them, or channels first.
        top_cropping: rows cut off at the top.
        left_cropping: columns cut off on the left.
        bottom_cropping: rows cut off at the bottom.
        right_cropping: columns cut off on the right.
        target_height: the height that remains.
        target_width: the width that remains.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> images = keras.ops.ones((5, 6, 3))
    >>> keras.ops.image.crop_images(images, 1, 2, target_height=3, target_width=4).shape
    (3, 4, 3)
    """
    images = convert_to_tensor(images)
    first, sides = _borders(
        "crop_images",
        "cropping",
        images,
        top_cropping,
        left_cropping,
        bottom_cropping,
        right_cropping,
        target_height,
        target_width,
        data_format,
    )
    parts = [slice(before, before + target) for before, _, target in sides]
    return images[(slice(None),) * first + tuple(parts)]


@composite(rule=_spec("pad_images", "padding"))
def pad_images(
    images: TensorLike,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: DataFormat | None = None,
) -> Tensor:
    """Add borders of zeros to images.

    Pass two of `top_padding`, `bottom_padding` and `target_height`, and likewise
    of the three for the width.

    Args:
        images: `(height, width, channels)` or a batch of them, or channels first.
        top_padding: rows added at the top.
        left_padding: columns added on the left.
        bottom_padding: rows added at the bottom.
        right_padding: columns added on the right.
        target_height: the new height.
        target_width: the new width.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    >>> import hornbeam as keras
    >>> images = keras.ops.ones((5, 6, 3))
    >>> keras.ops.image.pad_images(images, 1, 2, target_height=8, target_width=9).shape
    (8, 9, 3)
    """
    images = convert_to_tensor(images)
    first, sides = _borders(
        "pad_images",
        "padding",
        images,
        top_padding,
        left_padding,
        bottom_padding,
        right_padding,
        target_height,
        target_width,
        data_format,
    )
    widths = [(0, 0)] * len(images.shape)
    widths[first : first + 2] = [(before, after) for before, after, _ in sides]
    return pad(images, widths)
