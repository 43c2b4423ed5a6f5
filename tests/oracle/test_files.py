"""Files go both ways between Keras and hornbeam, with equal results."""

import file_models
import numpy as np
import pytest

import hornbeam
from hornbeam import backends

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:.*does not say how the model was compiled"),
]

# What is in a file does not depend on the engine, nor do the results: most models are
# written and read on torch, which compiles nothing. On JAX are those with what Keras on
# torch does not do (weights of an average that are an array) or rounds elsewhere; to
# normalise, Keras on torch needs TensorFlow, which is not there.
OTHERS = {
    "jax": ("several_inputs_and_outputs", "op_nodes", "mixed_precision"),
    "tensorflow": ("normalized", "optimizer_sgd"),
}
NOT_ON_TORCH = ("op_nodes", "mixed_precision", "normalized")
CASES = [("torch", name) for name in file_models.CASES if name not in NOT_ON_TORCH]
CASES += [(engine, name) for engine, names in OTHERS.items() for name in names]


@pytest.fixture(scope="module")
def written_by_keras(tmp_path_factory, keras_on):
    return _written(tmp_path_factory, lambda *given: _of_keras(keras_on, *given))


@pytest.fixture(scope="module")
def written_by_hornbeam(tmp_path_factory):
    return _written(tmp_path_factory, _of_hornbeam)


def _written(tmp_path_factory, call):
    """Write all models of each engine; return the folders and the errors."""
    written = {}
    for engine in dict(CASES):
        folder = tmp_path_factory.mktemp(engine)
        names = [name for other, name in CASES if other == engine]
        written[engine] = folder, call(engine, "write", folder, names)
    return written


def _of_keras(keras_on, engine, function, *arguments):
    return keras_on(engine).call("file_models.py", function, *arguments)


def _of_hornbeam(engine, function, *arguments):
    with backends.scope(engine):
        return getattr(file_models, function)(hornbeam, *arguments)


def assert_read(written, engine, name, read, partly=("json",)):
    """Assert that results are those from before, of some kinds of files in part.

    Of HDF5 files, also of its own, Keras restores an optimizer's step and not its
    moments, and calls "mae" by another name; a structure alone has no optimizer.
    """
    folder, errors = written[engine]
    assert name not in errors, errors[name]
    expected = dict(np.load(folder / f"{name}.npz"))
    for kind, found in read(engine, "read", folder, name).items():
        compared = "output" if kind.endswith(partly) else ""
        for key in expected.keys() | found:
            if not key.startswith(compared):
                continue
            assert np.isfinite(expected[key]).all(), key
            # Small outputs are sums of numbers around 1, which are rounded to 1e-7.
            limit = 1e-5 * np.abs(expected[key]).max(initial=0.1)
            np.testing.assert_allclose(
                found[key], expected[key], 1e-5, limit, err_msg=f"{kind} {key}"
            )


@pytest.mark.parametrize(("engine", "name"), CASES)
def test_files_of_keras_are_read(engine, name, written_by_keras):
    assert_read(written_by_keras, engine, name, _of_hornbeam)


@pytest.mark.parametrize(("engine", "name"), CASES)
def test_files_are_read_by_keras(engine, name, written_by_hornbeam, keras_on):
    def read(*given):
        return _of_keras(keras_on, *given)

    assert_read(written_by_hornbeam, engine, name, read, ("json", ".h5"))
