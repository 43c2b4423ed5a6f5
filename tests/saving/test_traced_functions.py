"""Lambdas in files: as graphs of ops, and what is told of those that are none."""

import json
import zipfile

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import ops
from hornbeam.core.errors import UnsafeFileError

X = np.random.default_rng(0).uniform(size=(2, 3)).astype("float32")
MEAN = np.arange(3.0)
HALF = keras.Variable(np.full(3, 0.5, "float32"))


def with_lambda(function, inputs=1, **kwargs):
    symbols = [keras.Input((3,)) for _ in range(inputs)]
    layer = keras.layers.Lambda(function, name="scale", **kwargs)
    return keras.Model(symbols, layer(symbols if inputs > 1 else symbols[0]))


TRACED = {
    "operators": lambda x: (x[:, :2] * 2 + 1) / ops.sqrt(3.0),
    "identity": lambda x: x,
    "ops": lambda x: ops.concatenate([x, ops.sum(x, axis=1, keepdims=True)], axis=-1),
    "constants": lambda x: ops.where(x > 0.5, x - MEAN, 0.0),
    "seeded": lambda x: x + keras.random.normal((3,), seed=3),
    "shape": lambda x: ops.reshape(x, (-1, 1, x.shape[1])),
    "dtype": lambda x: ops.cast(x, "float16"),
}


@pytest.mark.parametrize("name", TRACED)
def test_a_lambda_of_ops_comes_back(tmp_path, name):
    model = with_lambda(TRACED[name])
    expected = model.predict(X, verbose=0)
    model.save(tmp_path / "m.keras")
    for _ in range(2):  # what was loaded can be saved again
        model = keras.saving.load_model(tmp_path / "m.keras")
        found = model.predict(X, verbose=0)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
        model.save(tmp_path / "m.keras")


def test_engines_and_ways(engine, tmp_path):
    model = with_lambda(lambda x, less: x[0] * x[1] - less, 2, arguments={"less": 0.5})
    model.save(tmp_path / "m.h5")
    models = [
        keras.models.model_from_json(model.to_json()),
        keras.models.clone_model(keras.models.model_from_json(model.to_json())),
    ]
    with pytest.warns(UserWarning, match="how the model was compiled"):
        models.append(keras.saving.load_model(tmp_path / "m.h5"))
    for found in models:
        np.testing.assert_allclose(found([X, X]), X * X - 0.5, rtol=1e-6)


def test_in_a_sequential_model_with_a_shape(tmp_path):
    layer = keras.layers.Lambda(lambda x: x * 2, output_shape=lambda shape: shape)
    model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(2)])
    model.save(tmp_path / "m.keras")
    found = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(found.predict(X), model.predict(X))
    with pytest.raises(ValueError, match="shape"):
        found.layers[0](np.ones((2, 4), "float32"))


dense = keras.layers.Dense(3)
REASONS = {
    "draws": (lambda x: x + keras.random.normal((3,)), "something else each time"),
    "layer": (lambda x: dense(x), "calls <Dense name=dense"),
    "variable": (lambda x: x * HALF, "Cannot serialize <Variable"),
    "array": (lambda x: ops.matmul(x, np.zeros((3, 90_000))), "constants are too l"),
    "unknown size": (lambda x: ops.reshape(x, ops.shape(x)), "does not work"),
    "training": (lambda x, training: x, r"takes \['training'\]"),
}


@pytest.mark.parametrize("name", REASONS)
def test_what_is_no_graph_is_told(tmp_path, name):
    function, reason = REASONS[name]
    model = keras.Sequential([keras.layers.Lambda(function, name="scale")])
    model.build((None, 3))
    with pytest.warns(UserWarning, match=f"`lambda` of layer 'scale'.*{reason}"):
        model.save(tmp_path / "m.keras")
    with pytest.raises(UnsafeFileError, match="bytecode of a `lambda`"):
        keras.saving.load_model(tmp_path / "m.keras")
    found = keras.saving.load_model(tmp_path / "m.keras", {"scale": function})
    assert found.layers[0].function is function


def test_tracing_leaves_names_and_seeds(tmp_path):
    keras.utils.set_random_seed(1)
    expected = keras.random.normal((2,))
    name = keras.layers.Dense(1).name
    model = with_lambda(lambda x: x * 2 + keras.random.normal((3,), seed=1))
    keras.utils.set_random_seed(1)
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(keras.random.normal((2,)), expected)
    number = int(name.rpartition("_")[2]) if "_" in name else 0
    assert keras.layers.Dense(1).name == f"dense_{number + 1}"


def changed(path, change):
    """Change the graph in a file."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    config = json.loads(members["config.json"])
    (layer,) = (x for x in config["config"]["layers"] if x["class_name"] == "Lambda")
    change(layer["config"]["function"]["config"])
    members["config.json"] = json.dumps(config)
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)


def as_dense(function):
    layer = function["graph"]["layers"][1]
    layer |= {"module": "keras.layers", "class_name": "Dense", "registered_name": None}
    layer["config"] = {"units": 3, "name": layer["name"]}
    del layer["inbound_nodes"][0]["args"][1:]


def as_system(function):
    layer = function["graph"]["layers"][1]
    layer |= {"module": "os", "class_name": "system", "registered_name": None}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda function: function.pop("graph"), "bytecode"),
        (lambda function: function.update(graph=1), "damaged|describes no model|made"),
        (as_dense, "which is no op"),
        (as_system, "Could not locate class"),
    ],
)
def test_changed_graphs_are_refused(tmp_path, change, message):
    with_lambda(lambda x: x * 2).save(tmp_path / "m.keras")
    changed(tmp_path / "m.keras", change)
    with pytest.raises((ValueError, TypeError), match=message):
        keras.saving.load_model(tmp_path / "m.keras")


def test_what_is_not_registered_is_told(tmp_path):
    class Mine(keras.layers.Layer):
        def call(self, x):
            return x

    @keras.saving.register_keras_serializable("told")
    class Registered(Mine):
        pass

    def loss(y, y_pred):
        return ops.mean(y - y_pred)

    layers = [keras.Input((3,)), Registered(), Mine(), Mine()]
    model = keras.Sequential(layers)
    model.compile("sgd", loss)
    with pytest.warns(UserWarning) as told:
        model.save(tmp_path / "m.keras")
    (warning,) = told
    assert "{'Mine': ..., 'loss': ...}" in str(warning.message)
    keras.saving.load_model(tmp_path / "m.keras", {"Mine": Mine, "loss": loss})
