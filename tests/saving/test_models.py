"""Models and weights to files and back, on every engine."""

import io
import json
import os
import zipfile

import h5py
import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError, UnsafeFileError


def mlp(units=2, **kwargs):
    layers = [keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(units)]
    return keras.Sequential(layers, **kwargs)


def values(model):
    return [v.numpy() for v in model.variables]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["file", "folder", "object"])
def test_a_model_comes_back(engine, tmp_path, kind):
    model = mlp()
    place = {"file": tmp_path / "m.keras", "folder": tmp_path / "m"}.get(kind)
    place = place or io.BytesIO()
    keras.saving.save_model(model, place, zipped=False if kind == "folder" else None)
    if kind == "object":
        place.seek(0)
    found = keras.saving.load_model(place)
    assert_same(values(found), values(model))
    assert found.get_config() == model.get_config()
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(
        found.predict(x, verbose=0), model.predict(x, verbose=0)
    )


def test_the_members_of_an_archive(tmp_path):
    model = mlp()
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as file:
        assert file.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert all(i.compress_type == zipfile.ZIP_STORED for i in file.infolist())
        metadata = json.loads(file.read("metadata.json"))
        assert set(metadata) == {"keras_version", "date_saved", "hornbeam_version"}
    assert os.listdir(tmp_path) == ["m.keras"]


class Tree(keras.Model):
    """The places where state may be, in the order of the file format."""

    def __init__(self):
        super().__init__()

        def dense(name):
            return keras.layers.Dense(1, name=name)

        self.Upper = dense("a")
        self.alias = self.first = dense("b")
        self.early = [
            [dense("c"), [1, 2]],
            (dense("d"),),
            {"k": dense("e")},
            dense("f"),
        ]
        self.later = self.early[3]
        self.named = {"x": dense("g")}
        self._private = dense("h")
        self.metric = keras.metrics.Mean()
        self.scale = self.add_weight(shape=(), name="scale")

    def call(self, x):
        return sum(layer(x) for layer in self.layers) * self.scale


def groups(path):
    found = {}

    def visit(name, item):
        if name.endswith("vars"):
            found[name[:-5]] = item.attrs["name"]

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def test_the_groups_of_a_weights_file(tmp_path):
    model = Tree()
    model(np.ones((1, 2), "float32"))
    model.save_weights(tmp_path / "m.weights.h5")
    found = groups(tmp_path / "m.weights.h5")
    assert found.pop("") == model.name
    assert {v: k for k, v in found.items()} == {
        "a": "Upper",
        "b": "alias",
        "c": "early/container/dense",
        "d": "early/container_1/dense",
        "e": "early/container_2/dense",
        "f": "early/dense",
        "g": "layers/dense_6",
        "h": "layers/dense_7",
    }
    before = values(model)
    for variable in model.variables:
        variable.assign(np.zeros(variable.shape))
    model.load_weights(tmp_path / "m.weights.h5")
    assert_same(values(model), before)


def test_the_optimizer_goes_on(training_engine, tmp_path):
    x, y = np.ones((8, 3), "float32"), np.ones((8, 2), "float32")
    model = mlp()
    model.compile("adam", "mse")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    other = mlp()
    other.compile("adam", "mse")
    other.load_weights(tmp_path / "m.weights.h5")
    for found in (keras.saving.load_model(tmp_path / "m.keras"), other):
        state = [v.numpy() for v in found.optimizer.variables]
        assert_same(state, [v.numpy() for v in model.optimizer.variables])
    assert not keras.saving.load_model(tmp_path / "m.keras", compile=False).compiled


@pytest.mark.parametrize("suffix", ["keras", "weights.h5"])
def test_a_mismatch_changes_nothing(engine, tmp_path, suffix):
    path = tmp_path / f"m.{suffix}"
    model = mlp(units=5)
    (model.save if suffix == "keras" else model.save_weights)(path)
    other = mlp()
    before = values(other)
    with pytest.raises(ValueError, match=r"layers/dense_1.*\(4, 2\).*\(4, 5\)"):
        other.load_weights(path)
    assert_same(values(other), before)
    with pytest.warns(UserWarning, match="layers/dense_1"):
        other.load_weights(path, skip_mismatch=True)
    assert_same(values(other)[:2], values(model)[:2])
    assert_same(values(other)[2:], before[2:])


def test_a_layer_that_the_file_lacks(tmp_path):
    path = tmp_path / "m.weights.h5"
    mlp().save_weights(path)
    other = mlp()
    other.add(keras.layers.Dense(3))
    before = values(other)
    with pytest.raises(ValueError, match="received 0 variables"):
        other.load_weights(path)
    assert_same(values(other), before)


def test_objects_to_skip(tmp_path):
    path = tmp_path / "m.weights.h5"
    model, other = mlp(), mlp()
    model.save_weights(path)
    before = values(other)
    other.load_weights(path, objects_to_skip=[other.layers[0]])
    assert_same(values(other), before[:2] + values(model)[2:])


