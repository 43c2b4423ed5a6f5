"""What is exported is served by TensorFlow alone, in a process without hornbeam."""

import json
import subprocess
import sys

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers

tf = pytest.importorskip("tensorflow")

# In one process: the tests share programs.
pytestmark = [pytest.mark.xdist_group("export"), pytest.mark.slow]

RNG = np.random.default_rng(0)
X = RNG.standard_normal((5, 6)).astype("float32")
WORDS = RNG.integers(0, 9, (5, 7)).astype("int32")
IMAGES = RNG.standard_normal((5, 8, 8, 3)).astype("float32")

SERVING = """
import json, sys
import numpy as np
import tensorflow as tf
found = []
for path, inputs in json.loads(sys.stdin.read()):
    def arrays(x):
        if isinstance(x, dict) and "dtype" in x:
            return np.array(x["values"], x["dtype"])
        if isinstance(x, dict):
            return {k: arrays(v) for k, v in x.items()}
        return [arrays(v) for v in x]
    loaded = tf.saved_model.load(path)
    outputs = loaded.serve(*arrays(inputs))
    found.append(tf.nest.map_structure(lambda y: y.numpy().tolist(), outputs))
assert not any(name.split(".")[0] == "hornbeam" for name in sys.modules)
print(json.dumps(found))
"""


def served(*cases):
    """Return what the SavedModels give for inputs, in another process."""

    def plain(x):
        if isinstance(x, np.ndarray):
            return {"dtype": str(x.dtype), "values": x.tolist()}
        if isinstance(x, dict):
            return {k: plain(v) for k, v in x.items()}
        return [plain(v) for v in x]

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SERVING],
        input=json.dumps([(str(path), plain(inputs)) for path, inputs in cases]),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def dense():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(4, activation="gelu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.set_weights([RNG.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])
    return model, [X]


def images():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.GlobalAveragePooling2D(),
            layers.LayerNormalization(),
            layers.Dense(2),
        ]
    )
    return model, [IMAGES]


def words():
    model = keras.Sequential(
        [
            keras.Input((7,), dtype="int32"),
            layers.Embedding(9, 4, mask_zero=True),
            layers.LSTM(3),
            layers.Dense(1),
        ]
    )
    return model, [WORDS]


def several():
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    joined = layers.concatenate([layers.Dense(3)(left), right])
    outputs = {
        "sum": keras.ops.sum(joined, axis=-1),
        "head": layers.Dense(2, name="head")(joined),
    }
    model = keras.Model({"left": left, "right": right}, outputs)
    return model, [{"left": X, "right": -X}]


def listed():
    a, b = keras.Input((6,)), keras.Input((7,), dtype="int32")
    first = layers.Dense(2)(a)
    second = layers.Flatten()(layers.Embedding(9, 2)(b))
    model = keras.Model([a, b], [first, layers.Dense(3)(second)])
    return model, [[X, WORDS]]


def sequences():
    inputs = keras.Input((7, 4))
    x = layers.MultiHeadAttention(2, 3)(inputs, inputs)
    x = layers.Bidirectional(layers.GRU(2, return_sequences=True))(x + inputs)
    x = layers.TimeDistributed(layers.Dense(2))(layers.Conv1D(3, 2)(x))
    x = layers.Reshape((-1, 4))(x)
    return keras.Model(inputs, layers.GlobalMaxPooling1D()(x)), [
        RNG.standard_normal((5, 7, 4)).astype("float32")
    ]


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, x, training=False):
        return self.dense(x) * (2.0 if training else 1.0)


def subclassed():
    model = Subclassed()
    model(X[:2])
    return model, [X]


MAKERS = [dense, images, words, sequences, several, listed, subclassed]


def assert_alike(found, expected):
    if isinstance(expected, dict):
        assert set(found) == set(expected)
        for name in expected:
            assert_alike(found[name], expected[name])
    elif isinstance(expected, list):
        for one, other in zip(found, expected, strict=True):
            assert_alike(one, other)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_models_of_every_engine_are_served_without_hornbeam(tmp_path):
    cases, expected = [], []
    for name, makers in (
        ("tensorflow", MAKERS),
        ("jax", [dense, several]),
        ("torch", [words]),
        ("numpy", [dense]),
    ):
        for make in makers:
            with backends.scope(name):
                model, inputs = make()
                path = tmp_path / f"{name}-{make.__name__}"
                model.export(path)
                assert model.backend == name
                cases.append((path, inputs))
                model.run_eagerly = name != "jax"  # and nothing more is compiled
                expected.append(model.predict(inputs[0], verbose=0))
    # Any number of rows.
    cases.append((cases[0][0], [X[:2]]))
    expected.append(expected[0][:2])
    for found, wanted in zip(served(*cases), expected, strict=True):
        assert_alike(found, wanted)


