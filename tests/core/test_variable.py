"""Variable: operators against NumPy, assignment, dtypes, copies, errors."""

import copy
import operator
import pickle
import threading

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.core import scopes
from tests.conftest import ENGINES

A = np.array([[1.5, -2.0], [3.0, 0.5]], "float32")
B = np.array([[2.0, 4.0], [-1.0, 0.5]], "float32")
ARITHMETIC = "add sub mul truediv floordiv mod pow matmul".split()
COMPARISONS = "lt le gt ge eq ne".split()
UNARY = "neg pos abs".split()


@pytest.mark.parametrize("name", ARITHMETIC + COMPARISONS)
def test_binary_operators(engine, name):
    function = getattr(operator, name)
    left = np.abs(A) if name == "pow" else A
    expected = function(left, B)
    x, y = keras.Variable(left), keras.Variable(B)
    for result in (function(x, y), function(x, keras.ops.array(B)), function(x, B)):
        np.testing.assert_allclose(backends.current().to_numpy(result), expected, 1e-5)


@pytest.mark.parametrize("name", ARITHMETIC[:-1])
def test_reflected_operators(engine, name):
    function = getattr(operator, name)
    expected = function(2.0, np.abs(A))
    result = function(2.0, keras.Variable(np.abs(A)))
    np.testing.assert_allclose(backends.current().to_numpy(result), expected, 1e-5)


@pytest.mark.parametrize("name", UNARY)
def test_unary_operators(engine, name):
    function = getattr(operator, name)
    result = backends.current().to_numpy(
        keras.ops.convert_to_tensor(function(keras.Variable(A)))
    )
    np.testing.assert_array_equal(result, function(A))


@pytest.mark.parametrize("name", ["and_", "or_", "xor"])
def test_logical_operators(engine, name):
    p, q = np.array([True, True, False]), np.array([True, False, False])
    function = getattr(operator, name)
    result = function(keras.Variable(p), keras.Variable(q))
    np.testing.assert_array_equal(backends.current().to_numpy(result), function(p, q))
    inverted = backends.current().to_numpy(~keras.Variable(p))
    np.testing.assert_array_equal(inverted, ~p)


@pytest.mark.parametrize("key", [0, slice(1), (slice(None), 1), (..., None), -1])
def test_indexing(engine, key):
    result = backends.current().to_numpy(keras.Variable(A)[key])
    np.testing.assert_array_equal(result, A[key])


def test_numbers_and_length(engine):
    assert float(keras.Variable(1.5)) == 1.5
    assert int(keras.Variable(3)) == 3
    assert [10, 20, 30][keras.Variable(1)] == 20
    assert bool(keras.Variable(True))
    assert len(keras.Variable(A)) == 2
    with pytest.raises(TypeError, match="scalar"):
        len(keras.Variable(1.0))


def test_assignment(engine):
    v = keras.Variable(A)
    v.assign(B)
    v.assign_add(np.ones_like(A))
    v.assign_sub(2 * np.ones_like(A))
    np.testing.assert_array_equal(v.numpy(), B - 1)


def test_assigned_values_take_the_dtype(engine):
    v = keras.Variable(np.zeros(2, "float32"))
    v.assign(np.array([1, 2], "int64"))
    assert v.dtype == "float32" and backends.current().dtype_of(v.value) == "float32"


def test_numpy_array_stays_as_it_was(engine):
    v = keras.Variable(A)
    before = v.numpy()
    tensor = backends.current().to_numpy(v.value + 0)
    v.assign(B)
    np.testing.assert_array_equal(before, A)
    np.testing.assert_array_equal(tensor, A)


@pytest.mark.parametrize(
    "read",
    [
        keras.Variable.numpy,
        keras.ops.convert_to_numpy,
        np.array,
        lambda v: keras.ops.convert_to_numpy(v.value),
    ],
)
def test_what_is_read_may_be_written_to(engine, read):
    v = keras.Variable(A)
    found = read(v)
    v.assign(B)
    np.testing.assert_array_equal(found, A)
    found[:] = 0
    np.testing.assert_array_equal(v.numpy(), B)
    weights = keras.layers.Dense(2, bias_initializer="ones")
    weights.build((None, 3))
    bias = weights.get_weights()[1]
    bias[:] = 0
    assert weights.get_weights()[1].tolist() == [1.0, 1.0]


def test_the_given_array_is_copied(engine):
    given = A.copy()
    v = keras.Variable(given)
    given[:] = 0
    np.testing.assert_array_equal(v.numpy(), A)


