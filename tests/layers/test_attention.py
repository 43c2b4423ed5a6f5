"""Attention against its formula in float64, torch's layer, and both of its roads."""

import functools

import numpy as np
import pytest
from scipy import special

import hornbeam as keras
from hornbeam.core.masking import get_keras_mask
from tests.compilation import applied, program, traced

layers = keras.layers
RNG = np.random.default_rng(0)
QUERY = RNG.normal(size=(2, 5, 6)).astype("float32")
VALUE = RNG.normal(size=(2, 7, 6)).astype("float32")
KEY = RNG.normal(size=(2, 7, 6)).astype("float32")
QUERY_MASK = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
VALUE_MASK = np.array([[1, 1, 0, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1, 1]], bool)
KEY_MASK = np.array([[1, 1, 1, 1, 1, 1, 0], [0, 1, 1, 1, 1, 1, 1]], bool)
ATTENTION_MASK = RNG.uniform(size=(2, 5, 7)) < 0.7
MASKS = {
    "none": {},
    "causal": {"use_causal_mask": True},
    "sequences": {
        "query_mask": QUERY_MASK,
        "value_mask": VALUE_MASK,
        "key_mask": KEY_MASK,
    },
    "attention": {"attention_mask": ATTENTION_MASK},
    "all": {
        "query_mask": QUERY_MASK,
        "value_mask": VALUE_MASK,
        "attention_mask": ATTENTION_MASK,
        "use_causal_mask": True,
    },
}
HEADS = {
    "multi": lambda **k: layers.MultiHeadAttention(4, 3, **{"value_dim": 2, **k}),
    "gate": lambda **k: layers.MultiHeadAttention(2, 4, use_gate=True, **k),
    "window": lambda **k: layers.MultiHeadAttention(2, 4, sliding_window=2, **k),
    "grouped": lambda **k: layers.GroupQueryAttention(3, 4, 2, **k),
    "grouped-gate": lambda **k: layers.GroupQueryAttention(
        3, 4, 1, use_gate=True, use_bias=False, **k
    ),
}


def numpy(x):
    return np.asarray(keras.ops.convert_to_numpy(x), "float64")


def random_weights(layer, seed=1):
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.uniform(-1, 1, w.shape) for w in layer.get_weights()])
    return layer


def kept(
    query_mask=None,
    value_mask=None,
    key_mask=None,
    attention_mask=None,
    use_causal_mask=False,
    window=None,
):
    keep = np.ones((2, 1, 5, 7), bool)
    if query_mask is not None:
        keep = keep & query_mask[:, None, :, None]
    for mask in (value_mask, key_mask):
        if mask is not None:
            keep = keep & mask[:, None, None, :]
    if attention_mask is not None:
        keep = keep & attention_mask[:, None]
    if use_causal_mask:
        keep = keep & np.tri(5, 7, dtype=bool)
    if window:
        keep = keep & (abs(np.arange(5)[:, None] - np.arange(7)) < window)
    return keep


