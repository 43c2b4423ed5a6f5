"""Tensors in and out, indexing and control flow."""

import inspect

import numpy as np
import pytest

from hornbeam import backends, ops
from hornbeam.core.gradients import value_and_grad
from hornbeam.core.variable import Variable
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.declare import registry, signature_of
from tests.compilation import program

RNG = np.random.default_rng(3)


def _declared():
    for space in (ops, ops.image, ops.linalg, ops.nn, ops.numpy):
        for name in dir(space):
            getattr(space, name)
    return sorted(registry)


def test_an_engine_takes_the_arguments_of_every_op(engine):
    wanted, found = {}, {}
    for name in _declared():
        op, native = registry[name], getattr(engine, name, None)
        if native is None:
            assert not op.is_primitive, name
        else:
            wanted[name] = list(signature_of(op).parameters)
            parameters = list(inspect.signature(native).parameters)
            found[name] = parameters[: len(wanted[name])]
    assert found == wanted


def value(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize(
    "x,dtype,expected",
    [
        (True, None, "bool"),
        (3, None, "int32"),
        (3.0, None, "float32"),
        ([], None, "float32"),
        ([1, 2], None, "int32"),
        ([1, 2.0], None, "float32"),
        (np.ones(2, "float16"), None, "float16"),
        (np.ones(2, "uint8"), "bfloat16", "bfloat16"),
        ([1, 0], "bool", "bool"),
        (7, np.float32, "float32"),
    ],
    ids=str,
)
def test_conversion_has_the_expected_dtype(engine, x, dtype, expected):
    tensor = ops.convert_to_tensor(x, dtype)
    assert ops.is_tensor(tensor)
    assert ops.dtype(tensor) == expected
    assert ops.shape(tensor) == np.shape(x)


def test_conversion_to_numpy(engine):
    x = ops.convert_to_tensor([1.0, 2.0])
    found = ops.convert_to_numpy(x)
    found[0] = 5.0
    assert value(x).tolist() == [1.0, 2.0]
    given = np.ones(2)
    ops.convert_to_numpy(given)[0] = 5.0
    assert given.tolist() == [1.0, 1.0]
    assert value(ops.convert_to_tensor((1, ops.convert_to_tensor(2)))).tolist() == [
        1,
        2,
    ]
    assert value(Variable([3.0])).tolist() == [3.0]
    with pytest.raises(ValueError, match="no value"):
        ops.convert_to_numpy(KerasTensor((2,)))


def test_conversion_takes_tensors_of_any_engine():
    with backends.scope("torch"):
        x = ops.ones(2)
    with backends.scope("jax"):
        assert value(x).tolist() == [1, 1]


@pytest.mark.parametrize(
    "x,source,target",
    [
        ([-1.0, 0.5, 256.0, 1e20], "float32", "uint8"),
        ([-1e20, 3.7, 1e20], "float32", "int32"),
        ([-1e20, 3.7, 1e20], "float32", "float16"),
        ([-5, 100], "int32", "uint8"),
        ([0, 200, 255], "uint8", "int8"),
        ([1e5, -1e5], "float32", "int16"),
        ([0.0, 2.0], "float32", "bool"),
    ],
    ids=str,
)
def test_saturate_cast(engine, x, source, target):
    found = ops.saturate_cast(ops.cast(x, source), target)
    assert ops.dtype(found) == target
    wide = np.array(x, "float64")
    if target == "bool":
        expected = wide != 0
    else:
        limits = np.iinfo(target) if "int" in target else np.finfo(target)
        expected = np.clip(wide, float(limits.min), float(limits.max))
        expected = np.trunc(expected) if "int" in target else expected
    np.testing.assert_allclose(value(found).astype("float64"), expected, rtol=1e-3)
    assert ops.saturate_cast(KerasTensor((None,), source), target).dtype == target


def test_shape_of_symbols_keeps_what_is_unknown():
    assert ops.shape(KerasTensor((None, 3))) == (None, 3)


def test_slice_and_slice_update(engine):
    x = np.arange(24.0, dtype="float32").reshape(4, 6)
    found = ops.slice(x, np.array([1, 2]), (2, 3))
    np.testing.assert_array_equal(value(found), x[1:3, 2:5])
    np.testing.assert_array_equal(value(ops.slice(x, (1, 2), (-1, 3))), x[1:, 2:5])
    start = [ops.convert_to_tensor(1), 0]
    np.testing.assert_array_equal(value(ops.slice(x, start, (1, 2))), x[1:2, :2])
    expected = x.copy()
    expected[1:3, 2:4] = 7
    update = np.full((2, 2), 7, "float32")
    np.testing.assert_array_equal(value(ops.slice_update(x, [1, 2], update)), expected)
    assert x[1, 2] == 8
    symbol = KerasTensor((None, 3))
    assert ops.slice(symbol, (1, 1), (-1, -1)).shape == (None, 2)
    with pytest.raises(ValueError, match="must match"):
        ops.slice(symbol, (1, 1), (2, 2, 2))


COMBINE = {
    None: lambda old, new: new,
    "add": lambda old, new: old + new,
    "max": max,
    "min": min,
    "mul": lambda old, new: old * new,
}


@pytest.mark.parametrize("reduction", COMBINE, ids=str)
@pytest.mark.parametrize("depth", [1, 2])
def test_scatter_update(engine, reduction, depth):
    x = RNG.normal(size=(4, 3)).astype("float32")
    indices = RNG.integers(0, 3, size=(6, depth))
    if reduction is None:
        indices = np.unique(indices, axis=0)
    updates = RNG.normal(size=(len(indices), *x.shape[depth:])).astype("float32")
    expected = x.copy()
    combine = np.vectorize(COMBINE[reduction], otypes=["float32"])
    for index, update in zip(indices, updates, strict=True):
        expected[tuple(index)] = combine(expected[tuple(index)], update)

    def scattered(*arrays):
        return ops.scatter_update(*arrays, reduction)

    tensors = map(engine.convert, (x, indices, updates))
    found = program(engine, scattered)(*tensors)
    np.testing.assert_allclose(value(found), expected, rtol=1e-5)
    with pytest.raises(ValueError, match="reduction"):
        ops.scatter_update(x, indices, updates, "mean")


def test_scatter_adds_what_meets(engine):
    found = ops.scatter([[0], [2], [2]], np.array([[1, 2], [3, 4], [5, 6]]), (3, 2))
    np.testing.assert_array_equal(value(found), [[1, 2], [0, 0], [8, 10]])
    symbol = ops.scatter(KerasTensor((5, 1), "int32"), KerasTensor((5, 2)), (4, 2))
    assert symbol.shape == (4, 2)


def test_unstack(engine):
    x = np.arange(6.0).reshape(2, 3)
    parts = ops.unstack(x, axis=-1)
    np.testing.assert_array_equal([value(p) for p in parts], x.T)
    assert [p.shape for p in ops.unstack(KerasTensor((None, 2)), axis=1)] == [
        (None,)
    ] * 2
    with pytest.raises(ValueError, match="Cannot infer argument `num`"):
        ops.unstack(KerasTensor((None, 2)))
    with pytest.raises(ValueError, match="axis 3 is out of bounds"):
        ops.unstack(x, axis=3)


def test_cond_and_switch(engine):
    assert ops.cond(True, lambda: 1, lambda: 2) == 1
    x = ops.convert_to_tensor(3.0)
    chosen = ops.cond(x > 4, lambda: ops.ones(2), lambda: ops.zeros(2))
    np.testing.assert_array_equal(value(chosen), [0, 0])
    branches = [lambda a, b: a + b, lambda a, b: a - b]
    for index, expected in ((0, 5), (1, 1), (-3, 5), (9, 1)):
        assert float(ops.switch(index, branches, 3.0, 2.0)) == expected
    pred = KerasTensor((), "bool")
    assert ops.cond(
        pred, lambda: ops.ones((1, 3)), lambda: ops.zeros((1, 3))
    ).shape == (
        1,
        3,
    )
    with pytest.raises(ValueError, match="must return the same"):
        ops.cond(pred, lambda: ops.ones(3), lambda: ops.zeros(4))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [1, 2, 5, 8])
