"""The same data, given to the losses and metrics of Keras and of hornbeam."""

import losses_metrics_of_keras
import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from tests.compilation import program
from tests.losses.table import ROWS as LOSSES
from tests.metrics.table import ROWS as METRICS


def case_of(row, seed=3):
    y_true, y_pred = (
        x.astype("int32" if x.dtype.kind == "i" else "float32")
        for x in row.data(np.random.default_rng(seed))
    )
    weight = np.linspace(0.5, 2, len(y_true)).astype("float32")
    if y_true.ndim == 2 and row.shape and len(row.shape) > 1:
        # Keras takes weights of the losses' rank only.
        weight = np.repeat(weight[:, None], y_true.shape[1], axis=1)
    if row.name.endswith("IoU"):
        weight = np.ceil(weight)  # Keras cuts them to integers
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
def of_keras(keras_on):
    return keras_on("torch").call(
        "losses_metrics_of_keras.py", "of_keras", LOSS_CASES, METRIC_CASES, COMPILED
    )


def host(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize(
    "index", range(len(LOSS_CASES)), ids=lambda i: LOSS_CASES[i][0]
)
def test_losses(of_keras, index, training_engine):
    name, arguments, y_true, y_pred, weight = LOSS_CASES[index]
    cls, wanted = getattr(keras.losses, name), of_keras[0][index]
    reductions = (None, "sum", "mean", "mean_with_sample_weight")

    def values(y_true, y_pred, weight):
        losses = [cls(**arguments, reduction=reduction) for reduction in reductions]
        mean = cls(**arguments)
        run = training_engine.value_and_grad(lambda values: mean(y_true, values[0]))
        _, (gradient,) = run([y_pred])
        return [*[f(y_true, y_pred, sample_weight=weight) for f in losses], gradient]

    tensors = map(keras.ops.convert_to_tensor, (y_true, y_pred, weight))
    *found, gradient = map(host, program(training_engine, values)(*tensors))
    for value, reduction in zip(found, reductions, strict=True):
        np.testing.assert_allclose(value, wanted[reduction], rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(gradient, wanted["gradient"], rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize(
    "index", range(len(METRIC_CASES)), ids=lambda i: METRIC_CASES[i][0]
)
def test_metrics(of_keras, index, engine):
    name, arguments, y_true, y_pred, weight = METRIC_CASES[index]

    def values(y_true, y_pred, weight):
        """The results after each of two batches, without and with weights."""
        results, half = [], len(y_true) // 2
        for w in (None, weight):
            metric = getattr(keras.metrics, name)(**arguments)
            state = [v.value for v in metric.variables]
            for part in (slice(0, half), slice(half, None)):
                batch = y_true[part], y_pred[part], None if w is None else w[part]
                if not metric.variables:
                    metric.stateless_update_state([], *batch)
                    state = [v.value for v in metric.variables]
                state = metric.stateless_update_state(state, *batch)
                results.append(metric.stateless_result(state))
        return results

    tensors = map(keras.ops.convert_to_tensor, (y_true, y_pred, weight))
    found = program(engine, values)(*tensors)
    for value, wanted in zip(found, of_keras[1][index], strict=True):
        np.testing.assert_allclose(host(value), wanted, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("index", range(len(COMPILED)))
def test_names_in_the_logs(of_keras, index):
    with backends.scope("torch"):
        found = losses_metrics_of_keras.logs(keras, COMPILED[index])
    assert found == of_keras[2][index]
