"""Ops of sparse tensors, against the same ops of dense ones."""

import numpy as np
import pytest
import scipy.sparse

import hornbeam as keras
from hornbeam import backends, ops
from hornbeam.ops import sparse_rules
from hornbeam.ops.declare import registry

RNG = np.random.default_rng(5)
A, B = (
    scipy.sparse.random_array((4, 6), density=0.4, rng=RNG, dtype="float32").toarray()
    for _ in range(2)
)
FULL = RNG.uniform(1, 2, (4, 6)).astype("float32")
WEIGHTS = RNG.normal(size=(6, 3)).astype("float32")
CUBE = RNG.normal(size=(4, 2, 3)).astype("float32")

# name: (function of sparse tensors, what is made sparse, whether the result is sparse)
CASES = {
    "abs": (ops.abs, [A], True),
    "relu": (ops.relu, [A - B], True),
    "round": (lambda x: ops.round(x, 1), [A], True),
    "cast": (lambda x: ops.cast(x, "int32"), [3 * A], True),
    "exp": (ops.exp, [A], False),
    "sigmoid": (ops.sigmoid, [A], False),
    "add": (ops.add, [A, B], True),
    "subtract": (ops.subtract, [A, B], True),
    "subtract itself": (ops.subtract, [A, A], True),
    "maximum": (ops.maximum, [A, -B], True),
    "minimum": (ops.minimum, [A, -B], True),
    "multiply": (ops.multiply, [A, B], True),
    "add dense": (lambda x: ops.add(x, FULL), [A], False),
    "subtract from dense": (lambda x: ops.subtract(FULL, x), [A], False),
    "multiply by dense": (lambda x: ops.multiply(FULL, x), [A], True),
    "multiply by a row": (lambda x: ops.multiply(x, FULL[:1]), [A], True),
    "multiply by a column": (lambda x: ops.multiply(FULL[:, :1], x), [A], True),
    "multiply by a number": (lambda x: ops.multiply(x, 2.0), [A], True),
    "multiply up": (lambda x: ops.multiply(x, np.stack([FULL, FULL])), [A], False),
    "divide": (lambda x: ops.divide(x, FULL), [A], True),
    "divide by a number": (lambda x: ops.divide(x, 2.0), [A], True),
    "square by power": (lambda x: ops.power(x, 2.0), [A], True),
    "sum": (ops.sum, [A], False),
    "sum 0": (lambda x: ops.sum(x, axis=0), [A], True),
    "sum -1": (lambda x: ops.sum(x, axis=-1, keepdims=True), [A], True),
    "mean": (lambda x: ops.mean(x, axis=1), [A], True),
    "mean of all": (lambda x: ops.mean(x, keepdims=True), [A], False),
    "transpose": (ops.transpose, [A], True),
    "reshape": (lambda x: ops.reshape(x, (2, -1, 3)), [A], True),
    "expand_dims": (lambda x: ops.expand_dims(x, 1), [A], True),
    "squeeze": (lambda x: ops.squeeze(ops.expand_dims(x, (0, 3))), [A], True),
    "concatenate 0": (lambda x, y: ops.concatenate([x, y], 0), [A, B], True),
    "concatenate 1": (lambda x, y: ops.concatenate([x, y], -1), [A, B], True),
    "concatenate dense": (lambda x: ops.concatenate([x, FULL], 1), [A], False),
    "matmul": (lambda x: ops.matmul(x, WEIGHTS), [A], False),
    "matmul from the left": (lambda x: ops.matmul(WEIGHTS.T[:, :4], x), [A], False),
    "matmul of both": (lambda x, y: ops.matmul(x, ops.transpose(y)), [A, B], True),
    "matmul by a vector": (lambda x: ops.matmul(x, WEIGHTS[:, 0]), [A], False),
    "matmul of a batch": (
        lambda x: ops.matmul(ops.reshape(x, (4, 3, 2)), CUBE), [A], False
    ),
    "matmul by a batch": (
        lambda x: ops.matmul(ops.transpose(CUBE, (0, 2, 1)), ops.reshape(x, (4, 2, 3))),
        [A], False,
    ),
    "einsum": (lambda x: ops.einsum("ij,jk->ki", x, WEIGHTS), [A], False),
    "einsum of batches": (lambda x, y: ops.einsum("ij,ij->i", x, y), [A, B], True),
    "divide by zeros": (lambda x: ops.divide(x, B), [A], None),
    "dot": (lambda x: ops.dot(x, WEIGHTS), [A], False),
    "convert_to_tensor": (ops.convert_to_tensor, [A], True),
    "made dense": (lambda x: ops.convert_to_tensor(x, sparse=False), [A], False),
    "digitize": (lambda x: ops.digitize(x, [0.2, 0.5]), [A], True),
    "ones_like": (ops.ones_like, [A], False),
}  # fmt: skip


