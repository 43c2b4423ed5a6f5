"""One-hot labels and normalised rows, against NumPy's formulas."""

import numpy as np
import pytest

from hornbeam import backends, ops
from hornbeam.utils.numerical import normalize, to_categorical

SHAPES = [
    ((), (5,)),
    ((1,), (1, 5)),
    ((3,), (3, 5)),
    ((4, 3), (4, 3, 5)),
    ((3, 1), (3, 5)),
    ((3, 2, 1), (3, 2, 5)),
]


@pytest.mark.parametrize(("shape", "expected"), SHAPES)
def test_to_categorical(shape, expected):
    labels = np.random.default_rng(0).integers(0, 5, shape)
    rows = to_categorical(labels, 5)
    assert rows.shape == expected
    assert rows.dtype == "float64"
    np.testing.assert_array_equal(rows.sum(-1), np.ones(expected[:-1]))
    np.testing.assert_array_equal(rows.argmax(-1), labels.reshape(expected[:-1]))


@pytest.mark.parametrize("name", backends.NAMES)
def test_to_categorical_of_tensors(name):
    with backends.scope(name):
        tensor = ops.convert_to_tensor(np.array([[0], [2]]))
        rows = to_categorical(tensor)
        np.testing.assert_array_equal(
            ops.convert_to_numpy(rows), [[1, 0, 0], [0, 0, 1]]
        )


def test_to_categorical_counts_the_classes():
    assert to_categorical([0, 2, 5]).shape == (3, 6)
    with pytest.raises(ValueError, match="num_classes"):
        to_categorical([])
    np.testing.assert_array_equal(to_categorical([0.0, 1.0]), np.eye(2))


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        ([0, 5], "from 0 to 5.*num_classes=3"),
        ([-1, 2], "from -1 to 2"),
        ([0, 1.5], "whole numbers"),
        ([0, np.nan], "whole numbers"),
        (["cat", "dog"], "return_inverse"),
    ],
)
def test_to_categorical_refuses_what_is_no_class_number(labels, match):
    with pytest.raises(ValueError, match=match):
        to_categorical(labels, 3)


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
@pytest.mark.parametrize("axis", [0, -1])
def test_normalize(order, axis):
    x = np.random.default_rng(0).normal(size=(3, 4))
    x[1] = 0
    x[:, 2] = 0
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    norm[norm == 0] = 1
    np.testing.assert_allclose(normalize(x, axis, order), x / norm)
    if order != np.inf:
        result = normalize(ops.convert_to_tensor(x), axis, order)
        assert backends.of(result) is not None
        np.testing.assert_allclose(ops.convert_to_numpy(result), x / norm, rtol=1e-5)


def test_normalize_without_axis():
    np.testing.assert_allclose(normalize(np.array([[3.0, 4.0]]), None), [[0.6, 0.8]])