def test_files_cut_off_change_nothing(tmp_path):
    model = mlp()
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    before = values(model)
    for name in ("m.keras", "m.weights.h5"):
        data = (tmp_path / name).read_bytes()
        for size in range(0, len(data) - 1, 1024):
            (tmp_path / f"cut{name}").write_bytes(data[:size])
            with pytest.raises(DamagedFileError, match="damaged"):
                model.load_weights(tmp_path / f"cut{name}")
            if name == "m.keras":
                with pytest.raises(DamagedFileError, match="damaged"):
                    keras.saving.load_model(tmp_path / f"cut{name}")
    assert_same(values(model), before)


class Faulty(keras.layers.Layer):
    """A layer whose state cannot be saved, or not be loaded."""

    def save_own_variables(self, store):
        raise OSError("disk full")

    def call(self, x):
        return x


@pytest.mark.filterwarnings("ignore:What is being saved")
def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "m.keras"
    mlp().save(path)
    before = path.read_bytes()
    model = keras.Sequential([keras.Input((3,)), Faulty()])
    with pytest.raises(OSError, match="disk full"):
        model.save(path)
    with pytest.raises(OSError, match="disk full"):
        model.save_weights(tmp_path / "m.weights.h5")
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["m.keras"]


class WithAssets(keras.layers.Layer):
    """A layer with files and values of its own."""

    words = ()

    def save_assets(self, folder):
        with open(os.path.join(folder, "words.txt"), "w") as file:
            file.write(" ".join(self.words))

    def load_assets(self, folder):
        with open(os.path.join(folder, "words.txt")) as file:
            self.words = tuple(file.read().split())

    def save_own_variables(self, store):
        store["numbers"] = self.numbers

    def load_own_variables(self, store):
        self.numbers = store["numbers"]

    def call(self, x):
        return x


@pytest.mark.filterwarnings("ignore:What is being saved")
@pytest.mark.parametrize("zipped", [None, False])
def test_assets(tmp_path, zipped):
    model = keras.Sequential(
        [keras.Input((3,)), WithAssets(name="../../x".strip("./"))]
    )
    model.layers[0].words, model.layers[0].numbers = ("a", "b"), np.arange(3)
    path = tmp_path / ("m" if zipped is False else "m.keras")
    model.save(path, zipped=zipped)
    found = keras.saving.load_model(path, custom_objects={"WithAssets": WithAssets})
    assert found.layers[0].words == ("a", "b")
    np.testing.assert_array_equal(found.layers[0].numbers, np.arange(3))


ERRORS = [
    (lambda m, p: m.save(p / "m"), "Invalid filepath extension"),
    (lambda m, p: m.save(p / "m.keras", save_format="h5"), "argument is deprecated"),
    (lambda m, p: m.save(p / "m.keras", other=1), "are not supported"),
    (lambda m, p: m.save(p / "m.keras", zipped=False), "should not end in"),
    (lambda m, p: m.save_weights(p / "m.h5"), "must end in"),
    (lambda m, p: m.load_weights(p / "m.pkl"), "format not supported"),
    (lambda m, p: m.load_weights(p / "m.weights.h5"), "File not found"),
    (lambda m, p: m.load_weights(p / "m.keras", objects_to_skip=[]), "only supports"),
    (lambda m, p: m.load_weights(p / "m.keras", other=1), "Invalid keyword"),
    (lambda m, p: keras.saving.load_model(p / "m.keras"), "Please ensure the file"),
    (lambda m, p: keras.saving.load_model(p / "m.pkl"), "format not supported"),
    (lambda m, p: keras.saving.load_model(p), "format not supported"),
    (
        lambda m, p: keras.Sequential([keras.layers.Dense(1)]).save_weights(
            p / "m.weights.h5"
        ),
        "not yet been built",
    ),
    (
        lambda m, p: keras.Sequential([keras.layers.Dense(1)]).load_weights(
            p / "m.weights.h5"
        ),
        "not yet been built",
    ),
]


@pytest.mark.parametrize(("act", "message"), ERRORS, ids=[m for _, m in ERRORS])
def test_errors_name_what_is_wrong(tmp_path, act, message):
    with pytest.raises(ValueError, match=message):
        act(mlp(), tmp_path)
    assert os.listdir(tmp_path) == []


def test_overwriting(tmp_path):
    model = mlp()
    for save, name in ((model.save, "m.keras"), (model.save_weights, "m.weights.h5")):
        save(tmp_path / name)
        save(tmp_path / name)
        with pytest.raises(FileExistsError, match="overwrite=True"):
            save(tmp_path / name, overwrite=False)


def test_json():
    model = mlp()
    found = keras.models.model_from_json(model.to_json())
    assert found.get_config() == model.get_config()


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_config_that_will_not_be_read_is_told_of(tmp_path, suffix):
    model = mlp()
    model.layers[0].get_config = lambda: {"name": "x" * 70_000}
    with pytest.warns(UserWarning, match="cannot be loaded again .*70000 characters"):
        model.save(tmp_path / f"m{suffix}")


