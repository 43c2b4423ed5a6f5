"""The same data, given to the losses and metrics of Keras and of hornbeam."""

import importlib.util
import os
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

import hornbeam as keras
from tests.losses.table import ROWS as LOSSES
from tests.metrics.table import ROWS as METRICS

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.xdist_group("losses of Keras"),
    pytest.mark.skipif(
        importlib.util.find_spec("keras") is None, reason="Keras is not installed"
    ),
]


def case_of(row, seed=3):
    y_true, y_pred = (
        x.astype("int32" if x.dtype.kind == "i" else "float32")
        for x in row.data(np.random.default_rng(seed))
    )
    weight = np.linspace(0.5, 2, len(y_true)).astype("float32")
    if y_true.ndim == 2 and row.shape and len(row.shape) > 1:
        # Keras takes weights of the losses' rank only.
        weight = np.repeat(weight[:, None], y_true.shape[1], axis=1)
    return row.name, row.arguments, y_true, y_pred, weight


LOSS_CASES = [case_of(row) for row in LOSSES if row.shape != ()]
METRIC_CASES = [case_of(row) for row in METRICS]
SPARSE = "sparse_categorical_crossentropy"
COMPILED = [
    {"loss": ["mse", SPARSE]},
    {"loss": {"a": "mse", "b": SPARSE}, "loss_weights": {"a": 2.0, "b": 1.0}},
    {"loss": ["mse", None], "metrics": [None, ["accuracy"]]},
    {
        "loss": ["mse", SPARSE],
        "metrics": [["mae", "mse"], ["accuracy", "acc"]],
        "weighted_metrics": [["mae"], ["accuracy"]],
    },
    {"loss": ["mse", SPARSE], "metrics": {"b": "accuracy", "a": ["mae", "mae"]}},
    {"loss": ["mse", SPARSE], "weighted_metrics": ["mae", "accuracy"]},
]


@pytest.fixture(scope="module")
def of_keras(tmp_path_factory):
    folder = tmp_path_factory.mktemp("losses_metrics")
    given, found = folder / "given.pkl", folder / "found.pkl"
    given.write_bytes(pickle.dumps((LOSS_CASES, METRIC_CASES, COMPILED)))
    script = pathlib.Path(__file__).with_name("losses_metrics_of_keras.py")
    subprocess.run(
        [sys.executable, str(script), str(given), str(found)],
        check=True,
        env={**os.environ, "KERAS_BACKEND": "jax"},
    )
    return pickle.loads(found.read_bytes())


def host(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize(
    "index", range(len(LOSS_CASES)), ids=lambda i: LOSS_CASES[i][0]
)
def test_losses(of_keras, index, training_engine):
    name, arguments, y_true, y_pred, weight = LOSS_CASES[index]
    cls, wanted = getattr(keras.losses, name), of_keras[0][index]
    for reduction in (None, "sum", "mean", "mean_with_sample_weight"):
        loss = cls(**arguments, reduction=reduction)
        found = host(loss(y_true, y_pred, sample_weight=weight))
        np.testing.assert_allclose(found, wanted[reduction], rtol=2e-5, atol=1e-6)
    mean = cls(**arguments)
    run = training_engine.value_and_grad(lambda values: mean(y_true, values[0]))
    _, (gradient,) = run([keras.ops.convert_to_tensor(y_pred)])
    np.testing.assert_allclose(host(gradient), wanted["gradient"], rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize(
    "index", range(len(METRIC_CASES)), ids=lambda i: METRIC_CASES[i][0]
)
def test_metrics(of_keras, index, engine):
    name, arguments, y_true, y_pred, weight = METRIC_CASES[index]
    wanted = iter(of_keras[1][index])
    for w in (None, weight):
        metric = getattr(keras.metrics, name)(**arguments)
        half = len(y_true) // 2
        for part in (slice(0, half), slice(half, None)):
            metric.update_state(
                y_true[part], y_pred[part], None if w is None else w[part]
            )
            np.testing.assert_allclose(
                host(metric.result()), next(wanted), rtol=2e-5, atol=1e-6
            )


@pytest.mark.parametrize("index", range(len(COMPILED)))
def test_names_in_the_logs(of_keras, index):
    inputs = keras.Input((3,))
    model = keras.Model(
        inputs,
        [
            keras.layers.Dense(1, name="a")(inputs),
            keras.layers.Dense(2, name="b", activation="softmax")(inputs),
        ],
    )
    model.compile("sgd", **COMPILED[index])
    y = [np.ones((8, 1)), np.zeros(8, int)]
    found = sorted(model.fit(np.ones((8, 3)), y, verbose=0).history)
    assert found == of_keras[2][index]