@pytest.fixture
def on_tensorflow():
    with backends.scope("tensorflow"):
        yield


@pytest.mark.usefixtures("on_tensorflow")
class TestArchive:
    def test_endpoints_collections_and_the_default(self, tmp_path):
        model, _ = dense()
        model.compile("adam", "mse")
        model.fit(X, X[:, :2], verbose=0)
        spec = keras.InputSpec(shape=(None, 6), dtype="float32", name="rows")
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint("infer", model.call, input_signature=[spec])
        archive.add_endpoint(
            "train", lambda x: model(x, training=True), input_signature=[spec]
        )
        archive.add_variable_collection(
            "optimizer_variables", model.optimizer.variables
        )
        archive.write_out(tmp_path / "a", verbose=False)

        loaded = tf.saved_model.load(str(tmp_path / "a"))
        expected = model.predict(X, verbose=0)
        np.testing.assert_allclose(loaded.infer(X), expected, rtol=1e-5)
        default = loaded.signatures["serving_default"](rows=tf.constant(X))
        [outputs] = default.values()
        np.testing.assert_allclose(outputs, expected, rtol=1e-5)
        # The seed of the dropout goes on.
        assert np.abs(loaded.train(X) - loaded.train(X)).max() > 1e-3
        assert len(loaded.optimizer_variables) == len(model.optimizer.variables)
        assert int(loaded.optimizer_variables[0]) == 1

    def test_resources_and_functions_of_tensorflow(self, tmp_path):
        model, _ = dense()
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(["a", "b"], [1.0, 2.0]), 0.0
        )
        archive = keras.export.ExportArchive()
        inner = archive.track_and_add_endpoint(
            "inner", model, [tf.TensorSpec((None, 6), tf.float32)]
        )
        archive.track(table)

        @tf.function
        def serve(words):
            return inner(table.lookup(words)[:, None] * tf.ones((1, 6)))

        with pytest.raises(ValueError, match="needs `input_signature`"):
            archive.add_endpoint("serve", serve)
        expected = serve(tf.constant(["a", "b", "c"]))
        archive.add_endpoint("serve", serve)
        archive.write_out(tmp_path / "a", verbose=False)
        loaded = tf.saved_model.load(str(tmp_path / "a"))
        found = loaded.serve(tf.constant(["a", "b", "c"]))
        np.testing.assert_allclose(found, expected, rtol=1e-6)

    def test_mistakes_are_told(self, tmp_path):
        archive = keras.export.ExportArchive()
        with pytest.raises(ValueError, match="The archive is empty"):
            archive.write_out(tmp_path / "a")
        with pytest.raises(ValueError, match="no weights yet"):
            archive.track(layers.Dense(2))
        model, _ = dense()
        archive.track(model)
        with pytest.raises(ValueError, match="needs the shape"):
            archive.add_endpoint("a", model.call, [keras.InputSpec(ndim=2)])
        with pytest.raises(ValueError, match="a name that an attribute can have"):
            archive.add_endpoint("a b", model.call, [keras.InputSpec(shape=(1, 6))])
        with pytest.raises(ValueError, match="must be 'saved_model'"):
            keras.export.ExportArchive(format="onnx")
        with pytest.raises(NotImplementedError, match="Supported: 'tf_saved_model'"):
            model.export(tmp_path / "a", format="onnx")
        with pytest.raises(ValueError, match="does not know the shape of its inputs"):
            Subclassed().export(tmp_path / "a")
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "mine.txt").write_text("keep")
        with pytest.raises(FileExistsError, match="is no SavedModel"):
            model.export(tmp_path / "b")
        assert not (tmp_path / "a").exists()

    def test_an_old_export_is_replaced(self, tmp_path, capsys):
        for scale in (1.0, 2.0):
            model = keras.Sequential([keras.Input((6,)), layers.Rescaling(scale)])
            model.export(tmp_path / "a", verbose=True)
        found = tf.saved_model.load(str(tmp_path / "a")).serve(X)
        np.testing.assert_allclose(found, 2 * X)
        assert capsys.readouterr().out.count("Saved serve to") == 2

    def test_a_signature_of_ones_own(self, tmp_path):
        model, [inputs] = listed()
        specs = [
            keras.InputSpec(shape=(3, 6), dtype="float32"),
            tf.TensorSpec((3, 7), tf.int32),
        ]
        model.export(tmp_path / "a", input_signature=specs)
        loaded = tf.saved_model.load(str(tmp_path / "a"))
        found = loaded.serve([x[:3] for x in inputs])
        assert_alike(found, [y[:3] for y in model.predict(inputs, verbose=0)])


