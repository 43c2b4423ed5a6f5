"""Initializers: their formulas, their seeds, their configs."""

import math

import numpy as np
import pytest
from scipy import signal, stats

import hornbeam as keras
from hornbeam import backends, initializers
from hornbeam.initializers.scaling import compute_fans

# The standard deviation of a standard normal distribution cut at 2.
CUT = float(stats.truncnorm(-2, 2).std())


def _cut(stddev):
    return stats.truncnorm(-2, 2, scale=stddev)


def _symmetric(limit):
    return stats.uniform(-limit, 2 * limit)


# A kernel with fan_in 3 * 4 = 12 and fan_out 3 * 500 = 1500.
SHAPE = (3, 4, 500)
FAN_IN, FAN_OUT = 12, 1500
FAN_AVG = (FAN_IN + FAN_OUT) / 2

RANDOM = {
    "RandomNormal": ({"mean": 1.0, "stddev": 0.3}, stats.norm(1.0, 0.3)),
    "TruncatedNormal": ({"stddev": 0.3}, _cut(0.3)),
    "RandomUniform": ({"minval": -1.0, "maxval": 3.0}, stats.uniform(-1, 4)),
    "GlorotNormal": ({}, _cut(math.sqrt(1 / FAN_AVG) / CUT)),
    "GlorotUniform": ({}, _symmetric(math.sqrt(6 / (FAN_IN + FAN_OUT)))),
    "HeNormal": ({}, _cut(math.sqrt(2 / FAN_IN) / CUT)),
    "HeUniform": ({}, _symmetric(math.sqrt(6 / FAN_IN))),
    "LecunNormal": ({}, _cut(math.sqrt(1 / FAN_IN) / CUT)),
    "LecunUniform": ({}, _symmetric(math.sqrt(3 / FAN_IN))),
    "VarianceScaling": (
        {"scale": 3.0, "mode": "fan_out", "distribution": "untruncated_normal"},
        stats.norm(0, math.sqrt(3 / FAN_OUT)),
    ),
}
OTHERS = {
    "Zeros": {},
    "Ones": {},
    "Constant": {"value": 2.5},
    "Identity": {"gain": 2.0},
    "Orthogonal": {"gain": 2.0},
    "STFT": {"side": "imag", "window": "hamming", "scaling": None, "periodic": True},
}
SHAPES = {"Identity": (4, 6), "Orthogonal": (4, 6), "STFT": (16, 1, 9)}
ALL = {**{name: row[0] for name, row in RANDOM.items()}, **OTHERS}


def _make(name, **arguments):
    return getattr(initializers, name)(**ALL[name], **arguments)


def _shape(name):
    return SHAPES.get(name, SHAPE)


def _values(name, **arguments):
    with backends.scope("numpy"):
        return np.asarray(_make(name, **arguments)(_shape(name)))


