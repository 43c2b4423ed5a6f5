"""What many programs do with a trained model."""

import contextlib
import os
import pathlib
import tempfile

import numpy as np


@contextlib.contextmanager
def folder():
    """A temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        yield pathlib.Path(name)


def array(keras, x):
    """Return a tensor of any engine as a NumPy array."""
    return keras.ops.convert_to_numpy(x)


def assert_saved_alike(keras, model, x, **options):
    """Save and load a model: it predicts the same. Returns the loaded one."""
    with folder() as place:
        path = os.fspath(place / "model.keras")
        model.save(path)
        loaded = keras.models.load_model(path, **options)
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, 1e-4, 1e-5)
    return loaded


def assert_keys(history, *names):
    """The history has these keys; order is the library's own."""
    assert sorted(history.history) == sorted(names), history.history
