"""Bounding boxes of an image that is cut, padded or moved."""

from __future__ import annotations

import math
from typing import Any

from hornbeam.ops.boxes.formats import (
    BOX_FORMATS,
    box_format,
    float_boxes,
    from_corners,
    image_size,
    to_corners,
    with_four,
)
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.numpy import (
    amax,
    amin,
    concatenate,
    cos,
    expand_dims,
    maximum,
    minimum,
    prod,
    sin,
    stack,
    tan,
    where,
)
from hornbeam.typing import Tensor, TensorLike


def clip_to_image_size(
    bounding_boxes: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """Cut off what of bounding boxes lies outside the image.

    Boxes of which no area is left get the label -1.

    Args:
        bounding_boxes: a dict of `"boxes"`, of shape `(boxes, 4)` or
            `(batch, boxes, 4)`, and `"labels"`, of shape `(boxes,)` or
            `(batch, boxes)`.
        height: the image's height.
        width: the image's width; neither is needed for relative formats.
        bounding_box_format: the format of the boxes. Default: "xyxy".

    >>> import hornbeam as keras
    >>> boxes = {"boxes": [[-10, 5, 20, 20], [50, 0, 60, 10]], "labels": [1, 2]}
    >>> clip = keras.utils.bounding_boxes.clip_to_image_size
    >>> clipped = clip(boxes, height=15, width=30)
    >>> clipped["boxes"].tolist(), clipped["labels"].tolist()
    ([[0.0, 5.0, 20.0, 15.0], [30.0, 0.0, 30.0, 10.0]], [1, -1])
    """
    owner = "clip_to_image_size"
    name = box_format(owner, "bounding_box_format", bounding_box_format)
    boxes = float_boxes(owner, bounding_boxes["boxes"])
    if BOX_FORMATS[name].relative:
        height = width = 1
    size = image_size(owner, name, height, width, boxes.dtype)
    first, last = (
        minimum(maximum(corner, 0), size)
        for corner in to_corners(owner, boxes, name, height, width)
    )
    labels = convert_to_tensor(bounding_boxes["labels"])
    visible = prod(last - first, axis=-1) > 0
    return {
        **bounding_boxes,
        "boxes": from_corners(owner, first, last, name, height, width),
        "labels": where(visible, labels, cast(-1, labels.dtype)),
    }


def crop(
    boxes: TensorLike,
    top: Any,
    left: Any,
    height: Any,
    width: Any,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """Return bounding boxes as they are in a part that is cut out of the image.

    Args:
        boxes: boxes of shape `(boxes, 4)` or `(batch, boxes, 4)`.
        top: the row at which the part begins.
        left: the column at which it begins.
        height: the height of the part; None: boxes are not cut off below.
        width: the width of the part; None: boxes are not cut off on the right.
        bounding_box_format: the format of the boxes, not a relative one. Default:
            "xyxy".

    >>> import hornbeam as keras
    >>> boxes = keras.ops.array([[10, 20, 50, 60]])
    >>> keras.utils.bounding_boxes.crop(boxes, 10, 20, 40, 25).tolist()
    [[0, 10, 25, 40]]
    """
    corners = _absolute("crop", boxes, bounding_box_format)
    cut: list[Any] = []
    for corner in corners:
        places = [corner[..., 0] - left, corner[..., 1] - top]
        for i, size in enumerate((width, height)):
            place = maximum(places[i], 0)
            places[i] = place if size is None else minimum(place, size)
        cut.append(stack(places, axis=-1))
    first, last = cut
    return from_corners("crop", first, last, bounding_box_format.lower(), None, None)


def pad(
    boxes: TensorLike,
    top: Any,
    left: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """Return bounding boxes as they are in an image with borders.

    Args:
        boxes: boxes of shape `(boxes, 4)` or `(batch, boxes, 4)`.
        top: the height of the border at the top.
        left: the width of the border on the left.
        height: the image's height, which is not needed.
        width: the image's width, which is not needed.
        bounding_box_format: the format of the boxes, not a relative one. Default:
            "xyxy".

    >>> import hornbeam as keras
    >>> boxes = keras.ops.array([[10, 20, 50, 60]])
    >>> keras.utils.bounding_boxes.pad(boxes, 1, 2).tolist()
    [[12, 21, 52, 61]]
    """
    corners = _absolute("pad", boxes, bounding_box_format)
    first, last = (stack([c[..., 0] + left, c[..., 1] + top], axis=-1) for c in corners)
    return from_corners("pad", first, last, bounding_box_format.lower(), None, None)


def _absolute(owner, boxes, bounding_box_format):
    """Return the corners of boxes in a format that is not relative."""
    name = box_format(owner, "bounding_box_format", bounding_box_format)
    if BOX_FORMATS[name].relative:
        raise ValueError(
            f"{owner}() changes the size of the image, so it cannot tell what the "
            f"relative format {name!r} means: convert the boxes with "
            "`convert_format(boxes, source, 'xyxy', height, width)` first."
        )
    return to_corners(owner, with_four(owner, boxes), name, None, None)


def affine_transform(
    boxes: TensorLike,
    angle: TensorLike,
    translate_x: TensorLike,
    translate_y: TensorLike,
    scale: TensorLike,
    shear_x: TensorLike,
    shear_y: TensorLike,
    height: Any,
    width: Any,
    center_x: TensorLike | None = None,
    center_y: TensorLike | None = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """Move, turn, stretch and shear bounding boxes around a centre.

    What comes out are the boxes around the moved corners, also beyond the image. With
    coordinates from the centre `(center_x (width - 1), center_y (height - 1))`, to
    which the shift `(translate_x (width - 1), translate_y (height - 1))` is added, the
    point `(x, y)` comes to `scale (a x + b y, c x + d y)`, where
    `c = shear_y cos - sin`, `d = shear_y sin + cos`, `a = cos - shear_x c` and
    `b = sin + shear_x d`, with the tangents of the angles of shear.

    Args:
        boxes: boxes of shape `(boxes, 4)` or `(batch, boxes, 4)`.
        angle: the angle in degrees, counter-clockwise: a number, or one for each image
            of the batch, as in what follows.
        translate_x: the shift to the right, as a fraction of the width.
        translate_y: the shift down, as a fraction of the height.
        scale: the factor by which the boxes grow.
        shear_x: the angle of the shear along x in degrees.
        shear_y: the angle of the shear along y in degrees.
        height: the image's height.
        width: the image's width.
        center_x: the centre, as a fraction of the width. Default: the middle.
        center_y: the centre, as a fraction of the height. Default: the middle.
        bounding_box_format: the format of the boxes. Default: "xyxy".

    >>> import hornbeam as keras
    >>> move = keras.utils.bounding_boxes.affine_transform
    >>> box = keras.ops.array([[1.0, 2.0, 3.0, 4.0]])
    >>> move(box, 0, 0.5, 0, 1, 0, 0, height=11, width=11).tolist()
    [[6.0, 2.0, 8.0, 4.0]]
    """
    owner = "affine_transform"
    name = box_format(owner, "bounding_box_format", bounding_box_format)
    boxes = float_boxes(owner, boxes)
    dtype = boxes.dtype

    def one_per_image(value):
        value = cast(convert_to_tensor(value), dtype)
        if len(value.shape):
            value = expand_dims(value, tuple(range(1, len(boxes.shape))))
        return value

    middle = (
        0.5 if center_x is None else center_x,
        0.5 if center_y is None else center_y,
    )
    sizes = [cast(width, dtype) - 1, cast(height, dtype) - 1]
    pivot = [one_per_image(c) * n for c, n in zip(middle, sizes, strict=True)]
    shift = [
        one_per_image(t) * n
        for t, n in zip((translate_x, translate_y), sizes, strict=True)
    ]
    degree = math.pi / 180
    radians = one_per_image(angle) * degree
    cosine, sine = cos(radians), sin(radians)
    along_x, along_y = (tan(one_per_image(s) * degree) for s in (shear_x, shear_y))
    c, d = along_y * cosine - sine, along_y * sine + cosine
    a, b = cosine - along_x * c, sine + along_x * d
    factor = one_per_image(scale)

    first, last = to_corners(owner, boxes, name, height, width)
    x = concatenate([first[..., :1], last[..., :1]] * 2, axis=-1) - pivot[0] + shift[0]
    y = concatenate([first[..., 1:]] * 2 + [last[..., 1:]] * 2, axis=-1)
    y = y - pivot[1] + shift[1]
    moved = [factor * (a * x + b * y) + pivot[0], factor * (c * x + d * y) + pivot[1]]
    first, last = (
        stack([end(v, axis=-1) for v in moved], axis=-1) for end in (amin, amax)
    )
    return from_corners(owner, first, last, name, height, width)
