"""Files go both ways between Keras and hornbeam, with equal results."""

import os
import subprocess
import sys

import file_models
import numpy as np
import pytest

import hornbeam

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.timeout(600)]


def keras(mode, folder):
    """Run the Keras side in a process of its own."""
    done = subprocess.run(
        [sys.executable, file_models.__file__, mode, str(folder)],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
        },
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def written_by_keras(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras")
    keras("write", folder)
    return folder


@pytest.fixture(scope="module")
def read_by_keras(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hornbeam")
    errors = {}
    for name in file_models.CASES:
        try:
            model = file_models.trained(hornbeam, name)
            np.savez(folder / f"{name}.npz", **file_models.results(model, name))
            model.save_weights(folder / f"{name}.weights.h5")
            model.save(folder / f"{name}.keras")
        except Exception as error:
            errors[name] = error
    keras("read", folder)
    return folder, errors


def assert_equal(found, expected, prefix=""):
    names = [n for n in expected if not n.startswith("weights_")]
    assert sorted(n for n in found if n.startswith(prefix or ("o",))) == sorted(
        prefix + n for n in names
    )
    for name in names:
        np.testing.assert_allclose(
            found[prefix + name], expected[name], rtol=2e-4, atol=2e-5, err_msg=name
        )


@pytest.mark.xdist_group("files of Keras")
@pytest.mark.parametrize("name", file_models.CASES)
def test_files_of_keras_are_read(name, written_by_keras):
    expected = dict(np.load(written_by_keras / f"{name}.npz"))
    file_models.CASES[name][0](hornbeam)
    model = hornbeam.saving.load_model(written_by_keras / f"{name}.keras")
    assert_equal(file_models.results(model, name), expected)
    other = file_models.trained(hornbeam, name)
    other.load_weights(written_by_keras / f"{name}.weights.h5")
    assert_equal(file_models.results(other, name), expected)


@pytest.mark.xdist_group("files for Keras")
@pytest.mark.parametrize("name", file_models.CASES)
def test_files_are_read_by_keras(name, read_by_keras):
    folder, errors = read_by_keras
    if name in errors:
        raise errors[name]
    expected = dict(np.load(folder / f"{name}.npz"))
    found = dict(np.load(folder / f"{name}.read.npz"))
    assert "error" not in found, str(found["error"])
    assert_equal(found, expected)
    assert_equal(found, expected, prefix="weights_")
