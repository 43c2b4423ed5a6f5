"""What all layers of images have in common."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.layers.preprocessing.image.image_layer import factor_pair

IMAGES = np.random.default_rng(0).random((2, 4, 6, 3)).astype("float32")


def test_a_layer_transforms_one_image_and_all_parts_of_a_sample(engine):
    layer = keras.layers.RandomFlip("horizontal", seed=2)
    batch = {"images": IMAGES, "segmentation_masks": IMAGES > 0.5}
    got = {k: keras.ops.convert_to_numpy(v) for k, v in layer(batch).items()}
    np.testing.assert_array_equal(got["segmentation_masks"], got["images"] > 0.5)
    one = {"images": IMAGES[0], "segmentation_masks": IMAGES[0] > 0.5, "labels": 3}
    got = layer(one)
    images = keras.ops.convert_to_numpy(got["images"])
    masks = keras.ops.convert_to_numpy(got["segmentation_masks"])
    np.testing.assert_array_equal(masks, images > 0.5)


def test_nothing_happens_without_training(engine):
    layer = keras.layers.RandomFlip(seed=2)
    got = keras.ops.convert_to_numpy(layer(IMAGES, training=False))
    np.testing.assert_array_equal(got, IMAGES)


def test_symbols(engine):
    layer = keras.layers.RandomFlip(seed=2)
    images = keras.Input((None, None, 3), dtype="uint8")
    assert layer(images).shape == (None, None, None, 3)
    assert layer(images).dtype == "float32"
    both = layer({"images": images, "labels": keras.Input((1,), dtype="int32")})
    assert both["images"].shape == (None, None, None, 3)
    assert both["labels"].dtype == "int32"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (IMAGES[0, 0], "rank 3"),
        ({"labels": IMAGES}, "key 'images'"),
        ({"images": IMAGES, "bounding_boxes": {"boxes": IMAGES}}, "and 'labels'"),
        (
            {"images": IMAGES, "bounding_boxes": {"boxes": IMAGES, "labels": IMAGES}},
            "bounding_box_format",
        ),
    ],
)
def test_bad_data(data, message, python_only):
    with pytest.raises(ValueError, match=message):
        keras.layers.RandomFlip(name="mine")(data)


def test_an_unknown_format_of_boxes(python_only):
    with pytest.raises(ValueError, match="Did you mean 'xyxy'"):
        keras.layers.RandomFlip(bounding_box_format="xyxyy")


@pytest.mark.parametrize(
    ("value", "low", "pair"),
    [
        (0.2, -1, (-0.2, 0.2)),
        (-0.2, -1, (-0.2, 0.2)),
        (1, 0, (0, 1)),
        ((0.3, -0.2), -1, (-0.2, 0.3)),
        (np.array([0.1, 0.5]), 0, (0.1, 0.5)),
    ],
)
def test_factors(value, low, pair):
    assert factor_pair(None, "factor", value, low) == pair


@pytest.mark.parametrize("value", [2, -0.1, (0.1,), (0.1, 2), "a", None, float("nan")])
def test_bad_factors(value):
    with pytest.raises(ValueError, match="`factor` of NoneType"):
        factor_pair(None, "factor", value, 0.0)
