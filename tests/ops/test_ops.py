"""The laws of each row of the table, on each engine."""

import functools
import re
from operator import attrgetter
from types import ModuleType

import numpy as np
import pytest

from hornbeam import backends, ops
from hornbeam.core import tree
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import declare
from tests.compilation import forms, together
from tests.engine_exceptions import REFUSALS, REFUSED, refuses
from tests.ops.table import ACTIVATIONS, BINARY, REDUCTIONS, TABLE, UNARY

DTYPES = ("bool", "uint8", "int8", "int32", "float16", "bfloat16", "float32")


def _ids(rows):
    return [pytest.param(r, id=f"{i}-{r}") for i, r in enumerate(rows)]


def _map(fn, nest):
    return tree.map_structure(lambda x: fn(x) if _is_array(x) else x, nest)


def _is_array(x):
    return isinstance(x, np.ndarray) and x.dtype != object


def _flat(result):
    if isinstance(result, list | tuple):
        return [leaf for part in result for leaf in _flat(part)]
    return [result]


def _wide(x):
    return x.astype("float64") if x.dtype == np.float32 else x


def _call(row, prepared=lambda x: x):
    """Return the function of the row's arrays, `prepared` first, and the arrays."""
    nest, arrays = [list(row.args), row.kwargs], []
    _map(arrays.append, nest)

    def call(*given):
        given = iter(given)
        args, kwargs = _map(lambda _: prepared(next(given)), nest)
        return row(args, kwargs)

    return call, arrays


def _gradients(engine, row):
    """Return the function that gives gradients of a weighted sum, and its arrays."""
    weight = _weight(row).astype("float32")

    def gradients(*arrays):
        def loss(values):
            y = row(_replace(list(row.args), iter(values)))
            return ops.sum(ops.multiply(y, weight))

        return engine.value_and_grad(loss)([engine.convert(x) for x in arrays])[1]

    return gradients, [x for x in _flat(list(row.args)) if _is_float_array(x)]


def _weight(row):
    result = row.oracle(*_map(_wide, list(row.args)), **row.kwargs)
    return np.random.default_rng(1).normal(size=np.shape(result))


def _values(engine, row):
    return _call(row, engine.convert)


GRADED = [r for r in TABLE if r.grad]
TOGETHER = 40


def _rows(what):
    return GRADED if what is _gradients else TABLE


@functools.cache
def _of_a_program(what, number):
    """What 40 rows give on JAX, from one program; `what(engine, row)` is a call."""
    rows = _rows(what)[number * TOGETHER :][:TOGETHER]
    with backends.scope("jax") as engine:
        return together([what(engine, r) for r in rows])


def _found(engine, what, row):
    """What the call `what(engine, row)` gives; on JAX most are part of a program."""
    if engine.name == "jax":
        rows = [id(r) for r in _rows(what)]
        number, place = divmod(rows.index(id(row)), TOGETHER)
        result = _of_a_program(what, number)[place]
        if result is not None:
            return result
    function, arrays = what(engine, row)
    return function(*arrays)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("row", _ids(TABLE))
def test_value(engine, row):
    found = [engine.to_numpy(x) for x in _flat(_found(engine, _values, row))]
    found = _flat(row.seen(*found)) if row.seen else found
    expected = _flat(
        row.oracle(
            *_map(_wide, list(row.args)),
            **{k: _map(_wide, v) for k, v in row.kwargs.items()},
        )
    )
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        b = np.asarray(b)
        assert a.shape == b.shape
        scale = row.tolerance
        np.testing.assert_allclose(a, b, rtol=scale, atol=scale)


@pytest.mark.parametrize("row", _ids(GRADED))
def test_gradient_is_that_of_the_oracle(training_engine, row):
    found = _found(training_engine, _gradients, row)
    weight = _weight(row)

    def oracle(values):
        args = _replace(list(row.args), iter(values))
        return float(np.sum(row.oracle(*args, **row.kwargs) * weight))

    start = _gradients(training_engine, row)[1]
    expected = _differences(oracle, [x.astype("float64") for x in start])
    for a, b in zip(found, expected, strict=True):
        a = training_engine.to_numpy(a)
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3)


def _is_float_array(x):
    return _is_array(x) and x.dtype == np.float32


def _replace(nest, values):
    if isinstance(nest, list | tuple):
        return type(nest)(_replace(x, values) for x in nest)
    return next(values) if _is_float_array(nest) else nest


