"""Noise layers and activity regularization: laws on every engine."""

import functools

import jax
import numpy as np
import pytest
from scipy import stats

import hornbeam as keras
from hornbeam import backends, layers, ops
from hornbeam.core.hyperparameter import hyperparameter_inputs
from hornbeam.core.scopes import StatelessScope
from tests.compilation import applied, forms, program

SELU_LIMIT = -1.7580993408473766

# Class, arguments, the number that is an input, shape.
ROWS = {
    "Dropout": ({"rate": 0.3}, "rate", (50, 40)),
    "AlphaDropout": ({"rate": 0.3}, "rate", (50, 40)),
    "GaussianDropout": ({"rate": 0.3}, "rate", (50, 40)),
    "GaussianNoise": ({"stddev": 0.3}, "stddev", (50, 40)),
    "SpatialDropout1D": ({"rate": 0.3}, "rate", (50, 2, 40)),
    "SpatialDropout2D": ({"rate": 0.3}, "rate", (50, 2, 2, 40)),
    "SpatialDropout3D": ({"rate": 0.3}, "rate", (50, 2, 1, 2, 40)),
}
DROPS = ["Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"]
every_row = pytest.mark.parametrize("name", ROWS)


def make(name, **extra):
    return getattr(layers, name)(**{**ROWS[name][0], "seed": 5, **extra})


def data(name, dtype="float32"):
    rng = np.random.default_rng(0)
    return rng.normal(size=ROWS[name][2]).astype(dtype)


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x), np.float64)


def pure(layer, x):
    """Return the outputs in training, which leave the seeds as they are."""
    states = [v.value for v in layer.non_trainable_variables]
    return layer.stateless_call([], states, x, training=True)[0]


@every_row
def test_only_training_changes_the_inputs(engine, name):
    layer, x = make(name), data(name)
    np.testing.assert_array_equal(numpy(layer(x)), x)
    np.testing.assert_array_equal(numpy(layer(x, training=False)), x)
    assert np.mean(numpy(applied(layer, x, training=True)) != x) > 0.2


@every_row
def test_a_seed_gives_the_same_noise_on_every_engine(engine, name):
    found = numpy(applied(make(name), data(name), training=True))
    with backends.scope("numpy"):
        expected = numpy(make(name)(data(name), training=True))
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)
    again = numpy(applied(make(name), data(name), training=True))
    np.testing.assert_array_equal(found, again)
    other = numpy(applied(make(name, seed=6), data(name), training=True))
    assert not np.array_equal(found, other)


@every_row
def test_noise_is_new_at_each_call(engine, name):
    layer = make(name)
    first, second = (numpy(layer(data(name), training=True)) for _ in range(2))
    assert not np.array_equal(first, second)


@every_row
def test_shape_and_dtype(engine, name):
    x = data(name)
    policies = ("float16", "mixed_bfloat16", "float32")
    noisy = {policy: make(name, dtype=policy) for policy in policies}
    found = forms(engine, lambda: [pure(layer, x) for layer in noisy.values()])
    dtypes = [policy.removeprefix("mixed_") for policy in policies]
    assert found == [(x.shape, dtype) for dtype in dtypes]
    for layer, dtype in zip(noisy.values(), dtypes, strict=True):
        symbol = layer(keras.Input(x.shape[1:]), training=True)
        assert symbol.shape == (None, *x.shape[1:]) and symbol.dtype == dtype
        assert layer.compute_output_shape(x.shape) == x.shape


@every_row
def test_config_round_trip(python_only, name):
    layer = make(name)
    config = layer.get_config()
    assert config.items() >= {**ROWS[name][0], "seed": 5}.items()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    np.testing.assert_array_equal(
        numpy(again(data(name), training=True)), numpy(layer(data(name), training=True))
    )
    assert ("trainable" in config) == (not name.startswith("Spatial"))


@every_row
def test_number_is_an_input_of_a_program(name):
    """One compiled program serves every value, 1 among them."""
    layer, x = make(name), data(name)
    argument = ROWS[name][1]
    traces = []

    @jax.jit
    def run(state, number, x):
        traces.append(1)
        with hyperparameter_inputs([(layer, argument)], [number]):
            with StatelessScope([(layer.seed_generator.state, state)]) as scope:
                y = layer(x, training=True)
                return y, scope.get_current_value(layer.seed_generator.state)

    state = layer.seed_generator.state.value
    for number in (0.0, 0.3, 1.0):
        y, new = run(state, np.float32(number), x)
        expected = make(name, **{argument: number})(x, training=True)
        np.testing.assert_allclose(numpy(y), numpy(expected), rtol=1e-4, atol=1e-5)
        assert np.asarray(new).tolist() == [5, 1]
    assert len(traces) == 1


@every_row
def test_gradients_are_finite(training_engine, name):
    noisy = [make(name, **{ROWS[name][1]: number}) for number in (0.0, 0.3, 1.0)]

    def loss(tensors, layer):
        return ops.sum(pure(layer, tensors[0]))

    def everything(x):
        value_and_grad = training_engine.value_and_grad
        losses = [functools.partial(loss, layer=layer) for layer in noisy]
        return [value_and_grad(one)([x]) for one in losses]

    x = ops.convert_to_tensor(data(name))
    found = program(training_engine, everything)(x)
    for value, (gradient,) in found:
        assert np.isfinite(numpy(value)) and np.all(np.isfinite(numpy(gradient)))
    np.testing.assert_allclose(numpy(found[0][1][0]), 1.0, rtol=1e-5)


