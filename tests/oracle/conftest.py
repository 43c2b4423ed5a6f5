"""Real Keras for the tests of this folder, which all run in one process of pytest's."""

import importlib.util

import keras_process
import pytest


# Before pytest leaves out what is marked slow.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    here = [item for item in items if item.path.parent.name == "oracle"]
    for item in here:
        item.add_marker(pytest.mark.oracle)
        item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.xdist_group("Keras"))


@pytest.fixture(scope="session")
def keras_on():
    """`keras_on(engine)` is the process where Keras runs on that engine."""
    if importlib.util.find_spec("keras") is None:
        pytest.skip("Keras is not installed")
    started = {}

    def keras_on(engine):
        if engine not in started:
            started[engine] = keras_process.Keras(engine)
        return started[engine]

    yield keras_on
    for process in started.values():
        process.close()
