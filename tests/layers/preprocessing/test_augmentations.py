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