def _differences(fn, values, step=1e-6):
    gradients = []
    for i, x in enumerate(values):
        gradient = np.zeros_like(x)
        for place in np.ndindex(x.shape):
            ends = []
            for sign in (1, -1):
                moved = [v.copy() for v in values]
                moved[i][place] += sign * step
                ends.append(fn(moved))
            gradient[place] = (ends[0] - ends[1]) / (2 * step)
        gradients.append(gradient)
    return gradients


def _symbol(x):
    return KerasTensor(x.shape, x.dtype.name)


def _held(engine, dtype):
    """The dtype in which the engine holds what should be `dtype`."""
    return engine.dtype_of(engine.zeros((), dtype))


# The values decide the shape, or there is nothing symbolic about the op.
NOT_SYMBOLIC = {"size", "ndim", "bincount", "nonzero", "unique", "unravel_index"}
NOT_SYMBOLIC |= {"convert_to_numpy", "dtype", "is_tensor", "shape", "vectorize"}


def _symbolic_rows():
    rows = []
    for r in TABLE:
        by_value = r.op in NOT_SYMBOLIC or (r.op == "where" and len(r.args) == 1)
        if any(_is_array(x) for x in _flat(list(r.args))) and not by_value:
            rows.append(r)
    return rows


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("row", _ids(_symbolic_rows()))
def test_symbolic_shape_and_dtype_are_the_real_ones(engine, row):
    args = list(row.args)
    at_once = row.op == "ctc_decode"  # on the host
    expected = forms(engine, lambda: row(_map(engine.convert, args)), at_once)
    found = _flat(row(_map(_symbol, args)))
    assert [(x.shape, _held(engine, x.dtype)) for x in found] == expected


def _dtype_rows():
    rows, seen = [], set()
    for r in [*UNARY, *BINARY, *REDUCTIONS, *ACTIVATIONS]:
        arrays = [x for x in _flat(list(r.args)) if _is_array(x)]
        if r.op not in seen and not r.exact and r.op not in NOT_SYMBOLIC and arrays:
            seen.add(r.op)
            rows.append(r)
    return rows


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("row", _ids(_dtype_rows()))
def test_dtype_is_that_of_the_rule(engine, row):
    args = _map(lambda x: np.ones_like(x, dtype="float32"), list(row.args))
    plain = {k: v for k, v in row.kwargs.items() if not _is_array(v)}

    def of_tensors(dtype):
        return row(_map(lambda x: engine.cast(x, dtype), args), plain)

    def of_symbols(dtype):
        return row(_map(lambda x: KerasTensor(x.shape, dtype), args), plain)

    taken = []
    for dtype in DTYPES:
        if refuses(engine, row.op, dtype):
            with pytest.raises(Exception, match=REFUSALS[engine.name]):
                of_tensors(dtype)
        else:
            taken.append(dtype)
    real = iter(forms(engine, lambda: [of_tensors(dtype) for dtype in taken]))
    declared = {
        d: [_held(engine, x.dtype) for x in _flat(of_symbols(d))] for d in taken
    }
    assert declared == {d: [next(real)[1] for _ in declared[d]] for d in taken}
    assert not list(real)


def _halves(engine, dtype):
    """The rows that take `dtype`, each with its call on arrays of it."""

    def half(x):
        return engine.cast(x, dtype) if x.dtype == np.float32 else engine.convert(x)

    for r in TABLE:
        if not r.exact and any(map(_is_float_array, _flat(list(r.args)))):
            yield r, _call(r, half)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_refused_as_listed_and_nowhere_else(engine, dtype):
    rows = list(_halves(engine, dtype))
    listed = {r.op for r, _ in rows if engine.name in REFUSED.get((r.op, dtype), ())}
    done = [None] * len(rows)
    if engine.name == "jax":
        unlisted = [call for r, call in rows if r.op not in listed]
        results = iter(together(unlisted, run=False))
        done = [None if r.op in listed else next(results) for r, _ in rows]
    failed = {}
    for (r, (function, arrays)), result in zip(rows, done, strict=True):
        try:
            if result is None:
                function(*arrays)
        except Exception as error:
            failed[r.op] = str(error)
    assert set(failed) == listed
    for message in failed.values():
        assert re.search(REFUSALS[engine.name], message), message


