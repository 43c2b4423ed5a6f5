"""What an engine refuses inside a layer: the error says in which, and the inputs."""

import traceback

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers

X, Y = np.ones((4, 6), "float32"), np.ones((4, 1), "float32")


class Wrong(keras.Layer):
    """Adds what does not fit while it trains, with the engine's operator."""

    def call(self, x, training=False):
        if training:
            return x + keras.ops.ones((x.shape[-1] + 2,))
        return x


class Block(keras.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.wrong = Wrong(name="wrong")

    def call(self, x):
        return self.wrong(x)


def model():
    network = keras.Sequential([Block(name="block"), layers.Dense(1)], name="network")
    network(X)
    return network


def check(error, rows):
    text = "".join(traceback.format_exception(error.value))
    (note,) = [n for n in error.value.__notes__ if n.startswith("This happened")]
    engine = keras.config.backend()
    assert note in text, "who sees the traceback sees the note"
    assert note == (
        f"This happened in layer 'network/block/wrong' (Wrong, backend {engine!r}) "
        f"with x=({rows},6) float32, training=True"
    )
    assert "6" in str(error.value), "the engine's message has both sizes"
    assert "8" in str(error.value), "the engine's message has both sizes"


def test_a_call_at_once(engine):
    network = model()
    with pytest.raises(Exception, match="This happened") as error:
        network(X, training=True)
    check(error, 4)


@pytest.mark.parametrize("eagerly", [False, True])
def test_a_step_of_fit(training_engine, eagerly):
    network = model()
    network.compile("sgd", "mse", run_eagerly=eagerly)
    with pytest.raises(Exception, match="This happened") as error:
        network.fit(X, Y, batch_size=2, verbose=0)
    check(error, 2)


def test_building_and_many_inputs(engine):
    layer = layers.Add(name="sum")
    with pytest.raises(ValueError, match="This happened") as error:
        layer([np.ones((2, 3), "float32"), np.ones((2, 4), "float32")])
    assert "(Add, backend " in error.value.__notes__[0]
    assert "inputs=[(2,3) float32, (2,4) float32]" in error.value.__notes__[0]
