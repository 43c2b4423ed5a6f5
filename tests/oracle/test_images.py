"""Boxes and images: the same numbers given to Keras and to hornbeam."""

import numpy as np
import pytest

import hornbeam as keras
from tests.oracle.images_of_keras import of_layer

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


IMAGES = rng.uniform(0, 255, (2, 6, 8, 3)).astype("float32")
PARTS = {
    "images": IMAGES,
    "bounding_boxes": {
        "boxes": np.concatenate([boxes(2, 3, spread=5.0), np.full((2, 1, 4), -1.0)], 1),
        "labels": np.array([[1, 2, 3, -1]] * 2),
    },
}
INSIDE = {
    "boxes": rng.uniform(0, 3, (2, 4, 4)) + [0, 0, 3, 3],
    "labels": np.ones((2, 4)),
}
INSIDE = {"images": IMAGES, "bounding_boxes": INSIDE}
FIRST = {"images": IMAGES.transpose(0, 3, 1, 2)}
FIRST_SHAPE = {"input_shape": (2, 3, 6, 8)}
BOX = {"bounding_box_format": "xyxy"}
SHAPE_OF = {"input_shape": IMAGES.shape}
ANGLES = np.radians(np.array([30.0, -100.0]))


def rotation(height, width):
    cosine, sine = np.cos(ANGLES), np.sin(ANGLES)
    x, y = (width - 1) / 2, (height - 1) / 2
    rows = (cosine, -sine, x - cosine * x + sine * y)
    rows += (sine, cosine, y - sine * x - cosine * y, 0 * sine, 0 * sine)
    return {
        "angle": np.degrees(ANGLES).astype("float32"),
        "rotation_matrix": np.stack(rows, 1).astype("float32"),
        "image_height": height,
        "image_width": width,
        "batch_size": 2,
    }


CORNERS = np.array([[0, 0], [7, 0], [0, 5], [7, 5]], "float32")
TILTED = CORNERS * np.array([[1, 1], [1.1, 1], [1, 0.9], [0.8, 1.2]], "float32")
TRANSFORMATIONS = {
    "RandomFlip": {"flips": np.array([True, False]).reshape(2, 1, 1, 1)},
    "RandomTranslation": {
        "translations": np.array([[1, 0.25], [-2.5, 1.5]], "float32")
    },
    "RandomZoom": {
        "height_zoom": np.array([[0.6], [1.3]], "float32"),
        "width_zoom": np.array([[1.2], [0.5]], "float32"),
    },
    "RandomShear": {"shear_factor": np.array([[0.3, 0], [-0.2, 0.5]], "float32")},
    "RandomPerspective": {
        "apply_perspective": np.array([True, False]),
        "start_points": np.stack([CORNERS] * 2),
        "end_points": np.stack([TILTED] * 2),
    },
}
FACTORS = {"RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1}}
FACTORS |= {"RandomZoom": {"height_factor": 0.1}, "RandomRotation": {"factor": 0.1}}
FILLED = ("RandomRotation", "RandomTranslation", "RandomZoom", "RandomShear")


def layer_cases():
    for name in (*TRANSFORMATIONS, "RandomRotation"):
        given = FACTORS.get(name, {})
        whole = {**TRANSFORMATIONS.get(name, rotation(6, 8)), **SHAPE_OF}
        # It cuts boxes off at the left and at the top only where it flips.
        given_parts = INSIDE if name == "RandomFlip" else PARTS
        # Keras shears boxes in fractions of the image: right where it is square.
        parts = {
            k: v
            for k, v in given_parts.items()
            if name != "RandomShear" or k == "images"
        }
        yield name, {**given, **BOX}, parts, whole
        first = {"data_format": "channels_first", **given}
        yield name, first, FIRST, {**whole, **FIRST_SHAPE}
        for mode in ("constant", "wrap", "nearest") if name in FILLED else ():
            more = {"fill_mode": mode, "fill_value": 9.0, "interpolation": "nearest"}
            yield name, {**given, **more}, {"images": IMAGES}, whole
    for mode in ("horizontal", "vertical"):
        flips = {**TRANSFORMATIONS["RandomFlip"], **SHAPE_OF}
        yield "RandomFlip", {"mode": mode, **BOX}, INSIDE, flips
    for height, width in ((4, 4), (10, 4), (5, 12)):
        size = {"height": height, "width": width}
        yield "CenterCrop", {**size, **BOX}, PARTS, None
        yield "Resizing", {**size, **BOX}, PARTS, None
        padded = {**size, "pad_to_aspect_ratio": True, "fill_value": 7.0}
        yield "Resizing", padded, {"images": IMAGES}, None
        small = {**size, "data_format": "channels_first"}
        yield "CenterCrop", small, FIRST, None
        yield "Resizing", {**small, "interpolation": "bicubic"}, FIRST, None
    for height, width in ((3, 8), (12, 8)):  # Keras rounds the part of images only
        size = {"height": height, "width": width, "crop_to_aspect_ratio": True}
        yield "Resizing", {**size, **BOX}, PARTS, None
    integers = {"images": IMAGES.astype("uint8")}
    yield "Resizing", {"height": 4, "width": 5, "antialias": True}, integers, None
    for number in (2, 6):
        yield "MaxNumBoundingBoxes", {"max_number": number, **BOX}, PARTS, None


LAYER_CASES = list(layer_cases())


@pytest.fixture(scope="module")
def of_layers(keras_on):
    return keras_on("jax").call("images_of_keras.py", "of_layers", LAYER_CASES)


@pytest.mark.parametrize(
    "number", range(len(LAYER_CASES)), ids=lambda i: f"{LAYER_CASES[i][0]}-{i}"
)
def test_layers_that_are_given_their_transformation(number, of_layers, python_only):
    same(of_layer(keras, *LAYER_CASES[number]), of_layers[number], atol=2e-2)