@pytest.mark.parametrize("name", ["add", "exp", "matmul", "reshape", "quantile"])
def test_tensors_of_another_engine_are_refused(name):
    other = backends.get("torch").convert([[1.0]])
    args = {"matmul": (other,), "add": (other,), "reshape": ((1,),)}.get(name, ())
    extra = (0.5,) if name == "quantile" else args
    with backends.scope("jax"), pytest.raises(backends.BackendMismatchError):
        getattr(ops, name)(other, *extra)


def test_an_engine_without_the_op_says_so(engine, monkeypatch):
    monkeypatch.setattr(declare, "registry", {})

    @declare.primitive("same")
    def has_no_engine(x):
        """Nothing."""

    with pytest.raises(NotImplementedError, match="has_no_engine"):
        has_no_engine(1.0)


def test_a_divisor_of_zero_has_no_gradient(training_engine):
    engine = training_engine

    def loss(values):
        return ops.sum(ops.divide_no_nan(*values))

    values = [engine.convert(np.array(v, "float32")) for v in ([3.0, 4.0], [0.0, 2.0])]
    _, (by_x, by_y) = engine.value_and_grad(loss)(values)
    np.testing.assert_allclose(engine.to_numpy(by_x), [0.0, 0.5])
    np.testing.assert_allclose(engine.to_numpy(by_y), [0.0, -1.0])


# In each dtype: a subnormal number, the zeros, what is not a number.
ORDERED = {
    "float16": [-1.0, 6e-8, -0.0, 0.0, -6e-8, np.inf, 2.0],
    "bfloat16": [-1.0, 1e-40, -0.0, 0.0, -1e-40, np.inf, 2.0],
    "float32": [-1.0, 1.4e-45, -0.0, 0.0, -1.4e-45, np.inf, 2.0],
}


@pytest.mark.parametrize("dtype", ORDERED)
def test_order_of_subnormal_numbers_zeros_and_nan(engine, dtype):
    rows = [ORDERED[dtype][:k] + end for k in (5, 7) for end in ([], [np.nan, 1.0])]
    for row in rows:
        x = engine.convert(np.array(row, "float32").astype(dtype))
        exact = np.array(row)
        assert int(ops.argmax(x)) == np.argmax(exact)
        assert int(ops.argmin(x)) == np.argmin(exact)
        assert int(ops.argmax(-x)) == np.argmax(-exact)
        if engine.name != "tensorflow":
            expected = np.argsort(exact, kind="stable")
            np.testing.assert_array_equal(engine.to_numpy(ops.argsort(x)), expected)
            found = engine.to_numpy(ops.sort(x)).astype("float64")
            np.testing.assert_array_equal(np.sign(found), np.sign(exact[expected]))


def test_the_gradient_of_sort(training_engine):
    engine = training_engine
    x = engine.convert(np.array([3.0, 1.0, 2.0], "float32"))
    weight = np.array([10.0, 20.0, 30.0], "float32")

    def loss(values):
        return ops.sum(ops.multiply(ops.sort(values[0]), weight))

    _, (found,) = engine.value_and_grad(loss)([x])
    np.testing.assert_array_equal(engine.to_numpy(found), [30.0, 10.0, 20.0])


@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr(engine, mode):
    x = np.random.rand(2, 4, 3).astype("float32")
    q, r = map(engine.to_numpy, ops.qr(engine.convert(x), mode))
    np.testing.assert_allclose(q @ r, x, atol=1e-5)
    np.testing.assert_allclose(np.triu(r), r, atol=1e-6)
    identity = np.broadcast_to(np.eye(q.shape[-1]), (2,) + (q.shape[-1],) * 2)
    np.testing.assert_allclose(q.swapaxes(1, 2) @ q, identity, atol=1e-5)


def test_lu_and_svd_put_together_again(engine):
    x = np.random.rand(3, 3).astype("float32")
    factors, pivots = map(engine.to_numpy, ops.lu_factor(engine.convert(x)))
    rows = np.arange(3)
    for i, p in enumerate(pivots):
        rows[[i, p]] = rows[[p, i]]
    lower = np.tril(factors, -1) + np.eye(3)
    np.testing.assert_allclose(lower @ np.triu(factors), x[rows], atol=1e-5)
    u, s, vt = map(engine.to_numpy, ops.svd(engine.convert(x)))
    np.testing.assert_allclose(u * s @ vt, x, atol=1e-5)


