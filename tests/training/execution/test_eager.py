"""Steps that are repeated from a record give, to the bit, what the steps give."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers
from hornbeam.training.execution.programs import cache

ROWS, BATCH = 150, 8
X = np.random.default_rng(0).random((ROWS, 6), dtype="float32")
Y = (X @ np.random.default_rng(1).standard_normal((6, 3))).argmax(1)


# In one process: the tests share programs.
pytestmark = pytest.mark.xdist_group("live")


@pytest.fixture(autouse=True)
def on_torch():
    with backends.scope("torch"):
        yield


def network(inner=(), rate=0.3, **dense):
    keras.utils.set_random_seed(5)
    return keras.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(8, activation="relu", **dense),
            *(make() for make in inner),
            layers.Dropout(rate),
            layers.Dense(3, activation="softmax"),
        ]
    )


def compiled(model, optimizer="adam", **options):
    options = {"metrics": ["accuracy"]} | options
    model.compile(optimizer, loss="sparse_categorical_crossentropy", **options)
    return model


def fit(model, **options):
    options = {"epochs": 3, "batch_size": BATCH, "verbose": 0} | options
    return model.fit(X, Y, **options).history


def programs(model, mode="train"):
    """Return the programs that the model's steps were repeated with."""
    key = model._bindings[mode].key()
    return [p for k, p in cache._programs.items() if k[0] == key]


CASES = {
    "adam": lambda: (network(), "adam"),
    "statistics and noise": lambda: (
        network([layers.BatchNormalization, lambda: layers.GaussianNoise(0.1)]),
        keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    ),
    "schedule": lambda: (
        network(),
        keras.optimizers.Nadam(
            keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)
        ),
    ),
    "average and norm": lambda: (
        network(),
        keras.optimizers.AdamW(
            global_clipnorm=0.1, use_ema=True, ema_overwrite_frequency=4
        ),
    ),
    "regularizers and constraints": lambda: (
        network(
            kernel_regularizer="l2",
            activity_regularizer="l1",
            kernel_constraint="max_norm",
        ),
        "rmsprop",
    ),
    "half precision": lambda: (network(dtype="mixed_bfloat16"), "adam"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_repeated_step_gives_the_same_bits(name):
    found = []
    for eagerly in (True, False):
        model = compiled(*CASES[name](), run_eagerly=eagerly)
        history = fit(model, validation_data=(X, Y))
        found.append((history, model.get_weights(), model.predict(X, verbose=0)))
        assert bool(programs(model)) is not eagerly
    (history, weights, outputs), (history2, weights2, outputs2) = found
    assert history == history2
    for one, other in zip(weights, weights2, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(outputs, outputs2)


def test_models_of_equal_structure_share_the_record():
    first = compiled(network())
    fit(first)
    [program] = programs(first)
    second = compiled(network())
    assert fit(second) == first.history.history
    assert programs(second) == [program]


def test_a_change_of_a_rate_or_of_the_learning_rate_is_seen():
    class Change(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.layers[1].rate = 0.1 * epoch
            self.model.optimizer.learning_rate = 0.1 / (epoch + 1)

    found = []
    for eagerly in (True, False):
        model = compiled(network(), run_eagerly=eagerly)
        found.append(fit(model, callbacks=[Change()], epochs=3, batch_size=4))
    assert found[0] == found[1]


def test_the_step_where_the_loss_became_nan_is_named():
    x = X.copy()
    x[100] = np.nan
    model = compiled(network())
    fit(model)
    with pytest.warns(RuntimeWarning, match=rf"step {100 // BATCH + 1} of epoch 1"):
        model.fit(x, Y, batch_size=BATCH, shuffle=False, verbose=0)


def test_code_of_the_user_runs_at_every_step():
    calls = []

    class Counting(layers.Layer):
        def call(self, x):
            calls.append(len(x))
            return x

    model = compiled(network([Counting]))
    calls.clear()
    fit(model, epochs=2)
    assert len(calls) >= 2 * -(-ROWS // BATCH)
    assert not programs(model)


def test_an_overridden_step_runs_at_every_step():
    class Own(keras.Sequential):
        steps = 0

        def train_step(self, data):
            self.steps += 1
            return super().train_step(data)

    model = compiled(Own(network().layers))
    fit(model, epochs=2)
    assert model.steps == 2 * -(-ROWS // BATCH)


def test_steps_that_look_at_values_are_not_repeated():
    optimizers = [
        keras.optimizers.Adam(0.01, gradient_accumulation_steps=3) for _ in range(2)
    ]
    found = [
        fit(compiled(network(), optimizer, run_eagerly=eagerly))
        for optimizer, eagerly in zip(optimizers, (True, False), strict=True)
    ]
    assert found[0] == found[1]


def test_train_on_batch_is_repeated_too():
    found = []
    for eagerly in (True, False):
        model = compiled(network(), run_eagerly=eagerly)
        found.append([model.train_on_batch(X[:BATCH], Y[:BATCH]) for _ in range(20)])
    assert found[0] == found[1]
