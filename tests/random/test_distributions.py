"""The distributions of `keras.random`, against SciPy's."""

import jax
import numpy as np
import pytest
from scipy import stats

import hornbeam as keras
from hornbeam import backends, ops, random
from hornbeam.core import random_hash
from tests.compilation import forms, program
from tests.engine_exceptions import cannot

SIZE = (40_000,)

# Name, draw, distribution.
CONTINUOUS = {
    "uniform": (lambda s: random.uniform(SIZE, seed=s), stats.uniform()),
    "uniform in a range": (
        lambda s: random.uniform(SIZE, -2.0, 3.0, seed=s),
        stats.uniform(-2, 5),
    ),
    "normal": (lambda s: random.normal(SIZE, seed=s), stats.norm()),
    "normal elsewhere": (
        lambda s: random.normal(SIZE, 5.0, 0.1, seed=s),
        stats.norm(5, 0.1),
    ),
    "truncated normal": (
        lambda s: random.truncated_normal(SIZE, seed=s),
        stats.truncnorm(-2, 2),
    ),
    "gamma 0.3": (lambda s: random.gamma(SIZE, 0.3, seed=s), stats.gamma(0.3)),
    "gamma 1": (lambda s: random.gamma(SIZE, 1.0, seed=s), stats.gamma(1.0)),
    "gamma 30": (lambda s: random.gamma(SIZE, 30.0, seed=s), stats.gamma(30.0)),
    "beta 0.5 0.7": (
        lambda s: random.beta(SIZE, 0.5, 0.7, seed=s),
        stats.beta(0.5, 0.7),
    ),
    "beta 7 2": (lambda s: random.beta(SIZE, 7.0, 2.0, seed=s), stats.beta(7, 2)),
}
DISCRETE = {
    "randint": (lambda s: random.randint(SIZE, -3, 4, seed=s), stats.randint(-3, 4)),
    "randint 1000": (
        lambda s: random.randint(SIZE, 0, 999, seed=s),
        stats.randint(0, 999),
    ),
    "binomial by inversion": (
        lambda s: random.binomial(SIZE, 12, 0.3, seed=s),
        stats.binom(12, 0.3),
    ),
    "binomial, many and rare": (
        lambda s: random.binomial(SIZE, 5000, 0.001, seed=s),
        stats.binom(5000, 0.001),
    ),
    "binomial by rejection": (
        lambda s: random.binomial(SIZE, 60, 0.4, seed=s),
        stats.binom(60, 0.4),
    ),
    "binomial, likely": (
        lambda s: random.binomial(SIZE, 1000, 0.9, seed=s),
        stats.binom(1000, 0.9),
    ),
    "categorical": (
        lambda s: random.categorical(
            np.log([[0.1, 0.2, 0.7]]).astype("float32"), SIZE[0], seed=s
        ),
        stats.rv_discrete(values=([0, 1, 2], [0.1, 0.2, 0.7])),
    ),
}
DRAWS = {**CONTINUOUS, **DISCRETE}
# Parameters are constants to a draw: what does not depend on them takes one choice.
ONE_OF_EACH = [
    *("uniform in a range", "normal elsewhere", "truncated normal", "gamma 0.3"),
    *("beta 7 2", "randint", "binomial by rejection", "categorical"),
]
# Draws are made of the same ops, which JAX compiles once in a process.
one_process = pytest.mark.xdist_group("random draws")


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_distribution(name):
    draw, distribution = CONTINUOUS[name]
    with backends.scope("numpy"):
        values = np.asarray(draw(7), np.float64)
    assert stats.kstest(values, distribution.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_distribution(name):
    draw, distribution = DISCRETE[name]
    with backends.scope("numpy"):
        values = np.asarray(draw(7)).ravel()
    found, counts = np.unique(values, return_counts=True)
    expected = distribution.pmf(found) * values.size
    assert expected.min() > 0, "a value that cannot be"
    often = expected > 5
    observed = np.append(counts[often], values.size - counts[often].sum())
    expected = np.append(expected[often], values.size - expected[often].sum())
    statistic = np.sum((observed - expected) ** 2 / np.maximum(expected, 1))
    assert stats.chi2.sf(statistic, often.sum()) > 1e-3


@one_process
@pytest.mark.parametrize("name", DRAWS)
def test_engines_give_equal_draws(engine, name):
    draw = DRAWS[name][0]
    values = engine.to_numpy(draw(7))
    with backends.scope("numpy"):
        expected = draw(7)
    assert values.dtype == np.asarray(expected).dtype
    different = ~np.isclose(values, expected, rtol=2e-5, atol=1e-6)
    # A logarithm that differs in its last bit may tip an acceptance.
    assert different.mean() < 1e-4


@one_process
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_seeds(engine, name):
    draw = DRAWS[name][0]
    first = engine.to_numpy(draw(1))
    np.testing.assert_array_equal(first, engine.to_numpy(draw(1)))
    assert not np.array_equal(first, engine.to_numpy(draw(2)))
    generator = random.SeedGenerator(1)
    np.testing.assert_array_equal(first, engine.to_numpy(draw(generator)))
    assert not np.array_equal(first, engine.to_numpy(draw(generator)))
    assert not np.array_equal(engine.to_numpy(draw(None)), engine.to_numpy(draw(None)))


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_draws_compile(name):
    draw = DRAWS[name][0]
    with backends.scope("numpy"):
        expected = draw(1)
    found = jax.jit(draw)(np.array([1, 0], np.uint32))
    different = ~np.isclose(found, expected, rtol=2e-5, atol=1e-6)
    assert different.mean() < 1e-3


FLOAT_DRAWS = {
    "uniform": lambda dtype: random.uniform((3, 2), dtype=dtype, seed=1),
    "normal": lambda dtype: random.normal((3, 2), dtype=dtype, seed=1),
    "truncated_normal": lambda dtype: random.truncated_normal(
        (3, 2), dtype=dtype, seed=1
    ),
    "gamma": lambda dtype: random.gamma((3, 2), 2.0, dtype=dtype, seed=1),
    "beta": lambda dtype: random.beta((3, 2), 2.0, 3.0, dtype=dtype, seed=1),
    "binomial": lambda dtype: random.binomial((3, 2), 5, 0.5, dtype=dtype, seed=1),
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", None])
@pytest.mark.parametrize("name", FLOAT_DRAWS)
def test_float_dtypes(engine, name, dtype):
    found = forms(engine, lambda: FLOAT_DRAWS[name](dtype))
    assert found == [((3, 2), dtype or "float32")]


@pytest.mark.parametrize("name", FLOAT_DRAWS)
def test_integer_dtypes_are_refused(name):
    with pytest.raises(ValueError, match=f"random.{name}` requires a floating point"):
        FLOAT_DRAWS[name]("int32")


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
def test_randint_dtypes(engine, dtype):
    x = engine.to_numpy(random.randint((1000,), 0, 5, dtype=dtype, seed=1))
    assert sorted(set(x.tolist())) == [0, 1, 2, 3, 4]
    narrow = dtype == "int64" and cannot(engine, "64 bits")
    assert x.dtype == ("int32" if narrow else dtype)


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [(-(2**31), 2**31 - 1, "int32"), (0, 3 * 2**30, "uint32"), (-5, -4, "int32")],
)
def test_randint_ranges(engine, low, high, dtype):
    x = engine.to_numpy(random.randint((20_000,), low, high, dtype=dtype, seed=1))
    u = (x.astype(np.float64) - low + 0.5) / (high - low)
    assert u.min() > 0 and u.max() < 1
    if high - low > 1:
        assert stats.kstest(u, "uniform").pvalue > 1e-3


def test_randint_takes_arrays_as_limits(engine):
    x = engine.to_numpy(random.randint((500, 2), np.array([0, 100]), [3, 105], seed=1))
    assert set(x[:, 0].tolist()) == {0, 1, 2}
    assert set(x[:, 1].tolist()) == {100, 101, 102, 103, 104}


@pytest.mark.parametrize(("low", "high"), [(3, 3), (4, 3), (0, 2**32)])
def test_randint_refuses_ranges(low, high):
    with pytest.raises(ValueError, match="`maxval` to be above `minval`"):
        random.randint((2,), low, high)


def test_randint_refuses_float_dtypes():
    with pytest.raises(ValueError, match="random.randint` requires an integer `dtype`"):
        random.randint((2,), 0, 3, dtype="float32")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_uniform_stays_below_its_upper_end(engine, dtype):
    x = engine.to_numpy(random.uniform((20_000,), 1.0, 2.0, dtype=dtype, seed=1))
    assert x.astype(np.float64).max() < 2.0 and x.astype(np.float64).min() >= 1.0


def test_truncated_normal_stays_inside(engine):
    x = engine.to_numpy(random.truncated_normal(SIZE, 10.0, 3.0, seed=1))
    assert x.min() >= 4.0 and x.max() <= 16.0


def test_parameters_broadcast(engine):
    mean = np.array([0.0, 100.0], np.float32)

    def draw(key):
        shape = (1000, 2)
        normal = random.normal(shape, mean, seed=key)
        return normal, random.gamma(shape, [1.0, 50.0], seed=key)

    key = engine.convert(np.array([1, 0], np.uint32))
    normal, gamma = map(engine.to_numpy, program(engine, draw)(key))
    np.testing.assert_allclose(normal.mean(0), mean, atol=0.2)
    np.testing.assert_allclose(gamma.mean(0), [1.0, 50.0], rtol=0.1)


@pytest.mark.parametrize("shape", [(None, 3), "ab", (-1,)], ids=str)
def test_shapes_are_checked(shape):
    with pytest.raises(ValueError, match="hape"):
        random.normal(shape)


def test_shuffle(engine):
    x = np.arange(60).reshape(10, 6)
    rows = engine.to_numpy(random.shuffle(x, seed=1))
    assert not np.array_equal(rows, x)
    np.testing.assert_array_equal(rows[np.argsort(rows[:, 0])], x)
    columns = engine.to_numpy(random.shuffle(x, axis=1, seed=1))
    assert not np.array_equal(columns, x)
    np.testing.assert_array_equal(np.sort(columns, axis=1), x)
    with backends.scope("numpy"):
        np.testing.assert_array_equal(rows, random.shuffle(x, seed=1))


def test_shuffles_are_uniform():
    with backends.scope("numpy"):
        orders = [tuple(random.shuffle(np.arange(3), seed=s)) for s in range(3000)]
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 6 and stats.chisquare(counts).pvalue > 1e-3


def test_categorical_follows_the_logits(engine):
    logits = np.eye(4, dtype="float32") * 1e5
    x = random.categorical(logits, 7)
    np.testing.assert_array_equal(
        engine.to_numpy(x), np.repeat([[0], [1], [2], [3]], 7, 1)
    )
    impossible = np.array([[-np.inf, 0.0, -np.inf]], np.float32)
    assert set(engine.to_numpy(random.categorical(impossible, 50))[0].tolist()) == {1}


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4)], ids=str)
def test_categorical_checks_the_rank(shape):
    with pytest.raises(ValueError, match="`logits`.*shape"):
        random.categorical(np.ones(shape), 2)


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_dropout(engine, rate):
    x = engine.to_numpy(random.dropout(ops.ones((100, 200)), rate, seed=1))
    kept = x != 0
    assert abs(kept.mean() - (1 - rate)) < 0.02
    np.testing.assert_allclose(x[kept], 1 / (1 - rate) if rate < 1 else 0, rtol=1e-6)


