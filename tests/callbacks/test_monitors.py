"""Callbacks that watch a value."""

import os

import numpy as np
import pytest

from hornbeam import KerasTensor, losses, metrics, ops
from hornbeam import callbacks as c
from hornbeam.training.compiling.containers import CompileMetrics
from tests.callbacks.fakes import FakeModel, run


class FakeMetric:
    def __init__(self, name, direction=None):
        self.name = name
        self._direction = direction


# monitor, direction of the metric of that name, direction found
DIRECTIONS = [
    ("loss", None, "min"),
    ("val_loss", None, "min"),
    ("val_head_loss", None, "min"),
    ("acc", None, "max"),
    ("val_accuracy", None, "max"),
    ("val_auc", None, "max"),
    ("f1_score", None, "max"),
    ("hinge", None, "min"),
    ("mse", None, "min"),
    ("oddity", "up", "max"),
    ("val_oddity", "down", "min"),
    ("val_head_oddity", "up", "max"),
    ("account_error", None, "min"),
    ("val_f1_loss", None, "min"),
]


@pytest.mark.parametrize(("monitor", "direction", "expected"), DIRECTIONS)
def test_auto_mode(monitor, direction, expected):
    stopper = c.EarlyStopping(monitor)
    model = FakeModel()
    inner = FakeMetric("compile_metrics")
    inner.metrics = [FakeMetric("oddity", direction)]
    model.metrics = [inner]
    run(model, [stopper], [1.0], name=monitor)
    assert stopper.monitor_op is (ops.less if expected == "min" else ops.greater)


METRICS = [
    (lambda: metrics.AUC(name="q"), "max"),
    (lambda: metrics.F1Score(name="q"), "max"),
    (lambda: metrics.R2Score(name="q"), "max"),
    (lambda: metrics.CosineSimilarity(name="q"), "max"),
    (lambda: metrics.PearsonCorrelation(name="q"), "max"),
    (lambda: metrics.BinaryIoU(name="q"), "max"),
    (lambda: metrics.CategoricalAccuracy(name="q"), "max"),
    (lambda: metrics.PrecisionAtRecall(0.5, name="q"), "max"),
    (lambda: metrics.TruePositives(name="q"), "max"),
    (lambda: metrics.FalsePositives(name="q"), "min"),
    (lambda: metrics.KLDivergence(name="q"), "min"),
    (lambda: metrics.RootMeanSquaredError(name="q"), "min"),
    (lambda: metrics.MeanMetricWrapper(losses.huber, name="q"), "min"),
    (lambda: metrics.MeanMetricWrapper(losses.Huber(), name="q"), "min"),
    (lambda: Rising(name="q"), "max"),
]


class Rising(metrics.Mean):
    _direction = "up"


@pytest.mark.parametrize(("make", "expected"), METRICS)
@pytest.mark.parametrize("monitor", ["val_q", "q", "val_b_q"])
def test_auto_mode_asks_the_metric(make, expected, monitor):
    several = monitor == "val_b_q"
    container = CompileMetrics({"b": [make()]} if several else [make()], None)
    symbol = KerasTensor((None, 1), "float32")
    nest = {"a": symbol, "b": symbol} if several else symbol
    container.build(nest, nest)
    model = FakeModel()
    model.metrics = [metrics.Mean(name="loss"), container]
    stopper = c.EarlyStopping(monitor)
    run(model, [stopper], [1.0], name=monitor)
    assert stopper.monitor_op is (ops.less if expected == "min" else ops.greater)


def test_auto_mode_knows_a_metric_by_its_kind():
    model = FakeModel()
    model.metrics = [metrics.TruePositives(name="true_positives_3")]
    stopper = c.EarlyStopping("val_true_positives")
    with pytest.warns(UserWarning, match="Did you mean 'val_true_positives_3'"):
        run(model, [stopper], [1.0], name="val_true_positives_3")
    assert stopper.monitor_op is ops.greater


