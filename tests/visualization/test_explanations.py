"""Saliency and Grad-CAM against what can be computed by hand, on every engine."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers
from hornbeam.visualization import grad_cam, saliency

IMAGES = np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype("float32")


def test_saliency_of_a_linear_model(training_engine):
    model = keras.Sequential(
        [keras.Input((6, 5, 3)), layers.Flatten(), layers.Dense(4)]
    )
    kernel = keras.ops.convert_to_numpy(model.layers[1].kernel).reshape(6, 5, 3, 4)
    expected = np.abs(kernel[..., [1, 3]]).max(2)
    found = saliency(model, IMAGES, [1, 3])
    np.testing.assert_allclose(found, np.moveaxis(expected, -1, 0), rtol=1e-5)
    predicted = model.predict(IMAGES, verbose=0).argmax(-1)
    np.testing.assert_allclose(
        saliency(model, IMAGES), saliency(model, IMAGES, predicted)
    )
    # The gradient of a linear model is the same at noisy images.
    smooth = saliency(model, IMAGES, 2, samples=3)
    np.testing.assert_allclose(smooth, saliency(model, IMAGES, 2), rtol=1e-4)


def test_grad_cam_of_one_linear_layer(training_engine):
    """With global pooling the weights are those of the last layer, over the pixels."""
    inputs = keras.Input((6, 5, 3))
    maps = layers.Conv2D(4, 1, name="maps")(inputs)
    outputs = layers.Dense(2, name="last")(layers.GlobalAveragePooling2D()(maps))
    model = keras.Model(inputs, outputs)
    feature = keras.Model(inputs, maps).predict(IMAGES, verbose=0)
    weights = keras.ops.convert_to_numpy(model.get_layer("last").kernel)[:, 1]
    expected = np.maximum(feature @ weights, 0)
    expected /= expected.max((1, 2), keepdims=True)
    for layer in (None, "maps", model.get_layer("maps")):
        found = grad_cam(model, IMAGES, layer, class_index=1)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_grad_cam_beside_a_skip(training_engine):
    """A layer in a branch, and maps that are smaller than the image."""
    inputs = keras.Input((6, 5, 3))
    x = layers.Conv2D(3, 3, padding="same", strides=2, name="small")(inputs)
    pooled = layers.Add()(
        [layers.GlobalAveragePooling2D()(x), layers.GlobalAveragePooling2D()(inputs)]
    )
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(pooled))
    before = [w.copy() for w in model.get_weights()]
    heat = grad_cam(model, IMAGES, "small")
    assert heat.shape == (2, 6, 5) and heat.min() >= 0 and heat.max() <= 1
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


class TestErrors:
    def test_wrong_layers(self, python_only):
        model = keras.Sequential(
            [keras.Input((6, 5, 3)), layers.Conv2D(2, 1, name="maps"), layers.Flatten()]
        )
        with pytest.raises(ValueError, match=r"no layer 'map'.*Did you mean 'maps'"):
            grad_cam(model, IMAGES, "map")

    def test_models_without_a_graph(self, python_only):
        class Own(keras.Model):
            pass

        with pytest.raises(ValueError, match="needs a Functional"):
            grad_cam(Own(), IMAGES)

    def test_outputs(self, python_only):
        inputs = keras.Input((6, 5, 3))
        model = keras.Model(inputs, [layers.Flatten()(inputs)] * 2)
        with pytest.raises(
            ValueError, match=r"one output.*keras\.Model\(model\.inputs"
        ):
            saliency(model, IMAGES)
