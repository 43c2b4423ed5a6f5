"""Reading directories of OrbaxCheckpoint: what fits, what does not, and attacks."""

import json
import pickle
import shutil

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.saving import orbax_checkpoints

pytest.importorskip("orbax.checkpoint")
pytestmark = pytest.mark.xdist_group("callbacks")

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")


class Dictionary(keras.layers.Layer):
    """A layer that keeps a file."""

    text = ""

    def call(self, x):
        return x

    def save_assets(self, folder):
        with open(f"{folder}/words.txt", "w", encoding="utf-8") as file:
            file.write("one two")

    def load_assets(self, folder):
        with open(f"{folder}/words.txt", encoding="utf-8") as file:
            self.text = file.read()


CUSTOM = {"Dictionary": Dictionary}


def small_model(units=4, name=None):
    layers = [Dictionary(), keras.layers.Dense(units, name=name)]
    model = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("orbax")
    model = small_model()
    save = keras.callbacks.OrbaxCheckpoint(folder)
    with pytest.warns(UserWarning, match="classes or functions that are not regist"):
        model.fit(X, X[:, :1], verbose=0, callbacks=[save])
    return folder, model.get_weights()


@pytest.fixture
def written(original, tmp_path):
    shutil.copytree(original[0], tmp_path / "copy")
    return tmp_path / "copy"


def load(folder):
    return keras.saving.load_model(folder, CUSTOM)


def test_files_of_layers(written):
    assert load(written).layers[0].text == "one two"