def test_a_networks_state_is_placed_by_its_programs_alone():
    jax = pytest.importorskip("jax")
    x, y = np.ones((8, 3), "float32"), np.zeros((8, 1), "float32")
    with backends.scope("jax"):
        with jax.transfer_guard_host_to_device("disallow_explicit"):
            model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
            model.compile("adam", "mse")
            model.optimizer.build(model.trainable_variables)
        weights = model.trainable_variables
        assert all(isinstance(v.held(), np.ndarray) for v in weights)
        kept = [v.held() for v in weights]
        before = [v.copy() for v in kept]
        model.fit(x, y, epochs=2, verbose=0)
    assert all(isinstance(v.held(), jax.Array) for v in weights)
    # What a program was given is not what it writes to.
    for old, same, new in zip(kept, before, weights, strict=True):
        np.testing.assert_array_equal(old, same)
        assert np.abs(new.numpy() - old).max() > 0


def test_a_variable_is_on_the_device_on_which_it_was_made():
    jax = pytest.importorskip("jax")
    (device,) = jax.devices("cpu")[-1:]
    with backends.scope("jax"), keras.device(f"cpu:{device.id}"):
        v = keras.Variable("zeros", shape=(2,))
    assert v.held().devices() == {device}


def test_threads_that_read_a_variable_first_read_one_tensor(engine):
    for _ in range(20):
        v = keras.Variable("ones", shape=(2,))
        start = threading.Barrier(4)
        found = []

        def read(v=v, start=start, found=found):
            start.wait()
            found.append(v._value)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({id(value) for value in found}) == 1


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (1.0, None, "float32"),
        (1, None, "int32"),
        (True, None, "bool"),
        (np.float16(1), None, "float16"),
        (1, "float32", "float32"),
        (1.0, "bfloat16", "bfloat16"),
        ([1, 2], "uint8", "uint8"),
    ],
)
def test_dtypes(engine, value, dtype, expected):
    assert keras.Variable(value, dtype=dtype).dtype == expected


def test_initializer_is_called_with_shape_and_dtype(engine):
    v = keras.Variable(keras.initializers.Ones(), shape=(2, 3), dtype="float16")
    assert v.shape == (2, 3) and v.dtype == "float16"
    np.testing.assert_array_equal(v.numpy(), np.ones((2, 3)))
    by_name = keras.Variable("zeros", shape=(2,))
    np.testing.assert_array_equal(by_name.numpy(), np.zeros(2))


def test_an_initializer_whose_call_is_overridden_is_called(engine):
    class Twos(keras.initializers.Zeros):
        def __call__(self, shape, dtype=None):
            return super().__call__(shape, dtype) + 2

    v = keras.Variable(Twos(), shape=(2,))
    np.testing.assert_array_equal(v.numpy(), [2, 2])


def test_autocast_reads_floats_that_allow_it(engine):
    cast = keras.Variable(A)
    kept = keras.Variable(A, autocast=False)
    integer = keras.Variable(1)
    with scopes.autocast_scope("bfloat16"):
        assert engine.dtype_of(cast.value) == cast.dtype == "bfloat16"
        assert engine.dtype_of(kept.value) == "float32"
        assert engine.dtype_of(integer.value) == "int32"
    assert engine.dtype_of(cast.value) == cast.dtype == "float32"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: keras.Variable(1.0, name="a/b"), "a/b"),
        (lambda: keras.Variable(keras.initializers.Ones()), "shape"),
        (lambda: keras.Variable(A, shape=(3,)), r"\(3,\)"),
        (lambda: keras.Variable(A, aggregation="some"), "aggregation"),
        (lambda: keras.Variable(A, synchronization="some"), "synchronization"),
        (lambda: keras.Variable(A, dtype="float31"), "float31"),
        (lambda: keras.Variable(A, name="w").assign(np.ones(3)), "w.*\n?.*3"),
        (lambda: setattr(keras.Variable(A), "regularizer", 3), "callable"),
        (lambda: setattr(keras.Variable(A), "constraint", "x"), "callable"),
    ],
)
def test_errors(engine, make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
)
def test_copies_are_independent(engine, again):
    v = keras.Variable(A, name="w", trainable=False)
    other = again(v)
    v.assign(B)
    np.testing.assert_array_equal(other.numpy(), A)
    assert (other.name, other.path, other.trainable) == ("w", "w", False)
    assert other.backend is engine


def test_move_to_another_engine():
    v = keras.Variable(A)
    for name in (*ENGINES, "jax"):
        target = backends.get(name)
        v.move_to(target)
        assert v.backend is target and target.is_tensor(v.value)
        np.testing.assert_array_equal(v.numpy(), A)


def test_tensor_of_another_engine_is_refused():
    with backends.scope("torch"):
        tensor = keras.ops.ones(2)
    with backends.scope("jax"), pytest.raises(backends.BackendMismatchError):
        keras.Variable(np.zeros(2), name="w").assign(tensor)


def test_iteration_ends(engine):
    rows = [engine.to_numpy(row) for row in keras.Variable([[1.0, 2.0], [3.0, 4.0]])]
    np.testing.assert_array_equal(rows, [[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(TypeError, match="scalar"):
        iter(keras.Variable(1.0))