def _sparse(engine, x):
    return engine.convert(scipy.sparse.coo_array(x))


@pytest.mark.parametrize("name", CASES)
def test_op_of_sparse_tensors_equals_that_of_dense_ones(engine, name):
    function, dense, is_sparse = CASES[name]
    result = function(*[_sparse(engine, x) for x in dense])
    expected = ops.convert_to_numpy(function(*map(ops.convert_to_tensor, dense)))
    assert ops.dtype(result) == expected.dtype.name
    assert tuple(result.shape) == expected.shape
    np.testing.assert_allclose(ops.convert_to_numpy(result), expected, atol=1e-6)
    if is_sparse is None:
        return  # it depends on the values
    if engine.sparse_has_class:
        assert engine.is_sparse(result) == is_sparse
    symbols = [keras.KerasTensor(x.shape, sparse=True) for x in dense]
    symbol = function(*symbols)
    assert (symbol.shape, symbol.dtype) == (expected.shape, expected.dtype.name)
    assert symbol.sparse == engine.is_sparse(result)


def test_every_rule_is_of_an_op():
    names = set(sparse_rules.RULES)
    assert not {x for x in names if x not in registry and not hasattr(ops, x)}


@pytest.mark.parametrize("name", ["max", "softmax", "cumsum", "einsum"])
def test_what_takes_no_sparse_tensor_says_so(engine, name):
    if not engine.sparse_has_class:
        pytest.skip("the engine's own functions take some")
    x = _sparse(engine, A)
    with pytest.raises(ValueError, match=f"ops.{name} takes no sparse.*sparse=False"):
        ops.einsum("ij->i", x) if name == "einsum" else getattr(ops, name)(x)


def test_a_compiled_program_takes_more_entries_than_there_are(engine):
    if not engine.compiles:
        pytest.skip("it is for programs")
    indices, values = np.array([[0, 1], [2, 0], [0, 0]], "int32"), np.ones(3, "float32")

    def run(indices, values, count):
        valid = engine.arange(3, dtype="int32") < count
        x = engine.sparse_tensor(indices, values, (3, 2), valid, unique=True)
        both = ops.add(ops.multiply(x, 3.0), ops.reshape(x, (3, 2)))
        return ops.matmul(ops.transpose(both), np.eye(3, dtype="float32"))

    found = engine.to_numpy(engine.jit(run)(indices, values, np.int32(2)))
    np.testing.assert_array_equal(found, [[0, 0, 4], [4, 0, 0]])


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_sparse_one_hot(engine, axis):
    x = [[0, 2, -1], [3, 1, 4]]
    result = ops.one_hot(x, 4, axis=axis, dtype="int32", sparse=True)
    assert engine.is_sparse(result) and ops.dtype(result) == "int32"
    expected = ops.convert_to_numpy(ops.one_hot(x, 4, axis=axis, dtype="int32"))
    np.testing.assert_array_equal(ops.convert_to_numpy(result), expected)


@pytest.mark.parametrize("x", [[0, 2, 2], [[0, 2, 2], [3, 1, -1]]])
def test_sparse_multi_hot(engine, x):
    result = ops.multi_hot(x, 4, sparse=True)
    assert engine.is_sparse(result) and ops.dtype(result) == "float32"
    expected = ops.convert_to_numpy(ops.multi_hot(x, 4))
    np.testing.assert_array_equal(ops.convert_to_numpy(result), expected)


def test_scipy_arrays_are_taken_by_every_engine(engine):
    x = scipy.sparse.csr_matrix(A)
    assert engine.is_sparse(ops.convert_to_tensor(x))
    np.testing.assert_allclose(
        ops.convert_to_numpy(ops.matmul(x, WEIGHTS)), A @ WEIGHTS, rtol=1e-5
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(x), A)


def test_tensors_of_another_engine_are_refused():
    with backends.scope("jax") as engine:
        x = _sparse(engine, A)
    with backends.scope("numpy"), pytest.raises(ValueError, match="belongs to"):
        ops.abs(x)
