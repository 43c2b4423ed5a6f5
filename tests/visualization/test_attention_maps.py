"""What attention looks at, against the softmax computed by hand, on every engine."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers
from hornbeam.visualization import attention_scores, plot_attention_maps

X = np.random.default_rng(0).normal(size=(2, 5, 8)).astype("float32")


def softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def multi_head(**kwargs):
    inputs = keras.Input((5, 8))
    attention = layers.MultiHeadAttention(2, 4, name="look", **kwargs)
    return keras.Model(inputs, attention(inputs, inputs))


def test_the_weights_of_two_heads(engine):
    model = multi_head(dropout=0.5)
    names = [w.path.rsplit("/", 2)[-2:] for w in model.weights]
    of = {"/".join(n): w for n, w in zip(names, model.get_weights(), strict=True)}
    query, key = (
        np.einsum("btf,fhd->bhtd", X, of[f"{n}/kernel"])
        + of[f"{n}/bias"][None, :, None]
        for n in ("query", "key")
    )
    expected = softmax(np.einsum("bhqd,bhkd->bhqk", query, key) / 2)
    before = model.predict(X, verbose=0)
    found = attention_scores(model, X, "look")
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-5)
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    assert "call" not in vars(model.get_layer("look"))


def test_inside_a_users_layer_of_a_users_model(python_only):
    class Block(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layers.Attention(name="inner")

        def call(self, x):
            return self.inner([x, x])

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.block = Block()

        def call(self, x):
            return self.block(x)

    found = attention_scores(Own(), X)
    expected = softmax(np.einsum("btf,bsf->bts", X, X))
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-5)


def test_the_picture(python_only, tmp_path):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    model, path = multi_head(), tmp_path / "maps.png"
    words = list("abcde")
    axes = plot_attention_maps(model, X, index=1, tokens=words, path=path)
    assert path.stat().st_size and len(axes) == 2
    shown = np.stack([panel.images[0].get_array() for panel in axes])
    np.testing.assert_array_equal(shown, attention_scores(model, X)[1])
    assert [t.get_text() for t in axes[0].get_xticklabels()] == words
    mine = figure.subplots(1, 2)
    assert (plot_attention_maps(model, X, ax=mine) == mine).all()


def test_what_has_no_attention(python_only):
    with pytest.raises(ValueError, match=r"no attention layer 'lok'.*Did you mean"):
        attention_scores(multi_head(), X, "lok")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    with pytest.raises(ValueError, match=r"no attention layer\. It has"):
        attention_scores(model, X)


def test_titles_say_the_range_of_one_scale(python_only):
    axes = plot_attention_maps(multi_head(), X)
    tops = {panel.images[0].get_clim() for panel in axes}
    assert len(tops) == 1
    for panel in axes:
        shown = np.asarray(panel.images[0].get_array())
        assert f": {shown.min():.2g} to {shown.max():.2g}" in panel.get_title()