@pytest.mark.parametrize("name", RANDOM)
def test_distribution(name):
    values = _values(name, seed=11).astype(np.float64).ravel()
    assert stats.kstest(values, RANDOM[name][1].cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", ALL)
def test_same_bits_on_every_engine(engine, name):
    seeded = {"seed": 11} if name not in OTHERS or name == "Orthogonal" else {}
    value = _make(name, **seeded)(_shape(name))
    assert engine.is_tensor(value) and engine.dtype_of(value) == "float32"
    np.testing.assert_array_equal(engine.to_numpy(value), _values(name, **seeded))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("name", ALL)
def test_dtype(engine, name, dtype):
    value = _make(name)(_shape(name), dtype=dtype)
    assert engine.dtype_of(value) == dtype
    assert engine.shape_of(value) == _shape(name)


@pytest.mark.parametrize("name", ["Zeros", "Ones", "Constant"])
def test_integer_dtype(engine, name):
    assert engine.dtype_of(getattr(initializers, name)()((2,), "int32")) == "int32"


@pytest.mark.parametrize("name", ALL)
def test_config_round_trip(python_only, name):
    initializer = _make(name)
    config = initializer.get_config()
    assert config.items() >= ALL[name].items()
    assert config.get("seed") is None
    for again in (
        type(initializer).from_config(config),
        initializer.clone(),
        initializers.deserialize(initializers.serialize(initializer)),
        initializers.get(initializers.serialize(initializer)),
    ):
        assert type(again) is type(initializer) and again.get_config() == config


@pytest.mark.parametrize("name", ALL)
def test_serialized_format(python_only, name):
    assert initializers.serialize(_make(name)) == {
        "module": "keras.initializers",
        "class_name": name,
        "config": _make(name).get_config(),
        "registered_name": None,
    }


@pytest.mark.parametrize("name", [*RANDOM, "Orthogonal"])
def test_seeds(python_only, name):
    one = _make(name, seed=1)
    np.testing.assert_array_equal(one(_shape(name)), one(_shape(name)))
    np.testing.assert_array_equal(one(_shape(name)), one.clone()(_shape(name)))
    made_up = _make(name)
    np.testing.assert_array_equal(made_up(_shape(name)), made_up(_shape(name)))
    assert not np.array_equal(made_up(_shape(name)), made_up.clone()(_shape(name)))
    counting = _make(name, seed=keras.random.SeedGenerator(1))
    first = np.asarray(counting(_shape(name)))
    np.testing.assert_array_equal(first, one(_shape(name)))
    assert not np.array_equal(first, counting(_shape(name)))
    again = counting.clone()
    np.testing.assert_array_equal(first, again(_shape(name)))
    loaded = initializers.deserialize(initializers.serialize(counting))
    np.testing.assert_array_equal(first, loaded(_shape(name)))


def test_seeds_are_checked():
    with pytest.raises(ValueError, match="`seed` of HeNormal.*'a'"):
        initializers.HeNormal(seed="a")


@pytest.mark.parametrize("shape", [(), (5,)], ids=str)
@pytest.mark.parametrize("name", RANDOM)
def test_small_shapes(python_only, name, shape):
    assert np.shape(_make(name)(shape)) == shape


@pytest.mark.parametrize(
    ("shape", "axes", "fans"),
    [
        ((), (None, None), (1, 1)),
        ((5,), (None, None), (5, 5)),
        ((3, 4), (None, None), (3, 4)),
        ((3, 3, 8, 16), (None, None), (72, 144)),
        ((3, 3, 8, 16), ([-2], [-1]), (8, 16)),
        ((512, 8, 64), ([0], [1, 2]), (512, 512)),
        ((512, 8, 64), ([0, 1], [2]), (4096, 64)),
        ((3, 3, 8, 16), ([2], None), (72, 144)),
    ],
)
def test_fans(shape, axes, fans):
    assert compute_fans(shape, *axes) == fans


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"scale": 0}, "Argument `scale` must be positive"),
        ({"mode": "fan"}, "Invalid `mode` argument"),
        ({"distribution": "gamma"}, "Invalid `distribution` argument"),
    ],
)
def test_variance_scaling_checks(arguments, match):
    with pytest.raises(ValueError, match=match):
        initializers.VarianceScaling(**arguments)


def test_constants():
    assert np.all(_values("Zeros") == 0) and np.all(_values("Ones") == 1)
    assert np.all(_values("Constant") == 2.5)
    np.testing.assert_array_equal(
        initializers.Constant([1.0, 2.0])((3, 2)), [[1, 2]] * 3
    )
    np.testing.assert_array_equal(_values("Identity"), 2 * np.eye(4, 6))


def test_constant_of_an_array_round_trips():
    value = np.arange(6.0).reshape(2, 3)
    config = initializers.serialize(initializers.Constant(value))
    again = initializers.deserialize(config)
    np.testing.assert_array_equal(again((2, 3)), value)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (2, 3, 4)], ids=str)
