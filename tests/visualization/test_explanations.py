"""Saliency and Grad-CAM against what can be computed by hand, on every engine."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers, visualization
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


class Own(keras.Model):
    """A subclassed model around a nested one, which ends without feature maps."""

    def __init__(self):
        super().__init__()
        maps = layers.Conv2D(4, 1, name="maps")
        parts = [keras.Input((6, 5, 3)), maps, layers.GlobalAveragePooling2D()]
        self.backbone = keras.Sequential(parts, name="backbone")
        self.head = layers.Dense(2, name="last")

    def call(self, x):
        return self.head(self.backbone(x))


@pytest.mark.parametrize("kind", ["subclassed", "Sequential", "Functional"])
def test_grad_cam_inside_a_model_of_models(kind, training_engine):
    """The same numbers as of the model without a model inside."""
    own = Own()
    own.build((None, 6, 5, 3))
    inputs = keras.Input((6, 5, 3))
    model = {
        "subclassed": lambda: own,
        "Sequential": lambda: keras.Sequential([inputs, own.backbone, own.head]),
        "Functional": lambda: keras.Model(inputs, own.head(own.backbone(inputs))),
    }[kind]()
    flat = keras.Sequential([inputs, *own.backbone.layers, own.head])
    expected = grad_cam(flat, IMAGES, class_index=1)
    maps = own.backbone.get_layer("maps")
    for layer in (None, "maps", maps):
        found = grad_cam(model, IMAGES, layer, class_index=1)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert expected.max() == 1 and "call" not in vars(maps)
    axes = visualization.plot_feature_maps(model, IMAGES[0], "maps")
    assert axes.shape == (2, 2)


class TestErrors:
    def test_wrong_layers(self, python_only):
        model = keras.Sequential(
            [keras.Input((6, 5, 3)), layers.Conv2D(2, 1, name="maps"), layers.Flatten()]
        )
        with pytest.raises(ValueError, match=r"no layer 'map'.*Did you mean 'maps'"):
            grad_cam(model, IMAGES, "map")

    @pytest.mark.parametrize("draw", [saliency, grad_cam])
    def test_inputs_and_classes(self, draw):
        parts = [keras.Input((6, 5, 3)), layers.Conv2D(2, 1), layers.Flatten()]
        with backends.scope("torch"):
            model = keras.Sequential([*parts, layers.Dense(3)])
            for index in (3, -4, "cat", 0.5, [0, 1, 2]):
                with pytest.raises(ValueError, match="from 0 to 2.*of the 2 rows"):
                    draw(model, IMAGES, class_index=index)
            with pytest.raises(ValueError, match="expects `x` to be numbers"):
                draw(model, [IMAGES, IMAGES[:, :1]])
            with pytest.raises(ValueError, match="has no rows"):
                draw(model, IMAGES[:0])

    def test_one_image(self, python_only):
        model = keras.Sequential([keras.Input((6, 5, 3)), layers.Flatten()])
        with pytest.raises(ValueError, match=r"of 4 axes.*`image\[None\]`"):
            grad_cam(model, IMAGES[0])

    def test_outputs(self, python_only):
        inputs = keras.Input((6, 5, 3))
        model = keras.Model(inputs, [layers.Flatten()(inputs)] * 2)
        with pytest.raises(
            ValueError, match=r"one output.*keras\.Model\(model\.inputs"
        ):
            saliency(model, IMAGES)


class TestFeatureMaps:
    def model(self):
        pytest.importorskip("matplotlib")
        parts = [keras.Input((6, 5, 3)), layers.Conv2D(4, 3, name="conv")]
        return keras.Sequential([*parts, layers.Flatten(name="flat")])

    def shown(self, axes):
        return [np.asarray(a.images[0].get_array()) for a in axes.flat if a.images]

    def test_filters(self, engine):
        layer = self.model().get_layer("conv")
        kernel = keras.ops.convert_to_numpy(layer.kernel)
        found = self.shown(visualization.plot_filters(layer))
        assert len(found) == 4
        for number, image in enumerate(found):
            part = kernel[..., number].astype(float)
            expected = 255 * (part / np.abs(part).max() + 1) / 2
            np.testing.assert_allclose(image, expected, atol=0.51)
        assert len(self.shown(visualization.plot_filters(layer, most=2))) == 2

    def test_feature_maps(self, engine, tmp_path):
        model, path = self.model(), tmp_path / "maps.png"
        found = self.shown(
            visualization.plot_feature_maps(model, IMAGES[0], "conv", path=path)
        )
        assert path.exists()
        part = keras.Model(model.inputs, model.get_layer("conv").output)
        maps = part.predict(IMAGES[:1], verbose=0)[0].astype(float)
        for number, image in enumerate(found):
            part = maps[..., number] - maps[..., number].min()
            np.testing.assert_allclose(image, 255 * part / part.max(), atol=0.6)

    def test_errors(self, python_only):
        model = self.model()
        with pytest.raises(ValueError, match="kernel of 4 axes.*'flat'.*has none"):
            visualization.plot_filters(model.get_layer("flat"))
        with pytest.raises(ValueError, match=r"output has 4 axes.*'flat'.*\(1, 48\)"):
            visualization.plot_feature_maps(model, IMAGES[0], "flat")
