"""Recurrent layers beside real Keras: numbers, gradients, configs, weights' names."""

import numpy as np
import pytest
import recurrent_cases as cases

import hornbeam as keras

# TensorFlow's compiler needs seconds for a recurrent network, whatever its cells: one
# of each kind is a program there, the others run op by op.
PROGRAMS_OF_TENSORFLOW = ("lstm_masked", "gru_reset_before", "both_ways_two", "conv")
# On torch, Keras's LSTM gives zeros instead of its initial state before a row's first
# valid step.
ON_JAX = ("lstm_masked",)


@pytest.fixture(scope="module")
def of_keras(keras_on):
    on_torch = [name for name in cases.CASES if name not in ON_JAX]
    return {
        **keras_on("torch").call("recurrent_cases.py", "of_keras", on_torch),
        **keras_on("jax").call("recurrent_cases.py", "of_keras", ON_JAX),
    }


@pytest.mark.parametrize("name", cases.CASES)
def test_numbers_and_gradients(of_keras, name, training_engine):
    def run(function, x):
        grad = training_engine.value_and_grad(lambda v: function(v[0]), has_aux=True)
        if training_engine.name == "jax" or name in PROGRAMS_OF_TENSORFLOW:
            grad = training_engine.jit(grad)
        (_, outputs), (gradient,) = grad([keras.ops.convert_to_tensor(x)])
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
def test_configs(of_keras, name, python_only):
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
