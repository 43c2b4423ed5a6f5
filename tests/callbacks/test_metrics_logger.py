"""MetricsLogger: what loggers get, and what their errors do."""

import json
import sys
import time
import types

import numpy as np
import pytest

import hornbeam as keras

MetricsLogger = keras.callbacks.MetricsLogger
X = np.ones((12, 2), "float32")


@pytest.fixture(autouse=True)
def _on_torch():
    with keras.config.backend_scope("torch"):
        yield


def fit(*loggers, epochs=2, **arguments):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.25), "mse")
    callback = MetricsLogger(*loggers, **arguments)
    data = {"validation_data": (X, X[:, :1])}
    return model.fit(X, X[:, :1], 4, epochs, 0, [callback], **data).history


class Note:
    def __init__(self):
        self.calls = []

    def __call__(self, step, values):
        self.calls.append((step, values))


def test_epochs():
    one, other = Note(), Note()
    history = fit(one, other)
    expected = [
        (epoch, {**{k: v[epoch] for k, v in history.items()}, "learning_rate": 0.25})
        for epoch in range(2)
    ]
    assert one.calls == other.calls == expected


def test_batches():
    note = Note()
    history = fit(note, update_freq=2)
    assert [step for step, _ in note.calls] == [2, 3, 4, 6, 6]
    assert [list(v) for _, v in note.calls][:2] == [
        ["batch_loss"],
        ["loss", "val_loss", "learning_rate"],
    ]
    # The last batch of the second epoch has the metrics of the epoch.
    assert note.calls[3][1]["batch_loss"] == history["loss"][1]


def test_an_error_does_not_end_the_training():
    def broken(step, values):
        raise ConnectionError("no network")

    note = Note()
    with pytest.warns(UserWarning) as warnings:
        history = fit(broken, note, epochs=3)
    first, last = [str(w.message) for w in warnings]
    assert "'broken' of MetricsLogger failed at step 0: ConnectionError: " in first
    assert last == "The logger 'broken' of MetricsLogger failed 3 times in all."
    assert len(history["loss"]) == len(note.calls) == 3
    with pytest.raises(ConnectionError, match="no network"):
        fit(broken, on_error="raise")


@pytest.mark.parametrize(
    ("loggers", "arguments", "message"),
    [
        ((), {}, "needs a function"),
        (("mlflow",), {}, "must be functions"),
        ((print,), {"update_freq": 0}, "update_freq"),
        ((print,), {"update_freq": "batches"}, "update_freq"),
        ((print,), {"on_error": "ignore"}, "on_error"),
    ],
)
def test_wrong_arguments(loggers, arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        MetricsLogger(*loggers, **arguments)


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_it_says_what_to_install(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f"pip install {name}"):
        getattr(MetricsLogger, name)()


def test_what_mlflow_is_called_with(monkeypatch):
    calls = []
    fake = types.SimpleNamespace(log_metrics=lambda v, **more: calls.append((v, more)))
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    fit(MetricsLogger.mlflow("some run"), epochs=1)
    ((values, more),) = calls
    assert sorted(values) == ["learning_rate", "loss", "val_loss"]
    assert more == {"step": 0, "run_id": "some run"}


def test_the_run_of_wandb(monkeypatch):
    class Run:
        def __init__(self):
            self.steps = []

        def log(self, values, step):
            self.steps.append(step)

    given, active, started = Run(), Run(), Run()
    fake = types.SimpleNamespace(run=active, init=lambda: started)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    fit(MetricsLogger.wandb(given), epochs=1)
    fit(MetricsLogger.wandb(), epochs=1)
    fake.run = None
    fit(MetricsLogger.wandb(), epochs=1)
    assert given.steps == active.steps == started.steps == [0]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_mlflow_itself(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri(tmp_path.as_uri())
    mlflow.set_experiment("of a test")
    with mlflow.start_run() as run:
        history = fit(MetricsLogger.mlflow(), epochs=3)
    found = mlflow.MlflowClient().get_metric_history(run.info.run_id, "val_loss")
    assert [m.value for m in found] == pytest.approx(history["val_loss"])
    assert [m.step for m in found] == [0, 1, 2]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_wandb_itself(tmp_path):
    wandb = pytest.importorskip("wandb", reason="wandb is not installed")
    with wandb.init(project="p", mode="offline", dir=str(tmp_path)) as run:
        history = fit(MetricsLogger.wandb(run), epochs=3)
    (path,) = tmp_path.rglob("*.wandb")
    rows: list = []
    for _ in range(100):  # a process of wandb's own writes the file
        rows = [row for row in _rows(path.read_bytes()) if "val_loss" in row]
        if len(rows) == 3:
            break
        time.sleep(0.1)
    assert [row["val_loss"] for row in rows] == pytest.approx(history["val_loss"])
    assert [row["_step"] for row in rows] == [0, 1, 2]


def _rows(data):
    """Return the rows of the history in a file of wandb, a log of LevelDB's format."""
    from wandb.proto import wandb_internal_pb2

    rows, at = [], 7
    while at + 7 < len(data):
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        if kind == 1:  # a whole record
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data[at + 7 : at + 7 + length])
            items = record.history.item
            rows.append(
                {
                    item.key or "/".join(item.nested_key): json.loads(item.value_json)
                    for item in items
                }
            )
        at += 7 + length
    return rows
