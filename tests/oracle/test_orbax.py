"""Directories of OrbaxCheckpoint go both ways between Keras and hornbeam."""

import numpy as np
import orbax_of_keras as cases
import pytest

import hornbeam

pytest.importorskip("orbax.checkpoint")


@pytest.fixture(scope="module")
def by_keras(tmp_path_factory, keras_on):
    folder = tmp_path_factory.mktemp("by_keras")
    wrote = keras_on("jax").call("orbax_of_keras.py", "write", str(folder))
    return folder, wrote


def assert_equal(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_hornbeam_reads_what_keras_wrote(training_engine, by_keras):
    folder, wrote = by_keras
    loaded, fresh, _ = cases.read(hornbeam, folder)
    assert_equal(loaded, wrote)
    assert_equal(fresh, wrote)


def test_keras_reads_what_hornbeam_wrote(training_engine, by_keras, keras_on, tmp_path):
    wrote = cases.write(hornbeam, tmp_path)
    ours = cases.read(hornbeam, tmp_path)
    loaded, fresh, other = keras_on("jax").call(
        "orbax_of_keras.py", "read", str(tmp_path)
    )
    assert_equal(loaded, wrote)
    np.testing.assert_allclose(fresh[0], wrote[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours[2], other, rtol=1e-5, atol=1e-6)
    assert cases.steps(tmp_path) == cases.steps(by_keras[0])


def test_hornbeam_finds_the_weights_of_nested_models(keras_on, tmp_path):
    """Keras itself loses them: it looks for `dense/kernel`, and says nothing."""
    folder = str(tmp_path)
    wrote = keras_on("jax").call("orbax_of_keras.py", "write_nested", folder)
    with hornbeam.config.backend_scope("torch"):
        fresh = cases.nested(hornbeam)
        fresh.load_weights(tmp_path)
        assert_equal(cases.results(fresh), wrote)
        assert_equal(cases.results(hornbeam.saving.load_model(tmp_path)), wrote)
