"""Models inside layers and models: built wherever they are first called."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

# In one process: the tests share programs.
pytestmark = pytest.mark.xdist_group("nested models")

X = np.random.default_rng(0).standard_normal((6, 4)).astype("float32")


class FeedForward(keras.Layer):
    """The part of a transformer block that most often holds a Sequential."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.network = keras.Sequential(
            [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(4)]
        )

    def call(self, x):
        return x + self.network(x)


class Mixture(keras.Model):
    """A list of experts, weighed by a gate."""

    def __init__(self):
        super().__init__()
        self.gate = keras.Sequential([keras.layers.Dense(2, activation="softmax")])
        self.experts = [
            keras.Sequential([FeedForward(), keras.layers.Dense(1)]) for _ in range(2)
        ]

    def call(self, x):
        parts = keras.ops.concatenate([expert(x) for expert in self.experts], axis=-1)
        return keras.ops.sum(self.gate(x) * parts, axis=-1, keepdims=True)


# As Keras 3.15.1 names them, in its order.
PATHS = [
    "mixture/sequential/dense/kernel",
    "mixture/sequential/dense/bias",
    "mixture/sequential_2/feed_forward/sequential_1/dense_1/kernel",
    "mixture/sequential_2/feed_forward/sequential_1/dense_1/bias",
    "mixture/sequential_2/feed_forward/sequential_1/dense_2/kernel",
    "mixture/sequential_2/feed_forward/sequential_1/dense_2/bias",
    "mixture/sequential_2/dense_3/kernel",
    "mixture/sequential_2/dense_3/bias",
    "mixture/sequential_4/feed_forward_1/sequential_3/dense_4/kernel",
    "mixture/sequential_4/feed_forward_1/sequential_3/dense_4/bias",
    "mixture/sequential_4/feed_forward_1/sequential_3/dense_5/kernel",
    "mixture/sequential_4/feed_forward_1/sequential_3/dense_5/bias",
    "mixture/sequential_4/dense_6/kernel",
    "mixture/sequential_4/dense_6/bias",
]


def by_hand(weights, x):
    """Compute what a Mixture does, in float64."""
    weights = [w.astype("float64") for w in weights]
    x = x.astype("float64")
    gate = np.exp(x @ weights[0] + weights[1])
    gate /= gate.sum(axis=-1, keepdims=True)
    total = 0.0
    for number in range(2):
        first, a, second, b, last, c = weights[2 + 6 * number : 8 + 6 * number]
        hidden = x + np.maximum(x @ first + a, 0) @ second + b
        total = total + gate[..., number : number + 1] * (hidden @ last + c)
    return total


def called(model):
    model(X)


def called_on_a_symbol(model):
    assert model(keras.Input((4,))).shape == (None, 1)


def built(model):
    model.build((None, 4))


def fitted(model):
    model.compile(keras.optimizers.SGD(0.01), "mse")
    losses = model.fit(X, X[:, :1], epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("first", [called, called_on_a_symbol, built, fitted])
def test_inner_models_are_built_by_whatever_comes_first(training_engine, first):
    model = Mixture()
    first(model)
    assert [w.path for w in model.weights] == PATHS
    expected = by_hand(model.get_weights(), X)
    found = model.predict(X, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert all(layer.built for layer in model._flatten_layers())


def test_deeper_inside_a_functional_model(training_engine):
    """A layer that draws a graph when it is built, in a layer, in a graph."""

    class Drawn(keras.Layer):
        def build(self, shape):
            inputs = keras.Input(shape[1:])
            self.graph = keras.Model(inputs, Mixture()(FeedForward()(inputs)))

        def call(self, x):
            return self.graph(x)

    class Around(keras.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Drawn()

        def call(self, x):
            return self.inner(x)

    inputs = keras.Input((4,))
    model = keras.Model(inputs, Around()(inputs))
    first, a, second, b, *rest = [w.astype("float64") for w in model.get_weights()]
    hidden = X + np.maximum(X @ first + a, 0) @ second + b
    expected = by_hand(rest, hidden)
    np.testing.assert_allclose(
        model.predict(X, verbose=0), expected, rtol=1e-4, atol=1e-5
    )
    fitted(model)


def test_layers_come_and_go_later(python_only):
    class Around(keras.Layer):
        def __init__(self):
            super().__init__()
            self.network = keras.Sequential([keras.layers.Dense(3)])

        def call(self, x):
            return self.network(x)

    layer = Around()
    layer(X)
    layer.network.add(keras.layers.Dense(2))
    assert layer(X).shape == (6, 2)
    assert [w.path for w in layer.weights] == [
        "around/sequential/dense/kernel",
        "around/sequential/dense/bias",
        "around/sequential/dense_1/kernel",
        "around/sequential/dense_1/bias",
    ]
    layer.network.pop()
    assert layer(X).shape == (6, 3)
    assert len(layer.weights) == 2


def test_a_failed_build_leaves_a_sequential_as_it_was(python_only):
    model = keras.Sequential([keras.layers.Conv1D(2, 3), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="ndim"):
        model(X)
    assert not model.built
    assert model(np.ones((2, 5, 4), "float32")).shape == (2, 3, 3)


@pytest.mark.parametrize("training", [True, False])
def test_the_call_that_builds_a_model_does_not_set_its_mode(training):
    """`training` of the first call is no part of the graph that it draws."""
    ones = np.ones((4, 50), "float32")

    class Around(keras.Layer):
        def __init__(self):
            super().__init__()
            self.network = keras.Sequential([keras.layers.Dropout(0.5)])

        def call(self, x):
            return self.network(x)

    with backends.scope("numpy"):
        for layer in (keras.Sequential([keras.layers.Dropout(0.5)]), Around()):
            layer(ones, training=training)
            assert (layer(ones) == 1).all()
            assert set(np.unique(layer(ones, training=True))) == {0, 2}


def test_a_dict_of_inputs_and_a_layer_of_any_name(python_only):
    """`self` is a custom, not a rule."""

    class Two(keras.Model):
        def __init__(layer):  # noqa: N805
            super().__init__()
            layer.left = keras.Sequential([keras.layers.Dense(3)])
            layer.right = keras.Sequential([keras.layers.Dense(2)])

        def call(layer, inputs, training=None):  # noqa: N805
            return {"a": layer.left(inputs["u"]), "b": layer.right(inputs["v"])}

    built_model, model = Two(), Two()
    built_model.build({"u": (None, 4), "v": (None, 4)})
    assert built_model.built and len(built_model.weights) == 4
    found = model.predict({"u": X, "v": -X}, verbose=0)
    left, a, right, b = model.get_weights()
    np.testing.assert_allclose(found["a"], X @ left + a, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["b"], b - X @ right, rtol=1e-5, atol=1e-6)