def test_automatic_names_are_counted_anew(original):
    small_model()
    model = small_model()
    assert model.layers[1].name != "dense"
    model.load_weights(original[0])
    for one, other in zip(model.get_weights(), original[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_number_of_one_process_is_another_layer_in_the_next():
    stored = [("weights", f"dense_{i}", "kernel") for i in (9, 10, 11)]
    expected = [("weights", f"dense_{i}", "kernel") for i in (10, 11, 12)]
    pairs = orbax_checkpoints._paired(expected, stored, [])
    assert pairs == dict(zip(expected, stored, strict=True))
    assert orbax_checkpoints._paired(stored, stored, []) == {p: p for p in stored}
    # With another number of layers, those of equal names are the same.
    pairs = orbax_checkpoints._paired(expected[:2], stored, [])
    assert pairs == {path: path for path in expected[:2]}


@pytest.mark.parametrize("change", [{"units": 5}, {"name": "other"}])
def test_what_does_not_fit_is_named(original, change):
    model = small_model(**change)
    before = model.get_weights()
    name = change.get("name", "dense")
    with pytest.raises(ValueError, match=f"nothing was loaded.*/{name}/kernel: expec"):
        try:
            model.load_weights(original[0])
        except ValueError as error:
            raise ValueError(str(error).replace("\n", " ")) from None
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.warns(UserWarning, match="Skipped of"):
        model.load_weights(original[0], skip_mismatch=True)


def test_without_compiling(original):
    model = keras.saving.load_model(original[0], CUSTOM, compile=False)
    assert not hasattr(model, "optimizer")
    np.testing.assert_array_equal(model.get_weights()[0], original[1][0])


def test_weights_alone_make_no_model(tmp_path):
    save = keras.callbacks.OrbaxCheckpoint(tmp_path, save_weights_only=True)
    small_model().fit(X, X[:, :1], verbose=0, callbacks=[save])
    with pytest.raises(ValueError, match="`save_weights_only=True`"):
        load(tmp_path)
    with pytest.raises(ValueError, match="`by_name=True` only supports"):
        small_model().load_weights(tmp_path, by_name=True)


def test_nothing_is_run_or_opened_besides(original, audit):
    folder = original[0]
    load(folder)  # what libraries load on first use is not looked at
    with audit(*folder.rglob("*")):
        load(folder)


def test_pickles_and_names_of_code_in_it_are_not_looked_at(written, monkeypatch):
    class Evil:
        def __reduce__(self):
            return (print, ("evil",))

    step = written / "0"
    for folder in (step, step / "pytree", step / "model_config"):
        (folder / "values.pkl").write_bytes(pickle.dumps(Evil()))
    metadata = json.loads((step / "_CHECKPOINT_METADATA").read_text())
    metadata["item_handlers"] = dict.fromkeys(metadata["item_handlers"], "os.system")
    (step / "_CHECKPOINT_METADATA").write_text(json.dumps(metadata))

    def never(*arguments):
        raise AssertionError("something was unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, never)
    load(written)


def test_a_class_of_a_module_is_refused(written):
    path = written / "0/model_config/_strings.json"
    config = json.loads(json.loads(path.read_text())["config"])
    config["config"]["layers"][2] |= {"module": "os", "class_name": "system"}
    path.write_text(json.dumps({"config": json.dumps(config)}))
    with pytest.raises(UnsafeFileError, match="system"):
        load(written)


@pytest.mark.parametrize("parts", [["..", "planted"], ["PATH/planted"], ["a/../../b"]])
def test_files_of_layers_stay_inside(written, tmp_path, parts):
    import orbax.checkpoint

    tree = np.zeros(3, "uint8")
    for part in reversed(parts):
        tree = {part.replace("PATH", str(tmp_path)): tree}
    shutil.rmtree(written / "0/assets")
    with orbax.checkpoint.PyTreeCheckpointer() as writer:
        writer.save(written / "0/assets", tree)
    with pytest.raises(UnsafeFileError, match="member name"):
        load(written)
    assert not list(tmp_path.rglob("planted"))


def test_links_are_refused(written, tmp_path):
    target = written / "0/pytree/manifest.ocdbt"
    target.rename(tmp_path / "elsewhere")
    target.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeFileError, match="is a link"):
        load(written)


# Of the arrays that are opened at once, only the first is waited for where all fail.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("part", ["pytree/_METADATA", "pytree/manifest.ocdbt"])
def test_damage_is_named(written, part):
    path = written / "0" / part
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DamagedFileError, match="pytree of .*copy"):
        load(written)


def test_inspect_says_what_a_checkpoint_holds(written, tmp_path):
    for path in (written, written / "0"):
        report = keras.saving.inspect(path)
        assert report.format == "Orbax checkpoint, step 0"
        assert [kind for _, kind in report.layers] == [
            "InputLayer",
            "Dictionary",
            "Dense",
            "Dense",
        ]
        assert report.custom_objects == ["Dictionary"]
        shapes = {name: shape for name, shape, _ in report.arrays}
        model = small_model()
        weights = [w for w in shapes if w.startswith("trainable_variables/")]
        found = sorted(shapes[w] for w in weights)
        assert found == sorted(tuple(w.shape) for w in model.trainable_variables)
        assert {kind for *_, kind in report.arrays} <= {"float32", "int32", "uint32"}
    shutil.rmtree(written / "0" / "model_config")
    report = keras.saving.inspect(written)
    assert "no architecture" in report.warnings[0]
    (written / "0" / "pytree" / "_METADATA").write_text("{")
    with pytest.raises(DamagedFileError, match="damaged"):
        keras.saving.inspect(written)


WRAPPED = {
    "Bidirectional": lambda: keras.layers.Bidirectional(
        keras.layers.GRU(2, return_sequences=True)
    ),
    "TimeDistributed": lambda: keras.layers.TimeDistributed(keras.layers.Dense(2)),
    "RNN": lambda: keras.layers.RNN(keras.layers.LSTMCell(2), return_sequences=True),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_layers_in_layers_are_found(name, tmp_path):
    """Those of a loaded model are called without the layer around them."""
    model = keras.Sequential([keras.Input((4, 3)), WRAPPED[name](), WRAPPED[name]()])
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(4, 4, 3)).astype("float32")
    save = keras.callbacks.OrbaxCheckpoint(tmp_path)
    model.fit(x, np.zeros((4, 1)), verbose=0, callbacks=[save])
    loaded = keras.saving.load_model(tmp_path)
    expected = model.predict(x, verbose=0)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), expected)
    for a, b in zip(loaded.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
