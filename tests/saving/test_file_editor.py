"""KerasFileEditor: what it shows, compares and writes."""

import os

import h5py
import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.errors import UnsafeFileError


def network(name="output"):
    layers = [
        keras.Input((2,)),
        keras.layers.Dense(3),
        keras.layers.Dense(3, name=name),
    ]
    return keras.Sequential(layers, name="network")


@pytest.fixture(params=["m.keras", "m.weights.h5"])
def path(request, tmp_path):
    path = tmp_path / request.param
    model = network()
    model.save(path) if path.suffix == ".keras" else model.save_weights(path)
    return path


def test_what_it_shows(path, capsys):
    editor = keras.saving.KerasFileEditor(path)
    editor.summary()
    shown = capsys.readouterr().out.split("\n")
    assert shown[:4] == [
        "layers",
        "    dense",
        "        0: shape=(2, 3), dtype=float32",
        "        1: shape=(3,), dtype=float32",
    ]
    if path.suffix == ".keras":
        assert editor.config["class_name"] == "Sequential"
        assert editor.metadata["keras_version"] == "3.15.1"


def test_edits_are_loaded_by_name_and_place(path, tmp_path):
    editor = keras.saving.KerasFileEditor(path)
    deeper = keras.Sequential(
        [keras.Input((2,)), *(keras.layers.Dense(3) for _ in range(3))]
    )
    assert editor.compare(network())["match_count"] == 4
    assert editor.compare(deeper)["error_count"] == 1
    editor.add_object("layers/other", {"0": np.ones((3, 3))})
    editor.rename_object("other", "dense_2")
    assert editor.compare(deeper)["error_count"] == 1
    editor.add_weights("dense_2", {"1": np.zeros(4)})
    assert editor.compare(deeper)["error_count"] == 1
    editor.add_weights("layers/dense_2", {"1": np.zeros(3)})
    assert editor.compare(deeper) == {
        "status": "success",
        "error_count": 0,
        "match_count": 6,
    }
    editor.save(tmp_path / "new.weights.h5")
    deeper.load_weights(tmp_path / "new.weights.h5")
    np.testing.assert_array_equal(deeper.layers[2].kernel, np.ones((3, 3)))
    editor = keras.saving.KerasFileEditor(tmp_path / "new.weights.h5")
    assert editor.object_metadata["/layers/dense_1"] == {"name": "output"}
    editor.delete_object("dense_2")
    editor.delete_weight("dense_1", "1")
    assert editor.compare(network())["error_count"] == 1
    assert editor.compare(deeper)["error_count"] == 2


def test_keras_reads_what_was_edited(path, tmp_path):
    real = pytest.importorskip("keras")
    editor = keras.saving.KerasFileEditor(path)
    kernel = np.full((2, 3), 0.5, "float32")
    editor.add_weights("dense", {"0": kernel})
    editor.resave_weights(tmp_path / "new.weights.h5")
    layers = [real.Input((2,)), real.layers.Dense(3), real.layers.Dense(3)]
    model = real.Sequential(layers)
    model.load_weights(tmp_path / "new.weights.h5")
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], kernel)


def test_wrong_names(path, tmp_path):
    editor = keras.saving.KerasFileEditor(path)
    before = str(editor.weights_dict)
    editor.add_object("layers/dense/dense", {"0": np.ones(1)})
    for wrong, message in (
        (lambda: editor.rename_object("dens", "a"), "Did you mean 'dense'"),
        (lambda: editor.rename_object("dense_1", "dense"), "a name that is free"),
        (
            lambda: editor.delete_object("dense"),
            "Several objects.*'layers/dense/dense'",
        ),
        (lambda: editor.add_object("layers/dense_1", {}), "already"),
        (lambda: editor.add_object("other/dense", {}), "'other' is not in"),
        (lambda: editor.delete_weight("dense_1", "7"), r"found: \['0', '1'\]"),
        (lambda: editor.save(tmp_path / "m.h5"), "expected a `.weights.h5`"),
        (lambda: keras.saving.KerasFileEditor(tmp_path / "m.h5"), "Invalid filename"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()
    editor.delete_object("layers/dense/dense")
    assert str(editor.weights_dict) == before
    with pytest.raises(FileNotFoundError):
        keras.saving.KerasFileEditor(tmp_path / "none.weights.h5")
    assert os.listdir(tmp_path) == [path.name]


def test_unsafe_files(tmp_path):
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        file["layers"] = h5py.ExternalLink("other.h5", "/layers")
    with pytest.raises(UnsafeFileError, match="ExternalLink"):
        keras.saving.KerasFileEditor(tmp_path / "m.weights.h5")


legacy = keras.legacy.saving


def test_configs_in_the_form_of_keras_2():
    layer = keras.layers.Dense(3, name="d")
    config = legacy.serialize_keras_object(layer)
    assert sorted(config) == ["class_name", "config"]
    found = legacy.deserialize_keras_object(config, {"Dense": keras.layers.Dense})
    assert found.get_config() == layer.get_config()
    assert legacy.serialize_keras_object(keras.activations.relu) == "relu"
    relu = legacy.deserialize_keras_object("relu", vars(keras.activations))
    assert relu is keras.activations.relu
    assert legacy.deserialize_keras_object(None) is None
    zeros = {"Zeros": keras.initializers.Zeros}
    found = legacy.deserialize_keras_object("Zeros", custom_objects=zeros)
    assert isinstance(found, keras.initializers.Zeros)
    with pytest.raises(ValueError, match="Unknown layer: 'Dense'"):
        legacy.deserialize_keras_object(config, {}, printable_module_name="layer")
    with pytest.raises(ValueError, match="Improper config"):
        legacy.deserialize_keras_object(3)
    with pytest.raises(ValueError, match="get_config"):
        legacy.serialize_keras_object(object())
    assert keras.utils.legacy.serialize_keras_object is legacy.serialize_keras_object