@pytest.mark.parametrize("name", DROPS)
@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0])
def test_dropout_values(engine, name, rate):
    x = data(name)
    y = numpy(applied(make(name, rate=rate), x, training=True))
    kept = y != 0
    np.testing.assert_allclose(
        y[kept], x[kept] / (1 - rate if rate < 1 else 1), rtol=1e-5
    )
    first = kept[(slice(None), *(0,) * (x.ndim - 2))]
    sigma = np.sqrt(rate * (1 - rate) / first.size)
    assert abs(first.mean() - (1 - rate)) <= 4 * sigma
    same = first.reshape(len(first), *(1,) * (x.ndim - 2), -1)
    np.testing.assert_array_equal(kept, np.broadcast_to(same, kept.shape))


@pytest.mark.parametrize(
    ("name", "shape"), [("2D", (9, 30, 2, 3)), ("3D", (9, 30, 2, 3, 2))]
)
def test_spatial_dropout_channels_first(engine, name, shape):
    layer = getattr(layers, f"SpatialDropout{name}")(0.5, "channels_first", seed=1)
    kept = numpy(applied(layer, np.ones(shape, np.float32), training=True)) != 0
    maps = kept.reshape(9, 30, -1)
    np.testing.assert_array_equal(maps.all(-1), maps.any(-1))
    assert 0.3 < kept.mean() < 0.7
    assert layer.get_config()["data_format"] == "channels_first"


@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout"])
@pytest.mark.parametrize("noise_shape", [(None, 1, None), [50, 1, 40]], ids=str)
def test_noise_shape(engine, name, noise_shape):
    x = np.ones((50, 3, 40), np.float32)
    layer = make(name, noise_shape=noise_shape)
    y = numpy(applied(layer, x, training=True))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    assert len(np.unique(y)) == 2
    assert layer.noise_shape == tuple(noise_shape)


def test_gaussian_noise_distribution(engine):
    layer = make("GaussianNoise")
    noise = numpy(applied(layer, np.zeros((100, 100)), training=True))
    assert stats.kstest(noise.ravel(), stats.norm(0, 0.3).cdf).pvalue > 1e-3


def test_gaussian_dropout_distribution(engine):
    layer = make("GaussianDropout")
    factor = numpy(applied(layer, np.ones((100, 100)), training=True))
    deviation = np.sqrt(0.3 / 0.7)
    assert stats.kstest(factor.ravel(), stats.norm(1, deviation).cdf).pvalue > 1e-3


def test_alpha_dropout_values(engine):
    x = data("AlphaDropout")
    y = numpy(applied(make("AlphaDropout", rate=0.3), x, training=True))
    a = (0.7 * (1 + 0.3 * SELU_LIMIT**2)) ** -0.5
    b = -a * 0.3 * SELU_LIMIT
    dropped = np.isclose(y, a * SELU_LIMIT + b, atol=1e-5)
    assert 0.25 < dropped.mean() < 0.35
    np.testing.assert_allclose(y[~dropped], a * x[~dropped] + b, atol=1e-5)
    assert abs(y.mean()) < 0.05 and abs(y.std() - 1) < 0.05


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("bad", [-0.5, 1.5])
def test_numbers_are_checked(name, bad):
    argument = ROWS[name][1]
    with pytest.raises(ValueError, match=f"`{argument}` of .*>= 0 and <= 1"):
        make(name, **{argument: bad})


@pytest.mark.parametrize(
    ("noise_shape", "match"),
    [
        ("ab", "a tuple or list"),
        ((1, 2.5), "integers or None"),
        ((1, 0), "positive integers or None"),
    ],
)
def test_noise_shape_is_checked(noise_shape, match):
    with pytest.raises(ValueError, match=f"`noise_shape`. Expected .*{match}"):
        layers.Dropout(0.5, noise_shape=noise_shape)


def test_seed_is_checked():
    with pytest.raises(ValueError, match="`seed` must be an integer"):
        layers.Dropout(0.5, seed="a")


def test_ranks_are_checked():
    with pytest.raises(ValueError, match="ndim"):
        layers.SpatialDropout2D(0.5)(np.ones((2, 3)))


class TestActivityRegularization:
    def test_loss(self, engine):
        layer = layers.ActivityRegularization(l1=0.2, l2=0.3)
        x = data("Dropout")
        np.testing.assert_array_equal(numpy(layer(x)), x)
        expected = (0.2 * np.abs(x).sum() + 0.3 * (x.astype(float) ** 2).sum()) / len(x)
        assert len(layer.losses) == 1
        np.testing.assert_allclose(numpy(layer.losses[0]), expected, rtol=1e-5)

    def test_config(self):
        layer = layers.ActivityRegularization(l1=0.2, l2=0.3)
        config = layer.get_config()
        assert config["l1"] == 0.2 and config["l2"] == 0.3
        assert "activity_regularizer" not in config
        again = layers.ActivityRegularization.from_config(config)
        assert again.get_config() == config
        assert again.compute_output_shape((2, 3)) == (2, 3)