@pytest.mark.parametrize(
    "make",
    [
        lambda **k: c.EarlyStopping("vol_loss", **k),
        lambda **k: c.ReduceLROnPlateau("vol_loss", **k),
        lambda **k: c.ModelCheckpoint("a.keras", "vol_loss", save_best_only=True, **k),
    ],
)
def test_unknown_monitor(make):
    with pytest.warns(UserWarning, match="'vol_loss'.*Available: .*loss") as warned:
        run(FakeModel(), [make(mode="min")], [1.0, 1.0])
    assert len(warned) == 1
    assert "Did you mean" in str(warned[0].message)


def test_direction_that_nobody_knows():
    stopper = c.EarlyStopping("oddity")
    with pytest.raises(ValueError, match="oddity.*mode='min' or mode='max'.*loss"):
        run(FakeModel(), [stopper], [1.0])
    with pytest.raises(ValueError) as raised:
        run(FakeModel(), [c.EarlyStopping("oddity")], [1.0], name="oddity")
    assert "Did you mean" not in str(raised.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: c.EarlyStopping(mode="least"),
        lambda: c.ReduceLROnPlateau(mode="least"),
        lambda: c.ModelCheckpoint("a.keras", mode="least"),
    ],
)
def test_unknown_mode_is_auto(make):
    with pytest.warns(UserWarning, match="mode 'least' is unknown"):
        assert make().mode == "auto"


# arguments, losses, epochs that ran, epoch whose weights stay
STOPPING = [
    ({"patience": 0}, [3, 2, 1], 3, 3),
    ({"patience": 0}, [3, 4, 1], 2, 2),
    ({"patience": 2}, [3, 4, 5, 1], 3, 3),
    ({"patience": 2}, [3, 4, 2, 3, 4, 1], 5, 5),
    ({"patience": 2, "restore_best_weights": True}, [3, 4, 5, 1], 3, 1),
    ({"patience": 5, "restore_best_weights": True}, [3, 1, 2], 3, 2),
    ({"patience": 1, "min_delta": 2}, [9, 8, 7], 2, 2),
    ({"patience": 2, "baseline": 1}, [5, 4, 3, 2], 2, 2),
    ({"patience": 1, "mode": "max"}, [1, 2, 3, 3, 9], 4, 4),
    ({"patience": 0, "start_from_epoch": 3}, [1, 2, 3, 4, 5, 6], 5, 5),
]


@pytest.mark.parametrize(("arguments", "losses", "epochs", "kept"), STOPPING)
def test_early_stopping(arguments, losses, epochs, kept):
    stopper = c.EarlyStopping(monitor="loss", **arguments)
    model = FakeModel()
    for _ in range(2):  # a callback may be used again
        model.stop_training = False
        model.weight.assign([0.0, 0.0])
        history = run(model, [stopper], losses, batches=1)
        assert len(history.epoch) == epochs
        assert model.weight.value.tolist() == [kept, kept]


def test_early_stopping_speaks(capsys):
    stopper = c.EarlyStopping("loss", verbose=1, restore_best_weights=True)
    run(FakeModel(), [stopper], [1, 2, 3])
    text = capsys.readouterr().out
    assert "Epoch 2: early stopping" in text
    assert "best epoch, 1" in text


# arguments, losses, learning rates in the logs
PLATEAUS = [
    ({"patience": 1}, [3, 3, 3], [0.1, 0.1, 0.01]),
    ({"patience": 2}, [3, 3, 3, 3], [0.1, 0.1, 0.1, 0.01]),
    ({"patience": 1}, [3, 2, 1], [0.1, 0.1, 0.1]),
    ({"patience": 1, "cooldown": 2}, [3] * 5, [0.1, 0.1, 0.01, 0.01, 0.001]),
    ({"patience": 1, "min_lr": 0.05}, [3] * 4, [0.1, 0.1, 0.05, 0.05]),
    ({"patience": 1, "factor": 0.5}, [3] * 3, [0.1, 0.1, 0.05]),
    ({"patience": 1, "mode": "max"}, [1, 2, 3], [0.1, 0.1, 0.1]),
]


