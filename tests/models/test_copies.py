"""Copies in one process: they need no names by which a file finds code."""

import copy
import pickle

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.errors import UnsafeFileError
from tests.conftest import TRAINING_ENGINES

X = np.random.default_rng(0).standard_normal((8, 4)).astype("float32")


class Penalty(keras.Layer):
    def call(self, x):
        self.add_loss(keras.ops.mean(x**2))
        return x


class Around(keras.Layer):
    """A layer with an inner one and a function, in the form of Keras's guides."""

    def __init__(self, inner, function, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.function = inner, function

    def call(self, x):
        return self.function(self.inner(x))

    def get_config(self):
        return {
            **super().get_config(),
            "inner": keras.saving.serialize_keras_object(self.inner),
            "function": keras.saving.serialize_keras_object(self.function),
        }

    @classmethod
    def from_config(cls, config):
        load = keras.saving.deserialize_keras_object
        parts = {name: load(config[name]) for name in ("inner", "function")}
        return cls(**{**config, **parts})


def network():
    """Lambdas, functions and classes that nobody has registered."""

    def half(x):
        return x / 2

    inputs = keras.Input((4,))
    x = keras.layers.Lambda(lambda x: x + 1.0)(inputs)
    x = Around(keras.layers.Dense(3, activation=half), lambda x: x * 2.0)(x)
    outputs = keras.layers.Dense(1, kernel_regularizer=lambda w: 0.0)(Penalty()(x))
    return keras.Model(inputs, outputs)


def by_hand(model, x):
    kernel, bias, head, offset = model.get_weights()
    return ((x + 1) @ kernel + bias) @ head + offset


COPIES = {
    "clone_model": keras.models.clone_model,
    "from_config": lambda model: keras.Model.from_config(model.get_config()),
    "layer by layer": lambda model: keras.models.clone_model(
        model, clone_function=lambda x: type(x).from_config(x.get_config())
    ),
    "deepcopy": copy.deepcopy,
    "serialized": lambda model: keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(model)
    ),
}


@pytest.mark.parametrize("way", COPIES)
def test_unregistered_code_is_copied(way, python_only):
    model = network()
    made = COPIES[way](model)
    made.set_weights([w + 1.0 for w in model.get_weights()])
    np.testing.assert_allclose(
        made.predict(X, verbose=0), by_hand(made, X), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        model.predict(X, verbose=0), by_hand(model, X), rtol=1e-4, atol=1e-5
    )


def test_a_compiled_model_is_copied_with_its_functions(python_only):
    def loss(y, y_pred):
        return keras.ops.mean((y - y_pred) ** 2)

    model = network()
    model.compile("sgd", loss, metrics=[lambda y, y_pred: y])
    made = keras.models.clone_model(model)
    assert made.compiled and made.loss is loss


def test_what_comes_from_json_is_refused_as_before(python_only):
    with pytest.warns(UserWarning) as told:
        text = network().to_json()
    unregistered, bare = (str(warning.message) for warning in told)
    for name in ("Around", "Penalty", "half"):
        assert repr(name) in unregistered
    assert "outside of the function of a Lambda layer" in bare
    with pytest.raises(UnsafeFileError, match="Could not locate class"):
        keras.models.model_from_json(text)


@pytest.mark.parametrize("engine_name", TRAINING_ENGINES)
def test_a_model_with_added_losses_is_copied(engine_name):
    """Their tensors stay with the call: torch's cannot be copied."""
    with keras.config.backend_scope(engine_name):
        layers = [keras.Input((4,)), keras.layers.Dense(1), Penalty()]
        model = keras.Sequential(layers)
        model.compile("sgd", "mse")
        model.fit(X, X[:, :1], batch_size=8, verbose=0)
        model(X)
        expected = model.predict(X, verbose=0)
        model(X)
        for made in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            np.testing.assert_array_equal(made.predict(X, verbose=0), expected)


@pytest.mark.parametrize(
    "way", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_functions_without_a_name_are_copied(way, python_only):
    factor, shift = 2.0, np.array([1.0, -1.0])

    def shifted(x, by=3.0):
        return x * factor + shift + by

    layers = [keras.layers.Lambda(shifted), keras.layers.Dense(2, lambda x: x / factor)]
    model = keras.Sequential([keras.Input((2,)), *layers])
    x = np.ones((3, 2), "float32")
    np.testing.assert_array_equal(way(model)(x), model(x))
