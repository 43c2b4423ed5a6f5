"""How much bounding boxes overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hornbeam.ops.boxes.formats import box_format, float_boxes, to_corners
from hornbeam.ops.core import cast
from hornbeam.ops.numpy import (
    amax,
    arctan,
    expand_dims,
    maximum,
    minimum,
    prod,
    square,
    sum,
    where,
)
from hornbeam.typing import Tensor, TensorLike

_EPSILON = 1e-7  # keeps quotients of empty boxes finite


def compute_iou(
    boxes1: TensorLike,
    boxes2: TensorLike,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Sequence[int] | None = None,
) -> Tensor:
    """Compute the intersection over union of each box with each other.

    Args:
        boxes1: boxes of shape `(m, 4)` or `(batch, m, 4)`.
        boxes2: boxes of shape `(n, 4)` or `(batch, n, 4)`.
        bounding_box_format: the format of both.
        use_masking: whether padding, which are boxes of four negative numbers, gets
            `mask_val`. Default: False.
        mask_val: the value for padding. Default: -1.
        image_shape: height, width and channels of the image, for relative formats.

    Returns:
        A tensor of shape `(m, n)`, or `(batch, m, n)`.

    >>> import hornbeam as keras
    >>> a, b = keras.ops.array([[0.0, 0, 4, 4]]), keras.ops.array([[0.0, 2, 4, 6]])
    >>> iou = keras.utils.bounding_boxes.compute_iou(a, b, "xyxy")
    >>> round(float(iou[0, 0]), 3)
    0.333
    """
    owner = "compute_iou"
    given = [float_boxes(owner, boxes) for boxes in (boxes1, boxes2)]
    if any(len(boxes.shape) not in (2, 3) for boxes in given):
        raise ValueError(
            f"{owner}() expects boxes of shape (boxes, 4) or (batch, boxes, 4). "
            f"Received: shapes {tuple(given[0].shape)} and {tuple(given[1].shape)}"
        )
    (first1, last1), (first2, last2) = (
        _corners_of(owner, boxes, bounding_box_format, image_shape) for boxes in given
    )
    first1, last1 = expand_dims(first1, -2), expand_dims(last1, -2)
    first2, last2 = expand_dims(first2, -3), expand_dims(last2, -3)
    iou = _overlap(first1, last1, first2, last2)[0]
    if use_masking:
        padding = [amax(boxes, axis=-1) < 0 for boxes in given]
        masked = expand_dims(padding[0], -1) | expand_dims(padding[1], -2)
        iou = where(masked, cast(mask_val, iou.dtype), iou)
    return iou


def compute_ciou(
    boxes1: TensorLike,
    boxes2: TensorLike,
    bounding_box_format: str,
    image_shape: Sequence[int] | None = None,
) -> Tensor:
    """Compute the complete intersection over union of boxes, pair by pair.

    `iou - d^2 / c^2 - alpha v`, where `d` is the distance of the centres, `c` the
    diagonal of the box around both, `v = (2 / pi (atan(w1 / h1) - atan(w2 / h2)))^2`
    compares their shapes and `alpha = v / (1 - iou + v)`.

    Reference: Zheng et al., "Distance-IoU Loss: Faster and Better Learning for Bounding
    Box Regression" (2020).

    Args:
        boxes1: boxes of shape `(..., 4)`.
        boxes2: boxes of a shape that broadcasts to it.
        bounding_box_format: the format of both.
        image_shape: height, width and channels of the image, for relative formats.

    Returns:
        A tensor of shape `(...)`.

    >>> import hornbeam as keras
    >>> a, b = keras.ops.array([[0.0, 0, 4, 4]]), keras.ops.array([[0.0, 2, 4, 6]])
    >>> ciou = keras.utils.bounding_boxes.compute_ciou(a, b, "xyxy")
    >>> round(float(ciou[0]), 3)
    0.256
    """
    owner = "compute_ciou"
    corners1, corners2 = (
        _corners_of(owner, float_boxes(owner, x), bounding_box_format, image_shape)
        for x in (boxes1, boxes2)
    )
    iou, around = _overlap(*corners1, *corners2)
    apart = (corners1[0] + corners1[1] - corners2[0] - corners2[1]) * 0.5
    angles = []
    for first, last in (corners1, corners2):
        size = last - first
        angles.append(arctan(size[..., 0] / (size[..., 1] + _EPSILON)))
    v = square((angles[0] - angles[1]) * (2 / math.pi))
    alpha = v / (v - iou + (1 + _EPSILON))
    diagonal = sum(square(around), axis=-1) + _EPSILON
    return iou - sum(square(apart), axis=-1) / diagonal - alpha * v


def _corners_of(owner, boxes, name, image_shape):
    name = box_format(owner, "bounding_box_format", name)
    height, width = (None, None) if image_shape is None else image_shape[:2]
    return to_corners(owner, boxes, name, height, width)


def _overlap(first1, last1, first2, last2):
    """Return the intersection over union, and the size of the box around both."""

    def area(first, last):
        return prod(maximum(last - first, 0), axis=-1)

    both = area(maximum(first1, first2), minimum(last1, last2))
    union = area(first1, last1) + area(first2, last2) - both
    around = maximum(last1, last2) - minimum(first1, first2)
    return both / (union + _EPSILON), around