def test_a_vocabulary_that_hdf5_files_do_not_hold_is_told_of(tmp_path):
    learnt = keras.layers.TextVectorization(name="words")
    learnt.adapt(["a b"])
    given = keras.layers.StringLookup(vocabulary=["a"])
    inputs = keras.Input((1,), dtype="string")
    model = keras.Model(inputs, [learnt(inputs), given(inputs)])
    with pytest.warns(UserWarning, match=r"layers \['words'\] have learnt"):
        model.save(tmp_path / "m.h5")


def test_an_unbuilt_model_stays_unbuilt(tmp_path):
    model = keras.Sequential([keras.layers.Dense(1)])
    with pytest.warns(UserWarning, match="before it is built"):
        model.save(tmp_path / "m.keras")
    assert not keras.saving.load_model(tmp_path / "m.keras").built


@pytest.mark.parametrize("value", [None, 3, ["a.keras"]])
def test_what_is_no_path_is_said(value):
    model = mlp()
    editor = keras.saving.KerasFileEditor
    for call in (
        *(model.save, model.save_weights, model.load_weights),
        *(keras.saving.load_model, keras.saving.inspect, editor),
        *(keras.wrappers.KerasClassifier.load, keras.wrappers.KerasClassifier().save),
    ):
        with pytest.raises(TypeError, match="Expected a path: a string or"):
            call(value)
    with pytest.raises(TypeError, match="Argument `json_string`"):
        keras.models.model_from_json(value)


def test_a_missing_folder_is_named(tmp_path, monkeypatch):
    for name, save in (("a.keras", mlp().save), ("a.weights.h5", mlp().save_weights)):
        path = tmp_path / "missing" / name
        with pytest.raises(FileNotFoundError, match="there is no folder") as info:
            save(path)
        assert repr(str(path)) in str(info.value)
        assert ".tmp" not in str(info.value)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="may not be written"):
        mlp().save(tmp_path / "a.keras")


def test_weights_in_several_files(tmp_path, audit):
    model = keras.Sequential([keras.Input((300,)), keras.layers.Dense(300)])
    model.add(keras.layers.Dense(300))
    path = tmp_path / "m.weights.json"
    model.save_weights(path, max_shard_size=0.0005)
    names = ["m_00000.weights.h5", "m_00001.weights.h5"]
    assert sorted(os.listdir(tmp_path)) == ["m.weights.json", *names]
    content = json.loads(path.read_text())
    assert content["weight_map"]["/layers/dense_1/vars"] == names[1:]
    before = values(model)
    for variable in model.variables:
        variable.assign(np.zeros(variable.shape))
    with audit(path, *(tmp_path / n for n in names)):
        model.load_weights(path)
    assert_same(values(model), before)
    with pytest.raises(ValueError, match="exceeds the maximum"):
        model.save_weights(tmp_path / "n.weights.json", max_shard_size=0.0001)
    assert sorted(os.listdir(tmp_path)) == ["m.weights.json", *names]


def test_one_file_may_stand_without_a_list(tmp_path):
    """Keras writes it so for layers of one array."""
    model, path = mlp(), tmp_path / "m.weights.json"
    model.save_weights(path, max_shard_size=1)
    content = json.loads(path.read_text())
    content["weight_map"] = {key: f for key, (f,) in content["weight_map"].items()}
    path.write_text(json.dumps(content))
    other = mlp()
    other.load_weights(path)
    assert_same(values(other), values(model))
    assert len(keras.saving.inspect(path).arrays) == 4


@pytest.mark.parametrize("as_list", [True, False])
@pytest.mark.parametrize(
    "name",
    ["../m_00000.weights.h5", "/etc/passwd", "other.h5", "n_00000.weights.h5", 3],
)
def test_lists_name_their_own_files_only(tmp_path, name, as_list, audit):
    path = tmp_path / "m.weights.json"
    path.write_text(json.dumps({"weight_map": {"/vars": [name] if as_list else name}}))
    with audit(path), pytest.raises((UnsafeFileError, DamagedFileError)):
        mlp().load_weights(path)
    path.write_text(json.dumps({"weight_map": {"/vars": ["m_00000.weights.h5"]}}))
    with pytest.raises(DamagedFileError, match="missing"):
        mlp().load_weights(path)


def test_many_nested_models_find_their_weights(tmp_path):
    """Lists that a property makes on each call are never taken for one another."""

    def build():
        x = outputs = keras.Input((2,))
        for _ in range(40):
            inner = keras.Input((2,))
            outputs = keras.Model(inner, keras.layers.Dense(2)(inner))(outputs)
        return keras.Model(x, outputs)

    model, other = build(), build()
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_that_was_saved_before_its_first_step_loads_without_a_word(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")  # warnings are errors
    assert int(loaded.optimizer.iterations) == 0
