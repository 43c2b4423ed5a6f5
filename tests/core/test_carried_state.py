"""What the functions given to loops, branches and transforms assign takes effect.

The oracle is the same sum written as a loop of Python.
"""

import functools

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers, ops

STEPS = 3
WAYS = ("eager", "fit")
X = np.random.default_rng(0).normal(size=(4, 2)).astype("float32")


def scan(f, x):
    return ops.scan(lambda c, row: (c + f(row), None), ops.zeros_like(x[0]), x)[0]


def over(f, x):
    return sum(f(x[i]) for i in range(STEPS))


def while_loop(f, x):
    # A loop without a known end has no gradient on JAX.
    x = ops.stop_gradient(x)
    return ops.while_loop(
        lambda i, c: i < STEPS, lambda i, c: (i + 1, c + f(x[i])), (0, x[0] * 0.0)
    )[1]


def fori_loop(f, x):
    return ops.fori_loop(0, STEPS, lambda i, c: c + f(x[i]), ops.zeros_like(x[0]))


def nested(f, x):
    def outer(carry, row):
        inner = scan(f, ops.expand_dims(row, 0))
        return carry + ops.cond(inner[0, 0] < 1e9, lambda: inner, lambda: f(row)), None

    return ops.scan(outer, ops.zeros_like(x[0]), x)[0]


def branches(f, x):
    def of(row):
        return ops.switch(1, [lambda r: r, f], row)

    return over(lambda r: ops.cond(ops.sum(r) < 1e9, lambda: of(r), lambda: r), x)


def remat(f, x):
    return over(keras.remat(f), x)


def jvp(f, x):
    return over(lambda row: ops.jvp(f, (row,), (ops.ones_like(row),))[0], x)


ROADS = {
    "Python": over,
    "Python without gradient": lambda f, x: over(f, ops.stop_gradient(x)),
    "scan": scan,
    "while_loop": while_loop,
    "fori_loop": fori_loop,
    "map": lambda f, x: ops.sum(ops.map(f, x), 0),
    "vectorized_map": lambda f, x: ops.sum(ops.vectorized_map(f, x), 0),
    "nested": nested,
    "branches": branches,
    "remat": remat,
    "jvp": jvp,
}


class Looping(layers.Layer):
    """Sums what noise, Dropout and a running total make of three copies of the input.

    The total is read and assigned: each step sees what the one before left.
    """

    def __init__(self, road):
        super().__init__()
        self.road = ROADS[road]
        self.seed = keras.random.SeedGenerator(5)
        self.drop = layers.Dropout(0.5, seed=6)
        self.dense = layers.Dense(2, kernel_initializer="ones")
        self.total = self.add_weight(name="total", shape=(), trainable=False)
        self.total.assign(0.0)

    def call(self, x, training=False):
        def step(row):
            self.total.assign(self.total * 2.0 + 1.0)
            noise = keras.random.normal(ops.shape(row), seed=self.seed)
            return self.drop(row + noise, training=training) * self.total

        rows = self.dense(x)
        return self.road(step, ops.stack([rows] * STEPS))


class OwnStep(keras.Model):
    def __init__(self, road):
        super().__init__()
        self.looping = Looping(road)

    def call(self, x, training=False):
        return self.looping(x, training=training)

    def train_step(self, data):
        x, y = data

        def loss():
            return ops.mean(ops.square(self(x, training=True) - y))

        value, gradients = keras.value_and_grad(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": value}


def results(road, way):
    """Return what the layer computes and leaves behind when it is used in a way."""
    if way == "eager":
        layer = Looping(road)
        found = [ops.convert_to_numpy(layer(X, training=True)) for _ in range(2)]
    else:
        model = keras.Sequential([Looping(road)]) if way == "fit" else OwnStep(road)
        model.compile(keras.optimizers.SGD(1e-3), "mse")
        history = model.fit(X, X, batch_size=2, epochs=2, shuffle=False, verbose=0)
        layer = model.layers[0]
        found = [np.float32(history.history["loss"]), model.get_weights()[0]]
    return [*found, *(v.numpy() for v in layer.non_trainable_variables)]


@functools.cache
def expected(engine, road, way):
    """Return the results of a loop of Python, computed once per engine."""
    return results(road, way)


CASES = [(name, way) for name in ROADS if "Python" not in name for way in WAYS]


@pytest.mark.parametrize(("road", "way"), [*CASES, ("scan", "train_step")])
def test_what_a_function_assigns_takes_effect(training_engine, road, way):
    oracle = "Python without gradient" if road == "while_loop" else "Python"
    values = expected(training_engine.name, oracle, way)
    # The running total of a step is 2 * total + 1.
    calls = 2 if way == "eager" else 4
    assert 2.0 ** (calls * STEPS) - 1 in [float(v) for v in values if v.ndim == 0]
    for ours, value in zip(results(road, way), values, strict=True):
        np.testing.assert_allclose(ours, value, rtol=1e-4, atol=1e-5)


def test_what_cannot_leave_a_loop_says_so(engine):
    layer = layers.ActivityRegularization(l2=0.1)
    total = keras.Variable(0.0)

    def in_condition(i):
        total.assign_add(1.0)
        return i < 3

    if engine.calls_each_step():
        assert int(ops.while_loop(in_condition, lambda i: i + 1, 0)) == 3
        assert float(total) == 4.0
        return
    with pytest.raises(ValueError, match="`cond` of while_loop must not assign"):
        ops.while_loop(
            in_condition, lambda i: i + ops.cast(total.assign_add(1.0), "int32"), 0
        )
    assert float(total) == 0.0
    with pytest.raises(ValueError, match="Return the loss from that function"):
        ops.map(layer, X)