@pytest.mark.parametrize("rate", [0.0, 0.1, 1 / 3, 0.5, 0.999, 1.0])
def test_dropout_keeps_where_the_uniform_number_reaches_the_rate(engine, rate):
    uniform = random_hash.numpy_uniform((3, 0), (50, 70))
    x = engine.to_numpy(random.dropout(ops.ones((50, 70)), rate, seed=3))
    np.testing.assert_array_equal(x != 0, uniform >= np.float32(rate))
    traced = random.dropout(ops.ones((50, 70)), ops.convert_to_tensor(rate), seed=3)
    np.testing.assert_allclose(engine.to_numpy(traced), x, rtol=1e-4)


def test_dropout_noise_shape(engine):
    x = ops.ones((4, 3, 50))
    y = engine.to_numpy(random.dropout(x, 0.5, noise_shape=(None, 1, None), seed=1))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    assert 0 < (y == 0).mean() < 1
    with pytest.raises(ValueError, match="noise_shape"):
        random.dropout(x, 0.5, noise_shape=(None, 1))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_dropout_keeps_the_dtype(engine, dtype):
    assert engine.dtype_of(random.dropout(ops.ones((3,), dtype=dtype), 0.5)) == dtype


def test_everything_public_is_here():
    assert set(random.__all__) == {
        "SeedGenerator",
        *("beta binomial categorical dropout gamma normal randint".split()),
        *("shuffle truncated_normal uniform".split()),
    }
    assert keras.random.normal is random.normal
