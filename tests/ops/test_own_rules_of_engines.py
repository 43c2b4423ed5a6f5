"""Ops in places where an engine's own function has another rule, or none."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import ops

LEFT = np.array([[0, 1, 1], [1, 0, 1]])
RIGHT = np.array([[3, -4], [0, 100], [100, 2]])


def product(name, a, b):
    return ops.einsum("ij,jk->ik", a, b) if name == "einsum" else ops.matmul(a, b)


@pytest.mark.parametrize("name", ["matmul", "einsum"])
@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("int8", "int8", "int32"),
        ("bool", "int8", "int8"),
        ("int8", "bool", "int8"),
        ("bool", "bool", "bool"),
        ("int8", "int16", "int16"),
    ],
)
def test_a_product_widens_where_all_factors_are_int8(
    engine, name, left, right, expected
):
    a, b = LEFT.astype(left), RIGHT.astype(right)
    found = product(name, a, b)
    symbols = [keras.KerasTensor(x.shape, str(x.dtype)) for x in (a, b)]
    assert ops.dtype(found) == product(name, *symbols).dtype == expected
    whole = a.astype("int64") @ b.astype("int64")
    np.testing.assert_array_equal(ops.convert_to_numpy(found), whole.astype(expected))


@pytest.mark.parametrize("side", ["left", "right"])
def test_booleans_are_searched(engine, side):
    row, values = np.array([False, False, True]), np.array([[True], [False]])
    found = ops.searchsorted(row, values, side=side)
    expected = np.searchsorted(row, values, side=side)
    np.testing.assert_array_equal(ops.convert_to_numpy(found), expected)
    found = ops.digitize(values, np.array([False, True]))
    np.testing.assert_array_equal(ops.convert_to_numpy(found), values + 1)


@pytest.mark.parametrize("dtype", ["int8", "int32"])
def test_a_scalar_is_not_viewed_as_a_dtype_of_another_size(engine, dtype):
    one = np.array(1, "int16")
    assert ops.dtype(ops.view(one, dtype="float16")) == "float16"
    with pytest.raises((ValueError, RuntimeError)):
        ops.view(one, dtype=dtype)


def test_the_mode_of_qr_is_checked(engine):
    with pytest.raises(ValueError, match=r"`mode` of qr\(\).*'full'"):
        ops.qr(np.eye(2), mode="full")