def test_argpartition(engine):
    x = np.random.rand(9).astype("float32")
    order = engine.to_numpy(ops.argpartition(engine.convert(x), 4))
    assert sorted(order) == list(range(9))
    assert x[order[:4]].max() <= x[order[4]] <= x[order[5:]].min()


def test_stft_and_back(engine):
    x = np.random.rand(2, 32).astype("float32")
    real, imag = ops.stft(engine.convert(x), 8, 4, 8, center=False)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(8) / 8)
    frames = np.stack([x[:, i : i + 8] * window for i in range(0, 25, 4)], 1)
    expected = np.fft.rfft(frames)
    np.testing.assert_allclose(engine.to_numpy(real), expected.real, atol=1e-5)
    np.testing.assert_allclose(engine.to_numpy(imag), expected.imag, atol=1e-5)
    y = engine.to_numpy(ops.istft(ops.stft(engine.convert(x), 8, 4, 8), 8, 4, 8))
    np.testing.assert_allclose(y, x, atol=1e-5)


def test_jvp(training_engine):
    x, direction = np.array([1.0, 2.0], "float32"), np.array([1.0, -1.0], "float32")
    value, slope = ops.jvp(lambda x: x * x, (x,), (direction,))
    np.testing.assert_allclose(training_engine.to_numpy(value), [1, 4])
    np.testing.assert_allclose(training_engine.to_numpy(slope), [2, -4])


@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_the_quantiles_of_no_elements_are_nan(engine, axis):
    nothing = engine.convert(np.zeros((0, 3), "float32"))
    for found in (
        ops.median(nothing, axis),
        ops.nanmedian(nothing, axis),
        ops.quantile(nothing, [0.1, 0.9], axis),
    ):
        found = engine.to_numpy(found)
        assert found.shape[-1:] == ((3,) if axis == 0 else found.shape[-1:])
        assert found.size and np.isnan(found).all()


def test_no_elements_are_in_no_bin(engine):
    counts, edges = ops.histogram(engine.convert(np.zeros(0, "float32")), 4)
    expected = np.histogram([], 4)
    np.testing.assert_array_equal(engine.to_numpy(counts), expected[0])
    np.testing.assert_allclose(engine.to_numpy(edges), expected[1])


def test_truths_count_as_integers(engine):
    truths = engine.convert(np.array([True, False, True]))
    np.testing.assert_array_equal(engine.to_numpy(ops.bincount(truths)), [1, 2])
    hot = engine.to_numpy(ops.one_hot(truths, 2))
    np.testing.assert_array_equal(hot, [[0, 1], [1, 0], [0, 1]])
    assert engine.dtype_of(ops.cumsum(truths, dtype="bool")) == "bool"


def test_average_over_one_axis_of_a_tuple(engine):
    found = ops.average(engine.convert(np.eye(2, dtype="float32")), (0,), [1.0, 3.0])
    np.testing.assert_allclose(engine.to_numpy(found), [0.25, 0.75])


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int32", "uint8"])
def test_of_equal_numbers_the_first_are_the_greatest(engine, dtype):
    x = np.random.default_rng(0).integers(1, 5, (3, 200)).astype(dtype)
    if dtype.startswith("float"):
        x[0, :3] = [0.0, np.inf, -np.inf]
        x[1] *= -1
    order = np.argsort(-x.astype("float64"), -1, kind="stable")
    for k in (1, 20, 200):
        values, places = ops.top_k(engine.convert(x), k)
        np.testing.assert_array_equal(engine.to_numpy(places), order[:, :k])
        found = np.take_along_axis(x, order, -1)[:, :k]
        np.testing.assert_array_equal(engine.to_numpy(values), found)


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "float64"])
def test_loops_from_arrays_of_numpy(engine, dtype):
    x = np.array([0, 1], dtype)
    results = [
        ops.fori_loop(0, 4, lambda i, x: x + i, x),
        ops.fori_loop(np.int64(0), np.int64(4), lambda i, x: i + x, x),
        ops.while_loop(lambda i, x: i < 4, lambda i, x: (i + 1, x + i), (0, x))[1],
        ops.while_loop(lambda x: x[0] < 6, lambda x: x + 2, [x])[0],
    ]
    for found in results:
        assert ops.is_tensor(found)
        np.testing.assert_array_equal(engine.to_numpy(found), [6, 7])


