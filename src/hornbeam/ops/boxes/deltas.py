"""Bounding boxes as differences from anchors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbeam.core.errors import check_choice
from hornbeam.ops.boxes.formats import convert_format
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.numpy import concatenate, exp, log, maximum
from hornbeam.typing import Tensor, TensorLike

_EPSILON = 1e-7  # the least size of a box


def encode_box_to_deltas(
    anchors: TensorLike,
    boxes: TensorLike,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: TensorLike | None = None,
    image_shape: Sequence[int] | None = None,
) -> Tensor:
    """Write bounding boxes as what a network predicts: differences from anchors.

    The differences are those of the centres in units of the anchor's size, and the
    logarithms of the ratios of the sizes. Reference: Girshick et al., "Rich feature
    hierarchies for accurate object detection and semantic segmentation" (2014).

    Args:
        anchors: boxes of shape `(boxes, 4)`.
        boxes: boxes of shape `(boxes, 4)` or `(batch, boxes, 4)`.
        anchor_format: the format of the anchors.
        box_format: the format of the boxes.
        encoding_format: `"center_yxhw"` (default) or `"center_xywh"`.
        variance: four numbers by which the differences are divided. Default: none.
        image_shape: height, width and channels of the image, for relative formats.

    >>> import hornbeam as keras
    >>> encode = keras.utils.bounding_boxes.encode_box_to_deltas
    >>> anchors = keras.ops.array([[0.0, 0.0, 4.0, 4.0]])
    >>> encode(anchors, anchors + 1, "xyxy", "xyxy").tolist()
    [[0.25, 0.25, 0.0, 0.0]]
    """
    owner = "encode_box_to_deltas"
    encoding = _encoding(owner, "encoding_format", encoding_format)
    variance = _variance(owner, variance)
    size = (None, None) if image_shape is None else image_shape[:2]
    anchors = convert_format(anchors, anchor_format, encoding, *size)
    boxes = convert_format(boxes, box_format, encoding, *size)
    extent = maximum(anchors[..., 2:], _EPSILON)
    centers = (boxes[..., :2] - anchors[..., :2]) / extent
    ratios = log(maximum(boxes[..., 2:], _EPSILON) / extent)
    deltas = concatenate([centers, ratios], axis=-1)
    return deltas if variance is None else deltas / variance


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: TensorLike | None = None,
    image_shape: Sequence[int] | None = None,
) -> Any:
    """Return the boxes that `encode_box_to_deltas` has written as differences.

    Args:
        anchors: boxes of shape `(boxes, 4)`, or a dict of such, for each level.
        boxes_delta: differences of shape `(boxes, 4)` or `(batch, boxes, 4)`, or a dict
            of such.
        anchor_format: the format of the anchors.
        box_format: the format of the result.
        encoded_format: `"center_yxhw"` (default) or `"center_xywh"`.
        variance: four numbers by which the differences were divided. Default: none.
        image_shape: height, width and channels of the image, for relative formats.

    >>> import hornbeam as keras
    >>> decode = keras.utils.bounding_boxes.decode_deltas_to_boxes
    >>> anchors = keras.ops.array([[0.0, 0.0, 4.0, 4.0]])
    >>> deltas = keras.ops.array([[0.25, 0.25, 0.0, 0.0]])
    >>> decode(anchors, deltas, "xyxy", "xyxy").tolist()
    [[1.0, 1.0, 5.0, 5.0]]
    """
    owner = "decode_deltas_to_boxes"
    encoding = _encoding(owner, "encoded_format", encoded_format)
    variance = _variance(owner, variance)
    height, width = (None, None) if image_shape is None else image_shape[:2]

    def decode(anchors, deltas):
        anchors = convert_format(anchors, anchor_format, encoding, height, width)
        deltas = cast(convert_to_tensor(deltas), anchors.dtype)
        deltas = deltas if variance is None else deltas * variance
        extent = anchors[..., 2:]
        centers = deltas[..., :2] * extent + anchors[..., :2]
        boxes = concatenate([centers, exp(deltas[..., 2:]) * extent], axis=-1)
        return convert_format(boxes, encoding, box_format, height, width)

    if isinstance(anchors, dict):
        return {level: decode(anchors[level], x) for level, x in boxes_delta.items()}
    return decode(anchors, boxes_delta)


def _encoding(owner, argument, name):
    return check_choice(owner, argument, name, ("center_yxhw", "center_xywh"))


def _variance(owner, variance):
    if variance is None:
        return None
    variance = cast(convert_to_tensor(variance), "float32")
    if tuple(variance.shape) != (4,):
        raise ValueError(
            f"{owner}(): `variance` must be four numbers. Received: variance of shape "
            f"{tuple(variance.shape)}"
        )
    return variance
