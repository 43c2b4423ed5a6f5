"""Boxes and images: the same numbers given to Keras and to hornbeam."""

import numpy as np
import pytest

import hornbeam as keras

rng = np.random.default_rng(0)
FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw")
FORMATS += ("rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")
SIZE = {"height": 9, "width": 11}
SHAPE = {"image_shape": (9, 11, 3)}


def boxes(*shape, spread=10.0):
    first = rng.uniform(-2, spread, (*shape, 2))
    return np.concatenate([first, first + rng.uniform(0, 6, (*shape, 2))], -1).astype(
        "float32"
    )


def deltas_of(form):
    given = {
        "anchor_format": "xywh",
        "box_format": form,
        "variance": [0.1, 0.1, 0.2, 3],
    }
    return {"anchors": np.abs(boxes(5)), **given, **SHAPE}


def affine(**given):
    names = ("angle", "translate_x", "translate_y", "scale", "shear_x", "shear_y")
    zeros = {name: np.zeros(2, "float32") for name in names}
    zeros["scale"] = np.ones(2, "float32")
    return {"boxes": boxes(2, 4), **zeros, **SIZE, **given}


def two(low, high):
    return rng.uniform(low, high, 2).astype("float32")


PADDED = np.concatenate([boxes(3), np.full((2, 4), -1, "float32")])
CLIPPED = {"labels": np.arange(6).reshape(2, 3)}
CASES = [
    *(
        ("convert_format", {"boxes": boxes(2, 3), "source": a, "target": b, **SIZE})
        for a in FORMATS
        for b in FORMATS
    ),
    ("convert_format", {"boxes": boxes(3)[0], "source": "XYXY", "target": "xywh"}),
    (
        "clip_to_image_size",
        {"bounding_boxes": {"boxes": boxes(2, 3, spread=14.0), **CLIPPED}, **SIZE},
    ),
    (
        "clip_to_image_size",
        {
            "bounding_boxes": {"boxes": boxes(2, 3) / 8, **CLIPPED},
            "bounding_box_format": "rel_xyxy",
        },
    ),
    ("crop", {"boxes": boxes(2, 3), "top": 1, "left": 2, "height": 5, "width": 4}),
    ("pad", {"boxes": boxes(2, 3), "top": 1, "left": 2, **SIZE}),
    *(
        (
            "compute_iou",
            {"boxes1": a, "boxes2": b, "bounding_box_format": form, **SHAPE},
        )
        for a, b, form in (
            (boxes(3), boxes(4), "xyxy"),
            (boxes(2, 3), boxes(4), "yxyx"),
            (boxes(3), boxes(2, 4), "xywh"),
            (boxes(2, 3), boxes(2, 4), "rel_xyxy"),
        )
    ),
    (
        "compute_iou",
        {
            "boxes1": PADDED,
            "boxes2": PADDED[1:],
            "bounding_box_format": "xyxy",
            "use_masking": True,
            "mask_val": -3,
        },
    ),
    *(
        ("compute_ciou", {"boxes1": a, "boxes2": b, "bounding_box_format": "xyxy"})
        for a, b in ((boxes(5), boxes(5)), (boxes(2, 3), boxes(2, 3)))
    ),
    ("encode_box_to_deltas", {"boxes": np.abs(boxes(2, 5)), **deltas_of("xywh")}),
    (
        "encode_box_to_deltas",
        {
            "boxes": np.abs(boxes(5)),
            "encoding_format": "center_xywh",
            **deltas_of("xywh"),
        },
    ),
    ("decode_deltas_to_boxes", {"boxes_delta": boxes(5) / 9, **deltas_of("rel_xyxy")}),
    ("affine_transform", affine(angle=two(-90, 90))),
    ("affine_transform", affine(shear_x=two(-40, 40), scale=two(0.5, 2))),
    (
        "affine_transform",
        affine(
            angle=two(-90, 90),
            translate_x=two(-0.5, 0.5),
            translate_y=two(-0.5, 0.5),
            scale=two(0.5, 2),
            shear_x=two(-40, 40),
            shear_y=two(-40, 40),
            center_x=two(0, 1),
            center_y=two(0, 1),
        ),
    ),
]


@pytest.fixture(scope="module")
def of_boxes(keras_on):
    return keras_on("jax").call("images_of_keras.py", "of_boxes", CASES)


def same(got, want, **limits):
    """Compare nests of tensors and arrays."""
    if isinstance(want, dict):
        assert got.keys() == want.keys()
        for name, value in want.items():
            same(got[name], value, **limits)
    else:
        got = keras.ops.convert_to_numpy(got)
        assert got.dtype.kind == want.dtype.kind
        np.testing.assert_allclose(got, want, **{"rtol": 1e-4, "atol": 1e-4, **limits})


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=lambda i: f"{CASES[i][0]}-{i}"
)
def test_boxes(number, of_boxes, python_only):
    name, given = CASES[number]
    same(getattr(keras.utils.bounding_boxes, name)(**given), of_boxes[number])
