"""The formats of bounding boxes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from hornbeam.core.dtypes import is_float_dtype
from hornbeam.core.errors import check_choice
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.core import dtype as dtype_of
from hornbeam.ops.numpy import concatenate, flip, stack
from hornbeam.typing import DTypeLike, Tensor


class _Format(NamedTuple):
    """What the four numbers of a box are.

    Attributes:
        kind: two "corners", a corner and a "size", or a "center" and a size.
        x_first: whether x comes before y, and width before height.
        relative: whether they are fractions of the image's size.
    """

    kind: str
    x_first: bool = True
    relative: bool = False


BOX_FORMATS = {
    "xyxy": _Format("corners"),
    "yxyx": _Format("corners", x_first=False),
    "xywh": _Format("size"),
    "center_xywh": _Format("center"),
    "center_yxhw": _Format("center", x_first=False),
    "rel_xyxy": _Format("corners", relative=True),
    "rel_yxyx": _Format("corners", x_first=False, relative=True),
    "rel_xywh": _Format("size", relative=True),
    "rel_center_xywh": _Format("center", relative=True),
}


def box_format(owner: str, argument: str, name: Any) -> str:
    """Return the name of a format in lower case, or raise."""
    lower = name.lower() if isinstance(name, str) else name
    return check_choice(owner, argument, lower, BOX_FORMATS)


def with_four(owner: str, boxes: Any) -> Any:
    """Return boxes as a tensor, or raise where they have not four numbers."""
    boxes = convert_to_tensor(boxes)
    shape = tuple(boxes.shape)
    if shape[-1:] != (4,):
        raise ValueError(
            f"{owner}() expects boxes of shape (..., 4). Received: shape {shape}"
        )
    return boxes


def float_boxes(owner: str, boxes: Any) -> Any:
    """Return boxes as a tensor of floats."""
    boxes = with_four(owner, boxes)
    return boxes if is_float_dtype(dtype_of(boxes)) else cast(boxes, "float32")


def image_size(owner: str, name: str, height: Any, width: Any, dtype: str) -> Any:
    """Return (width, height), which boxes in the format `name` are relative to."""
    if height is None or width is None:
        raise ValueError(
            f"{owner}() needs `height` and `width` for boxes in the format {name!r}. "
            f"Received: height={height}, width={width}"
        )
    if all(isinstance(size, int | float) for size in (height, width)):
        return convert_to_tensor(np.array([width, height], "float32"), dtype=dtype)
    return stack([cast(width, dtype), cast(height, dtype)])


def to_corners(
    owner: str, boxes: Tensor, source: str, height: Any, width: Any
) -> tuple[Tensor, Tensor]:
    """Return the first corner (x, y) of boxes in the format `source`, and the last."""
    form = BOX_FORMATS[source]
    first, last = boxes[..., :2], boxes[..., 2:]
    if not form.x_first:
        first, last = flip(first, axis=-1), flip(last, axis=-1)
    if form.kind == "size":
        last = first + last
    elif form.kind == "center":
        half = last * 0.5
        first, last = first - half, first + half
    if form.relative:
        size = image_size(owner, source, height, width, boxes.dtype)
        first, last = first * size, last * size
    return first, last


def from_corners(
    owner: str, first: Tensor, last: Tensor, target: str, height: Any, width: Any
) -> Tensor:
    """Return the boxes between two corners in the format `target`."""
    form = BOX_FORMATS[target]
    if form.relative:
        size = image_size(owner, target, height, width, first.dtype)
        first, last = first / size, last / size
    if form.kind == "size":
        last = last - first
    elif form.kind == "center":
        first, last = (first + last) * 0.5, last - first
    if not form.x_first:
        first, last = flip(first, axis=-1), flip(last, axis=-1)
    return concatenate([first, last], axis=-1)


def convert_format(
    boxes: Any,
    source: str,
    target: str,
    height: Any = None,
    width: Any = None,
    dtype: DTypeLike = "float32",
) -> Any:
    """Convert bounding boxes from one format to another.

    The formats are `"xyxy"` (left, top, right, bottom), `"yxyx"`, `"xywh"` (left, top,
    width, height), `"center_xywh"`, `"center_yxhw"`, and `"rel_xyxy"`, `"rel_yxyx"`,
    `"rel_xywh"`, `"rel_center_xywh"`, in fractions of the image's width and height.

    Args:
        boxes: boxes of shape `(boxes, 4)` or `(batch, boxes, 4)`, or a dict with them
            under `"boxes"`.
        source: their format.
        target: the format wanted.
        height: the image's height, for relative formats.
        width: the image's width, for relative formats.
        dtype: the dtype of the result; None keeps that of the boxes. Default:
            "float32".

    >>> import hornbeam as keras
    >>> convert = keras.utils.bounding_boxes.convert_format
    >>> convert([[10, 20, 30, 60]], "xyxy", "xywh").tolist()
    [[10.0, 20.0, 20.0, 40.0]]
    """
    owner = "convert_format"
    if isinstance(boxes, dict):
        boxes = dict(boxes)
        boxes["boxes"] = convert_format(
            boxes["boxes"], source, target, height, width, dtype
        )
        return boxes
    source = box_format(owner, "source", source)
    target = box_format(owner, "target", target)
    boxes = with_four(owner, boxes)
    boxes = boxes if dtype is None else cast(boxes, dtype)
    if source == target:
        return boxes
    if BOX_FORMATS[source].relative and BOX_FORMATS[target].relative:
        height = width = 1
    corners = to_corners(owner, boxes, source, height, width)
    return from_corners(owner, *corners, target, height, width)