def test_scans(engine, length, reverse):
    x = RNG.normal(size=(length, 3)).astype("float32")
    order = x[::-1] if reverse else x
    expected = np.cumsum(order, 0)
    expected = expected[::-1] if reverse else expected

    def scans(x):
        total, sums = ops.scan(
            lambda c, v: (c + v["x"], {"sum": c + v["x"]}),
            np.zeros(3, "float32"),
            {"x": x},
            reverse=reverse,
        )
        prefixes = [
            ops.associative_scan(lambda a, b: (a[0] + b[0],), (y,), reverse, axis)[0]
            for axis, y in enumerate((x, ops.transpose(x)))
        ]
        return total, sums["sum"], prefixes[0], ops.transpose(prefixes[1])

    total, *sums = program(engine, scans)(engine.convert(x))
    np.testing.assert_allclose(value(total), x.sum(0), rtol=1e-5, atol=1e-6)
    for found in sums:
        np.testing.assert_allclose(value(found), expected, rtol=1e-5, atol=1e-6)


def test_associative_scan_keeps_the_order_of_its_operands(engine):
    matrices = RNG.normal(size=(6, 2, 2)).astype("float32")
    tensors = engine.convert(matrices)
    found = program(engine, lambda x: ops.associative_scan(ops.matmul, x))(tensors)
    product = np.eye(2)
    for i, m in enumerate(matrices):
        product = product @ m
        np.testing.assert_allclose(value(found)[i], product, rtol=1e-3, atol=1e-4)


