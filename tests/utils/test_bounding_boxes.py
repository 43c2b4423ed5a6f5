"""Bounding boxes on every engine, and wrong ones; `oracle` compares with Keras."""

import numpy as np
import pytest

import hornbeam as keras

functions = keras.utils.bounding_boxes
BOXES = np.array([[1, 2, 5, 8], [3, 3, 7, 6]], "float32")
FORMATS = ("yxyx", "xywh", "center_xywh", "center_yxhw")
FORMATS += ("rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def test_formats_there_and_back(engine):
    for form in FORMATS:
        there = functions.convert_format(BOXES, "xyxy", form, 9, 11)
        back = functions.convert_format(there, form, "xyxy", 9, 11)
        np.testing.assert_allclose(numpy(back), BOXES, rtol=1e-5)


def test_each_function(engine):
    clipped = functions.clip_to_image_size({"boxes": BOXES, "labels": [1, 2]}, 7, 6)
    np.testing.assert_array_equal(
        numpy(clipped["boxes"]), np.minimum(BOXES, [6, 7] * 2)
    )
    np.testing.assert_array_equal(
        numpy(functions.crop(BOXES, 2, 1, 9, 9))[0], [0, 0, 4, 6]
    )
    np.testing.assert_array_equal(numpy(functions.pad(BOXES, 2, 1))[0], [2, 4, 6, 10])
    turned = functions.affine_transform(BOXES, 90, 0, 0, 1, 0, 0, height=9, width=9)
    np.testing.assert_allclose(numpy(turned)[0], [2, 3, 8, 7], atol=1e-5)
    iou = numpy(functions.compute_iou(BOXES, BOXES, "xyxy"))
    np.testing.assert_allclose(iou, [[1, 0.2], [0.2, 1]], rtol=1e-5)
    ciou = numpy(functions.compute_ciou(BOXES, BOXES, "xyxy"))
    np.testing.assert_allclose(ciou, 1, rtol=1e-5)
    deltas = functions.encode_box_to_deltas(BOXES, BOXES + 1, "xyxy", "xyxy")
    again = functions.decode_deltas_to_boxes(BOXES, deltas, "xyxy", "xyxy")
    np.testing.assert_allclose(numpy(again), BOXES + 1, rtol=1e-5)


def test_relative_boxes_between_relative_formats_need_no_size(python_only):
    got = functions.convert_format(BOXES / 10, "rel_xyxy", "rel_xywh")
    np.testing.assert_allclose(numpy(got)[0], [0.1, 0.2, 0.4, 0.6], rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: functions.convert_format(BOXES, "xyx", "xywh"), "Did you mean"),
        (lambda: functions.convert_format(BOXES[:, :3], "xyxy", "xywh"), "(2, 3)"),
        (lambda: functions.convert_format(BOXES, "rel_xyxy", "xywh"), "`height`"),
        (lambda: functions.crop(BOXES, 1, 1, 2, 2, "rel_xyxy"), "convert_format"),
        (lambda: functions.compute_iou(BOXES[0], BOXES, "xyxy"), "(boxes, 4)"),
        (
            lambda: functions.encode_box_to_deltas(
                BOXES, BOXES, "xyxy", "xyxy", variance=[1.0, 2.0]
            ),
            "four numbers",
        ),
    ],
)
def test_wrong_arguments(call, message, python_only):
    with pytest.raises(ValueError) as error:
        call()
    assert message in str(error.value)
