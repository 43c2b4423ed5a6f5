"""What fit(), evaluate() and kin take, and what they report, beside real Keras."""

import numpy as np
import pytest
import training_call_cases as cases

import hornbeam as keras


@pytest.fixture(scope="module")
def expected(keras_on):
    return keras_on("torch").call("training_call_cases.py", "of_keras")


def agree(found, wanted, path):
    if isinstance(wanted, dict):
        assert set(found) == set(wanted), path
        for key in wanted:
            agree(found[key], wanted[key], f"{path}.{key}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), path
        for i, (one, other) in enumerate(zip(found, wanted, strict=True)):
            agree(one, other, f"{path}[{i}]")
    else:
        np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=2e-6, err_msg=path)


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_training_agrees_with_keras(expected, training_engine, case):
    agree(case(keras), expected[case.__name__], case.__name__)
