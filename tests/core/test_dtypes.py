"""Promotion against NumPy's own rules where they agree, and against stated facts."""

import itertools

import numpy as np
import pytest

from hornbeam.core import config, dtypes

INTS = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "int64")
FLOATS = ("bfloat16", "float16", "float32", "float64")


@pytest.mark.parametrize(("a", "b"), list(itertools.product(INTS, INTS)))
def test_integers_promote_as_in_numpy(a, b):
    expected = np.result_type(a, b).name
    if "int64" not in (a, b) and expected == "int64":
        expected = "int32"  # 64 bits come only out of 64 bits
    assert dtypes.result_type(a, b) == expected


@pytest.mark.parametrize(("a", "b"), list(itertools.product(("bool", *INTS), FLOATS)))
def test_a_float_wins_over_an_integer(a, b):
    assert dtypes.result_type(a, b) == dtypes.result_type(b, a) == b


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("bfloat16", "float16"), "float32"),
        (("float16", "float32"), "float32"),
        (("float32", "float64"), "float64"),
        (("bool", "bool"), "bool"),
        (("bool", "int8"), "int8"),
        (("uint64", "int8"), "float32"),
        (("complex64", "float32"), "complex64"),
        (("complex64", "float64"), "complex128"),
        ((), "float32"),
        ((None, "int8"), "float32"),
    ],
)
def test_pairs(given, expected):
    assert dtypes.result_type(*given) == expected


@pytest.mark.parametrize("dtype", INTS + FLOATS)
def test_python_numbers_do_not_widen(dtype):
    assert dtypes.result_type(dtype, int) == dtype
    expected = dtype if dtype in FLOATS else "float32"
    assert dtypes.result_type(dtype, float) == expected


def test_numbers_alone():
    assert dtypes.result_type(int) == "int32"
    assert dtypes.result_type(float) == "float32"
    assert dtypes.result_type("bool", int) == "int32"
    assert dtypes.result_type(np.dtype("int64"), "int32") == "int64"


def test_floatx_is_the_dtype_of_weak_floats():
    config.set_floatx("bfloat16")
    try:
        assert dtypes.result_type("int32", float) == "bfloat16"
        assert dtypes.standardize_dtype(None) == "bfloat16"
    finally:
        config.set_floatx("float32")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "float32"),
        (int, "int32"),
        ("int", "int32"),
        (float, "float32"),
        (bool, "bool"),
        (np.float16, "float16"),
        (np.dtype("int64"), "int64"),
        ("string", "string"),
        (str, "string"),
    ],
)
def test_standardize(given, expected):
    assert dtypes.standardize_dtype(given) == expected


def test_standardize_engine_dtypes():
    torch = pytest.importorskip("torch")
    jnp = pytest.importorskip("jax.numpy")
    assert dtypes.standardize_dtype(torch.bfloat16) == "bfloat16"
    assert dtypes.standardize_dtype(jnp.bfloat16) == "bfloat16"


@pytest.mark.parametrize("name", ["float", "f4", "blah", object])
def test_unknown_names_are_refused(name):
    with pytest.raises(ValueError, match="Invalid dtype"):
        dtypes.standardize_dtype(name)


@pytest.mark.parametrize("name", ["float8_e4m3fn", "string"])
def test_no_implicit_promotion(name):
    with pytest.raises(ValueError, match="implicit promotion"):
        dtypes.result_type(name, "float32")


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("bool", "bool"),
        ("int8", "int"),
        ("uint8", "int unsigned"),
        ("bfloat16", "float inexact"),
        ("float8_e4m3fn", "float inexact"),
        ("complex64", "complex inexact"),
    ],
)
def test_kinds(name, kinds):
    for kind in ("bool", "int", "unsigned", "float", "complex", "inexact"):
        is_kind = getattr(dtypes, f"is_{kind}_dtype")
        assert is_kind(name) == (kind in kinds.split()), kind


def test_an_integer_is_no_dtype():
    """TensorFlow's dtypes are equal to integers, and hash alike."""
    tensorflow = pytest.importorskip("tensorflow")
    assert dtypes.standardize_dtype(tensorflow.int16) == "int16"
    with pytest.raises(ValueError, match="Invalid dtype: 5"):
        dtypes.standardize_dtype(tensorflow.int16.as_datatype_enum)
