"""What a file holds, told without building or running anything in it."""

import json
import random
import subprocess
import sys
import zipfile

import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.saving import declared_sizes
from tests.layers.table import ROWS
from tests.saving import attack_table as attacks
from tests.saving.test_legacy_files import FILES, LIBRARIES


class Custom(keras.layers.Layer):
    def call(self, x):
        return x


def model():
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)], name="inner")
    return keras.Sequential([keras.Input((3,)), inner, Custom(name="own")])


@pytest.mark.filterwarnings("ignore:What is being saved")
def test_an_archive(tmp_path):
    model().save(tmp_path / "model.keras")
    report = keras.saving.inspect(tmp_path / "model.keras")
    assert report.format == "Keras archive"
    assert report.keras_version == "3.15.1"
    kinds = [kind for _, kind in report.layers]
    assert kinds == ["InputLayer", "Sequential", "InputLayer", "Dense", "Custom"]
    assert [n for n, _ in report.layers if n.startswith("inner/dense")]
    assert [(s, d) for _, s, d in report.arrays] == [
        ((3, 2), "float32"),
        ((2,), "float32"),
    ]
    assert [n.rpartition(">")[2] for n in report.custom_objects] == ["Custom"]
    assert report.warnings == []
    assert "custom_objects needed" in str(report)


@pytest.mark.filterwarnings("ignore:The `lambda` of layer")
def test_lambdas_are_told_as_they_are_loaded(tmp_path):
    layers = keras.layers
    traced = layers.Lambda(lambda z: z * 2)
    coded = layers.Lambda(lambda z, training=None: z * 2, name="coded")
    for name, layer in {"graph": traced, "code": coded}.items():
        keras.Sequential([keras.Input((3,)), layer]).save(tmp_path / f"{name}.keras")
    report = keras.saving.inspect(tmp_path / "graph.keras")
    assert report.custom_objects == report.warnings == []
    keras.saving.load_model(tmp_path / "graph.keras")
    report = keras.saving.inspect(tmp_path / "code.keras")
    assert report.custom_objects == ["coded"]
    assert "refused" in report.warnings[0]
    with pytest.raises(keras.saving.UnsafeFileError):
        keras.saving.load_model(tmp_path / "code.keras")
    keras.saving.load_model(tmp_path / "code.keras", {"coded": keras.ops.square})


def test_a_graph_is_read_in_lambda_layers_alone(tmp_path):
    function = {"class_name": "__lambda__", "config": {"graph": {}, "code": ""}}
    activation = {"class_name": "Dense", "config": {"units": 1, "activation": function}}
    (tmp_path / "m.json").write_text(json.dumps(activation))
    (warning,) = keras.saving.inspect(tmp_path / "m.json").warnings
    assert "refused" in warning


def test_weights_and_shards(tmp_path):
    network = model()
    network.save_weights(tmp_path / "a.weights.h5")
    network.save_weights(tmp_path / "a.weights.json", max_shard_size=1)
    whole = keras.saving.inspect(tmp_path / "a.weights.h5")
    parts = keras.saving.inspect(tmp_path / "a.weights.json")
    assert whole.arrays == parts.arrays
    assert whole.layers == []
    assert parts.format == "sharded weights"


@pytest.mark.parametrize("library", LIBRARIES)
def test_old_files(tmp_path, library):
    with zipfile.ZipFile(FILES / f"{library}.zip") as file:
        file.extractall(tmp_path)
    report = keras.saving.inspect(tmp_path / "bidirectional.h5")
    assert report.format == "HDF5 model"
    assert report.keras_version == library.split("-")[-1]
    kinds = [kind for _, kind in report.layers]
    assert kinds == ["InputLayer", "Bidirectional", "Bidirectional"]
    assert len(report.arrays) == 12
    assert report.custom_objects == report.warnings == []
    assert keras.saving.inspect(tmp_path / "bidirectional.json").layers == report.layers


@pytest.mark.parametrize("name", attacks.CASES)
def test_nothing_runs(tmp_path, name, audit):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps(attacks.CASES[name]))
    with audit(path):
        try:
            report = keras.saving.inspect(path)
        except ValueError:
            return
    assert str(report)


