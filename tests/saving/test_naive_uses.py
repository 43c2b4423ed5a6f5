"""Wrong files and wrong paths: nothing is lost, and the error says what it is."""

import gzip
import os
import pickle
import shutil

import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.core.errors import UnsafeFileError


@pytest.fixture(autouse=True)
def engine():
    with backends.scope("numpy"):
        yield


def small():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


SUFFIXES = (".keras", ".h5", ".weights.h5", ".safetensors")


def saver(model, suffix):
    return model.save if suffix in (".keras", ".h5") else model.save_weights


def loader(suffix):
    whole = suffix in (".keras", ".h5")
    return keras.saving.load_model if whole else small().load_weights


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_does_not_take_the_place_of_a_folder(tmp_path, suffix):
    folder = tmp_path / f"mine{suffix}"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        saver(small(), suffix)(folder)
    assert (folder / "thesis.txt").read_text() == "years of work"
    assert os.listdir(tmp_path) == [folder.name]


def test_the_current_folder_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "thesis.txt").write_text("years of work")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="current folder"):
        keras.saving.save_model(small(), ".", zipped=False)
    assert os.listdir() == ["thesis.txt"]


KINDS = {
    "empty": b"",
    "a page of the web": b"\n<!DOCTYPE html><html>404</html>",
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    "gzip": gzip.compress(b"model"),
    "pickle": pickle.dumps({"weights": 1}),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", KINDS)
def test_files_of_other_kinds(tmp_path, kind, suffix):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    path = tmp_path / f"model{suffix}"
    path.write_bytes(KINDS[kind])
    with pytest.raises(keras.saving.DamagedFileError, match=kind):
        loader(suffix)(path)


def test_an_archive_that_is_called_h5(tmp_path):
    small().save(tmp_path / "a.keras")
    shutil.copy(tmp_path / "a.keras", tmp_path / "a.h5")
    with pytest.raises(keras.saving.DamagedFileError, match="end in `.keras`"):
        keras.saving.load_model(tmp_path / "a.h5")


def test_small_safetensors_files_are_no_pickles(tmp_path):
    pytest.importorskip("safetensors")
    # The first byte is that of the size of the header, which may be any.
    for length in range(1, 60):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.layers[-1].name = "n" * length
        model.save_weights(tmp_path / "a.safetensors")
        weights = model.get_weights()
        model.set_weights([w + 1 for w in weights])
        model.load_weights(tmp_path / "a.safetensors")
        assert model.get_weights() == weights


def test_folders_that_hold_no_model(tmp_path):
    (tmp_path / "a.keras").mkdir()
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"")
    for path, said in (
        ("a.keras", "is a folder that holds no model"),
        ("saved", "TFSMLayer"),
        ("nothing", "File not found"),
    ):
        with pytest.raises(ValueError, match=said):
            keras.saving.load_model(tmp_path / path)
    with pytest.raises(ValueError, match="is a folder that holds no model"):
        keras.saving.inspect(tmp_path)


@pytest.mark.parametrize("path", ["https://a.b/m.keras", "gs://a/m.keras", "a\0.keras"])
def test_what_is_no_local_path(path):
    for call in (small().save, keras.saving.load_model, keras.saving.inspect):
        with pytest.raises(ValueError, match="path of a local file"):
            call(path)


def test_arguments_of_other_kinds(tmp_path):
    small().save(tmp_path / "a.keras")
    with pytest.raises(TypeError, match=r"custom_objects.*must be a dict") as caught:
        keras.saving.load_model(tmp_path / "a.keras", custom_objects=[small])
    assert not isinstance(caught.value, ValueError)
    with pytest.raises(TypeError, match="`model` of save_model"):
        keras.saving.save_model("a", tmp_path / "b.keras")
    with pytest.raises(ValueError, match="not the path of a file"):
        keras.models.model_from_json("model.json")
    with open(tmp_path / "a.keras", encoding="latin1") as file:
        with pytest.raises(TypeError, match="binary file object"):
            keras.saving.load_model(file)
    for size in ("1GB", -1, 0, float("inf")):
        with pytest.raises((TypeError, ValueError), match="max_shard_size"):
            small().save_weights(tmp_path / "a.weights.json", max_shard_size=size)
    assert os.listdir(tmp_path) == ["a.keras"]


class WithoutKeywords(keras.Model):
    def __init__(self, units=1):
        super().__init__()
        self.layer = keras.layers.Dense(units)

    def call(self, inputs):
        return self.layer(inputs)


@pytest.mark.filterwarnings("ignore:What is being saved names")
def test_a_model_whose_constructor_takes_no_keywords(tmp_path):
    model = WithoutKeywords(2)
    model.build((None, 3))
    model.save(tmp_path / "a.keras")
    objects = {"WithoutKeywords": WithoutKeywords}
    with pytest.raises(ValueError, match=r"def __init__\(self, \.\.\., \*\*kwargs"):
        keras.saving.load_model(tmp_path / "a.keras", custom_objects=objects)


@pytest.mark.filterwarnings("ignore:A `lambda` outside")
def test_a_lambda_as_a_loss_is_left_out_with_compile_false(tmp_path):
    model = small()
    model.compile("sgd", lambda y_true, y_pred: y_pred - y_true)
    model.save(tmp_path / "a.keras")
    with pytest.raises(UnsafeFileError, match="compile=False"):
        keras.saving.load_model(tmp_path / "a.keras")
    keras.saving.load_model(tmp_path / "a.keras", compile=False)


def test_a_list_of_shards_needs_a_size(tmp_path):
    with pytest.raises(ValueError, match="`max_shard_size`, the gigabytes"):
        small().save_weights(tmp_path / "a.weights.json")


def test_another_name_for_the_only_input_is_told_of():
    inputs = keras.Input((2,), name="table")
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    with pytest.warns(UserWarning, match=r"\['table'\]. Received \['tabel'\]"):
        model.predict({"tabel": [[1.0, 2.0]]}, verbose=0)
