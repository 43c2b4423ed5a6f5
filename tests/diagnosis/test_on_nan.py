"""`fit(on_nan=...)` on every engine."""

import re

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers, ops
from hornbeam.training.execution.programs import cache

X = np.random.RandomState(0).normal(size=(64, 4)).astype("float32")
Y = X.sum(axis=1)


class Logarithm(keras.Layer):
    """Is not finite for rows whose first number is 9."""

    def call(self, x):
        return ops.log(9.0 - x[:, :1]) * 0 + x


def network(*inner, rate=0.01, seed=0):
    keras.utils.set_random_seed(seed)
    layers_ = [keras.Input((4,)), *inner, layers.Dense(1)]
    model = keras.Sequential(layers_)
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def message_of(model, *data, **options):
    with pytest.raises(FloatingPointError) as error:
        model.fit(*data, verbose=0, on_nan="explain", batch_size=8, **options)
    return str(error.value)


def test_a_layer_is_named_with_step_and_range(training_engine):
    x = X.copy()
    x[43, 0] = 9
    model = network(layers.Dense(4, kernel_initializer="identity"), Logarithm())
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    told = message_of(model, x, Y, shuffle=False, epochs=2)
    assert "step 6 of epoch 1" in told
    assert "is layer 'sequential/logarithm'" in told
    assert "4 of 32 outputs" in told
    (operation,) = re.findall(r"Inside it '(\w+)' is the first operation", told)
    assert operation.lower() == "log"
    assert f"{x[40:48].min():.4g}, 9]" in told
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_the_data_is_named(training_engine):
    x = X.copy()
    x[19, 2] = np.nan
    told = message_of(network(), x, Y, shuffle=False)
    assert "step 3 of epoch 1" in told
    assert "1 values of 'x'" in told and "rows [3]" in told


def test_a_gradient_is_named(training_engine):
    class Root(keras.Layer):
        def call(self, x):
            return ops.sqrt(x * 0.0)

    told = message_of(network(layers.Dense(4), Root()), X, Y)
    assert "step 1 of epoch 1" in told
    assert re.search("the gradient of 'sequential/dense/(bias|kernel)'", told)


@pytest.mark.parametrize("stream", [False, True])
def test_a_rate_that_is_too_high(training_engine, stream):
    model = network(layers.Dense(8), rate=30.0)
    data = (X, Y)
    if stream:
        data = (((X[:8], Y[:8]) for _ in range(60)),)
    told = message_of(model, *data, **({} if stream else {"epochs": 30}))
    assert re.search(
        r"is (the loss|layer|the gradient)|the update of the weights", told
    )
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_the_steps_before_are_those_of_a_training_without(training_engine):
    x = X.copy()
    x[43, 0] = np.inf
    guarded, free = (network(layers.Dropout(0.5, seed=1)) for _ in range(2))
    message_of(guarded, x, Y, shuffle=False)
    free.fit(x[:40], Y[:40], shuffle=False, batch_size=8, verbose=0)
    for one, other in zip(guarded.get_weights(), free.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_bad_batch_is_skipped(training_engine):
    x = X.copy()
    x[43, 0] = np.nan
    model = network()
    with pytest.warns(RuntimeWarning, match="step 6 of epoch.*holds NaN.*skipped"):
        history = model.fit(
            x, Y, batch_size=8, epochs=2, verbose=0, shuffle=False, on_nan="rollback"
        ).history
    assert np.isfinite(history["loss"]).all()
    assert float(model.optimizer.learning_rate.numpy()) == pytest.approx(0.01)
    assert int(model.optimizer.iterations) == 14
    rest = np.r_[0:40, 48:64]
    other = network()
    other.fit(X[rest], Y[rest], batch_size=8, epochs=2, verbose=0, shuffle=False)
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stream", [False, True])
def test_a_rate_is_lowered_until_it_works(training_engine, stream):
    model = network(layers.Dense(8), rate=2.0)
    data, options = (X, Y), {"batch_size": 8}
    if stream:
        data, options = (Batches(),), {}
    with pytest.warns(RuntimeWarning, match="halved"):
        history = model.fit(
            *data, epochs=20, verbose=0, on_nan="rollback", **options
        ).history
    assert history["loss"][-1] < 1
    assert float(model.optimizer.learning_rate.numpy()) < 1


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return X[index * 8 : index * 8 + 8], Y[index * 8 : index * 8 + 8]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_it_gives_up(training_engine):
    model = network(Logarithm())
    x = X.copy()
    x[:, 0] = 9
    with pytest.raises(FloatingPointError, match="gives up"):
        model.fit(x, Y, batch_size=8, epochs=4, verbose=0, on_nan="rollback")


def test_without_it_nothing_changes(training_engine):
    """The same program runs: nothing is compiled for the guard."""
    model = network(layers.Dense(5))
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    key, count = model._binding("train").key(), cache.compilations
    weights = []
    for options in ({}, {"on_nan": None}, {"on_nan": "explain"}):
        model = network(layers.Dense(5))
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0, **options)
        assert model._binding("train").key() == key
        assert cache.compilations == count
        weights.append(model.get_weights())
    for other in weights[1:]:
        for one, two in zip(weights[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_wrong_choice():
    with pytest.raises(ValueError, match="on_nan"):
        network().fit(X, Y, on_nan="stop", verbose=0)


def test_a_batch_of_nothing_but_nan(training_engine):
    told = message_of(network(), X * np.nan, Y)
    assert "32 values of 'x' are NaN or infinite" in told and "all of them" in told


def test_an_operation_inside_a_composite(training_engine):
    """A layer of ours, whose operations are those of the engine's own."""
    x = np.where(np.arange(64)[:, None] == 20, 3e38, X).astype("float32")
    told = message_of(network(layers.Lambda(lambda v: ops.exp(v) - 1)), x, Y)
    (operation,) = re.findall(r"Inside it '(\w+)' is the first operation", told)
    assert operation.lower() == "exp"
