"""Text classification: bags of words, recurrent, convolutional, a transformer block."""

import numpy as np
from catalogue import classes, program
from checks import array, assert_keys, assert_saved_alike
from small_data import reviews


def trained(keras, model, epochs=4, rate=0.01):
    """Train a network on the reviews, and see that it has learnt."""
    x, y = reviews()
    model.compile(
        keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(
        x[:384], y[:384], epochs=epochs, batch_size=32, verbose=0,
        validation_data=(x[384:], y[384:]),
    )  # fmt: skip
    assert_keys(history, "accuracy", "loss", "val_accuracy", "val_loss")
    assert history.history["val_accuracy"][-1] > 0.85, history.history
    outputs = model.predict(x[:10], verbose=0)
    assert outputs.shape == (10, 1)
    return model


@program
def text_bag_of_words(keras):
    """The mean of embeddings; padding is masked and changes nothing."""
    model = keras.Sequential(
        [
            keras.layers.Embedding(40, 16, mask_zero=True),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    trained(keras, model, epochs=6, rate=0.03)
    x, _ = reviews()
    longer = np.pad(x[:5], [(0, 0), (0, 3)])
    expected = array(keras, model(x[:5]))
    np.testing.assert_allclose(array(keras, model(longer)), expected, 1e-4, 1e-5)


@program(slow=("tensorflow",))
def text_lstm(keras):
    """The last state of an LSTM behind an embedding that masks padding."""
    model = keras.Sequential(
        [
            keras.layers.Embedding(40, 16, mask_zero=True),
            keras.layers.LSTM(16),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    trained(keras, model)
    assert_saved_alike(keras, model, reviews()[0][:20])


@program(slow=("tensorflow",))
def text_bidirectional(keras):
    """Two LSTMs that read both ways, the first one with its sequences; Functional."""
    layers = keras.layers
    inputs = keras.Input(shape=(None,), dtype="int32")
    hidden = layers.Embedding(40, 16)(inputs)
    hidden = layers.Bidirectional(layers.LSTM(8, return_sequences=True))(hidden)
    hidden = layers.Bidirectional(layers.LSTM(8))(hidden)
    outputs = layers.Dense(1, activation="sigmoid")(hidden)
    model = keras.Model(inputs, outputs)
    assert model.layers[2].output.shape == (None, None, 16)
    trained(keras, model, epochs=5)


@program
def text_convolution(keras):
    """One-dimensional convolutions and the greatest value of each filter."""
    layers = keras.layers
    inputs = keras.Input(shape=(16,), dtype="int64")
    hidden = layers.Embedding(40, 16)(inputs)
    hidden = layers.SpatialDropout1D(0.1)(hidden)
    hidden = layers.Conv1D(16, 3, padding="valid", activation="relu")(hidden)
    hidden = layers.MaxPooling1D(2)(hidden)
    hidden = layers.Conv1D(16, 3, padding="same", activation="relu")(hidden)
    hidden = layers.GlobalMaxPooling1D()(hidden)
    hidden = layers.Dense(16, activation="relu")(hidden)
    outputs = layers.Dense(1, activation="sigmoid", name="predictions")(hidden)
    trained(keras, keras.Model(inputs, outputs), epochs=8)


@classes
def transformer_layers(keras):
    layers, ops = keras.layers, keras.ops

    class TransformerBlock(layers.Layer):
        """Attention and a network of two layers, each with a residual and a norm."""

        def __init__(self, width, heads, hidden, rate=0.1, **kwargs):
            super().__init__(**kwargs)
            self.attention = layers.MultiHeadAttention(heads, width // heads)
            self.network = keras.Sequential(
                [layers.Dense(hidden, activation="relu"), layers.Dense(width)]
            )
            self.norm_1 = layers.LayerNormalization(epsilon=1e-6)
            self.norm_2 = layers.LayerNormalization(epsilon=1e-6)
            self.dropout_1 = layers.Dropout(rate)
            self.dropout_2 = layers.Dropout(rate)

        def call(self, inputs, training=None):
            seen = self.dropout_1(self.attention(inputs, inputs), training=training)
            inputs = self.norm_1(inputs + seen)
            thought = self.dropout_2(self.network(inputs), training=training)
            return self.norm_2(inputs + thought)

    class TokenAndPosition(layers.Layer):
        """An embedding of the word plus one of its place."""

        def __init__(self, length, words, width, **kwargs):
            super().__init__(**kwargs)
            self.words = layers.Embedding(input_dim=words, output_dim=width)
            self.places = layers.Embedding(input_dim=length, output_dim=width)

        def call(self, x):
            places = ops.arange(start=0, stop=ops.shape(x)[-1], step=1)
            return self.words(x) + self.places(places)

    return TransformerBlock, TokenAndPosition


@program(slow=("tensorflow",))
def text_transformer(keras):
    """One block of a transformer between embeddings and a head."""
    TransformerBlock, TokenAndPosition = transformer_layers(keras)
    inputs = keras.layers.Input(shape=(16,))
    hidden = TokenAndPosition(16, 40, 16)(inputs)
    hidden = TransformerBlock(16, 2, 16)(hidden)
    hidden = keras.layers.GlobalAveragePooling1D()(hidden)
    hidden = keras.layers.Dropout(0.1)(hidden)
    outputs = keras.layers.Dense(1, activation="sigmoid")(hidden)
    model = trained(keras, keras.Model(inputs, outputs), epochs=6, rate=0.004)
    assert len(model.trainable_weights) == 2 + 8 + 4 + 4 + 2


@program
def text_pretrained_embedding(keras):
    """Word vectors that are given and stay; two classes by `sparse_categorical`."""
    x, y = reviews()
    vectors = np.random.default_rng(0).normal(0, 1, (40, 12)).astype("float32")
    embedding = keras.layers.Embedding(
        40, 12, embeddings_initializer=keras.initializers.Constant(vectors),
        trainable=False, mask_zero=True,
    )  # fmt: skip
    inputs = keras.Input((None,), dtype="int32")
    hidden = keras.layers.GRU(16)(embedding(inputs))
    outputs = keras.layers.Dense(2, activation="softmax")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(
        "rmsprop", "sparse_categorical_crossentropy", metrics=["acc"]
    )  # fmt: skip
    model.optimizer.learning_rate = 0.01
    history = model.fit(x, y, batch_size=32, epochs=5, verbose=0)
    assert_keys(history, "acc", "loss")
    assert history.history["acc"][-1] > 0.85, history.history
    np.testing.assert_array_equal(embedding.get_weights()[0], vectors)
    assert model.predict(x[:4], verbose=0).shape == (4, 2)