def test_scan_rejects_what_it_cannot_run(engine):
    def step(carry, x):
        return carry, x

    with pytest.raises(TypeError, match="callable"):
        ops.scan(3, 0.0, np.ones(2))
    with pytest.raises(ValueError, match="unroll"):
        ops.scan(step, 0.0, np.ones(2), unroll=0)
    with pytest.raises(ValueError, match="length"):
        ops.scan(step, 0.0)
    with pytest.raises(ValueError, match="first dimension"):
        ops.associative_scan(lambda a, b: a, (np.ones(2), np.ones(3)))


def test_loops(engine):
    found = ops.while_loop(lambda i, s: i < 5, lambda i, s: (i + 1, s + i), (0, 0))
    assert [int(v) for v in found] == [5, 10]
    endless = ops.while_loop(lambda i: i >= 0, lambda i: i + 1, 0, maximum_iterations=7)
    assert int(endless) == 7
    assert int(ops.fori_loop(2, 5, lambda i, total: total + i, 0)) == 9
    assert ops.fori_loop(0, 3, lambda i, x: x, KerasTensor((None, 2))).shape == (
        None,
        2,
    )


def test_maps(engine):
    x = np.arange(6.0, dtype="float32").reshape(3, 2)
    for each in (ops.map, ops.vectorized_map):
        found = each(lambda v: {"sum": ops.sum(v["x"]), "twice": v["x"] * 2}, {"x": x})
        np.testing.assert_allclose(value(found["sum"]), x.sum(1))
        np.testing.assert_allclose(value(found["twice"]), 2 * x)
        symbols = each(lambda v: {"sum": ops.sum(v)}, KerasTensor((None, 2)))
        assert symbols["sum"].shape == (None,)


def test_stop_gradient_and_custom_gradient(training_engine):
    @ops.custom_gradient
    def cube_with_gradient_seven(x):
        return x**3, lambda upstream: 7 * upstream

    def loss(values):
        (x,) = values
        return cube_with_gradient_seven(x) + ops.stop_gradient(x) * x

    x = ops.convert_to_tensor(2.0)
    found, (gradient,) = training_engine.value_and_grad(loss)([x])
    assert float(found) == 12
    assert float(gradient) == 9


def test_custom_gradient_takes_variables(training_engine):
    variable = Variable(2.0)

    @ops.custom_gradient
    def twice(x):
        return 2 * x, lambda upstream: 5 * upstream

    found, (gradient,) = value_and_grad(lambda: twice(variable), [variable])
    assert (float(found), float(gradient)) == (4, 5)


@pytest.mark.parametrize(
    ("call", "shape", "message"),
    [
        (ops.cholesky, (3, 2), r"cholesky\(\) needs square.*\(3, 2\)"),
        (ops.qr, (3,), r"qr\(\) needs a tensor of rank 2"),
        (lambda x: ops.extract_sequences(x, 3, 1), (), "rank 1 or more"),
        (lambda x: ops.add(x, np.ones(4, "float32")), (3,), "sizes 3 and 4 differ"),
        (lambda x: ops.sum(x, axis=2), (3, 2), "axis 2 is out of bounds"),
        (lambda x: ops.segment_sum(x, [0, 1]), (3,), r"segment_sum\(\): `segment_ids`"),
        (lambda x: ops.segment_max(x, [[0], [1]]), (2,), "one id per slice of `data`"),
    ],
)
def test_engines_refuse_what_symbols_refuse(engine, call, shape, message):
    with pytest.raises(ValueError, match=message):
        call(KerasTensor(shape))
    with pytest.raises(ValueError) as refused:
        call(ops.ones(shape))
    if engine.name == "torch":
        # Its own error is a RuntimeError that does not name the op.
        refused.match(message)


@pytest.mark.parametrize("make", [ops.eye, ops.identity])
def test_numbers_of_rows_are_integers(engine, make):
    with pytest.raises(TypeError):
        make(3.0)
    assert tuple(make(np.int64(3)).shape) == (3, 3)


def test_cholesky_of_what_is_not_positive_definite(engine):
    matrix = np.array([[1.0, 2.0], [2.0, 1.0]], "float32")
    if engine.name in ("jax", "tensorflow"):  # as their own functions do
        assert np.isnan(engine.to_numpy(ops.cholesky(matrix))).any()
        return
    with pytest.raises(ValueError):
        ops.cholesky(matrix)


def test_taking_nothing_from_nothing(engine):
    for shape, size, axis in (
        ((0,), (0, 4), None),
        ((0, 3), (0, 4), 0),
        ((2, 0), (0,), 0),
    ):
        indices = np.zeros(size, "int32")
        got = ops.take(np.zeros(shape, "float32"), indices, axis=axis)
        assert tuple(got.shape) == np.zeros(shape).take(indices, axis).shape
