"""Graphs of tf.keras 2 that call TensorFlow predict what they predicted there."""

import copy
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError

FILE = Path(__file__).with_name("files") / "tf-keras-2.21.0-ops.zip"
with zipfile.ZipFile(FILE) as file:
    GRAPHS = json.loads(file.read("graphs.json"))
    ARRAYS = dict(np.load(io.BytesIO(file.read("arrays.npz"))))
NAMES = [name for name in GRAPHS if f"graph_{name}" in ARRAYS]
REFUSED = {
    "shape": "tf.compat.v1.shape",
    "sorted": "tf.sort",
    "exclusive": "tf",
    "lost": "tf.*eq",
}


def as_2_12(config):
    """The config as Keras 2.12 and before wrote it: nothing says the module."""
    config = copy.deepcopy(config)
    for layer in config["config"]["layers"]:
        for key in ("module", "registered_name", "build_config"):
            layer.pop(key, None)
    return config


@pytest.mark.parametrize("name", NAMES)
def test_graphs_predict_as_they_did(name):
    expected = ARRAYS[f"graph_{name}"]
    for config in (GRAPHS[name], as_2_12(GRAPHS[name])):
        model = keras.models.model_from_json(json.dumps(config))
        found = model([ARRAYS["x"], ARRAYS["y"]])
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_on_engines(engine):
    for name in ("operators", "slices", "joined", "reduced", "activations"):
        model = keras.models.model_from_json(json.dumps(GRAPHS[name]))
        expected = ARRAYS[f"graph_{name}"]
        found = keras.ops.convert_to_numpy(model([ARRAYS["x"], ARRAYS["y"]]))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["joined", "slices", "linear"])
def test_saved_again_keras_loads_them(tmp_path, name):
    real = pytest.importorskip("keras")
    keras.models.model_from_json(json.dumps(GRAPHS[name])).save(tmp_path / "m.keras")
    model = real.models.load_model(tmp_path / "m.keras")
    found = model([ARRAYS["x"], ARRAYS["y"]])
    np.testing.assert_allclose(found, ARRAYS[f"graph_{name}"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", REFUSED)
def test_others_are_refused_by_name(tmp_path, name):
    text = json.dumps(GRAPHS[name])
    with pytest.raises(ValueError, match=f"is the function {REFUSED[name]}"):
        keras.models.model_from_json(text)
    (tmp_path / "m.json").write_text(text)
    report = keras.saving.inspect(tmp_path / "m.json")
    assert "is the function" in report.warnings[0]
    assert report.custom_objects == []


@pytest.mark.parametrize(
    "nodes", [[[1]], [["_CONSTANT_VALUE"]], [[[None]]], [{}], 3, [["x", 0, 0, 4]]]
)
def test_damaged_calls(nodes):
    config = copy.deepcopy(GRAPHS["operators"])
    config["config"]["layers"][2]["inbound_nodes"] = nodes
    with pytest.raises(DamagedFileError):
        keras.models.model_from_json(json.dumps(config))
