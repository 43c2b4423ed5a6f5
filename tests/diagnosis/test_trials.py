"""`find_lr`, `overfit_one_batch` and `sanity_check`."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

import hornbeam as keras
from hornbeam import backends, layers, ops
from hornbeam.training.execution import programs

X = np.random.RandomState(0).normal(size=(256, 4)).astype("float32")
Y = X @ np.array([1, -2, 3, 0.5], "float32")


@pytest.fixture(autouse=True)
def on_torch():
    """What compiles nothing; the tests of bit-equal states are on every engine."""
    with backends.scope("torch"):
        yield


def network(optimizer="sgd", loss="mse", *inner, units=1):
    model = keras.Sequential([keras.Input((4,)), *inner, layers.Dense(units)])
    model.compile(optimizer, loss)
    return model


def test_the_suggested_rate_works_and_ten_times_the_limit_does_not():
    """For mean squares the limit is known: 2 over the greatest eigenvalue."""
    limit = 2 / np.linalg.eigvalsh(2 * X.T @ X / len(X)).max()
    found = network().find_lr(X, Y)
    assert limit / 300 < found.suggestion < limit
    assert found.rates[-1] < 10 and len(found.rates) < 100  # it diverged
    model = network(keras.optimizers.SGD(found.suggestion))
    losses = model.fit(X, Y, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < 0.1 * losses[0]


def test_a_healthy_classifier_is_sane():
    """What has its loss at chance, gradients everywhere, and learns: nothing failed."""
    x, y = load_digits(return_X_y=True)
    inner = [layers.Dense(32, activation="relu"), layers.Dropout(0.2)]
    output = layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), *inner, output])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    found = model.sanity_check((x / 16).astype("float32"), y)
    assert found.passed and set(found.results.values()) == {True}, str(found)
    assert "all is well" in str(found)


def test_models_of_one_structure_share_the_programs_of_the_doctor():
    with backends.scope("jax"):
        models = [network("sgd", "mse", layers.Dense(7)) for _ in range(2)]
        first = models[0].diagnose(X, Y)
        compiled = programs.cache.compilations
        again = models[0].diagnose(X, Y)
        models[1].set_weights(models[0].get_weights())
        twin = models[1].diagnose(X, Y)
        assert programs.cache.compilations == compiled
        assert str(again) == str(first)
        words = [
            str(d).replace(m.name, "")
            for d, m in zip((first, twin), models, strict=True)
        ]
        assert words[0] == words[1]


@pytest.mark.filterwarnings("ignore:.*no suggestion")
def test_rates_grow_exponentially_and_the_average_has_no_bias():
    found = network().find_lr(X, Y, low=1e-5, high=1e-4, steps=20)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-5, 1e-4, 20))
    weights = 0.9 ** np.arange(19, -1, -1)
    expected = (weights * found.losses).sum() / weights.sum()
    assert found.smoothed[-1] == pytest.approx(expected)
    assert "suggestion" in repr(found)


@pytest.mark.filterwarnings("ignore:.*no suggestion")
def test_a_schedule_comes_back():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    model = network(keras.optimizers.Adam(schedule))
    before = len(model.optimizer.variables)
    model.find_lr(X, Y, steps=12)
    model.fit(X, Y, epochs=1, verbose=0)
    assert len(model.optimizer.variables) >= before
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1 * 0.5**0.8)


def test_the_curve_is_drawn(tmp_path):
    found = network().find_lr(X, Y)
    axes = found.plot(path=tmp_path / "curve.png")
    assert axes.get_xscale() == "log" and (tmp_path / "curve.png").stat().st_size
    assert found.plot(ax=axes) is axes


def test_batches_of_a_generator_are_used():
    batches = ((X[:32], Y[:32]) for _ in range(15))
    with pytest.warns(UserWarning, match="ended after 15 of 100 steps"):
        found = network().find_lr(batches, high=1e-3)
    assert len(found.rates) == 15 and found.suggestion is None


def test_no_rate_is_suggested_where_the_loss_does_not_fall(tmp_path):
    model = network("sgd", "mse", layers.Lambda(ops.stop_gradient))
    with pytest.warns(UserWarning, match="did not fall"):
        found = model.find_lr(X[:32], Y[:32], low=1.0, high=8.0, steps=20)
    assert found.suggestion is None and "suggestion=None" in repr(found)
    found.plot(path=tmp_path / "curve.png")


def test_a_loss_that_is_nan_from_the_start_is_an_error():
    with pytest.raises(ValueError, match="first step is nan.*diagnose"):
        network().find_lr(X * np.nan, Y)


@pytest.mark.parametrize("method", ["overfit_one_batch", "sanity_check"])
@pytest.mark.parametrize("argument", ["batch_size", "steps"])
def test_nothing_is_no_batch_and_no_step(method, argument):
    with pytest.raises(ValueError, match=f"`{argument}` of {method}.*>= 1"):
        getattr(network(), method)(X, Y, **{argument: 0})


def test_a_generator_that_the_diagnosis_uses_up_is_no_fault():
    batches = ((X[i : i + 32], Y[i : i + 32]) for i in range(0, 96, 32))
    found = network().diagnose(batches)
    assert [f.evidence for f in found if f.severity == "error"] == []


@pytest.mark.parametrize(
    ("options", "match"), [({"low": 1, "high": 0.1}, "low"), ({"steps": 3}, "steps")]
)
def test_wrong_limits(options, match):
    with pytest.raises(ValueError, match=match):
        network().find_lr(X, Y, **options)


def test_a_batch_is_learnt_or_not():
    model = network(keras.optimizers.Adam(0.05))
    result = model.overfit_one_batch(X, Y)
    assert result and result.rows == 32
    assert "learns one batch of 32 rows" in str(result)
    noise = np.random.RandomState(1).normal(size=256)
    assert not model.overfit_one_batch(X, noise, steps=50)


class Cut(keras.Layer):
    def call(self, x):
        return ops.stop_gradient(x)


class Restless(keras.Layer):
    """Draws at every call, also when evaluated."""

    def __init__(self):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(0)

    def call(self, x):
        return x + keras.random.normal(ops.shape(x), seed=self.seeds)


def test_sanity():
    report = network(keras.optimizers.Adam(0.05)).sanity_check(X, Y)
    assert report.passed, str(report)
    assert len(report.rows) == 6


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("gradients reach all weights", lambda: [layers.Dense(4), Cut()]),
        ("one batch can be learnt by heart", lambda: [layers.Rescaling(0)]),
        ("evaluation repeats itself", lambda: [Restless()]),
    ],
)
def test_what_is_not_sane_fails(name, inner):
    report = network(keras.optimizers.Adam(0.05), "mse", *inner()).sanity_check(
        X, Y, steps=50
    )
    assert not report.passed
    assert report.results[name] is False
    assert "FAILED" in str(report)
    assert "FAILED" in report._repr_html_()


def plain_classifier():
    inner = layers.Dense(8, activation="relu"), layers.Dense(2, activation="softmax")
    model = keras.Sequential([keras.Input((4,)), *inner])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def test_a_small_network_that_learns_slowly_is_no_fault():
    """Adam with its usual rate needs more than 500 steps for some of these."""
    for seed in range(8):
        keras.utils.set_random_seed(seed)
        result = plain_classifier().overfit_one_batch(X, (Y > 0).astype(int))
        assert result and not result.falling, (seed, result)


def test_what_still_falls_is_unknown():
    model = network(keras.optimizers.SGD(1e-4))
    result = model.overfit_one_batch(X, Y, steps=300)
    assert not result and result.falling
    assert "not yet learnt" in str(result) and "still falling" in repr(result)
    sane = model.sanity_check(X, Y, steps=300)
    assert sane.passed and sane.results["one batch can be learnt by heart"] is None
    assert "nothing failed, 1 unknown" in str(sane)


def test_what_falls_no_more_has_failed_soon():
    noise = np.random.RandomState(1).normal(size=256)
    result = network(keras.optimizers.Adam(0.05)).overfit_one_batch(X, noise)
    assert not result and not result.falling and len(result.losses) < 700
    assert len(repr(result)) < 200


def test_data_that_does_not_fit_is_said_once():
    report = plain_classifier().sanity_check(X)
    assert list(report.results.values()) == [False, None, None, None, None, True]
    assert str(report).count("no targets") == 1


def test_weights_with_a_nan_gradient_have_none_of_0():
    text = str(network().sanity_check(X, Y * np.nan, steps=3))
    assert "NaN or infinite" in text and "gradient of 0" not in text
    assert "the loss is nan at step 1" in text
