"""Training beside real Keras: the same start, the same data, the same losses."""

import json
import subprocess
import sys

import numpy as np
import pytest

import hornbeam as keras

pytestmark = [pytest.mark.oracle, pytest.mark.xdist_group("oracle")]

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

# Runs in both libraries: 50 steps from given weights, and the loss of each epoch.
PROGRAM = """
def build(keras, network):
    layers = keras.layers
    if network == "sequential":
        return keras.Sequential([
            layers.Input((8,)), layers.Dense(16, activation="tanh"),
            layers.Dropout(0.0), layers.Dense(3, activation="softmax")])
    x = inputs = keras.Input((8,))
    if network == "normalised":
        x = layers.BatchNormalization()(layers.Dense(16, use_bias=False)(x))
        x = layers.LayerNormalization()(layers.Activation("gelu")(x))
    else:
        a = layers.Dense(12, activation="relu", kernel_regularizer="l2")(x)
        b = layers.Dense(12, activation="elu")(x)
        x = layers.Concatenate()([a, b, layers.Multiply()([a, b])])
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))

def train(keras, network, optimizer, x, y, weights, steps, batch):
    model = build(keras, network)
    if weights is not None:
        model.set_weights([np.asarray(w, "float32") for w in weights])
    start = [np.asarray(w).tolist() for w in model.get_weights()]
    made = eval("keras.optimizers." + optimizer)
    model.compile(made, "sparse_categorical_crossentropy", metrics=["accuracy"])
    epochs = steps * batch // len(x)
    history = model.fit(x, y, batch_size=batch, epochs=epochs, shuffle=False, verbose=0)
    loss = model.evaluate(x, y, verbose=0)[0]
    return start, history.history["loss"] + [float(loss)]
"""

MAIN = """
import json, sys
import numpy as np
import keras
x, y, cases = json.loads(sys.stdin.read())
x, y = np.array(x, "float32"), np.array(y)
print(json.dumps({" ".join(case): train(keras, *case, x, y, None, %d, %d)
                  for case in cases}))
"""


def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((STEPS * BATCH // 5, 8)).astype("float32")
    return x, (x[:, :3] + 0.1 * x[:, 3:6]).argmax(1)


CASES = [("sequential", text) for text in OPTIMIZERS.values()]
CASES += [(network, OPTIMIZERS["adam"]) for network in NETWORKS[1:]]


@pytest.fixture(scope="module")
def expected():
    x, y = data()
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            "import numpy as np" + PROGRAM + MAIN % (STEPS, BATCH),
        ],
        input=json.dumps([x.tolist(), y.tolist(), CASES]),
        capture_output=True,
        text=True,
        env={**__import__("os").environ, "KERAS_BACKEND": "jax"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("network", "optimizer"), CASES)
def test_fifty_steps_agree_with_keras(expected, training_engine, network, optimizer):
    weights, losses = expected[f"{network} {optimizer}"]
    namespace = {"np": np}
    exec(PROGRAM, namespace)
    x, y = data()
    _, found = namespace["train"](
        keras, network, optimizer, x, y, weights, STEPS, BATCH
    )
    np.testing.assert_allclose(found, losses, rtol=1e-4)