@pytest.mark.parametrize(("arguments", "losses", "rates"), PLATEAUS)
def test_reduce_lr_on_plateau(arguments, losses, rates):
    callback = c.ReduceLROnPlateau("loss", **arguments)
    history = run(FakeModel(), [callback], losses)
    np.testing.assert_allclose(history.history["learning_rate"], rates, rtol=1e-6)


def test_reduce_lr_on_plateau_arguments(capsys):
    with pytest.raises(ValueError, match="`factor` of .* < 1"):
        c.ReduceLROnPlateau(factor=1.0)
    with pytest.raises(TypeError, match="'speed'"):
        c.ReduceLROnPlateau(speed=1)
    with pytest.warns(UserWarning, match="min_delta"):
        assert c.ReduceLROnPlateau(epsilon=0.5).min_delta == 0.5
    run(FakeModel(), [c.ReduceLROnPlateau("loss", patience=1, verbose=1)], [1, 1])
    assert "Epoch 2: ReduceLROnPlateau reducing" in capsys.readouterr().out


# arguments, losses of the epochs, what was saved
CHECKPOINTS = [
    ({}, [3, 2, 4], ["1", "2", "3"]),
    ({"save_best_only": True}, [3, 2, 4, 1], ["1", "2", "4"]),
    ({"save_best_only": True, "mode": "max"}, [3, 2, 4], ["1", "3"]),
    (
        {"save_best_only": True, "initial_value_threshold": 2.5},
        [3, 2, 4],
        ["2"],
    ),
    ({"save_freq": 3}, [3, 2, 4], ["2", "3"]),
    ({"save_freq": 1}, [3, 2], ["1", "1", "2", "2"]),
    ({"save_freq": 3, "save_best_only": True}, [3, 4, 2], ["2", "3"]),
]


@pytest.mark.parametrize(("arguments", "losses", "saved"), CHECKPOINTS)
@pytest.mark.parametrize("weights", [False, True])
def test_model_checkpoint(tmp_path, arguments, losses, saved, weights):
    ending = ".weights.h5" if weights else ".keras"
    callback = c.ModelCheckpoint(
        tmp_path / "deep" / f"{{epoch}}{ending}",
        "loss",
        save_weights_only=weights,
        **arguments,
    )
    model = FakeModel()
    run(model, [callback], losses)
    kind = "weights" if weights else "model"
    folder = os.fspath(tmp_path / "deep")
    assert model.saved == [(kind, os.path.join(folder, n + ending)) for n in saved]
    assert os.path.isdir(folder)


def test_model_checkpoint_names(tmp_path):
    template = os.fspath(tmp_path / "{epoch:02d}-{batch}-{loss:.1f}.keras")
    model = FakeModel()
    run(model, [c.ModelCheckpoint(template, save_freq=2)], [0.25])
    assert model.saved == [("model", os.fspath(tmp_path / "01-2-0.2.keras"))]
    with pytest.raises(KeyError, match="'lose'.*Did you mean 'loss'"):
        run(model, [c.ModelCheckpoint("{lose}.keras")], [0.25])


@pytest.mark.parametrize(
    "arguments",
    [
        ("a.h5",),
        ("a",),
        ("a.keras", {"save_weights_only": True}),
        ("a.weights.h5",),
        ("a.keras", {"save_freq": "batch"}),
        ("a.keras", {"save_freq": 1.5}),
    ],
)
def test_model_checkpoint_refuses(arguments):
    path, *options = arguments
    with pytest.raises(ValueError, match=r"`filepath`|save_freq"):
        c.ModelCheckpoint(path, **(options[0] if options else {}))


def test_model_checkpoint_speaks(capsys):
    callback = c.ModelCheckpoint("a.keras", "loss", verbose=1, save_best_only=True)
    run(FakeModel(), [callback], [2, 1, 3])
    text = capsys.readouterr().out
    assert "Epoch 1: loss improved from nothing to 2.00000, saving to a.keras" in text
    assert "Epoch 2: loss improved from 2.00000 to 1.00000" in text
    assert "Epoch 3: loss did not improve from 1.00000" in text
