"""Laws of all architectures, and of what they share; numbers are in tests/oracle."""

import doctest
import functools
import inspect
import io
import json
import urllib.error

import numpy as np
import pytest
from architecture_table import ARCHITECTURES, NAMES, NAMESPACES

import hornbeam as keras
from hornbeam.applications import weights_files
from hornbeam.utils import download

applications = keras.applications
FUNCTIONS = [name for name in dir(applications) if name[0].isupper()]
pytestmark = pytest.mark.usefixtures("python_only")


def test_every_architecture_has_a_row():
    assert sorted(FUNCTIONS) == sorted(ARCHITECTURES)


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An empty cache folder, and no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def refuse(origin):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(download, "_opened", refuse)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_the_docstring_runs(name):
    """They are made by a function, so that doctest does not find them itself."""
    function = getattr(applications, name)
    text = inspect.getdoc(function)
    assert all(
        f"{argument}:" in text for argument in inspect.signature(function).parameters
    )
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    report = io.StringIO()
    doctest.DocTestRunner(verbose=False).run(test, out=report.write)
    assert test.examples and report.getvalue() == ""


@pytest.mark.parametrize("name", NAMES)
def test_features_of_any_size_and_a_file(name, tmp_path):
    side, _ = ARCHITECTURES[name]
    make = getattr(applications, name)
    if name.startswith("NASNet"):  # of 224 or 331 pixels unless told otherwise
        make = functools.partial(make, input_shape=(side, side, 3))
    model = make(weights=None, include_top=False)
    x = np.ones((1, side, side, 3), "float32")
    features = model.predict(x, verbose=0)
    assert features.ndim == 4
    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(restored.predict(x, verbose=0), features)
    model.save_weights(tmp_path / "model.weights.h5")
    again = make(
        weights=str(tmp_path / "model.weights.h5"), include_top=False, pooling="max"
    )
    pooled = again.predict(x, verbose=0)
    np.testing.assert_allclose(pooled, features.max((1, 2)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("include_top", [True, False])
@pytest.mark.parametrize("name", ["ResNet50", "MobileNet"])
def test_weights_that_are_not_there_say_where_to_put_them(name, include_top, offline):
    with pytest.raises(OSError, match="put the file at") as raised:
        getattr(applications, name)(include_top=include_top)
    file = {
        "ResNet50": "resnet50_weights_tf_dim_ordering_tf_kernels{}.h5",
        "MobileNet": "mobilenet_1_0_224_tf{}.h5",
    }[name].format("" if include_top else "_notop" if name == "ResNet50" else "_no_top")
    assert str(offline / "models" / file) in str(raised.value)
    assert f"keras-applications/{name.lower().replace('50', '')}" in str(raised.value)


def test_weights_in_the_cache_folder_are_used(offline):
    trained = applications.MobileNet(weights=None, alpha=0.25, include_top=False)
    (offline / "models").mkdir()
    path = offline / "model.h5"
    trained.save(path)
    path.rename(offline / "models" / "mobilenet_2_5_224_tf_no_top.h5")
    model = applications.MobileNet(alpha=0.25, include_top=False)
    for found, wanted in zip(model.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_every_architecture_has_files_of_weights():
    computed = {"MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small"}
    assert set(FUNCTIONS) - computed <= set(weights_files.listed())
    for key, (*files, _) in weights_files.listed().items():
        assert files[0].endswith(".h5") and files[2].endswith(".h5"), key
        assert len(files[1]) in (1, 32, 64), key


def small(**arguments):
    given = {"weights": None, "include_top": False, "alpha": 0.25, **arguments}
    return applications.MobileNet(**given)


def test_an_input_tensor_is_used():
    inputs = keras.Input((48, 40, 3), name="photo")
    model = small(input_tensor=keras.layers.Rescaling(1 / 255)(inputs), pooling="avg")
    assert model.input_names == ["photo"] if hasattr(model, "input_names") else True
    assert model.inputs == [inputs] and model.output_shape == (None, 256)
    assert [layer.name for layer in model.layers[:3]][2] == "conv1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "nowhere.h5"}, "which must exist. Received: weights=nowhere.h5"),
        ({"pooling": "mean"}, "`pooling` of MobileNet"),
        ({"input_tensor": np.ones(3)}, "must be a KerasTensor"),
        ({"input_shape": (40, 40)}, "tuple of three integers"),
        ({"input_shape": (20, 40, 3)}, "at least 32x32"),
        ({"weights": "imagenet", "input_shape": (64, 64, 1)}, "3 channels"),
        ({"include_top": True, "input_shape": (None, None, 3)}, "static `input_shape`"),
        ({"weights": "imagenet", "alpha": 0.3}, "`alpha` of MobileNet"),
        ({"weights": "imagenet", "depth_multiplier": 2}, "depth_multiplier"),
        (
            {"weights": "imagenet", "include_top": True, "classes": 9},
            "`classes` of MobileNet.. should be 1000",
        ),
        (
            {
                "weights": "imagenet",
                "include_top": True,
                "classifier_activation": "relu",
            },
            "`classifier_activation` of MobileNet",
        ),
        (
            {"weights": "imagenet", "include_top": True, "input_shape": (40, 40, 3)},
            r"should be \(224, 224, 3\)",
        ),
    ],
)
def test_arguments_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        small(**arguments)


def test_channels_may_come_first():
    keras.config.set_image_data_format("channels_first")
    try:
        model = small(classes=5, include_top=True, input_shape=(3, 64, 64))
        assert small().input_shape == (None, 3, None, None)
        assert model.output_shape == (None, 5)
        assert model.get_layer("conv1_bn").weights[0].shape == (8,)
    finally:
        keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize("space", NAMESPACES)
def test_namespaces(space):
    module = getattr(applications, space)
    decode = applications.imagenet_utils.decode_predictions
    assert module.decode_predictions is decode
    with pytest.raises(ValueError, match="channels_last"):
        applications.imagenet_utils.preprocess_input(np.ones((2, 2, 3)), "channels")
    assert module.preprocess_input(np.ones((1, 2, 2, 3), "float32")).shape == (
        1,
        2,
        2,
        3,
    )


def test_decode_predictions(offline, monkeypatch):
    decode = applications.vgg16.decode_predictions
    with pytest.raises(ValueError, match=r"\(batch, 1000\).*\(2, 10\)"):
        decode(np.zeros((2, 10)))
    with pytest.raises(OSError, match="imagenet_class_index.json"):
        decode(np.zeros((2, 1000)))
    classes = {str(i): [f"n{i:08}", f"kind_{i}"] for i in range(1000)}
    path = offline / "index.json"
    path.write_text(json.dumps(classes), "utf-8")
    monkeypatch.setattr(applications.imagenet_utils, "get_file", lambda *_, **__: path)
    scores = np.zeros((2, 1000), "float32")
    scores[0, [7, 3]] = 0.5, 0.25
    scores[1, 999] = 1
    assert decode(scores, top=2)[0] == [
        ("n00000007", "kind_7", 0.5),
        ("n00000003", "kind_3", 0.25),
    ]
    assert decode(keras.ops.convert_to_tensor(scores), top=1)[1][0][1] == "kind_999"
    assert [len(row) for row in decode(scores)] == [5, 5]


def test_symbols_are_preprocessed_too():
    inputs = keras.Input((8, 8, 3))
    x = applications.resnet50.preprocess_input(inputs)
    model = keras.Model(inputs, x)
    images = np.full((1, 8, 8, 3), 100, "float32")
    expected = applications.resnet50.preprocess_input(images)
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-6)
