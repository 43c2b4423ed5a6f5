"""Which road the layers take on which engine, as their documentation says.

That both roads give the same numbers and gradients: test_recurrent.py and
test_attention.py.
"""

import numpy as np
import pytest

from hornbeam import backends, layers

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
MASK = np.array([[True, True, False], [True, False, False]])
TRAINING = {"training": True}


@pytest.fixture
def roads(monkeypatch):
    """The calls of an engine's kernel `name`."""

    def watch(engine, name):
        calls, kernel = [], getattr(engine, name)

        def spy(*args, **kwargs):
            calls.append(name)
            return kernel(*args, **kwargs)

        monkeypatch.setattr(engine, name, spy)
        return calls

    return watch


@pytest.mark.parametrize(
    ("make", "call", "times"),
    [
        (lambda: layers.LSTM(2), {}, 1),
        (lambda: layers.LSTM(2, go_backwards=True), {"mask": MASK}, 1),
        (lambda: layers.LSTM(2, dropout=0.5), TRAINING, 1),
        (lambda: layers.LSTM(2, dropout=0.5, implementation=1), TRAINING, 0),
        (lambda: layers.LSTM(2, recurrent_dropout=0.5), {}, 1),
        (lambda: layers.LSTM(2, recurrent_dropout=0.5), TRAINING, 0),
        (lambda: layers.LSTM(2, unroll=True), {}, 0),
        (lambda: layers.LSTM(2, activation="relu"), {}, 0),
        (lambda: layers.LSTM(2, recurrent_activation="relu"), {}, 0),
        (lambda: layers.LSTM(2, use_cudnn=False), {}, 0),
        (lambda: layers.GRU(2), {"mask": MASK}, 1),
        (lambda: layers.GRU(2, dropout=0.5), TRAINING, 1),
        (lambda: layers.GRU(2, reset_after=False), {}, 0),
        (lambda: layers.GRU(2, activation="relu"), {}, 0),
        (lambda: layers.SimpleRNN(2), {"mask": MASK}, 1),
        (lambda: layers.SimpleRNN(2, activation="relu"), {}, 1),
        (lambda: layers.SimpleRNN(2, activation="sigmoid"), {}, 0),
        (lambda: layers.Bidirectional(layers.LSTM(2)), {"mask": MASK}, 2),
        (lambda: layers.Bidirectional(layers.GRU(2, unroll=True)), {}, 0),
    ],
)
def test_recurrent_layers_on_torch(make, call, times, roads):
    pytest.importorskip("torch")
    with backends.scope("torch") as engine:
        layer = make()
        layer.build(X.shape)
        calls = roads(engine, "recurrence")
        layer(X, **call)
    assert len(calls) == times


def test_other_engines_have_no_kernel_of_a_whole_network():
    for name in ("jax", "numpy", "tensorflow"):
        pytest.importorskip(name)
        assert backends.get(name).recurrence is None


@pytest.mark.parametrize(
    ("options", "call", "times"),
    [
        ({}, {}, 1),
        ({}, {"use_causal_mask": True}, 1),
        ({}, {"query_mask": MASK}, 1),
        ({"dropout": 0.5}, {}, 1),
        ({"dropout": 0.5}, TRAINING, 0),
        ({}, {"return_attention_scores": True}, 0),
    ],
)
@pytest.mark.parametrize("name", ["jax", "torch"])
def test_attention(name, options, call, times, roads):
    pytest.importorskip(name)
    with backends.scope(name) as engine:
        layer = layers.MultiHeadAttention(2, 2, **options)
        layer.build(X.shape, X.shape)
        calls = roads(engine, "attention")
        if name == "jax":  # traced, which compiles nothing
            states = (
                [v.value for v in variables]
                for variables in (
                    layer.trainable_variables,
                    layer.non_trainable_variables,
                )
            )
            engine.infer(lambda: layer.stateless_call(*states, X, X, **call)[0])
        else:
            layer(X, X, **call)
    assert len(calls) == times


def test_other_engines_attend_by_the_formula():
    for name in ("numpy", "tensorflow"):
        pytest.importorskip(name)
        assert not hasattr(backends.get(name), "attention")
