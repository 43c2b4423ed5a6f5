"""RandAugment and AugMix: chosen transformations, one after the other and mixed."""

import numpy as np

import hornbeam as keras

layers = keras.layers
IMAGES = np.random.default_rng(0).uniform(0, 255, (3, 8, 9, 3)).astype("float32")
MASKS = np.random.default_rng(1).integers(0, 3, (3, 8, 9, 1)).astype("uint8")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def test_rand_augment_is_its_steps(python_only):
    layer = layers.RandAugment(seed=1)
    t = layer.get_random_transformation(IMAGES)
    names = list(t["transforms"])
    for first, second in ((3, 5), (0, 9), (8, 10)):
        chosen = {**t, "layer_idxes": np.array([first, second], "int32")}
        x = IMAGES
        for index in (first, second):
            step = getattr(layer, names[index])
            x = step.transform_images(x, t["transforms"][names[index]])
        got = layer.transform_images(IMAGES, chosen)
        np.testing.assert_allclose(got, x, rtol=1e-4, atol=1e-2)
    got = layer({"images": IMAGES, "segmentation_masks": MASKS})
    assert got["segmentation_masks"].dtype == "uint8"
    np.testing.assert_array_equal(layer(IMAGES, training=False), IMAGES)


def test_aug_mix_is_the_mixture_of_its_chains(python_only):
    layer = layers.AugMix(seed=1, num_chains=2, chain_depth=2)
    t = layer.get_random_transformation(IMAGES)
    total = 0
    for chain in range(2):
        x = IMAGES
        for k in (2 * chain, 2 * chain + 1):
            index = int(t["layer_idxes"][k])
            names = list(t["transforms"][k])
            if index < len(names):
                drawn = t["transforms"][k][names[index]]
                x = getattr(layer, names[index]).transform_images(x, drawn)
        total = total + t["chain_mixing_weights"][chain] * x
    own = t["weight_sample"]
    want = own * IMAGES + (1 - own) * total
    got = layer.transform_images(IMAGES, t)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(np.sum(t["chain_mixing_weights"]), 1, rtol=1e-5)
    np.testing.assert_array_equal(layer(IMAGES, training=False), IMAGES)


def test_engines_agree(engine):
    for layer in (layers.RandAugment, layers.AugMix):
        got = numpy(layer(seed=2)(IMAGES))
        assert got.shape == IMAGES.shape and np.isfinite(got).all()


def test_rand_augment_moves_boxes_with_the_images(python_only):
    layer = layers.RandAugment(factor=(0.1, 0.1), seed=1, bounding_box_format="xyxy")
    images = np.zeros((2, 40, 40, 3), "float32")
    images[:, 12:24, 15:30] = 200
    boxes = np.tile(np.float32([15, 12, 30, 24]), (2, 1, 1))
    data = {
        "images": images,
        "bounding_boxes": {"boxes": boxes, "labels": np.ones((2, 1), "int32")},
    }
    t = layer.get_random_transformation(data)
    names = list(t["transforms"])

    def moved(*chosen):
        t["layer_idxes"] = np.array([names.index(name) for name in chosen], "int32")
        x = layer.transform_images(images, t)
        got = layer.transform_bounding_boxes(data["bounding_boxes"], t)
        assert numpy(got["labels"]).tolist() == [[1], [1]]
        return numpy(x)[0, ..., 0] > 100, numpy(got["boxes"])

    # A tenth of 40 pixels to the right and down; colours leave boxes alone.
    _, got = moved("random_translation", "random_contrast")
    np.testing.assert_allclose(got, boxes + 4, atol=1e-3)
    lit, got = moved("random_rotation", "random_shear")
    y, x = np.nonzero(lit)
    left, top, right, bottom = got[0, 0]
    assert not np.allclose(got, boxes, atol=1)
    assert left - 1 < x.min() and x.max() < right + 1
    assert top - 1 < y.min() and y.max() < bottom + 1
    assert (right - left) * (bottom - top) < 3 * lit.sum()


def test_rand_augment_takes_whole_numbers_as_boxes(engine):
    boxes = np.array([[[2, 1, 4, 3], [6, 4, 8, 6]]])
    sample = {
        "images": np.ones((1, 10, 8, 3)),
        "bounding_boxes": {"boxes": boxes, "labels": np.array([[1, 2]])},
    }
    layer = keras.layers.RandAugment(seed=1, bounding_box_format="xyxy")
    for _ in range(3):
        moved = layer(sample)["bounding_boxes"]["boxes"]
        assert moved.shape == boxes.shape
        assert engine.dtype_of(moved) == "float32"


def test_none_of_a_transformation(engine):
    images = np.round(IMAGES)
    for layer in (
        keras.layers.RandAugment(num_ops=0),
        keras.layers.RandomElasticTransform(scale=0),
    ):
        np.testing.assert_array_equal(numpy(layer(images)), images)
