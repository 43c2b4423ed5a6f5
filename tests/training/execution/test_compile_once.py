"""A transformer and an LSTM: three epochs with a smaller last batch, compiled once."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers
from hornbeam.training.execution.programs import cache

ROWS, BATCH = 40, 3  # 13 batches and a row
RNG = np.random.default_rng(0)
TOKENS = RNG.integers(0, 7, (ROWS, 4))
SEQUENCES = RNG.normal(size=(ROWS, 4, 2)).astype("float32")
TARGETS = RNG.normal(size=(ROWS, 1)).astype("float32")


def transformer():
    tokens = keras.Input((4,), dtype="int32")
    x = layers.Embedding(7, 4)(tokens)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 2)(x, x))
    x = layers.Dense(4, activation="relu")(x)
    outputs = layers.Dense(1)(layers.GlobalAveragePooling1D()(x))
    return keras.Model(tokens, outputs), TOKENS


def lstm():
    model = keras.Sequential([keras.Input((4, 2)), layers.LSTM(3), layers.Dense(1)])
    return model, SEQUENCES


def fit(make, **options):
    keras.utils.set_random_seed(1)
    model, x = make()
    model.compile("adam", "mse", **options)
    history = model.fit(x, TARGETS, batch_size=BATCH, epochs=3, verbose=0)
    return history.history["loss"]


@pytest.mark.parametrize("make", [lstm, transformer])
@pytest.mark.parametrize("name", ["jax", "tensorflow"])
def test_programs(name, make):
    pytest.importorskip(name)
    with backends.scope(name):
        cache.clear()
        before = cache.compilations
        fit(make)
        assert cache.compilations == before + 1
        fit(make)
        assert cache.compilations == before + 1, "a second model shares the program"


@pytest.mark.parametrize("make", [lstm, transformer])
def test_torch_compile(make, monkeypatch):
    """Compilers other than PyTorch's own take seconds less to be asked once."""
    torch = pytest.importorskip("torch")
    made = []

    def count(graph, inputs):
        made.append(graph)
        return graph.forward

    compile_ = torch.compile
    counting = lambda fn, **options: compile_(fn, backend=count, **options)  # noqa: E731
    monkeypatch.setattr(torch, "compile", counting)
    with backends.scope("torch"):
        cache.clear()
        found = fit(make, jit_compile=True)
        assert len(made) == 1
        np.testing.assert_allclose(found, fit(make), rtol=1e-3)
    cache.clear()
