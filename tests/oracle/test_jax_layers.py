"""JaxLayer and FlaxLayer beside real Keras: its files, then the same training."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

pytest.importorskip("flax")


def test_files_and_training_of_keras(tmp_path, keras_on):
    import jax_layer_cases as cases

    start, losses, outputs = keras_on("jax").call(
        "jax_layer_cases.py", "of_keras", tmp_path
    )
    with backends.scope("jax"):
        model = cases.network(keras)
        loaded = keras.saving.load_model(tmp_path / "jax.keras")
        np.testing.assert_allclose(
            loaded.predict(cases.X[:5], verbose=0), start, rtol=1e-5
        )
        model.load_weights(tmp_path / "start.weights.h5")
        found, predicted = cases.trained(keras, model)
    np.testing.assert_allclose(found, losses, rtol=1e-4)
    np.testing.assert_allclose(predicted, outputs, rtol=1e-4, atol=1e-5)
