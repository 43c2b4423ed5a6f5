"""TensorBoard: its files, read by TensorBoard's own reader."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest

import hornbeam as keras
from tests.callbacks import boards

image = pytest.importorskip("PIL.Image")
pytestmark = pytest.mark.xdist_group("callbacks")

X = np.random.default_rng(0).integers(0, 9, (24, 4))
Y = X.mean(1, keepdims=True).astype("float32")
VALID = {"validation_data": (X[:8], Y[:8])}
TensorBoard = keras.callbacks.TensorBoard


def small_model():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4,), dtype="int32", name="words")
    x = keras.layers.Embedding(9, 3, name="table")(inputs)
    x = keras.layers.Conv1D(2, 2, name="conv")(x)
    x = keras.layers.Flatten(name="flat")(x)
    model = keras.Model(inputs, keras.layers.Dense(1, name="out")(x), name="net")
    model.compile(keras.optimizers.SGD(0.01), "mse", metrics=["mae"])
    return model


def fit(folder, model=None, epochs=2, **arguments):
    fitting = {"validation_data": arguments.pop("validation_data", None)}
    model = model or small_model()
    board = TensorBoard(folder, **arguments)
    history = model.fit(X, Y, 8, epochs, 0, [board], **fitting).history
    return model, history


def test_scalars_are_those_of_the_history(training_engine, tmp_path):
    _, history = fit(tmp_path, **VALID, write_steps_per_second=True)
    train = boards.scalars(tmp_path / "train")
    speed = train.pop("epoch_steps_per_second")
    assert all(value > 0 for _, value in speed) and len(speed) == 2
    rate = [np.float32(0.01)] * 2
    names = {"epoch_loss": "loss", "epoch_mae": "mae"}
    expected = {tag: history[name] for tag, name in names.items()}
    for tag, values in {**expected, "epoch_learning_rate": rate}.items():
        assert train.pop(tag) == [(i, np.float32(v)) for i, v in enumerate(values)]
    assert not train
    valid = boards.scalars(tmp_path / "validation")
    for name in ("loss", "mae"):
        values = [np.float32(v) for v in history[f"val_{name}"]]
        assert valid.pop(f"epoch_{name}") == list(enumerate(values))
        tag = f"evaluation_{name}_vs_iterations"
        assert valid.pop(tag) == list(zip([3, 6], values, strict=True))
    assert not valid


def test_every_second_batch(training_engine, tmp_path):
    calls = []

    class Board(TensorBoard):
        def on_train_batch_end(self, batch, logs=None):
            calls.append(batch)
            super().on_train_batch_end(batch, logs)

    board = Board(tmp_path, update_freq=2, write_steps_per_second=True)
    small_model().fit(X, Y, 8, 2, 0, [board])
    train = boards.scalars(tmp_path / "train")
    assert [step for step, _ in train["batch_loss"]] == [2, 4, 6]
    assert [step for step, _ in train["batch_steps_per_second"]] == [2, 4, 6]
    # The last batch of the second epoch is the last of its metrics too.
    assert train["batch_mae"][-1][1] == train["epoch_mae"][-1][1]
    assert calls == [1, 2, 0, 2]


def test_histograms_and_images(tmp_path):
    with keras.config.backend_scope("torch"):
        model, _ = fit(tmp_path, epochs=3, histogram_freq=2, write_images=True)
    found = boards.read(tmp_path / "train")
    weights = {w.path: w.numpy() for w in model.weights}
    assert {f"{path}/histogram" for path in weights} <= set(found)
    for path, values in weights.items():
        histogram = found[f"{path}/histogram"]
        assert sorted(histogram) == [0, 2]
        if values.size == 1:
            continue
        counts, edges = np.histogram(values.astype("float64"), 30)
        np.testing.assert_allclose(histogram[2][:, 2], counts)
        np.testing.assert_allclose(histogram[2][:, 0], edges[:-1], atol=1e-6)
    width, height, *pngs = found["table/embeddings/image"][2]
    pixels = np.asarray(image.open(io.BytesIO(pngs[0])))
    assert (int(width), int(height)) == (9, 3) == pixels.shape[::-1]
    table = weights["table/embeddings"].T
    expected = (table / np.abs(table).max() + 1) / 2 * 255
    np.testing.assert_allclose(pixels, expected, atol=0.6)
    assert len(found["conv/kernel/image"][0]) == 4  # a picture per filter


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5,), (1, 5, 1, 1)),
        ((2, 5), (1, 2, 5, 1)),
        ((5, 2), (1, 2, 5, 1)),
        ((1, 5), (1, 5, 1, 1)),
        ((3, 4, 2), (2, 3, 4, 1)),
        ((3, 4, 2, 6), (6, 3, 8, 1)),
        ((2, 2, 2, 2, 2), None),
    ],
)
def test_shapes_of_images(shape, expected):
    from hornbeam.callbacks.tensorboard import _as_images

    images = _as_images(np.zeros(shape))
    assert images is None if expected is None else images.shape == expected


def graph_of(folder):
    graph = boards.opened(folder / "train").Graph()
    return {node.name: (node.op, list(node.input)) for node in graph.node}


def test_graph(tmp_path):
    fit(tmp_path)
    assert graph_of(tmp_path) == {
        "words": ("Input", []),
        "table": ("Embedding", ["words"]),
        "conv": ("Conv1D", ["table"]),
        "flat": ("Flatten", ["conv"]),
        "out": ("Dense", ["flat"]),
    }
    from tensorboard.plugins.graph import keras_util

    (text,) = boards.read(tmp_path / "train")["keras"].values()
    drawn = keras_util.keras_model_to_graph_def(json.loads(text.item()))
    names = [node.name.removeprefix("net/") for node in drawn.node]
    assert names == list(graph_of(tmp_path))


def test_graph_of_nested_and_shared_parts(tmp_path):
    inner = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(3, name="a")], name="inner"
    )
    x, y = keras.Input((3,), name="x"), keras.Input((3,), name="y")
    z = keras.layers.Add(name="sum")([inner(x), inner(y)])
    model = keras.Model([x, y], z, name="net")
    model.compile("sgd", "mse")
    data = np.ones((4, 3), "float32")
    board = TensorBoard(tmp_path)
    model.fit([data, data], data, verbose=0, callbacks=[board])
    graph = graph_of(tmp_path)
    assert graph["inner/a"] == ("Dense", ["inner/input_layer"])
    assert graph["inner/input_layer"][1] == ["x"]
    assert graph["call_1/inner/input_layer"][1] == ["y"]
    assert graph["sum"] == ("Add", ["inner/a", "call_1/inner/a"])


class Own(keras.Model):
    def __init__(self, something):
        super().__init__(name="own")
        self.dense = keras.layers.Dense(1, name="dense")

    def call(self, x):
        return self.dense(x)


def test_graph_of_a_model_without_a_config(tmp_path):
    model = Own(object())
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path)])
    assert graph_of(tmp_path) == {"dense": ("Dense", [])}
    assert "keras" not in boards.read(tmp_path / "train")


@pytest.mark.parametrize("metadata", [None, "words.tsv", {"table": "words.tsv"}])
def test_embeddings(tmp_path, metadata):
    from google.protobuf import text_format
    from tensorboard.plugins.projector import projector_config_pb2

    model, _ = fit(tmp_path, embeddings_freq=1, embeddings_metadata=metadata)
    config = projector_config_pb2.ProjectorConfig()
    text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), config)
    (entry,) = config.embeddings
    assert entry.metadata_path == ("words.tsv" if metadata else "")
    table = np.loadtxt(tmp_path / entry.tensor_path, delimiter="\t")
    np.testing.assert_allclose(table, model.get_layer("table").embeddings, rtol=1e-6)


def test_metadata_of_no_layer(tmp_path):
    with pytest.raises(ValueError, match="'tabel'; there are.* Did you mean 'table'"):
        fit(tmp_path, embeddings_freq=1, embeddings_metadata={"tabel": "a"})


@pytest.mark.parametrize("batches", [2, (2, 4)])
def test_profile(training_engine, tmp_path, batches):
    fit(tmp_path, profile_batch=batches)
    files = [p for p in tmp_path.rglob("*") if p.is_file() and "trace" in p.name]
    files += tmp_path.glob("plugins/profile/*/*.xplane.pb")
    assert files and all(path.stat().st_size for path in files)


def test_evaluation_alone(tmp_path):
    model = small_model()
    board = TensorBoard(tmp_path)
    results = model.evaluate(X, Y, verbose=0, callbacks=[board], return_dict=True)
    assert boards.scalars(tmp_path / "validation") == {
        f"evaluation_{name}_vs_iterations": [(0, np.float32(value))]
        for name, value in results.items()
    }
    assert not (tmp_path / "train").exists()


def test_own_values(tmp_path):
    board = TensorBoard(tmp_path)

    class Largest(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            largest = np.abs(self.model.get_weights()[0]).max()
            board.summary.scalar("largest", largest, epoch)
            board.summary.text("note", "good", epoch)

    small_model().fit(X, Y, epochs=2, verbose=0, callbacks=[board, Largest()])
    found = boards.read(tmp_path / "train")
    assert sorted(found["largest"]) == [0, 1]
    assert found["note"][1] == b"good"


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"update_freq": "batches"}, "update_freq"),
        ({"update_freq": 0}, "update_freq"),
        ({"histogram_freq": -1}, "histogram_freq"),
        ({"embeddings_freq": 0.5}, "embeddings_freq"),
        ({"profile_batch": -1}, "profile_batch"),
        ({"profile_batch": (3, 2)}, "profile_batch"),
        ({"profile_batch": (1, 2, 3)}, "profile_batch"),
        ({"profile_batch": "2,3"}, "profile_batch"),
    ],
)
def test_wrong_arguments(arguments, argument):
    with pytest.raises(ValueError, match=f"Argument `{argument}` of TensorBoard must"):
        TensorBoard("logs", **arguments)


def test_no_tensorflow_is_loaded(tmp_path):
    code = """if True:
        import sys, numpy as np, hornbeam as keras
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        assert "tensorboard" not in sys.modules
        board = keras.callbacks.TensorBoard(sys.argv[1], 1, True, True, True, 1)
        x = np.ones((4, 2))
        data = {"validation_data": (x, x[:, :1])}
        model.fit(x, x[:, :1], verbose=0, callbacks=[board], **data)
        assert "tensorflow" not in sys.modules
        """
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(command, timeout=120).returncode == 0


def test_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.record_writer", None)
    with pytest.raises(ImportError, match=r"pip install 'hornbeam\[tensorboard\]'"):
        fit(tmp_path)


@pytest.mark.parametrize(
    ("method", "data", "match"),
    [
        ("scalar", [1.0, 2.0], r"scalar\('a'\) expects one number.*\(2,\)"),
        ("scalar", "high", r"scalar\('a'\) expects numbers.*'high'"),
        ("histogram", object(), r"histogram\('a'\) expects numbers"),
        ("image", np.zeros((4, 4, 3)), r"image\('a'\).*\(4, 4, 3\).*`image\[None\]`"),
        ("image", np.zeros((1, 4, 4, 2)), r"image\('a'\).*width, 1 or 3\)"),
        ("image", None, r"image\('a'\) expects numbers.*None"),
        ("text", 3, r"text\('a'\) expects a text.*3"),
    ],
)
def test_what_cannot_be_written_is_named(method, data, match, tmp_path):
    board = keras.callbacks.TensorBoard(tmp_path)
    board.set_model(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    with pytest.raises((TypeError, ValueError), match=match):
        getattr(board.summary, method)("a", data, 0)
    board.summary.scalar("one", np.array([2.0]), 0)
    board.on_train_end()
