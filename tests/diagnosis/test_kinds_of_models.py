"""The doctor takes all data and models that `fit` takes."""

import numpy as np
import pandas
import pytest
import scipy.sparse

import hornbeam as keras
from hornbeam import backends, layers, ops

X = np.random.RandomState(0).normal(size=(64, 4)).astype("float32")
Y = np.tile([0, 1, 2, 1], 16)


def network(**options):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", **options)
    return model


def batches():
    while True:
        yield X[:32], Y[:32]


class Subclassed(keras.Model):
    """Not built, with a loss that a layer adds and an output in a dict."""

    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(4, activity_regularizer="l2")
        self.out = layers.Dense(3, activation="softmax")

    def call(self, x):
        return {"out": self.out(self.hidden(x["a"]))}


class Loops(keras.Layer):
    """Calls a layer in a loop of the engine, where it cannot be looked at."""

    def __init__(self):
        super().__init__()
        self.inner = layers.Dense(4)

    def build(self, shape):
        self.inner.build(shape)

    def call(self, x):
        def step(carry, _):
            carry = self.inner(carry)
            return carry, carry

        return ops.scan(step, x, ops.zeros((2, 1)))[0]


class WithState(keras.Model):
    """The form of a step for JAX."""

    def __init__(self):
        super().__init__()
        self.out = layers.Dense(1)

    def call(self, x):
        return self.out(x)

    def train_step(self, state, data):
        return super().train_step(state, data)


def subclassed():
    model = Subclassed()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def loops():
    model = keras.Sequential([keras.Input((4,)), Loops(), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def with_state():
    model = WithState()
    model.compile("adam", "mse")
    return model


CASES = {
    "frame": ("torch", network, (pandas.DataFrame(X, columns=list("abcd")), Y)),
    "sparse": ("torch", network, (scipy.sparse.csr_matrix(X), Y)),
    "generator": ("torch", network, (batches(),)),
    "dict": ("torch", subclassed, ({"a": X}, {"out": Y})),
    "eager": ("torch", lambda: network(run_eagerly=True), (X, Y)),
    "loop": ("jax", loops, (X, Y)),
    "state": ("jax", with_state, (X, X.sum(axis=1))),
}


@pytest.mark.parametrize("case", CASES)
def test_case(case):
    engine, make, data = CASES[case]
    with backends.scope(engine):
        diagnosis = make().diagnose(*data)
    assert diagnosis.healthy, str(diagnosis)


def test_validation_data_and_weights():
    with backends.scope("torch"):
        diagnosis = network().diagnose(
            X[:40], Y[:40], validation_data=(X[40:], Y[40:]),
            sample_weight=np.ones(40), class_weight={0: 1, 1: 2, 2: 1},
        )  # fmt: skip
    assert diagnosis.healthy, str(diagnosis)


def test_without_steps_and_uncompiled():
    with backends.scope("torch"):
        assert network().diagnose(X, Y, steps=0).healthy
        with pytest.raises(ValueError, match="compile"):
            keras.Sequential([layers.Dense(1)]).diagnose(X, Y)
    with backends.scope("numpy"), pytest.raises(NotImplementedError, match="gradients"):
        network().diagnose(X, Y)


def test_no_tap_is_left():
    with backends.scope("torch"):
        model = network()
        model.diagnose(X, Y)
        assert all("call" not in vars(layer) for layer in model.layers)
