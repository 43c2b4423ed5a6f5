"""Training beside real Keras: the same start, the same data, the same losses."""

import numpy as np
import pytest
import training_cases as cases

import hornbeam as keras

OPTIMIZERS = {
    "sgd": "SGD(0.05, momentum=0.9, nesterov=True)",
    "adam": "Adam(0.01)",
    "amsgrad": "Adam(0.01, amsgrad=True)",
    "adamax": "Adamax(0.01)",
    "nadam": "Nadam(0.01)",
    "rmsprop": "RMSprop(0.01)",
    "adagrad": "Adagrad(0.1)",
    "adamw": "AdamW(0.01, weight_decay=0.01, global_clipnorm=1.0)",
    "ema": "Adam(0.01, use_ema=True, ema_overwrite_frequency=10)",
}
NETWORKS = ("sequential", "functional", "normalised")
STEPS, BATCH = 50, 16


def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((STEPS * BATCH // 5, 8)).astype("float32")
    return x, (x[:, :3] + 0.1 * x[:, 3:6]).argmax(1)


CASES = [("sequential", text) for text in OPTIMIZERS.values()]
CASES += [(network, OPTIMIZERS["adam"]) for network in NETWORKS[1:]]


@pytest.fixture(scope="module")
def expected(keras_on):
    given = CASES, *data(), None, STEPS, BATCH
    return keras_on("torch").call("training_cases.py", "of_keras", *given)


@pytest.mark.parametrize(("network", "optimizer"), CASES)
def test_fifty_steps_agree_with_keras(expected, training_engine, network, optimizer):
    weights, losses = expected[f"{network} {optimizer}"]
    given = network, optimizer, *data(), weights, STEPS, BATCH
    _, found = cases.train(keras, *given)
    np.testing.assert_allclose(found, losses, rtol=1e-4)
