"""Models that begin with strings: trained, evaluated, saved, loaded, searched over."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest

import hornbeam as keras

layers = keras.layers
TEXTS = ["good great fine", "bad awful", "fine good", "awful horrid bad"] * 8
LABELS = np.array([1, 0, 1, 0] * 8)
COLORS = np.array(["red", "blue", "green", "red"] * 8)
SIZES = np.array([1, 5, 7, 9] * 8)
NUMBERS = np.random.default_rng(0).normal(size=(32, 2)).astype("float32")
TARGETS = (COLORS == "red") + SIZES / 10 + NUMBERS[:, 0]


def numpy(x):
    return np.asarray(keras.ops.convert_to_numpy(x))


def text_model(units=4):
    vectorize = layers.TextVectorization(output_sequence_length=3)
    vectorize.adapt(TEXTS)
    return keras.Sequential(
        [
            vectorize,
            layers.Embedding(vectorize.vocabulary_size(), units),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def table_model(cls=keras.Model):
    color = keras.Input((1,), dtype="string", name="color")
    size = keras.Input((1,), dtype="int64", name="size")
    number = keras.Input((2,), name="number")
    lookup = layers.StringLookup(vocabulary=["red", "blue"], output_mode="one_hot")
    parts = [
        lookup(color),
        layers.IntegerLookup(vocabulary=[1, 5, 9], output_mode="one_hot")(size),
        layers.Hashing(4, output_mode="one_hot")(color),
        layers.HashedCrossing(5, output_mode="one_hot")((color, size)),
        number,
    ]
    outputs = layers.Dense(1)(layers.Concatenate()(parts))
    model = cls([color, size, number], outputs)
    model.compile(keras.optimizers.Adam(0.1), "mse")
    return model


def test_texts(training_engine, tmp_path):
    model = text_model()
    model.compile(
        keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"]
    )
    model.fit(TEXTS, LABELS, epochs=20, validation_split=0.25, verbose=0)
    assert model.evaluate(np.array(TEXTS), LABELS, verbose=0)[1] == 1
    predicted = model.predict(pd.Series(TEXTS[:4]), verbose=0)
    np.testing.assert_allclose(numpy(model(TEXTS[:4])), predicted, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        loaded.predict(TEXTS[:4], verbose=0), predicted, rtol=1e-6
    )
    assert loaded.layers[0].get_vocabulary() == model.layers[0].get_vocabulary()


def test_several_inputs(training_engine):
    model = table_model()
    inputs = {"color": COLORS, "size": SIZES, "number": NUMBERS}
    losses = model.fit(inputs, TARGETS, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 3
    listed = [COLORS.tolist(), SIZES, NUMBERS]
    loss = model.evaluate(listed, TARGETS, verbose=0)
    batches = (
        ((COLORS[i : i + 8], SIZES[i : i + 8], NUMBERS[i : i + 8]), TARGETS[i : i + 8])
        for i in range(0, 32, 8)
    )
    assert model.evaluate(batches, verbose=0) == pytest.approx(loss, rel=1e-5)
    columns = {"color": pd.Series(COLORS), "size": SIZES, "number": NUMBERS}
    predicted = model.predict(columns, verbose=0)
    batch = [COLORS[:3], SIZES[:3], NUMBERS[:3]]
    for outputs in (model(batch), model.predict_on_batch(batch)):
        np.testing.assert_allclose(numpy(outputs), predicted[:3], rtol=1e-4, atol=1e-5)


def test_own_train_step(training_engine):
    class Own(keras.Model):
        def train_step(self, data):
            x, y = data

            def loss():
                return self.compute_loss(x, y, self(x, training=True))

            value, gradients = keras.value_and_grad(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"loss": value}

    model = table_model(Own)
    data = [COLORS, SIZES, NUMBERS], TARGETS
    losses = model.fit(*data, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_a_model_inside_a_model():
    inner = text_model()
    inner(TEXTS[:2])
    inputs = keras.Input((1,), dtype="string")
    model = keras.Model(inputs, layers.Dense(1)(inner(inputs)))
    model.compile(keras.optimizers.Adam(0.05), "mse")
    before = [w.numpy() for w in inner.trainable_weights]
    model.fit(TEXTS, LABELS, epochs=2, verbose=0)
    # What is in the inner model is trained too.
    pairs = zip(before, inner.trainable_weights, strict=True)
    assert all(np.abs(a - b.numpy()).max() > 0 for a, b in pairs)
    predicted = model.predict(TEXTS[:2], verbose=0)
    np.testing.assert_allclose(numpy(model(TEXTS[:2])), predicted, rtol=1e-5)


def test_search():
    from sklearn.model_selection import GridSearchCV

    def create(units=2):
        model = text_model(units)
        model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy")
        return model

    classifier = keras.wrappers.KerasClassifier(create, epochs=20, verbose=0, units=2)
    search = GridSearchCV(classifier, {"units": [2, 4]}, cv=2)
    search.fit(np.array(TEXTS, object), LABELS)
    assert search.best_score_ == 1
    assert (search.predict(TEXTS[:4]) == LABELS[:4]).all()


def test_wrong_inputs():
    model = table_model()
    with pytest.raises(TypeError, match="'color'.*expects strings"):
        model.fit([SIZES, SIZES, NUMBERS], TARGETS, verbose=0)
    with pytest.raises(TypeError, match="'size'.*expects numbers"):
        model.predict([COLORS, COLORS, NUMBERS], verbose=0)
    with pytest.raises(ValueError, match="3 inputs"):
        model.predict([COLORS, SIZES], verbose=0)

    class Sub(keras.Model):
        def __init__(self):
            super().__init__()
            self.lookup = layers.StringLookup(vocabulary=["red"])
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(keras.ops.cast(self.lookup(x), "float32"))

    sub = Sub()
    assert sub(COLORS[:2, None]).shape == (2, 1)
    sub.compile("sgd", "mse")
    with pytest.raises(ValueError, match="begin a Functional or Sequential model"):
        sub.fit(COLORS[:, None], TARGETS, verbose=0)
    small = text_model()
    small.layers[0].set_vocabulary([f"w{i}" for i in range(99)])
    small.compile("sgd", "mse")
    with pytest.raises(ValueError, match="Embedding"):
        small.fit(["w98"] * 4, np.ones(4), verbose=0)


def test_files_go_both_ways(tmp_path):
    real = pytest.importorskip("keras")
    inputs = keras.Input((1,), dtype="string")
    words = layers.TextVectorization(output_sequence_length=3)
    words.adapt(TEXTS)
    lookup = layers.StringLookup(num_oov_indices=2, mask_token="")
    lookup.adapt(TEXTS)
    weighted = layers.TextVectorization(output_mode="tf_idf")
    weighted.adapt(TEXTS)
    parts = [words(inputs), lookup(inputs), layers.Hashing(7)(inputs), weighted(inputs)]
    ours = keras.Model(inputs, parts)
    ours.save(tmp_path / "ours.keras")
    theirs = real.saving.load_model(tmp_path / "ours.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Keras itself
        theirs.save(tmp_path / "theirs.keras")
    again = keras.saving.load_model(tmp_path / "theirs.keras")
    data = np.array([["good bad"], ["fine good"], ["new"]])
    given = [np.asarray(layer(data)) for layer in theirs.layers[1:]]
    for model in (ours, again):
        for layer, expected in zip(model.layers[1:], given, strict=True):
            np.testing.assert_allclose(numpy(layer(data)), expected, rtol=1e-6)


def test_in_tf_data():
    tf = pytest.importorskip("tensorflow")
    lookup = layers.StringLookup(vocabulary=["red", "blue"])
    words = layers.TextVectorization(vocabulary=["good"], output_sequence_length=2)
    data = tf.data.Dataset.from_tensor_slices((COLORS[:4], TEXTS[:4])).batch(2)
    data = data.map(lambda x, y: (lookup(x), words(y)))
    assert data.element_spec[1].shape.as_list() == [None, 2]
    found = [x.numpy().tolist() for x in itertools.chain(*data)]
    assert found == [[1, 2], [[2, 1], [1, 1]], [0, 1], [[1, 2], [1, 1]]]
    assert isinstance(lookup(tf.constant(["red"])), tf.Tensor)
