"""Recurrent layers beside real Keras: numbers, gradients, configs, weights' names."""

import importlib.util
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import recurrent_cases as cases

import hornbeam as keras

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.xdist_group("recurrent layers of Keras"),
    pytest.mark.skipif(
        importlib.util.find_spec("keras") is None, reason="Keras is not installed"
    ),
]


@pytest.fixture(scope="module")
def of_keras(tmp_path_factory):
    path = tmp_path_factory.mktemp("recurrent") / "found.pkl"
    subprocess.run(
        [sys.executable, cases.__file__, str(path)],
        check=True,
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
    )
    return pickle.loads(path.read_bytes())


@pytest.mark.parametrize("name", cases.CASES)
def test_numbers_and_gradients(of_keras, name, training_engine):
    def run(function, x):
        grad = training_engine.value_and_grad(lambda v: function(v[0]), has_aux=True)
        (_, outputs), (gradient,) = training_engine.jit(grad)(
            [keras.ops.convert_to_tensor(x)]
        )
        return outputs, gradient

    found, wanted = cases.results(keras, name, run), of_keras[name]
    assert found["names"] == wanted["names"]
    assert found["shapes"] == wanted["shapes"]
    for one, other in zip(found["outputs"], wanted["outputs"], strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(
        found["gradient"], wanted["gradient"], rtol=2e-4, atol=2e-5
    )


@pytest.mark.parametrize("name", cases.CASES)
def test_configs(of_keras, name):
    layer = keras.layers.deserialize(of_keras[name]["config"])
    found, wanted = keras.layers.serialize(layer), of_keras[name]["config"]
    assert _without_seeds(found) == _without_seeds(wanted)


def _without_seeds(config):
    """Leave out what Keras's `SimpleRNN` does not write; lists stand for tuples."""
    if isinstance(config, dict):
        kept = {k: _without_seeds(v) for k, v in config.items() if k != "seed"}
        return {k: v for k, v in kept.items() if k != "activity_regularizer" or v}
    if isinstance(config, list | tuple):
        return [_without_seeds(v) for v in config]
    return config
