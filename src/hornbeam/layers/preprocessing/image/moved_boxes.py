"""Bounding boxes of images that are moved, cut or resized."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.ops.boxes.formats import convert_format
from hornbeam.ops.boxes.moving import clip_to_image_size

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hornbeam.layers.preprocessing.image.image_layer import ImageLayer
    from hornbeam.typing import Tensor


def move_boxes(
    layer: ImageLayer,
    bounding_boxes: Any,
    move: Callable[[Tensor], Tensor],
    size: tuple[Any, Any],
    new_size: tuple[Any, Any] | None = None,
) -> Any:
    """Return boxes moved, cut off at the edges of the new image.

    Those of which nothing is left get the label -1.

    Args:
        layer: whose format of boxes it is.
        bounding_boxes: a dict of a batch's `"boxes"` and `"labels"`.
        move: maps boxes `(batch, boxes, 4)` of left, top, right and bottom in pixels.
        size: height and width of the images.
        new_size: those of the new images. Default: the same.
    """
    form: Any = layer.bounding_box_format
    dtype = layer.compute_dtype
    boxes = convert_format(bounding_boxes["boxes"], form, "xyxy", *size, dtype=dtype)
    new_size = size if new_size is None else new_size
    moved = {**bounding_boxes, "boxes": move(boxes)}
    moved = clip_to_image_size(moved, *new_size)
    return convert_format(moved, "xyxy", form, *new_size, dtype=dtype)


def scaled(boxes: Tensor, shift: tuple[Any, Any], scale: tuple[Any, Any]) -> Tensor:
    """Return boxes whose corners are shifted, then stretched; both as (y, x)."""
    shifts, scales = (
        ops.stack([ops.cast(v, boxes.dtype) for v in (x, y, x, y)])
        for y, x in (shift, scale)
    )
    return (boxes + shifts) * scales


def projected(boxes: Tensor, back: Tensor) -> Tensor:
    """Return the boxes around the corners that a projection moves.

    Args:
        boxes: boxes of left, top, right and bottom.
        back: for each image the matrix, in rows of 9, that maps its pixels back.
    """
    a0, a1, a2, b0, b1, b2, c0, c1, k = (
        ops.cast(back[:, i], boxes.dtype)[:, None, None] for i in range(9)
    )
    x, y = ops.take(boxes, [0, 2, 0, 2], -1), ops.take(boxes, [1, 1, 3, 3], -1)
    # The inverse is the matrix of cofactors, up to a factor.
    depth = (b0 * c1 - b1 * c0) * x + (a1 * c0 - a0 * c1) * y + (a0 * b1 - a1 * b0)
    right = (b1 * k - b2 * c1) * x + (a2 * c1 - a1 * k) * y + (a1 * b2 - a2 * b1)
    down = (b2 * c0 - b0 * k) * x + (a0 * k - a2 * c0) * y + (a2 * b0 - a0 * b2)
    # Without an inverse all points come together, and nothing of a box is left.
    depth = ops.where(depth == 0, 1, depth)
    x, y = right / depth, down / depth
    ends = [end(v, axis=-1) for end in (ops.min, ops.max) for v in (x, y)]
    return ops.stack(ends, axis=-1)
