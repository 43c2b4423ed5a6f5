"""What looks at a model leaves it bit for bit as it was, on every engine."""

import random

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers
from hornbeam.core.random_states import random_states

X = np.random.RandomState(0).normal(size=(64, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int32")


def network(built=True):
    inner = [layers.Dense(8, activation="relu"), layers.BatchNormalization(),
             layers.Dropout(0.5), layers.Dense(2, activation="softmax")]  # fmt: skip
    model = keras.Sequential([*([keras.Input((4,))] if built else []), *inner])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def state(model):
    variables = model._binding("train").variables
    found = [variable.numpy() for variable in variables]
    own = [model.stop_training, model.history, float(model.optimizer.iterations)]
    return found, own, random.getstate(), random_states()


def assert_equal(old, new):
    for a, b in zip(old[0], new[0], strict=True):
        assert a.tobytes() == b.tobytes()
    assert old[1:3] == new[1:3]
    np.testing.assert_equal(old[3], new[3])


USES = {
    "diagnose": lambda model: model.diagnose(X, Y),
    "find_lr": lambda model: model.find_lr(X, Y, steps=20),
    "overfit_one_batch": lambda model: model.overfit_one_batch(X, Y, steps=5),
    "explain_speed": lambda model: keras.utils.explain_speed(model, X, Y),
    "sanity_check": lambda model: model.sanity_check(X, Y, steps=5),
}


@pytest.mark.parametrize("use", USES)
def test_nothing_changes(training_engine, use):
    model = network()
    model.fit(X, Y, epochs=2, verbose=0)
    before = state(model)
    USES[use](model)
    assert_equal(before, state(model))


@pytest.mark.parametrize("use", USES)
def test_a_later_fit_is_the_same(training_engine, use):
    """Also of a model that was not built."""
    weights = []
    for looks in (False, True):
        keras.utils.set_random_seed(3)
        model = network(built=False)
        if looks:
            USES[use](model)
        model.fit(X, Y, epochs=2, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
