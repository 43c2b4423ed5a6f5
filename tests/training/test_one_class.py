"""A softmax over one unit, and a loss for several classes of one, are warned of."""

import warnings

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

layers = keras.layers
X = np.ones((4, 3), "float32")
Y = np.ones((4, 1), "float32")
SOFTMAX, LOSS = "softmax over one unit", "for several classes"
ONE_HOT = "categorical_crossentropy"
FOCAL = keras.losses.CategoricalFocalCrossentropy()


def warned(model, loss, x=X, y=Y):
    """Return the messages of two fits, the second without a new `compile`."""
    with backends.scope("torch"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = model()
        model.compile(loss=loss)
        for _ in range(2):
            model.fit(x, y, batch_size=2, epochs=2, verbose=0)
        model.evaluate(x, y, verbose=0)
    return [str(one.message) for one in caught]


def head(*heads):
    return lambda: keras.Sequential([keras.Input((3,)), *(one() for one in heads)])


def softmax_unit():
    return layers.Dense(1, activation="softmax")


def nested():
    return keras.Sequential([keras.Input((3,)), softmax_unit()])


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.head = softmax_unit()

    def call(self, inputs):
        return self.head(inputs)


@pytest.mark.parametrize(
    ("model", "loss", "words"),
    [
        (head(softmax_unit), "binary_crossentropy", [SOFTMAX]),
        (head(softmax_unit), "mse", [SOFTMAX]),
        (head(softmax_unit), ONE_HOT, [SOFTMAX, LOSS]),
        (head(nested), "mse", [SOFTMAX]),
        (Subclassed, "mse", [SOFTMAX]),
        (head(lambda: layers.Dense(1), layers.Softmax), "mse", [SOFTMAX]),
        (head(lambda: layers.Dense(1)), ONE_HOT, [LOSS]),
        (head(lambda: layers.Dense(1)), FOCAL, [LOSS]),
    ],
)
def test_one_class_is_warned_of_once(model, loss, words):
    messages = warned(model, loss)
    assert len(messages) == len(words)
    for message, part in zip(messages, words, strict=True):
        assert part in message
        assert "activation='sigmoid'" in message


def weights_of_steps():
    """Attention over steps: one unit, and a softmax along another axis."""
    return keras.Sequential(
        [keras.Input((3, 2)), layers.Dense(1), layers.Softmax(axis=1)]
    )


@pytest.mark.parametrize(
    ("model", "loss", "x", "y"),
    [
        (weights_of_steps, "mse", np.ones((4, 3, 2), "float32"), np.ones((4, 3, 1))),
        (head(lambda: layers.Dense(1, "sigmoid")), "binary_crossentropy", X, Y),
        (head(lambda: layers.Dense(2, "softmax")), ONE_HOT, X, np.eye(2)[[0, 1, 1, 0]]),
    ],
)
def test_right_models_are_not(model, loss, x, y):
    assert warned(model, loss, x, y) == []