def expected(layer, query, value, key, **masks):
    """Return outputs and weights in float64."""

    def project(dense, x):
        y = np.einsum("btc,cnh->btnh", np.asarray(x, "float64"), numpy(dense.kernel))
        return y if dense.bias is None else y + numpy(dense.bias)

    q = project(layer._query_dense, query)
    k = project(layer._key_dense, key)
    v = project(layer._value_dense, value)
    k, v = (np.repeat(x, q.shape[2] // x.shape[2], 2) for x in (k, v))
    logits = np.einsum("btnh,bsnh->bnts", q, k) / np.sqrt(q.shape[-1])
    keep = kept(**masks, window=layer.sliding_window)
    weights = special.softmax(np.where(keep, logits, -1e30), -1) * keep
    y = np.einsum("bnts,bsnh->btnh", weights, v)
    if layer.use_gate:
        y = y * special.expit(project(layer._gate_dense, query))
    dense = layer._output_dense
    y = np.einsum("btnh,nhc->btc", y, numpy(dense.kernel))
    return (y if dense.bias is None else y + numpy(dense.bias)), weights


@pytest.mark.parametrize(
    ("kind", "masks"),
    [
        *(("multi", masks) for masks in MASKS),
        ("gate", "none"),
        ("window", "all"),
        ("grouped", "all"),
        ("grouped-gate", "causal"),
    ],
)
def test_both_roads_are_the_formula(kind, masks, engine):
    layer = HEADS[kind]()
    traced(engine, lambda: layer(QUERY, VALUE, KEY))
    random_weights(layer)
    y, weights = expected(layer, QUERY, VALUE, KEY, **MASKS[masks])
    fused = applied(layer, QUERY, VALUE, KEY, **MASKS[masks])
    plain, scores = applied(
        layer, QUERY, VALUE, KEY, return_attention_scores=True, **MASKS[masks]
    )
    for found in (fused, plain):
        np.testing.assert_allclose(numpy(found), y, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(numpy(scores), weights, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["multi", "grouped-gate"])
def test_both_roads_have_the_same_gradients(kind, training_engine):
    layer = HEADS[kind]()
    traced(training_engine, lambda: layer(QUERY, VALUE))
    random_weights(layer)
    weight = keras.ops.convert_to_tensor(RNG.normal(size=(2, 5, 6)).astype("float32"))

    def loss(scores):
        found = layer(
            QUERY, VALUE, return_attention_scores=scores, **MASKS["sequences"]
        )
        found = found[0] if scores else found
        return keras.ops.sum(found * weight)

    def of_both_roads():
        variables = layer.trainable_variables
        return [
            keras.value_and_grad(functools.partial(loss, road), variables)[1]
            for road in (False, True)
        ]

    found = program(training_engine, of_both_roads)()
    gradients = [[numpy(g) for g in road] for road in found]
    for fused, plain in zip(*gradients, strict=True):
        np.testing.assert_allclose(fused, plain, rtol=1e-3, atol=1e-5)
        assert np.isfinite(fused).all()
    assert all(np.abs(g).max() > 0 for g in gradients[0][:1])


def test_is_the_layer_of_torch(engine):
    torch = pytest.importorskip("torch")
    peer = torch.nn.MultiheadAttention(6, 2, batch_first=True)
    layer = layers.MultiHeadAttention(2, 3)
    traced(engine, lambda: layer(QUERY, VALUE))
    kernels = np.split(peer.in_proj_weight.detach().numpy(), 3)
    biases = np.split(peer.in_proj_bias.detach().numpy(), 3)
    weights = []
    for kernel, bias in zip(kernels, biases, strict=True):
        weights += [kernel.T.reshape(6, 2, 3), bias.reshape(2, 3)]
    out = peer.out_proj.weight.detach().numpy().T.reshape(2, 3, 6)
    layer.set_weights([*weights, out, peer.out_proj.bias.detach().numpy()])
    with torch.no_grad():
        y, _ = peer(
            *map(torch.from_numpy, (QUERY, VALUE, VALUE)),
            key_padding_mask=torch.from_numpy(~VALUE_MASK),
        )
    found = applied(layer, QUERY, VALUE, value_mask=VALUE_MASK)
    np.testing.assert_allclose(numpy(found), y.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("axes", [2, (1, 3)])
def test_attention_axes(axes, engine):
    """Attending over some axes is attending over them, for each place of the rest."""
    x = RNG.normal(size=(2, 3, 2, 4, 6)).astype("float32")
    layer = layers.MultiHeadAttention(2, 3, attention_axes=axes)
    traced(engine, lambda: layer(x, x))
    outputs, scores = applied(layer, x, x, return_attention_scores=True)
    assert outputs.shape == x.shape
    axes = tuple(a % 5 for a in (axes if isinstance(axes, tuple) else (axes,)))
    order = [i for i in range(4) if i not in axes] + [*axes, 4]
    rest, length = [s for i, s in enumerate(x.shape) if i not in axes], 1
    for axis in axes:
        length *= x.shape[axis]
    flat = layers.MultiHeadAttention(2, 3)
    moved = x.transpose(order).reshape(-1, length, 6)
    traced(engine, lambda: flat(moved, moved))
    flat.set_weights(layer.get_weights())
    want, want_scores = applied(flat, moved, moved, return_attention_scores=True)
    sizes = [x.shape[a] for a in axes]
    back = numpy(want).reshape(*rest[:-1], *sizes, 6).transpose(np.argsort(order))
    np.testing.assert_allclose(numpy(outputs), back, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(numpy(applied(layer, x, x)), back, rtol=1e-4, atol=1e-5)
    shape = (*rest[:-1], 2, *sizes, *sizes)
    np.testing.assert_allclose(
        numpy(scores), numpy(want_scores).reshape(shape), rtol=1e-4, atol=1e-6
    )
    symbol = keras.Input(x.shape[1:])
    _, symbolic = layer(symbol, symbol, return_attention_scores=True)
    assert symbolic.shape == (None, *shape[1:])
    mask = RNG.uniform(size=(2, *sizes, *sizes)) < 0.6
    _, masked = applied(layer, x, x, attention_mask=mask, return_attention_scores=True)
    inner = (1,) * (len(shape) - mask.ndim)
    everywhere = np.broadcast_to(mask.reshape(2, *inner, *sizes, *sizes), shape)
    assert (numpy(masked)[~everywhere] == 0).all()
    assert (numpy(masked)[everywhere] > 0).all()


def test_output_shape_and_unknown_length(engine):
    layer = layers.MultiHeadAttention(2, 3, output_shape=(4, 2))
    assert traced(engine, lambda: layer(QUERY, VALUE)).shape == (2, 5, 4, 2)
    query, value = keras.Input((None, 6)), keras.Input((None, 6))
    assert layer(query, value).shape == (None, None, 4, 2)
    assert layer.compute_output_shape((2, 5, 6), (2, 7, 6)) == (2, 5, 4, 2)
    model = keras.Model([query, value], layer(query, value))
    by_model = numpy(applied(model, [QUERY, VALUE]))
    by_layer = numpy(applied(layer, QUERY, VALUE))
    np.testing.assert_allclose(by_model, by_layer, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda rate: layers.MultiHeadAttention(2, 3, dropout=rate, seed=1),
        lambda rate: layers.GroupQueryAttention(3, 2, 1, dropout=rate, seed=1),
    ],
)
def test_dropout(make, engine):
    """Dropped weights are 0, the mean stays, and the weights returned are whole."""
    layer = make(0.5)
    x = np.repeat(QUERY, 40, 0)
    traced(engine, lambda: layer(x, x))
    outputs, scores = applied(layer, x, x, training=True, return_attention_scores=True)
    np.testing.assert_allclose(numpy(scores).sum(-1), 1, rtol=1e-4)
    calm = numpy(applied(layer, x, x))
    assert np.abs(numpy(outputs) - calm).max() > 0.05
    np.testing.assert_allclose(
        numpy(outputs).reshape(2, 40, 5, 6).mean(1),
        calm.reshape(2, 40, 5, 6).mean(1),
        atol=0.3,
    )
    np.testing.assert_array_equal(numpy(applied(layer, x, x, training=False)), calm)


class TestAttention:
    def formula(self, layer, scores, masks, causal):
        keep = kept(value_mask=masks and masks[1], use_causal_mask=causal)[:, 0]
        weights = special.softmax(np.where(keep, scores, -1e30), -1)
        y = weights @ VALUE.astype("float64")
        if masks and masks[0] is not None:
            y = y * masks[0][:, :, None]
        return y, weights

    @pytest.mark.parametrize(
        ("masks", "causal"), [(None, False), ([QUERY_MASK, VALUE_MASK], True)]
    )
    @pytest.mark.parametrize("kind", ["dot", "scaled", "concat", "additive"])
    def test_is_the_formula(self, kind, masks, causal, engine):
        q, k = QUERY.astype("float64"), KEY.astype("float64")
        pairs = q[:, :, None] + k[:, None]
        inputs = [QUERY, VALUE, KEY]
        if kind == "dot":
            layer, scores = layers.Attention(), np.einsum("btc,bsc->bts", q, k)
            traced(engine, lambda: layer(inputs))
        elif kind == "scaled":
            layer = layers.Attention(use_scale=True)
            scores = 0.5 * np.einsum("btc,bsc->bts", q, k)
            traced(engine, lambda: layer(inputs))
            layer.set_weights([0.5])
        elif kind == "concat":
            layer = layers.Attention(use_scale=True, score_mode="concat")
            traced(engine, lambda: layer(inputs))
            layer.set_weights([0.5, 1.5])
            scores = 1.5 * np.tanh(0.5 * pairs).sum(-1)
        else:
            layer, scale = layers.AdditiveAttention(), np.linspace(-1, 1, 6)
            traced(engine, lambda: layer(inputs))
            layer.set_weights([scale])
            scores = (scale * np.tanh(pairs)).sum(-1)
        y, weights = self.formula(layer, scores, masks, causal)
        call = {"mask": masks, "use_causal_mask": causal}
        outputs, found = applied(layer, inputs, return_attention_scores=True, **call)
        np.testing.assert_allclose(numpy(found), weights, rtol=1e-4, atol=1e-6)
        for z in (outputs, applied(layer, inputs, **call)):
            np.testing.assert_allclose(numpy(z), y, rtol=1e-4, atol=1e-5)

    def test_dropout(self, engine):
        layer = layers.Attention(dropout=0.5, seed=1)
        inputs = [QUERY, VALUE]
        traced(engine, lambda: layer(inputs))
        _, scores = applied(layer, inputs, training=True, return_attention_scores=True)
        _, calm = applied(layer, inputs, return_attention_scores=True)
        ratio = numpy(scores) / numpy(calm)
        assert 0.2 < (ratio == 0).mean() < 0.8
        np.testing.assert_allclose(ratio[ratio > 0], 2, rtol=1e-4)

    def test_mask(self, engine):
        embedding = layers.Embedding(9, 6, mask_zero=True)
        ids = np.array([[1, 2, 0], [3, 0, 0]])
        layer = layers.Attention()

        def attended(ids):
            x = embedding(ids)
            outputs, scores = layer([x, x], return_attention_scores=True)
            assert get_keras_mask(scores) is None
            return outputs, scores, get_keras_mask(outputs)

        ids_ = keras.ops.convert_to_tensor(ids)
        outputs, scores, mask = program(engine, attended)(ids_)
        np.testing.assert_array_equal(numpy(mask), ids != 0)
        assert (numpy(scores)[0, :, 2] == 0).all()
        assert (numpy(outputs)[ids == 0] == 0).all()


@pytest.mark.parametrize("make", [HEADS["multi"], HEADS["grouped"]])
def test_masks_of_the_inputs_are_used(make, engine):
    embedding = layers.Embedding(9, 6, mask_zero=True)
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    layer = make()

    def attended(ids):
        x = embedding(ids)
        outputs, scores = layer(x, x, return_attention_scores=True)
        assert get_keras_mask(scores) is None
        return scores, get_keras_mask(outputs)

    scores, mask = program(engine, attended)(keras.ops.convert_to_tensor(ids))
    np.testing.assert_array_equal(numpy(mask), ids != 0)
    seen = (ids != 0)[:, None, :, None] & (ids != 0)[:, None, None, :]
    np.testing.assert_array_equal(
        numpy(scores) > 0, np.broadcast_to(seen, scores.shape)
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Attention(score_mode="sum"), "score_mode"),
        (lambda: layers.Attention()(QUERY), r"\[query, value\]"),
        (lambda: layers.Attention()([QUERY]), "list of length 1"),
        (lambda: layers.AdditiveAttention()(QUERY), "one input"),
        (lambda: layers.Attention()([QUERY, VALUE], mask=[None]), "`mask`"),
        (lambda: layers.Attention()([QUERY, VALUE], mask=QUERY_MASK), "`mask`"),
        (lambda: layers.MultiHeadAttention(0, 2), "num_heads"),
        (lambda: layers.MultiHeadAttention(2, 2, output_shape=2.0), "output_shape"),
        (lambda: layers.MultiHeadAttention(2, 2, sliding_window=0), "sliding_window"),
        (lambda: layers.GroupQueryAttention(2, 3, 2), "divisible"),
        (
            lambda: layers.MultiHeadAttention(2, 2, flash_attention=True, dropout=0.1),
            "drops no weights",
        ),
        (
            lambda: layers.MultiHeadAttention(2, 2, flash_attention=True)(
                QUERY, VALUE, return_attention_scores=True
            ),
            "return_attention_scores",
        ),
        (
            lambda: layers.MultiHeadAttention(2, 2).compute_output_shape(
                (2, 5, 6), (2, 7, 6), (2, 6, 6)
            ),
            "`value` and `key`",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (layers.Attention(True, "concat", 0.1, 3), "Attention"),
        (layers.AdditiveAttention(dropout=0.1, seed=3), "AdditiveAttention"),
        (layers.MultiHeadAttention(2, 3, 4, 0.1, sliding_window=2), None),
        (layers.GroupQueryAttention(3, 4, 2, use_gate=True), "GroupQueryAttention"),
    ],
)
def test_config(layer, name):
    config = layers.serialize(layer)
    assert config["class_name"] == (name or type(layer).__name__)
    again = layers.deserialize(config)
    assert type(again) is type(layer)
    assert layers.serialize(again) == config
