"""Run by test_losses_metrics.py: what Keras gives for losses, metrics and logs."""

import pickle
import sys

import keras
import numpy as np


def loss_values(name, arguments, y_true, y_pred, weight):
    """Return values, reduced values and the gradient of each reduction."""
    import jax

    cls = getattr(keras.losses, name)
    found = {}
    for reduction in (None, "sum", "mean", "mean_with_sample_weight"):
        loss = cls(**arguments, reduction=reduction)
        found[reduction] = np.asarray(loss(y_true, y_pred, sample_weight=weight))
    mean = cls(**arguments)
    gradient = jax.grad(lambda p: mean(y_true, p))(jax.numpy.asarray(y_pred))
    return {**found, "gradient": np.asarray(gradient)}


def metric_values(name, arguments, y_true, y_pred, weight):
    """Return the result after each of two batches, without and with weights."""
    found = []
    for w in (None, weight):
        metric = getattr(keras.metrics, name)(**arguments)
        half = len(y_true) // 2
        for part in (slice(0, half), slice(half, None)):
            weights = None if w is None else w[part]
            metric.update_state(y_true[part], y_pred[part], weights)
            found.append(np.asarray(metric.result()))
    return found


def logs(compiled):
    """Return the names in the logs of a model of two outputs."""
    inputs = keras.Input((3,))
    model = keras.Model(
        inputs,
        [
            keras.layers.Dense(1, name="a")(inputs),
            keras.layers.Dense(2, name="b", activation="softmax")(inputs),
        ],
    )
    model.compile("sgd", **compiled)
    y = [np.ones((8, 1)), np.zeros(8, int)]
    return sorted(model.fit(np.ones((8, 3)), y, verbose=0).history)


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        losses, metrics, compiled = pickle.load(file)
    results = (
        [loss_values(*case) for case in losses],
        [metric_values(*case) for case in metrics],
        [logs(case) for case in compiled],
    )
    with open(sys.argv[2], "wb") as file:
        pickle.dump(results, file)
