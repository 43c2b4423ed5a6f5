"""Keras's forms of custom steps, one an engine, run unchanged: beside real Keras."""

import functools

import custom_steps_of_keras as forms
import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

CASES = [
    pytest.param(engine, case, id=f"{engine}-{case.__name__.rpartition('_')[2]}")
    for engine, cases in forms.CASES.items()
    for case in cases
]


@pytest.fixture(scope="module")
def of_keras(keras_on):
    @functools.cache
    def results(engine):
        return keras_on(engine).call("custom_steps_of_keras.py", "of_keras", engine)

    return results


def assert_alike(found, expected, path=""):
    if isinstance(expected, dict):
        assert set(found) == set(expected), path
        for name in expected:
            assert_alike(found[name], expected[name], f"{path}/{name}")
    elif isinstance(expected, list) and isinstance(expected[0], dict | list):
        for i, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_alike(one, other, f"{path}/{i}")
    else:
        np.testing.assert_allclose(found, expected, 1e-4, 1e-5, err_msg=path)


@pytest.mark.parametrize(("engine", "case"), CASES)
def test_a_form_gives_what_keras_gives(of_keras, engine, case):
    expected = of_keras(engine)[case.__name__]
    with backends.scope(engine):
        assert_alike(case(keras), expected)
