"""Masks on their way through models: past ops, into containers, and where they end."""

import warnings

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.core.masking import get_keras_mask, get_lost_mask, set_keras_mask
from tests.compilation import program, traced

layers, ops = keras.layers, keras.ops
IDS = np.array([[3, 1, 2, 0, 0], [4, 0, 1, 2, 0], [1, 2, 3, 4, 1]], "int32")
POSITIONS = np.linspace(-1, 1, 20).reshape(5, 4).astype("float32")


def numpy(x):
    return ops.convert_to_numpy(x)


def embedding():
    return layers.Embedding(6, 4, mask_zero=True, name="embedding")


def lost_warning():
    return pytest.warns(UserWarning, match="takes a mask, but that of its input was")


class Twice(layers.Layer):
    """Computes outside of ops, which no mask goes through."""

    def call(self, x):
        return x * 2


class Asks(layers.Layer):
    """Shows the mask that it is given."""

    def call(self, x, mask=None):
        self.seen = mask
        return x


def position_model(with_ops):
    """An LSTM over `embedding * 2 + positions`, with ops or with layers for it."""
    inputs = keras.Input((5,), dtype="int32")
    x = embedding()(inputs)
    if with_ops:
        x = ops.relu(x * 2.0 + POSITIONS)
    else:
        x = layers.Rescaling(2.0)(x)
        x = layers.Lambda(
            lambda v: ops.add(v, POSITIONS),
            mask=lambda _, mask: mask,
            output_shape=(5, 4),
        )(x)
        x = layers.ReLU()(x)
    return keras.Model(inputs, layers.LSTM(3, name="lstm")(x))


def test_a_mask_goes_past_ops_to_the_layer_that_uses_it(engine):
    with_ops, with_layers = position_model(True), position_model(False)
    with_layers.set_weights(with_ops.get_weights())
    found = program(engine, with_ops)(IDS)
    by_layers = program(engine, with_layers)(IDS)
    np.testing.assert_allclose(numpy(found), numpy(by_layers), rtol=1e-6)
    # Each row alone, without the steps that do not count.
    table, *_ = with_ops.get_weights()
    lstm = with_ops.get_layer("lstm")
    alone = [np.maximum(table[i] * 2 + POSITIONS, 0)[i != 0][None] for i in IDS]
    want = program(engine, lambda rows: [lstm(x)[0] for x in rows])(alone)
    for outputs, one in zip(numpy(found), want, strict=True):
        np.testing.assert_allclose(outputs, numpy(one), rtol=1e-5, atol=1e-7)


def test_predict_and_fit_use_it_too(training_engine):
    model = position_model(True)
    at_once = numpy(model(IDS))
    np.testing.assert_allclose(model.predict(IDS, verbose=0), at_once, rtol=1e-5)
    other = position_model(False)
    other.set_weights(model.get_weights())
    targets = np.ones((3, 3), "float32")
    histories = []
    for one in (model, other):
        one.compile("sgd", "mse")
        histories.append(one.fit(IDS, targets, epochs=2, verbose=0).history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-5)


