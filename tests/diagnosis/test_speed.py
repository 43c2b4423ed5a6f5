"""`explain_speed`: what it must say, not how long things take."""

import time

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers

X = np.random.RandomState(0).normal(size=(81, 64)).astype("float32")
Y = np.arange(81) % 3


def network(*inner, **options):
    model = keras.Sequential(
        [keras.Input((64,)), *inner, layers.Dense(3, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", **options)
    return model


def test_layers_and_step(training_engine):
    model = network(layers.Dense(256, activation="relu"), layers.Dropout(0.5))
    speed = keras.utils.explain_speed(model, X, Y, batch_size=16)
    paths = [layer.path for layer in model.layers]
    assert list(speed.layers) == paths
    assert all(forward > 0 for forward, _ in speed.layers.values())
    assert all(backward >= 0 for _, backward in speed.layers.values())
    assert 0 < speed.step < 5 and speed.peak > 1e8 and speed.bandwidth > 1e8
    assert speed.operations == 3 * 16 * 2 * (64 * 256 + 256 * 3)
    assert 0 <= speed.waiting <= 1
    for text in (str(speed), speed._repr_html_()):
        assert "waited for data" in text and paths[0] in text


class Slow(keras.utils.PyDataset):
    """Its batches come late, and the third has 17 rows of another length."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        time.sleep(0.05)
        rows = 17 if index == 2 else 16
        return X[:rows], Y[:rows]


def test_waiting_and_compilations():
    model = network(layers.Dense(7), layers.Lambda(lambda x: x * 1.5))
    speed = keras.utils.explain_speed(model, Slow())
    assert speed.waiting > 0.3
    assert "first batch, of 16 rows" in speed.compilations[0]
    assert any("because the batch had 17 rows" in x for x in speed.compilations[1:])


def test_the_road_is_said():
    assert "run_eagerly" in str(
        keras.utils.explain_speed(network(run_eagerly=True), X, Y)
    )


def test_it_needs_a_compiled_model():
    with pytest.raises(ValueError, match="compile"):
        keras.utils.explain_speed(keras.Sequential([layers.Dense(1)]), X, Y)


def test_a_model_of_strings():
    """Its layers of strings run before the steps, and are not timed."""
    texts = np.array(["good film", "bad film"] * 8)
    look_up = layers.TextVectorization(9, output_sequence_length=3)
    look_up.adapt(texts)
    first = [keras.Input((), dtype="string"), look_up, layers.Embedding(9, 2)]
    model = keras.Sequential([*first, layers.Flatten(), layers.Dense(1, name="last")])
    model.compile("sgd", "mse")
    speed = keras.utils.explain_speed(model, texts, np.ones(16))
    assert [path.split("/")[-1].split("_")[0] for path in speed.layers] == [
        *("embedding", "flatten", "last")
    ]


ROADS = {
    "one kernel for the whole sequence": lambda x: layers.LSTM(4)(x),
    "step by step, as recurrent_dropout asks": lambda x: layers.GRU(
        4, recurrent_dropout=0.5
    )(x),
    "step by step, as unroll=True says": lambda x: layers.LSTM(4, unroll=True)(x),
    "the attention of 'torch'": lambda x: layers.MultiHeadAttention(2, 4)(x, x),
    "by its formula, as its weights are dropped": lambda x: layers.MultiHeadAttention(
        2, 4, dropout=0.5
    )(x, x),
}


@pytest.mark.parametrize("road", ROADS)
def test_the_road_of_each_layer_is_said(road):
    with backends.scope("torch"):
        inputs = keras.Input((8, 8))
        outputs = layers.Dense(1)(layers.Flatten()(ROADS[road](inputs)))
        model = keras.Model(inputs, outputs)
        model.compile("sgd", "mse")
        speed = keras.utils.explain_speed(model, X.reshape(81, 8, 8), Y)
    path = model.layers[1].path
    assert speed.roads == {path: road}
    assert f"{path}: {road}." in str(speed)


def test_layers_are_timed_as_they_train(training_engine):
    """Dropout takes the time of its mask, and no layer is above the machine's peak."""
    seen = []

    class Looking(keras.Layer):
        def call(self, x, training=False):
            seen.append(training)
            return x * 1.0

    model = network(layers.Dense(512), Looking())
    seen.clear()
    speed = keras.utils.explain_speed(model, X, Y)
    assert seen[-2:] == [True, True]
    assert all(f"{share}%" not in str(speed) for share in range(101, 1000))