def test_orthogonal(python_only, shape):
    matrix = np.asarray(initializers.Orthogonal(2.0, seed=3)(shape)).reshape(
        -1, shape[-1]
    )
    if matrix.shape[0] < matrix.shape[1]:
        matrix = matrix.T
    gram = matrix.T @ matrix
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-5)


def test_orthogonal_is_uniform():
    """The corner of a uniform 3 x 3 rotation is uniform on [-1, 1]."""
    corner = [
        np.asarray(initializers.Orthogonal(seed=s)((3, 3)))[0, 0] for s in range(1000)
    ]
    assert stats.kstest(corner, stats.uniform(-1, 2).cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("name", "shape", "match"),
    [
        ("Identity", (3,), "2D matrices"),
        ("Orthogonal", (3,), "two-dimensional"),
        ("STFT", (3, 4), r"STFT needs a shape"),
    ],
)
def test_ranks_are_checked(name, shape, match):
    with pytest.raises(ValueError, match=match):
        getattr(initializers, name)()(shape)


@pytest.mark.parametrize("scaling", [None, "density", "spectrum"])
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("window", [None, "hann", "tukey", list(range(1, 17))], ids=str)
@pytest.mark.parametrize("side", ["real", "imag"])
def test_stft(side, window, periodic, scaling):
    """The kernel takes a frame to its Fourier transform."""
    kernel = initializers.STFT(side, window, scaling, periodic)((16, 1, 9))
    frame = np.random.default_rng(0).normal(size=16)
    weights = np.ones(16)
    if window is not None:
        weights = (
            np.asarray(window, float)
            if isinstance(window, list)
            else (signal.get_window(window, 16, fftbins=periodic))
        )
        divisor = {None: 1, "density": np.sqrt(np.sum(weights**2))}
        weights = weights / divisor.get(scaling, np.sum(weights))
    transform = np.fft.rfft(frame * weights)
    expected = transform.real if side == "real" else transform.imag
    np.testing.assert_allclose(frame @ np.asarray(kernel)[:, 0], expected, atol=1e-5)


@pytest.mark.parametrize(
    "arguments", [{"side": "x"}, {"scaling": "l2"}, {"window": "unknown"}], ids=str
)
def test_stft_checks(arguments):
    with pytest.raises(ValueError, match="(?i)unknown|`scaling`|`side`"):
        initializers.STFT(**arguments)


LOOKUPS = {
    **{name: name for name in ALL},
    "glorot_uniform": "GlorotUniform",
    "he_normal": "HeNormal",
    "zeros": "Zeros",
    "zero": "Zeros",
    "one": "Ones",
    "uniform": "RandomUniform",
    "normal": "RandomNormal",
    "IdentityInitializer": "Identity",
    "OrthogonalInitializer": "Orthogonal",
    "STFTInitializer": "STFT",
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_get_by_name(name):
    assert type(initializers.get(name)).__name__ == LOOKUPS[name]


def test_get_other_identifiers(engine):
    assert initializers.get(None) is None
    assert type(initializers.get(initializers.Ones)) is initializers.Ones
    ones = initializers.Ones()
    assert initializers.get(ones) is ones

    def own(shape, dtype=None):
        return keras.ops.ones(shape, dtype)

    assert initializers.get(own) is own
    tensor = engine.convert(np.ones((2, 3), np.float32))
    given = initializers.get(tensor)
    np.testing.assert_array_equal(engine.to_numpy(given((2, 3))), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"Expected `shape` to be \(2, 3\)"):
        given((3, 2))


@pytest.mark.parametrize("identifier", ["he_norml", 5, {"class_name": "x"}], ids=str)
def test_get_refuses(identifier):
    with pytest.raises((ValueError, TypeError)):
        initializers.get(identifier)


def test_get_suggests():
    with pytest.raises(ValueError, match="Did you mean 'he_normal'"):
        initializers.get("he_norml")


def test_every_public_name_has_a_row():
    classes = {
        getattr(initializers, name).__name__
        for name in initializers.__all__
        if name not in ("get", "serialize", "deserialize")
    }
    assert classes == {*ALL, "Initializer"}
