"""Models of TensorFlow.js: a JSON, and bytes in the order of its manifest."""

import json

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError, UnsafeFileError


def model():
    inputs = keras.Input((6, 6, 2))
    x = keras.layers.Conv2D(3, 3, name="convolution")(inputs)
    x = keras.layers.BatchNormalization(name="normalization")(x)
    outputs = keras.layers.Dense(2, name="head")(keras.layers.Flatten()(x))
    result = keras.Model(inputs, outputs)
    random = np.random.default_rng(0)
    result.set_weights([abs(random.normal(size=w.shape)) for w in result.weights])
    return result


def write(folder, model, quantized=(), paths=("a.bin", "b.bin"), cut=0):
    """Write a model as the converter does, the bytes in two files."""
    weights, data = [], b""
    for variable in model.weights:
        layer, name = variable.path.split("/")[-2:]
        array = variable.numpy()
        entry = {"name": f"{layer}/{name}", "shape": list(array.shape)}
        entry["dtype"] = "float32"
        if name in quantized:
            low = float(array.min())
            scale = float(np.ptp(array)) / 255 or 1.0
            entry["quantization"] = {"dtype": "uint8", "min": low, "scale": scale}
            array = np.round((array - low) / scale).astype("uint8")
        weights.append(entry)
        data += array.tobytes()
    half = len(data) // 2
    document = {
        "format": "layers-model",
        "modelTopology": {"model_config": json.loads(model.to_json())},
        "weightsManifest": [{"paths": list(paths), "weights": weights}],
    }
    folder.mkdir(exist_ok=True)
    (folder / "model.json").write_text(json.dumps(document))
    (folder / "a.bin").write_bytes(data[:half])
    (folder / "b.bin").write_bytes(data[half : len(data) - cut])
    return folder / "model.json"


X = np.random.default_rng(1).normal(size=(3, 6, 6, 2)).astype("float32")


def test_predictions_are_equal(tmp_path):
    saved = model()
    expected = saved.predict(X, verbose=0)
    path = write(tmp_path, saved)
    for place in (path, tmp_path):
        loaded = keras.models.load_model(place)
        np.testing.assert_allclose(loaded.predict(X, verbose=0), expected, atol=1e-5)


def test_quantized_weights_are_near(tmp_path):
    saved = model()
    loaded = keras.models.load_model(write(tmp_path, saved, quantized=["kernel"]))
    kernel, expected = loaded.get_layer("head").kernel, saved.get_layer("head").kernel
    step = np.ptp(expected.numpy()) / 255
    np.testing.assert_allclose(kernel.numpy(), expected.numpy(), atol=step)
    assert not np.array_equal(kernel.numpy(), expected.numpy())


@pytest.mark.parametrize("name", ["../a.bin", "/etc/passwd", "x/a.bin", ".a", 3])
def test_only_files_beside_it_are_opened(tmp_path, name):
    path = write(tmp_path, model(), paths=[name, "b.bin"])
    with pytest.raises(UnsafeFileError, match="does not lie beside it"):
        keras.models.load_model(path)


def test_files_that_end_early_are_damaged(tmp_path):
    path = write(tmp_path, model(), cut=8)
    with pytest.raises(DamagedFileError, match="damaged: its files end before"):
        keras.models.load_model(path)
    (tmp_path / "b.bin").unlink()
    with pytest.raises(DamagedFileError, match=r"the file 'b\.bin' is missing"):
        keras.models.load_model(path)


def test_graph_models_have_no_layers(tmp_path):
    path = tmp_path / "model.json"
    path.write_text(
        json.dumps({"format": "graph-model", "modelTopology": {"node": []}})
    )
    with pytest.raises(ValueError, match="graph model"):
        keras.models.load_model(path)
    path.write_text(model().to_json())
    with pytest.raises(ValueError, match="model_from_json"):
        keras.models.load_model(path)


def test_inspect_takes_the_folder(tmp_path):
    path = write(tmp_path / "m", model())
    for place in (path, path.parent):
        report = keras.saving.inspect(place)
        assert report.format == "TensorFlow.js layers model"
        assert ("convolution", "Conv2D") in report.layers
        assert ("head/kernel", (48, 2), "float32") in report.arrays


def test_a_scale_is_a_number(tmp_path):
    """A list of them would be broadcast, to any size."""
    path = write(tmp_path / "m", model(), quantized=("kernel",))
    document = json.loads(path.read_text())
    for entry in document["weightsManifest"][0]["weights"]:
        if "quantization" in entry:
            entry["quantization"]["scale"] = [1.0] * 10
    path.write_text(json.dumps(document))
    with pytest.raises(DamagedFileError, match="weightsManifest"):
        keras.saving.load_model(path)
