"""For test_losses_metrics.py: what Keras on torch gives for losses, metrics, logs."""

import numpy as np


def host(x):
    """Return a copy: on torch a metric's result may be its variable's own memory."""
    return np.array(x.detach() if hasattr(x, "detach") else x)


def loss_values(keras, name, arguments, y_true, y_pred, weight):
    """Return values, reduced values and the gradient of each reduction."""
    import torch

    cls = getattr(keras.losses, name)
    found = {}
    for reduction in (None, "sum", "mean", "mean_with_sample_weight"):
        loss = cls(**arguments, reduction=reduction)
        found[reduction] = host(loss(y_true, y_pred, sample_weight=weight))
    mean = cls(**arguments)
    y_pred = torch.tensor(y_pred, requires_grad=True)
    (gradient,) = torch.autograd.grad(mean(y_true, y_pred), y_pred)
    return {**found, "gradient": host(gradient)}


def metric_values(keras, name, arguments, y_true, y_pred, weight):
    """Return the result after each of two batches, without and with weights."""
    found = []
    for w in (None, weight):
        metric = getattr(keras.metrics, name)(**arguments)
        half = len(y_true) // 2
        for part in (slice(0, half), slice(half, None)):
            weights = None if w is None else w[part]
            metric.update_state(y_true[part], y_pred[part], weights)
            found.append(host(metric.result()))
    return found


def logs(keras, compiled):
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


def of_keras(keras, losses, metrics, compiled):
    return (
        [loss_values(keras, *case) for case in losses],
        [metric_values(keras, *case) for case in metrics],
        [logs(keras, case) for case in compiled],
    )
