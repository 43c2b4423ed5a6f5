"""What merging layers do with the masks of their inputs."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.masking import get_keras_mask

X1 = np.array([[[0, 0], [1, 2], [0, 0], [3, 4]]], "float32")
X2 = np.array([[[0, 0], [0, 0], [5, 6], [7, 8]]], "float32")
EITHER = [[False, True, True, True]]

# What is left where one input is masked is the other input, for these:
CASES = [
    (keras.layers.Add, [[0, 0], [1, 2], [5, 6], [10, 12]]),
    (keras.layers.Subtract, [[0, 0], [1, 2], [-5, -6], [-4, -4]]),
    (keras.layers.Average, [[0, 0], [0.5, 1], [2.5, 3], [5, 6]]),
    (keras.layers.Multiply, [[0, 0], [1, 2], [5, 6], [21, 32]]),
    (keras.layers.Maximum, [[0, 0], [1, 2], [5, 6], [7, 8]]),
    (keras.layers.Minimum, [[0, 0], [1, 2], [5, 6], [3, 4]]),
]


def mask_of(x):
    mask = get_keras_mask(x)
    return None if mask is None else keras.ops.convert_to_numpy(mask)


@pytest.mark.parametrize(("layer", "values"), CASES)
def test_two_masks(layer, values, engine):
    masking = keras.layers.Masking()
    outputs = layer()([masking(X1), masking(X2)])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(outputs)[0], values)
    np.testing.assert_array_equal(mask_of(outputs), EITHER)


@pytest.mark.parametrize(("layer", "values"), CASES)
def test_one_mask_is_none(layer, values, engine):
    outputs = layer()([keras.layers.Masking()(X1), keras.ops.convert_to_tensor(X2)])
    assert mask_of(outputs) is None
    # The input without a mask is valid everywhere, so step 2 is its value.
    np.testing.assert_allclose(keras.ops.convert_to_numpy(outputs)[0, 2], values[2])


@pytest.mark.parametrize(
    ("axis", "mask"),
    [
        (1, [[False, True, False, True, True, True, True, True]]),
        (2, [[True, True, True, True]]),
    ],
)
def test_concatenate_joins_masks(axis, mask, engine):
    inputs = [keras.layers.Masking()(X1), keras.ops.convert_to_tensor(X2)]
    np.testing.assert_array_equal(
        mask_of(keras.layers.Concatenate(axis=axis)(inputs)), mask
    )


@pytest.mark.parametrize(
    "name",
    ["add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate"],
)
def test_functional_form(name, engine):
    layer = getattr(keras.layers, name.capitalize())
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(getattr(keras.layers, name)([X1, X2])),
        keras.ops.convert_to_numpy(layer()([X1, X2])),
    )


def test_functional_dot(engine):
    outputs = keras.layers.dot([X1, X2], axes=-1)
    want = np.einsum("abc,adc->abd", X1, X2)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(outputs), want)