def test_the_sign_of_nan_is_nan(engine):
    found = engine.to_numpy(ops.sign(engine.convert([np.nan, -2.0, 0.0, 3.0])))
    np.testing.assert_array_equal(found, [np.nan, -1.0, 0.0, 1.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ops.split(x, 0), "must be positive"),
        (lambda x: ops.split(x, -1), "must be positive"),
        (lambda x: ops.split(x, 2), "equal"),
        (lambda x: ops.array_split(x, 0), "must be positive"),
        (lambda x: ops.unstack(x, num=5), "size of axis 0"),
        (lambda x: ops.top_k(x, 9), "larger than the last axis"),
        (lambda x: ops.top_k(x, -1), "must not be negative"),
        (lambda x: ops.argpartition(x, 9), "`kth` is out of bounds"),
        (lambda x: ops.diff(x, n=-1), "`n` must not be negative"),
        (lambda x: ops.repeat(x, -1), "negative"),
        (lambda x: ops.tile(x, -1), "negative"),
        (lambda x: ops.one_hot(ops.cast(x, "int32"), -1), "num_classes|negative"),
    ],
)
def test_numbers_of_pieces_and_times_are_checked(engine, call, message):
    for x in (engine.convert(np.ones((3, 4), "float32")), KerasTensor((3, 4))):
        with pytest.raises(ValueError, match=message):
            call(x)


def test_an_op_called_the_wrong_way_is_named(engine):
    with pytest.raises(TypeError, match=r"ops\.sum\(\).*'axes'"):
        ops.sum(engine.convert(np.ones(3)), axes=0)


def test_unique_keeps_each_nan(engine):
    found = engine.to_numpy(ops.unique(engine.convert([1.0, np.nan, 2.0, np.nan])))
    np.testing.assert_array_equal(found, [1.0, 2.0, np.nan, np.nan])


def test_unique_of_a_fixed_size(engine):
    x = engine.convert([3, 1, 2, 1])
    found = ops.unique(x, size=5, fill_value=-1, return_counts=True)
    np.testing.assert_array_equal(engine.to_numpy(found[0]), [1, 2, 3, -1, -1])
    np.testing.assert_array_equal(engine.to_numpy(found[1]), [2, 1, 1, 0, 0])


def test_histogram_in_a_compiled_program():
    with backends.scope("jax") as engine:
        x = engine.convert([0.1, 0.2, 0.9])
        counts, _ = engine.jit(lambda x: ops.histogram(x, 2, (0.0, 1.0)))(x)
        np.testing.assert_array_equal(counts, [2, 1])


def test_unknown_sizes_stay_unknown(engine):
    x = KerasTensor((None, 3))
    assert ops.einsum("ij,kj->ik", x, x).shape == (None, None)
    assert ops.concatenate([x, KerasTensor((2, 3))]).shape == (None, 3)
    assert ops.reshape(x, (-1, 3, 1)).shape == (None, 3, 1)
    assert ops.std(x, axis=0).shape == (3,)
    assert ops.matmul(x, KerasTensor((3, 5))).shape == (None, 5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ops.reshape(x, (7, -1)), "do not fit"),
        (lambda x: ops.reshape(x, (-1, -1)), "unknown dimension"),
        (lambda x: ops.squeeze(x, 0), "size 1"),
        (lambda x: ops.transpose(x, (0, 0)), "names an axis twice"),
        (lambda x: ops.concatenate([x, KerasTensor((3, 5))]), "equal"),
        (lambda x: ops.matmul(x, x), "equal"),
        (lambda x: ops.sort(x, 4), "axis 4 is out of bounds"),
        (lambda x: ops.cross(x, x), "2 or 3 components"),
        (lambda x: ops.einsum("ij,ik->jk", x, KerasTensor((2, 2))), "sizes"),
        (lambda x: ops.inv(x), "square"),
    ],
)
def test_shapes_that_do_not_fit_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call(KerasTensor((3, 4)))


# What the table has no row for, as not every engine has it.
BESIDE = {"jvp": test_jvp}


def test_every_op_has_a_row():
    rows = [attrgetter(name)(ops) for name in {r.op for r in TABLE} | set(BESIDE)]
    for space in (ops, ops.numpy, ops.image):
        public = {name: getattr(space, name) for name in space.__all__}
        functions = {k: f for k, f in public.items() if not isinstance(f, ModuleType)}
        assert len(functions) > 5
        assert not [name for name, op in functions.items() if op not in rows]
