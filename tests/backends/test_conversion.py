"""Arrays in and out of the engines."""

import numpy as np
import pytest

from hornbeam import backends
from hornbeam.backends.memory import aligned_array


@pytest.mark.parametrize("size", [3, 100_000])
@pytest.mark.parametrize("dtype", ["float32", "int32", "float16", "bool"])
def test_an_argument_of_a_program_is_not_its_owners_array(engine, size, dtype):
    array = np.ones((size, 2), dtype)
    argument = engine.as_argument(array)
    array[:] = 0
    assert engine.to_numpy(argument).min() == 1


@pytest.mark.parametrize("size", [3, 100_000])
@pytest.mark.parametrize("dtype", [None, "float32", "int32"])
def test_jax_copies_once_and_shares_that(size, dtype):
    engine = backends.get("jax")
    array = np.arange(2 * size, dtype="float64").reshape(size, 2)[:, ::-1]
    tensor = engine.convert(array, dtype)
    expected = array.copy()
    array[:] = -1
    assert engine.dtype_of(tensor) == (dtype or "float32")
    np.testing.assert_array_equal(np.asarray(tensor), expected)


@pytest.mark.parametrize(
    "form",
    [
        lambda x: x[::-1, ::2],
        lambda x: x.T,
        np.asfortranarray,
        lambda x: x.astype(">f4"),
        lambda x: np.broadcast_to(x[:1], x.shape),
        lambda x: x[:0],
        lambda x: x[0, 0],
    ],
    ids=["reversed", "transposed", "fortran", "bytes", "broadcast", "empty", "scalar"],
)
def test_arrays_of_every_layout_become_tensors(engine, form):
    array = form(np.arange(12, dtype="float32").reshape(3, 4))
    for tensor in (engine.convert(array), engine.as_argument(array)):
        np.testing.assert_array_equal(engine.to_numpy(tensor), array)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int32", "int64", "bool"])
def test_an_array_is_taken_over(engine, dtype):
    if engine.take_over is None:
        pytest.skip("The engine copies every array.")
    array = aligned_array((40_000, 3), dtype)
    array[:] = 0
    array[1, 2] = 1
    expected = array.copy()
    tensor = engine.take_over(array)
    del array
    assert tuple(engine.shape_of(tensor)) == (40_000, 3)
    np.testing.assert_array_equal(engine.to_numpy(tensor), expected)
