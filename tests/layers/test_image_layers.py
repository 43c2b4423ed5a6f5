"""What all layers of images have in common."""

import functools

import numpy as np
import pytest
import tensorflow as tf

import hornbeam as keras
from hornbeam import backends
from hornbeam.layers.preprocessing.image.image_layer import factor_pair
from tests.compilation import program
from tests.layers.image_rows import ROWS

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


FLAT = [
    (keras.layers.RandomFlip, {"seed": 2}),
    (keras.layers.RandomCrop, {"height": 3, "width": 4, "seed": 1}),
    (keras.layers.CenterCrop, {"height": 2, "width": 4}),
    (keras.layers.Resizing, {"height": 8, "width": 3, "interpolation": "nearest"}),
    (keras.layers.RandomRotation, {"factor": 0.2, "interpolation": "nearest"}),
    (keras.layers.RandomErasing, {"scale": 0.0, "seed": 1}),
    (keras.layers.CutMix, {"seed": 1}),
    (keras.layers.MixUp, {"seed": 1}),
]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("layer", "kwargs"), FLAT, ids=[x.__name__ for x, _ in FLAT])
def test_masks_without_channels_follow_the_images(
    layer, kwargs, data_format, python_only
):
    last = data_format == "channels_last"
    layer = layer(data_format=data_format, **kwargs)
    images = IMAGES if last else IMAGES.transpose(0, 3, 1, 2)
    first = (Ellipsis, 0) if last else (Ellipsis, 0, slice(None), slice(None))
    for part in (images, images[0]):
        got = layer({"images": part, "segmentation_masks": part[first]})
        got = {k: keras.ops.convert_to_numpy(v) for k, v in got.items()}
        want = got["images"][first]
        assert got["segmentation_masks"].shape == want.shape
        np.testing.assert_allclose(got["segmentation_masks"], want, rtol=1e-6)