def test_it_is_the_same_after_saving_and_cloning(python_only, tmp_path):
    model = position_model(True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    for other in (loaded, clone):
        np.testing.assert_allclose(numpy(other(IDS)), numpy(model(IDS)), rtol=1e-6)
    # A graph that goes on from a loaded one.
    asks = Asks()
    longer = keras.Model(loaded.inputs, asks(loaded.get_layer("embedding").output * 2))
    longer(IDS)
    np.testing.assert_array_equal(numpy(asks.seen), IDS != 0)


def test_keras_reads_the_file(tmp_path, monkeypatch):
    """The graph names the mask of the layer that uses it, so Keras gives the same."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    real = pytest.importorskip("keras")
    inputs = keras.Input((5,), dtype="int32")
    x = embedding()(inputs)
    x = ops.concatenate([x[:, 1:], x[:, :1]], axis=1) * 2.0
    model = keras.Model(inputs, layers.LSTM(3)(x))
    model.save(tmp_path / "model.keras")
    loaded = real.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        np.asarray(loaded(IDS)), numpy(model(IDS)), rtol=1e-4, atol=1e-6
    )


def nested(x):
    inner = keras.Input((5, 4))
    return keras.Model(inner, ops.tanh(inner) * 2.0)(x)


def sequential(x):
    return keras.Sequential([layers.Dense(4), layers.Activation("tanh")])(x)


def subclassed(x):
    class Block(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(4)

        def call(self, x):
            return ops.add(x, self.dense(x))

    return Block()(x)


def block_of_layers(x):
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layers.EinsumDense("btf,fg->btg", (None, 4))

        def build(self, shape):
            self.inner.build(shape)

        def call(self, x):
            return ops.add(ops.relu(x), self.inner(x))

    return Block()(x)


def one_of_a_dict(x):
    inner = {"a": keras.Input((5, 4), name="a"), "b": keras.Input((5, 4), name="b")}
    model = keras.Model(inner, {"sum": inner["a"] + inner["b"], "b": inner["b"]})
    return model({"a": x, "b": x})["sum"]


PASSING = {
    "dense": lambda x: layers.Dense(3)(x),
    "einsum_dense": lambda x: layers.EinsumDense("btf,fg->btg", (None, 3))(x),
    "time_distributed": lambda x: layers.TimeDistributed(layers.Dense(3))(x),
    "bidirectional": lambda x: layers.Bidirectional(
        layers.GRU(2, return_sequences=True)
    )(x),
    "one of several outputs": lambda x: layers.LSTM(
        2, return_sequences=True, return_state=True
    )(x)[0],
    "attention": lambda x: layers.MultiHeadAttention(2, 2)(x, x),
    "reshape": lambda x: layers.Reshape((5, 2, 2))(x),
    "dropout": lambda x: layers.Dropout(0.5)(x),
    "add": lambda x: layers.Add()([x, layers.Dense(4)(x)]),
    "nested": nested,
    "sequential": sequential,
    "subclassed": subclassed,
    "block": block_of_layers,
    "dict": one_of_a_dict,
}


@pytest.mark.parametrize("name", PASSING)
@pytest.mark.parametrize("symbolic", [False, True])
def test_layers_and_containers_pass_masks_on(name, symbolic, engine):
    def seen(ids):
        asks = Asks()
        if symbolic:
            inputs = keras.Input((5,), dtype="int32")
            keras.Model(inputs, asks(PASSING[name](embedding()(inputs))))(ids)
        else:
            asks(PASSING[name](embedding()(ids)))
        return asks.seen

    found = program(engine, seen)(ops.convert_to_tensor(IDS))
    np.testing.assert_array_equal(numpy(found), IDS != 0)


def test_layers_that_move_steps_move_the_mask(engine):
    movers = [
        layers.Cropping1D((1, 0)),
        layers.UpSampling1D(2),
        layers.ZeroPadding1D(1),
    ]

    def masks(ids):
        x = embedding()(ids)
        return [get_keras_mask(layer(x)) for layer in movers]

    cropped, repeated, padded = program(engine, masks)(ops.convert_to_tensor(IDS))
    np.testing.assert_array_equal(numpy(cropped), (IDS != 0)[:, 1:])
    np.testing.assert_array_equal(numpy(repeated), np.repeat(IDS != 0, 2, axis=1))
    np.testing.assert_array_equal(numpy(padded), np.pad(IDS != 0, ((0, 0), (1, 1))))


def test_a_model_that_is_called_with_a_mask(engine):
    inputs = keras.Input((5, 4))
    model = keras.Model(inputs, layers.LSTM(3)(ops.flip(inputs * 2.0, axis=1)))
    x = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(3, 5, 4)))
    x = ops.cast(x, "float32")
    mask = ops.convert_to_tensor(IDS != 0)
    want = model.layers[-1](ops.flip(x * 2, axis=1), mask=ops.flip(mask, axis=1))
    np.testing.assert_allclose(numpy(model(x, mask=mask)), numpy(want), rtol=1e-6)
    # The tensor is the caller's.
    assert get_keras_mask(x) is None


def test_compute_mask_has_the_last_word(engine):
    class Inverts(layers.Layer):
        def call(self, x):
            return ops.relu(x)

        def compute_mask(self, inputs, previous_mask):
            return ops.logical_not(previous_mask)

    mask = get_keras_mask(Inverts()(embedding()(IDS)))
    np.testing.assert_array_equal(numpy(mask), IDS == 0)


NOT_USED = {
    "flatten": lambda x: layers.Dense(2)(layers.Flatten()(x)),
    "pool": lambda x: layers.Dense(2)(layers.GlobalMaxPooling1D()(x)),
    "conv": lambda x: layers.Conv1D(3, 2)(x),
    "own layer": lambda x: layers.Dense(2)(Twice()(x)),
    "last step": lambda x: layers.Dense(2)(ops.get_item(x, (slice(None), -1))),
    "used before": lambda x: layers.RepeatVector(3)(layers.LSTM(2)(x)),
}


@pytest.mark.parametrize("name", NOT_USED)
def test_no_warning_where_no_layer_would_have_used_it(name, engine):
    inputs = keras.Input((5,), dtype="int32")
    model = keras.Model(inputs, NOT_USED[name](embedding()(inputs)))
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        traced(engine, lambda: NOT_USED[name](embedding()(IDS)))
        traced(engine, lambda: model(IDS))
    assert raised == []


LOSING = {
    "conv1d": (lambda x: layers.Conv1D(3, 2)(x), "in layer 'conv1d'"),
    "twice": (lambda x: Twice()(x), "before, in layer 'twice'"),
    "sort": (lambda x: ops.sort(x, axis=1), "at ops.sort"),
    "goes on": (
        lambda x: ops.multiply(layers.Dense(2)(Twice()(x)), 2.0),
        "in layer 'twice'",
    ),
}
USING = {
    "lstm": lambda x: layers.LSTM(2)(x),
    "bidirectional": lambda x: layers.Bidirectional(layers.GRU(2))(x),
    "pooling": lambda x: layers.GlobalAveragePooling1D()(x),
    "attention": lambda x: layers.Attention()([x, x]),
    "heads": lambda x: layers.MultiHeadAttention(1, 2)(x, x),
    "own": lambda x: Asks()(x),
}


@pytest.mark.parametrize("losing", LOSING)
def test_a_layer_that_would_have_used_a_lost_mask_warns(losing, engine):
    lose, where = LOSING[losing]

    def law():
        x = lose(embedding()(IDS))
        assert get_keras_mask(x) is None and get_lost_mask(x) is not None
        layer = layers.LSTM(2)
        with pytest.warns(UserWarning, match=where):
            layer(x)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            layer(x)  # once is enough
            layers.LSTM(2)(x, mask=ops.ones(x.shape[:2], dtype="bool"))

    traced(engine, law)


@pytest.mark.parametrize("using", USING)
def test_all_layers_that_use_masks_warn(using, engine):
    inputs = keras.Input((5,), dtype="int32")
    model = keras.Model(inputs, USING[using](Twice()(embedding()(inputs))))
    with lost_warning():
        traced(engine, lambda: model(IDS))


def test_the_warning_says_what_to_do(training_engine):
    model = keras.Sequential([embedding(), Twice(), layers.LSTM(2, name="lstm")])
    with pytest.warns(UserWarning) as caught:
        model.predict(IDS, verbose=0)
    (message,) = [str(w.message) for w in caught if "mask" in str(w.message)]
    for part in ("'sequential/lstm'", "twice", "`mask=...`", "supports_masking = True"):
        assert part in message


def test_merging_hands_the_mark_on(engine):
    def law():
        x = embedding()(IDS)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            total = layers.Add()([Twice()(x), Twice()(x)])
        with lost_warning():
            layers.LSTM(2)(total)

    traced(engine, law)


def test_marks_survive_the_cast_of_mixed_precision(engine):
    def law():
        x = Twice()(embedding()(IDS))
        with lost_warning():
            layers.LSTM(2, dtype="mixed_bfloat16")(x)

    traced(engine, law)


def test_losses_of_means_over_the_masked_axis(training_engine):
    """A mask of the axis that a loss averages itself is none of its values."""
    inputs = keras.Input((5,), dtype="int32")
    x = layers.Dense(1)(embedding()(inputs))
    model = keras.Model(inputs, ops.squeeze(x, -1))
    assert get_keras_mask(model(IDS)) is not None
    model.compile(loss="mse", metrics=["mae"])
    found = model.evaluate(IDS, np.zeros((3, 5)), verbose=0)
    predicted = model.predict(IDS, verbose=0)
    want = np.mean(predicted**2), np.mean(np.abs(predicted))
    np.testing.assert_allclose(found, want, rtol=1e-4)


def test_ids_of_one_step_leave_no_mask_of_rows(training_engine):
    """Categories whose embedding masks 0 are no sequences, once they are flat."""
    inputs = keras.Input((1,), dtype="int32")
    x = layers.Flatten()(embedding()(inputs))
    model = keras.Model(inputs, layers.Dense(2)(x))
    ids = np.array([[0], [1], [2]])
    assert get_keras_mask(model(ids)) is None
    model.compile(loss="mse")
    want = np.mean(model.predict(ids, verbose=0) ** 2)
    found = model.evaluate(ids, np.zeros((3, 2)), verbose=0)
    np.testing.assert_allclose(found, want, rtol=1e-4)


def test_rows_that_are_made_into_steps(engine):
    def law():
        x = layers.Embedding(6, 4, mask_zero=True)(np.array([0, 1, 2]))
        assert get_keras_mask(x) is not None
        assert layers.LSTM(2)(layers.RepeatVector(3)(x)).shape == (3, 2)
        assert layers.LSTM(2)(layers.Reshape((2, 2))(x)).shape == (3, 2)

    traced(engine, law)


def test_softmax_takes_the_mask_of_its_rows(engine):
    x = ops.convert_to_tensor(np.zeros((3, 5, 4), "float32"))
    set_keras_mask(x, ops.convert_to_tensor(IDS != 0))
    want = np.where((IDS != 0)[..., None], 0.25, 0.0) * np.ones((3, 5, 4))
    np.testing.assert_allclose(numpy(layers.Softmax()(x)), want)