@pytest.mark.filterwarnings("ignore:What is being saved")
def test_any_bytes_give_a_report_or_one_kind_of_error(tmp_path):
    model().save(tmp_path / "model.keras")
    good = (tmp_path / "model.keras").read_bytes()
    numbers = random.Random(0)
    refused = 0
    for i in range(150):
        data = bytearray(good)
        for _ in range(numbers.choice((1, 5, 50))):
            data[numbers.randrange(len(data))] = numbers.randrange(256)
        path = tmp_path / f"damaged_{i}.keras"
        path.write_bytes(data[: numbers.choice((len(data), len(data) // 2))])
        try:
            keras.saving.inspect(path)
        except ValueError:
            refused += 1
    assert refused > 75


@pytest.mark.filterwarnings("ignore:What is being saved")
def test_the_command(tmp_path):
    model().save(tmp_path / "model.keras")
    command = [sys.executable, "-m", "hornbeam", "inspect"]
    done = subprocess.run(
        [*command, str(tmp_path / "model.keras")], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "(Dense)" in done.stdout
    assert "(3, 2) float32" in done.stdout
    (tmp_path / "bad.keras").write_text("nothing")
    done = subprocess.run(
        [*command, str(tmp_path / "bad.keras")], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "is damaged" in done.stderr


COUNTED = [row for row in ROWS if row.layer.__name__ in declared_sizes._COUNTS]


@pytest.mark.parametrize("row", COUNTED, ids=lambda row: row.name)
def test_what_a_layer_takes_is_known_from_its_config(row):
    with backends.scope("numpy"):
        layer = row.make()
        layer(*row.given(row.inputs()))
        config = keras.saving.serialize_keras_object(layer)
    ((_, size),) = declared_sizes.declared_sizes([json.loads(json.dumps(config))])
    weights = sum(w.numpy().nbytes for w in layer.weights)
    if "Attention" in row.name:  # the width of the values is not counted
        assert weights / 2 < size <= weights
    else:
        assert size == weights


def test_there_are_enough_rows():
    assert len({row.layer for row in COUNTED}) > 15


def large(name, compiled=False, **arguments):
    """The JSON of a model whose only layer has one large argument."""
    layers = keras.layers
    kinds = {
        "dense": lambda: layers.Dense(2, name="large"),
        "inner": lambda: keras.Sequential([layers.Dense(2, name="large")]),
        "bidirectional": lambda: layers.Bidirectional(layers.LSTM(2, name="large")),
        "embedding": lambda: layers.Embedding(3, 2, name="large"),
    }
    shape = (4,) if name in ("dense", "inner", "embedding") else (4, 3)
    model = keras.Sequential([keras.Input(shape), kinds[name]()])
    if compiled:
        model.compile("adam", "mse", metrics=[keras.metrics.AUC(num_thresholds=7)])
    config = json.loads(model.to_json())

    def enlarge(item):
        if isinstance(item, dict):
            inner = item.get("config")
            if isinstance(inner, dict) and str(inner.get("name")).endswith("large"):
                inner.update(arguments)
            for value in item.values():
                enlarge(value)
        elif isinstance(item, list):
            for value in item:
                enlarge(value)

    enlarge(config)
    return json.dumps(config)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("dense", {"units": 10**9}),
        ("inner", {"units": 10**9}),
        ("bidirectional", {"units": 40_000}),
        ("embedding", {"input_dim": 10**9}),
    ],
)
def test_what_the_memory_limit_will_refuse(tmp_path, name, arguments):
    path = tmp_path / "m.json"
    path.write_text(large(name, **arguments))
    (warning,) = keras.saving.inspect(path).warnings
    assert "Loading refuses it" in warning
    assert "large" in warning or "lstm" in warning
    with pytest.raises(keras.saving.UnsafeFileError):
        keras.models.model_from_json(path.read_text())
    with keras.saving.memory_limit(1 << 40):
        assert keras.saving.inspect(path).warnings == []
        keras.models.model_from_json(path.read_text())
    # Twice what is allowed counts as large, a hundredth does not.
    few = {key: value // 1000 for key, value in arguments.items()}
    path.write_text(large(name, **few))
    assert keras.saving.inspect(path).warnings == []
    keras.models.model_from_json(path.read_text())


def test_the_state_of_the_optimizer_counts(tmp_path):
    # The kernel alone is within the limit, with Adam's two slots it is not.
    path = tmp_path / "m.keras"
    config = large("dense", compiled=True, units=30_000_000)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", config)
    warnings = keras.saving.inspect(path).warnings
    assert any("state of Adam" in w for w in warnings)
    with pytest.raises(keras.saving.UnsafeFileError):
        keras.saving.load_model(path)


def test_thresholds_count(tmp_path):
    path = tmp_path / "m.keras"
    config = large("dense", compiled=True).replace(
        '"num_thresholds": 7', '"num_thresholds": 3000000'
    )
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", config)
    warnings = keras.saving.inspect(path).warnings
    assert any("3000000 thresholds" in w for w in warnings)
    with pytest.raises(keras.saving.UnsafeFileError, match="3000000 thresholds"):
        keras.saving.load_model(path)