@pytest.mark.usefixtures("on_tensorflow")
class TestReadBack:
    @pytest.mark.parametrize("make", [dense, several, listed])
    def test_a_layer_serves_what_was_exported(self, make, tmp_path):
        model, [inputs] = make()
        model.export(tmp_path / "a")
        layer = layers.TFSMLayer(tmp_path / "a")
        expected = model.predict(inputs, verbose=0)
        assert_alike(layer(inputs), expected)
        symbols = model.inputs[0] if make is dense else model.input
        assert_alike(
            keras.Model(symbols, layer(symbols)).predict(inputs, verbose=0), expected
        )

    def test_it_is_part_of_a_model_that_trains(self, tmp_path):
        first, _ = dense()
        first.export(tmp_path / "a")
        layer = layers.TFSMLayer(tmp_path / "a", "serving_default")
        assert sorted(w.shape for w in layer.weights) == sorted(
            w.shape for w in first.weights
        )
        model = keras.Sequential([keras.Input((6,)), layer, layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        before = [w.numpy() for w in layer.weights]
        losses = model.fit(X, X[:, :1], epochs=5, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        for old, weight in zip(before, layer.weights, strict=True):
            np.testing.assert_array_equal(old, weight.numpy())

        # The same head on outputs that are computed once.
        head = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
        head.set_weights(model.layers[-1].get_weights())
        np.testing.assert_allclose(
            head.predict(first.predict(X, verbose=0), verbose=0),
            model.predict(X, verbose=0),
            rtol=1e-5,
        )

    def test_endpoints_for_training_and_names_that_are_wrong(self, tmp_path):
        model, _ = subclassed()
        spec = keras.InputSpec(shape=(None, 6), dtype="float32")
        archive = keras.export.ExportArchive()
        archive.add_endpoint("serve", model, [spec])
        archive.add_endpoint("train", lambda x: model(x, training=True), [spec])
        archive.write_out(tmp_path / "a", verbose=False)
        layer = layers.TFSMLayer(tmp_path / "a", call_training_endpoint="train")
        np.testing.assert_allclose(layer(X, training=True), 2 * layer(X), rtol=1e-6)
        with pytest.raises(ValueError, match="no endpoint 'other'. It has: 'serve'"):
            layers.TFSMLayer(tmp_path / "a", "other")
        with (
            backends.scope("jax"),
            pytest.raises(NotImplementedError, match="TensorFl"),
        ):
            layers.TFSMLayer(tmp_path / "a")

    def test_a_file_does_not_bring_it(self, tmp_path):
        model, _ = dense()
        model.export(tmp_path / "a")
        layer = layers.TFSMLayer(tmp_path / "a")
        config = layer.get_config()
        with pytest.raises(ValueError, match="If you trust it"):
            layers.TFSMLayer.from_config(config)
        again = layers.TFSMLayer.from_config(config, safe_mode=False)
        np.testing.assert_array_equal(again(X), layer(X))
        keras.Sequential([keras.Input((6,)), layer]).save(tmp_path / "b.keras")
        with pytest.raises(ValueError, match="may not hold a `TFSMLayer`"):
            keras.saving.load_model(tmp_path / "b.keras")


def test_without_tensorflow_it_says_what_to_install(tmp_path, monkeypatch):
    model, _ = dense()
    monkeypatch.delitem(backends._loaded, "tensorflow", raising=False)
    for name in [n for n in sys.modules if n.startswith("hornbeam.backends.tensorf")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match=r"pip install 'hornbeam\[tensorflow\]'"):
        model.export(tmp_path / "a")


def test_a_model_that_begins_with_strings_says_what_to_do():
    """What computes with Python would be served in this process alone."""
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            layers.TextVectorization(vocabulary=["a", "b"], output_sequence_length=3),
            layers.Embedding(5, 2),
            layers.Flatten(),
        ]
    )
    with pytest.raises(ValueError, match="TextVectorization.*export the rest"):
        model.export("unused")
    words = model.layers[0]
    rest = keras.Model(words.output, model.outputs[0])
    x = np.array([["a b"], ["b"]], object)
    keras.export.ExportArchive().track(rest)
    np.testing.assert_array_equal(
        rest.predict(words(x), verbose=0), model.predict(x, verbose=0)
    )