def test_masks_without_channels_as_symbols_and_in_tf_data(python_only):
    layer = keras.layers.RandomCrop(3, 4, seed=1)
    masks = keras.Input((None, None), dtype="int32")
    got = layer({"images": keras.Input((4, 6, 3)), "segmentation_masks": masks})
    assert got["segmentation_masks"].shape == (None, 3, 4)
    data = {"images": IMAGES, "segmentation_masks": IMAGES[..., 1]}
    got = next(iter(tf.data.Dataset.from_tensor_slices(data).batch(2).map(layer)))
    np.testing.assert_array_equal(got["segmentation_masks"], got["images"][..., 1])


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
        ((IMAGES, np.eye(2)), "dict with the key 'images'"),
        (
            {
                "images": IMAGES,
                "bounding_boxes": {
                    "boxes": [np.ones((2, 4)), np.ones((1, 4))],
                    "labels": [[1, 2], [3]],
                },
            },
            "MaxNumBoundingBoxes",
        ),
        (
            {
                "images": IMAGES,
                "bounding_boxes": {
                    "boxes": tf.ragged.constant([[[1.0] * 4] * 2, [[1.0] * 4]]),
                    "labels": tf.ragged.constant([[1, 2], [3]]),
                },
            },
            "MaxNumBoundingBoxes",
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


# Laws of every layer.

every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
SMALL = (255 * np.random.default_rng(1).random((2, 10, 9, 3))).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


@functools.cache
def on_numpy(name):
    """What a layer makes of images on NumPy, which compiles nothing."""
    (row,) = (row for row in ROWS if row.name == name)
    with backends.scope("numpy"):
        return numpy(row.make()(SMALL))


@every_row
def test_a_seed_gives_the_same_on_every_engine(row, engine):
    """Others in each call; and a call on one image gives one."""
    run = program(engine, lambda x: in_turn(row.make(), x, x, x[0]))
    first, second, one = map(numpy, run(keras.ops.convert_to_tensor(SMALL)))
    assert first.shape == (2, *(row.size or (10, 9)), 3)
    assert one.shape == first.shape[1:]
    assert first.dtype == "float32"
    np.testing.assert_allclose(first, on_numpy(row.name), rtol=1e-3, atol=0.05)
    assert np.array_equal(first, second) is not row.random


def in_turn(layer, *inputs):
    """Return the outputs of calls, one after the other, as one program."""
    values = [v.value for v in layer.non_trainable_variables]
    outputs = []
    for x in inputs:
        y, values = layer.stateless_call([], values, x, training=True)
        outputs.append(y)
    return outputs


@every_row
def test_without_training(row, python_only):
    layer = row.make()
    got = numpy(layer(SMALL, training=False))
    if row.random and row.size is None:
        np.testing.assert_array_equal(got, SMALL)
    assert got.shape == (2, *(row.size or (10, 9)), 3)


@every_row
def test_integers_and_half_floats(row, python_only):
    got = row.make()(SMALL.astype("uint8"))
    assert keras.ops.dtype(got) == ("uint8" if row.keeps else "float32")
    got = row.make(dtype="mixed_float16")(SMALL)
    assert keras.ops.dtype(got) == "float16"
    assert np.isfinite(numpy(got)).all()


@every_row
def test_symbols_and_config(row, python_only):
    layer = row.make(data_format="channels_first")
    size = row.size or (None, None)
    assert layer(keras.Input((3, None, None))).shape == (None, 3, *size)
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    x = SMALL.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(numpy(layer(x)), numpy(again(x)))


@every_row
def test_channels_first(row, python_only):
    first = row.make(data_format="channels_first")(SMALL.transpose(0, 3, 1, 2))
    got = numpy(first).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(got, on_numpy(row.name), rtol=1e-4, atol=1e-2)


@every_row
def test_boxes_and_masks_move_with_the_images(row, python_only):
    """A filled box, its mask and its corners say the same, to a pixel."""
    if not row.boxes:
        return
    images = np.zeros((3, 40, 40, 1), "float32")
    corners = np.array([[12, 14, 24, 28], [15, 12, 30, 25], [10, 16, 22, 22]])
    for image, (x1, y1, x2, y2) in zip(images, corners, strict=True):
        image[y1:y2, x1:x2] = 200
    given = {
        "images": images,
        "segmentation_masks": (images > 0).astype("int32"),
        "bounding_boxes": {"boxes": corners[:, None], "labels": np.ones((3, 1), int)},
    }
    size = {"height": 32, "width": 36} if row.size else {}
    layer = row.make(bounding_box_format="xyxy", **size)
    got = layer(given)
    assert given["bounding_boxes"]["boxes"].shape == (3, 1, 4)
    masks = numpy(got["segmentation_masks"])
    assert masks.dtype == "int32"
    assert set(np.unique(masks)) == {0, 1}
    boxes = numpy(got["bounding_boxes"]["boxes"])[:, 0]
    shown = numpy(got["images"])[..., 0] > 100
    for image, mask, box in zip(shown, masks[..., 0], boxes, strict=True):
        assert (image != mask).mean() < 0.02
        y, x = np.nonzero(image)
        around = [x.min(), y.min(), x.max() + 1, y.max() + 1]
        np.testing.assert_allclose(box, around, atol=1.6)


@pytest.mark.slow
@every_row
def test_in_tf_data_with_unknown_sizes(row, python_only):
    """Also where neither the batch nor the size of the images is known."""
    spec = tf.TensorSpec((None, None, None, 3))
    data = tf.data.Dataset.from_generator(lambda: [SMALL], output_signature=spec)
    layer = row.make(bounding_box_format="xyxy")
    boxes = {"boxes": [[[1.0, 1, 4, 5]]] * 2, "labels": [[1]] * 2}
    more = {} if row.count is None else {"bounding_boxes": boxes}
    data = data.map(lambda x: layer({"images": x, **more}))
    (got,) = data
    np.testing.assert_allclose(got["images"], on_numpy(row.name), rtol=1e-3, atol=0.1)
    if row.count is not None:
        assert got["bounding_boxes"]["boxes"].shape == (2, row.count, 4)


# Draws.

MANY = np.zeros((4000, 10, 20, 1), "float32")
DRAWS: list = [
    (keras.layers.RandomFlip(seed=1), "flips", 0.5, 0.5),
    (keras.layers.RandomRotation((0.1, 0.3), seed=1), "angle", 72, 72 / 12**0.5),
    (
        keras.layers.RandomTranslation((0.1, 0.3), (-0.2, 0.1), seed=1),
        "translations",
        [-1, 2],
        [6 / 12**0.5, 2 / 12**0.5],
    ),
    (keras.layers.RandomZoom((0.1, 0.3), seed=1), "width_zoom", 1.2, 0.2 / 12**0.5),
    (
        keras.layers.RandomShear((0.1, 0.3), 0.2, seed=1),
        "shear_factor",
        [0, 0],
        [(0.04 + 0.04 / 12) ** 0.5, 0.4 / 12**0.5],
    ),
    (keras.layers.RandomPerspective(0.6, seed=1), "apply_perspective", 0.3, 0.21**0.5),
    (
        keras.layers.RandomPerspective(scale=0.4, seed=1),
        "end_points",
        [[0, 0], [19, 0], [0, 9], [19, 9]],
        np.array([[0, 0], [19, 0], [0, 9], [19, 9]]) * 0.4 / 12**0.5,
    ),
    (keras.layers.RandomElasticTransform(1, seed=1), "apply_transform", 0.5, 0.5),
]


@pytest.mark.parametrize(
    ("layer", "name", "mean", "deviation"), DRAWS, ids=lambda x: getattr(x, "name", "")
)
def test_distribution_of_draws(layer, name, mean, deviation, python_only):
    transformation = layer.get_random_transformation(MANY, training=True)
    draw = numpy(transformation[name]).astype("float64")
    mean, deviation = (np.broadcast_to(x, draw.shape[1:]) for x in (mean, deviation))
    limit = 4 * deviation / len(draw) ** 0.5 + 1e-5
    assert (np.abs(draw.mean(0) - mean) < limit).all()
    np.testing.assert_allclose(draw.std(0), deviation, rtol=0.05, atol=1e-5)


def test_crops_are_anywhere(python_only):
    layer = keras.layers.RandomCrop(4, 6, seed=1)
    corners = [layer.get_random_transformation(MANY)[:2] for _ in range(400)]
    tops, lefts = np.array([[int(v) for v in c] for c in corners]).T
    assert set(tops) == set(range(7))
    assert set(lefts) == set(range(15))


def test_a_pipeline(engine):
    pipeline = keras.layers.Pipeline(
        [
            keras.layers.CenterCrop(8, 8),
            keras.layers.RandomFlip(seed=1),
            keras.layers.Rescaling(1 / 255),
        ]
    )
    pipeline.build(SMALL.shape)
    assert pipeline.built
    got = pipeline(SMALL)
    again = keras.layers.deserialize(keras.layers.serialize(pipeline))
    np.testing.assert_array_equal(numpy(again(SMALL)), numpy(got))
    assert pipeline(keras.Input((10, 9, 3))).shape == (None, 8, 8, 3)
    quiet = numpy(pipeline(SMALL, training=False))
    np.testing.assert_allclose(quiet, SMALL[:, 1:9, :8] / 255, rtol=1e-5)
    data = tf.data.Dataset.from_tensors(SMALL).map(pipeline)
    assert next(iter(data)).shape == (2, 8, 8, 3)


def test_a_model_that_augments_is_fitted_saved_and_loaded(training_engine, tmp_path):
    model = keras.Sequential(
        [
            keras.Input((10, 9, 3)),
            keras.layers.RandomFlip(seed=1),
            keras.layers.RandomRotation(0.1, seed=1),
            keras.layers.Resizing(4, 4),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    model.fit(SMALL / 255, np.ones((2, 1)), epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    want = model.predict(SMALL / 255, verbose=0)
    np.testing.assert_allclose(again.predict(SMALL / 255, verbose=0), want, rtol=1e-5)


@every_row
def test_no_images_and_pixels_that_are_no_numbers(row, engine):
    layer = row.make()
    assert numpy(layer(SMALL[:0])).shape == (0, *(row.size or (10, 9)), 3)
    images = SMALL.copy()
    images[0, 3, 3] = np.nan
    got = numpy(layer(images))
    if row.layer not in (keras.layers.MixUp, keras.layers.CutMix):
        assert np.isfinite(got[1]).all()
