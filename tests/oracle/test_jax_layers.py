"""JaxLayer and FlaxLayer beside real Keras: its files, then the same training."""

import json
import subprocess
import sys

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

pytest.importorskip("flax")
pytestmark = [pytest.mark.oracle, pytest.mark.xdist_group("jax layers")]

# Runs in both libraries.
PROGRAM = """
import flax.linen
import jax
import jax.numpy as jnp
import numpy as np

X = np.random.default_rng(0).standard_normal((20, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)

def parts(keras):
    register = keras.saving.register_keras_serializable("oracle")

    @register
    def call(params, state, inputs, training):
        outputs = inputs @ params["w"] + params["b"] - state["mean"]
        mean = 0.5 * state["mean"] + 0.5 * outputs.mean(0)
        return outputs, {"mean": jnp.where(training, mean, state["mean"])}

    @register
    def init(rng, inputs):
        w = jax.random.normal(rng, (inputs.shape[-1], 2))
        return {"w": w, "b": jnp.ones(2)}, {"mean": jnp.zeros(2)}

    class Net(flax.linen.Module):
        @flax.linen.compact
        def __call__(self, inputs, training):
            x = flax.linen.Dense(4)(inputs)
            x = flax.linen.BatchNorm(use_running_average=not training)(x)
            return flax.linen.Dense(1)(x)

    return call, init, Net()

def network(keras):
    call, init, net = parts(keras)
    return keras.Sequential([
        keras.Input((3,)), keras.layers.JaxLayer(call, init),
        keras.layers.FlaxLayer(net)])

def trained(keras, model):
    model.compile(keras.optimizers.SGD(0.05), "mse")
    options = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0}
    losses = model.fit(X, Y, **options).history["loss"]
    return losses, model.predict(X[:5], verbose=0).tolist()
"""
MAIN = """
import json, sys
import keras
model = network(keras)
model.save_weights(sys.argv[1] + "/start.weights.h5")
jax_alone = keras.Sequential(model.layers[:1])
jax_alone.save(sys.argv[1] + "/jax.keras")
outputs = jax_alone.predict(X[:5], verbose=0).tolist()
print(json.dumps([outputs, *trained(keras, model)]))
"""


def test_files_and_training_of_keras(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM + MAIN, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**__import__("os").environ, "KERAS_BACKEND": "jax"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    start, losses, outputs = json.loads(done.stdout.splitlines()[-1])
    space = {}
    exec(PROGRAM, space)
    with backends.scope("jax"):
        model = space["network"](keras)
        loaded = keras.saving.load_model(tmp_path / "jax.keras")
        np.testing.assert_allclose(
            loaded.predict(space["X"][:5], verbose=0), start, rtol=1e-5
        )
        model.load_weights(tmp_path / "start.weights.h5")
        found, predicted = space["trained"](keras, model)
    np.testing.assert_allclose(found, losses, rtol=1e-4)
    np.testing.assert_allclose(predicted, outputs, rtol=1e-4, atol=1e-5)
