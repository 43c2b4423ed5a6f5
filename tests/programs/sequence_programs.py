"""Sequences to sequences, and language models: LSTM, transformers, connectionist."""

import numpy as np
from catalogue import classes, program
from checks import array, assert_keys
from small_data import reversed_words

WORDS, WIDTH = 9, 24


def one_hot(tokens):
    return np.eye(WORDS, dtype="float32")[tokens]


@program(slow=("tensorflow",))
def seq2seq_lstm(keras):
    """Teacher forcing; then a model of the encoder and one of a step of the decoder."""
    x, y = reversed_words()
    encoder_in, decoder_in = one_hot(x), one_hot(y[:, :-1])
    layers = keras.layers
    encoder_inputs = keras.Input(shape=(None, WORDS))
    encoder = layers.LSTM(48, return_state=True)
    _, state_h, state_c = encoder(encoder_inputs)
    decoder_inputs = keras.Input(shape=(None, WORDS))
    decoder_lstm = layers.LSTM(48, return_sequences=True, return_state=True)
    hidden, _, _ = decoder_lstm(decoder_inputs, initial_state=[state_h, state_c])
    decoder_dense = layers.Dense(WORDS, activation="softmax")
    model = keras.Model([encoder_inputs, decoder_inputs], decoder_dense(hidden))
    model.compile(
        keras.optimizers.Adam(0.02), "categorical_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(
        [encoder_in, decoder_in], one_hot(y[:, 1:]), batch_size=32, epochs=10,
        validation_split=0.2, verbose=0,
    )  # fmt: skip
    assert_keys(history, "accuracy", "loss", "val_accuracy", "val_loss")
    assert history.history["val_accuracy"][-1] > 0.8, history.history

    encoder_model = keras.Model(encoder_inputs, [state_h, state_c])
    states = [keras.Input(shape=(48,)), keras.Input(shape=(48,))]
    hidden, *new_states = decoder_lstm(decoder_inputs, initial_state=states)
    decoder_model = keras.Model(
        [decoder_inputs, *states], [decoder_dense(hidden), *new_states]
    )
    rows = slice(420, 440)
    state = encoder_model.predict(encoder_in[rows], verbose=0)
    token, written = np.ones(20, "int32"), []
    for _ in range(4):
        step = one_hot(token)[:, None]
        chances, *state = decoder_model.predict([step, *state], verbose=0)
        token = chances[:, -1].argmax(axis=1)
        written.append(token)
    right = np.stack(written, axis=1) == y[rows, 1:-1]
    assert right.mean() > 0.75, right.mean()


@program(slow=("tensorflow",))
def seq2seq_addition(keras):
    """Sums read as text: an encoder, its code repeated, a decoder, a dense a step."""
    random = np.random.default_rng(0)
    a, b = random.integers(0, 10, (2, 600))
    letters = "0123456789+ "
    questions = [f"{i}+{j}" for i, j in zip(a, b, strict=True)]
    answers = [f"{i + j:2d}" for i, j in zip(a, b, strict=True)]
    x, y = (
        np.array([[letters.index(c) for c in text] for text in texts])
        for texts in (questions, answers)
    )
    x, y = np.eye(12, dtype="float32")[x], np.eye(12, dtype="float32")[y]
    model = keras.Sequential()
    model.add(keras.Input((3, 12)))
    model.add(keras.layers.LSTM(48))
    model.add(keras.layers.RepeatVector(2))
    model.add(keras.layers.LSTM(48, return_sequences=True))
    model.add(keras.layers.Dense(12, activation="softmax"))
    model.compile(
        loss="categorical_crossentropy",
        optimizer=keras.optimizers.Adam(0.01),
        metrics=["accuracy"],
    )
    first = model.evaluate(x, y, verbose=0)[0]
    model.fit(x, y, batch_size=32, epochs=12, verbose=0)
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert loss < 0.4 * first and accuracy > 0.6, (first, loss, accuracy)


@classes
def transformer_layers(keras):
    """An encoder, a decoder and embeddings that hand masks on."""
    layers, ops = keras.layers, keras.ops

    class PositionalEmbedding(layers.Layer):
        def __init__(self, length, words, width, **kwargs):
            super().__init__(**kwargs)
            self.tokens = layers.Embedding(words, width)
            self.positions = layers.Embedding(length, width)

        def call(self, inputs):
            places = ops.arange(0, ops.shape(inputs)[-1], 1)
            return self.tokens(inputs) + self.positions(places)

        def compute_mask(self, inputs, mask=None):
            return ops.not_equal(inputs, 0)

    class Encoder(layers.Layer):
        def __init__(self, width, hidden, heads, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = True
            self.attention = layers.MultiHeadAttention(num_heads=heads, key_dim=width)
            self.dense = keras.Sequential(
                [layers.Dense(hidden, activation="relu"), layers.Dense(width)]
            )
            self.norm_1 = layers.LayerNormalization()
            self.norm_2 = layers.LayerNormalization()

        def call(self, inputs, mask=None):
            allowed = None if mask is None else ops.cast(mask[:, None, :], "int32")
            seen = self.attention(
                query=inputs, value=inputs, key=inputs, attention_mask=allowed
            )
            hidden = self.norm_1(inputs + seen)
            return self.norm_2(hidden + self.dense(hidden))

    class Decoder(layers.Layer):
        def __init__(self, width, hidden, heads, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = True
            self.attention = layers.MultiHeadAttention(num_heads=heads, key_dim=width)
            self.cross = layers.MultiHeadAttention(num_heads=heads, key_dim=width)
            self.dense = keras.Sequential(
                [layers.Dense(hidden, activation="relu"), layers.Dense(width)]
            )
            self.norms = [layers.LayerNormalization() for _ in range(3)]

        def call(self, inputs, mask=None):
            inputs, encoded = inputs
            seen = self.attention(
                query=inputs, value=inputs, key=inputs, use_causal_mask=True
            )
            hidden = self.norms[0](inputs + seen)
            read = self.cross(query=hidden, value=encoded, key=encoded)
            hidden = self.norms[1](hidden + read)
            return self.norms[2](hidden + self.dense(hidden))

    return PositionalEmbedding, Encoder, Decoder


@program(slow=("jax", "tensorflow"))
def seq2seq_transformer(keras):
    """Inputs in a dict, masks from padding, causal attention, decoding by greed."""
    x, y = reversed_words()
    PositionalEmbedding, Encoder, Decoder = transformer_layers(keras)
    sources = keras.Input((None,), dtype="int64", name="encoder_inputs")
    hidden = PositionalEmbedding(4, WORDS, WIDTH)(sources)
    encoded = Encoder(WIDTH, 32, 2)(hidden)
    targets = keras.Input((None,), dtype="int64", name="decoder_inputs")
    hidden = PositionalEmbedding(5, WORDS, WIDTH)(targets)
    hidden = Decoder(WIDTH, 32, 2)([hidden, encoded])
    hidden = keras.layers.Dropout(0.1)(hidden)
    outputs = keras.layers.Dense(WORDS, activation="softmax")(hidden)
    model = keras.Model({"encoder_inputs": sources, "decoder_inputs": targets}, outputs)
    model.compile(
        keras.optimizers.RMSprop(0.004),
        loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=0),
        metrics=["accuracy"],
    )
    data = {"encoder_inputs": x, "decoder_inputs": y[:, :-1]}
    model.fit(data, y[:, 1:], batch_size=32, epochs=10, verbose=0)

    written = np.ones((20, 1), "int32")
    for _ in range(4):
        inputs = {"encoder_inputs": x[:20], "decoder_inputs": written}
        chances = array(keras, model(inputs))
        token = chances[:, -1].argmax(axis=-1)
        written = np.concatenate([written, token[:, None]], axis=1)
    right = written[:, 1:] == y[:20, 1:-1]
    assert right.mean() > 0.8, right.mean()


@classes
def language_parts(keras):
    layers, ops = keras.layers, keras.ops

    class CausalBlock(layers.Layer):
        """A block of a transformer whose mask lets no word see later ones."""

        def __init__(self, width, heads, hidden, rate=0.0):
            super().__init__()
            self.attention = layers.MultiHeadAttention(heads, width)
            self.network = keras.Sequential(
                [layers.Dense(hidden, activation="relu"), layers.Dense(width)]
            )
            self.norm_1 = layers.LayerNormalization(epsilon=1e-6)
            self.norm_2 = layers.LayerNormalization(epsilon=1e-6)
            self.dropout = layers.Dropout(rate)

        def mask(self, batch, length):
            rows = ops.arange(length)[:, None]
            columns = ops.arange(length)
            mask = ops.cast(rows >= columns, "bool")
            mask = ops.reshape(mask, [1, length, length])
            return ops.tile(mask, [batch, 1, 1])

        def call(self, inputs):
            shape = ops.shape(inputs)
            mask = self.mask(shape[0], shape[1])
            seen = self.attention(inputs, inputs, attention_mask=mask)
            hidden = self.norm_1(inputs + self.dropout(seen))
            return self.norm_2(hidden + self.network(hidden))

    class TextGenerator(keras.callbacks.Callback):
        """After each epoch, go on with some words; keep what was written."""

        def __init__(self, start, length):
            super().__init__()
            self.start = start
            self.length = length
            self.texts = []

        def on_epoch_end(self, epoch, logs=None):
            tokens = list(self.start)
            while len(tokens) < self.length:
                padded = np.zeros((1, self.length), "int32")
                padded[0, : len(tokens)] = tokens
                logits, _ = self.model.predict(padded, verbose=0)
                tokens.append(int(logits[0, len(tokens) - 1].argmax()))
            self.texts.append(tokens)

    return CausalBlock, TextGenerator


@program(slow=("jax", "tensorflow"))
def miniature_gpt(keras):
    """Two outputs of which one has a loss; a callback that writes text."""
    length, words = 12, 8
    starts = np.arange(300)[:, None]
    tokens = 1 + (starts + np.arange(length + 1)) % 7  # each word has one successor
    CausalBlock, TextGenerator = language_parts(keras)
    PositionalEmbedding = transformer_layers(keras)[0]
    inputs = keras.layers.Input(shape=(length,), dtype="int32")
    hidden = PositionalEmbedding(length, words, 16)(inputs)
    hidden = CausalBlock(16, 2, 16)(hidden)
    outputs = keras.layers.Dense(words)(hidden)
    model = keras.Model(inputs=inputs, outputs=[outputs, hidden])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss=[loss, None])
    writer = TextGenerator([2, 3], length)
    history = model.fit(
        tokens[:, :-1], tokens[:, 1:], batch_size=32, epochs=4, verbose=0,
        callbacks=[writer],
    )  # fmt: skip
    assert history.history["loss"][-1] < 0.5 < history.history["loss"][0]
    assert len(writer.texts) == 4
    assert writer.texts[-1] == [1 + (1 + place) % 7 for place in range(length)]
    changed = tokens[:1, :-1].copy()
    changed[:, 6:] = 0
    before, after = (array(keras, model(x)[0]) for x in (tokens[:1, :-1], changed))
    np.testing.assert_allclose(before[:, :6], after[:, :6], 1e-4, 1e-5)


@program
def character_lstm(keras):
    """The next letter of a text, drawn with a temperature."""
    text = "the quick brown fox jumps over the lazy dog. " * 14
    letters = sorted(set(text))
    number = {letter: i for i, letter in enumerate(letters)}
    starts = range(0, len(text) - 10)
    x = np.array([[number[c] for c in text[i : i + 10]] for i in starts])
    y = np.array([number[text[i + 10]] for i in starts])
    x = np.eye(len(letters), dtype=bool)[x]
    model = keras.Sequential(
        [
            keras.Input(shape=(10, len(letters))),
            keras.layers.LSTM(48),
            keras.layers.Dense(len(letters), activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.RMSprop(learning_rate=0.02)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer)
    model.fit(x, y, batch_size=64, epochs=6, verbose=0)
    random, written = np.random.default_rng(0), "the quick "
    for _ in range(12):
        window = np.zeros((1, 10, len(letters)))
        for place, letter in enumerate(written[-10:]):
            window[0, place, number[letter]] = 1
        chances = model.predict(window, verbose=0)[0].astype("float64") ** (1 / 0.2)
        written += letters[random.choice(len(letters), p=chances / chances.sum())]
    assert written == text[:22], written


@program(slow=("tensorflow",))
def ctc_recognition(keras):
    """Images of digits in a row are read without knowing where each one is."""
    random = np.random.default_rng(0)
    labels = random.integers(1, 4, (200, 2))  # 0 is the blank
    images = random.normal(0, 0.1, (200, 12, 4)).astype("float32")
    for row in range(200):
        places = (random.integers(0, 4), random.integers(6, 10))
        for place, label in zip(places, labels[row], strict=True):
            images[row, place : place + 2, label] += 1.5
    layers = keras.layers
    inputs = keras.Input((12, 4))
    hidden = layers.Conv1D(16, 3, padding="same", activation="relu")(inputs)
    hidden = layers.Bidirectional(layers.GRU(12, return_sequences=True))(hidden)
    model = keras.Model(inputs, layers.Dense(4)(hidden))
    model.compile(keras.optimizers.Adam(0.01), loss=keras.losses.CTC())
    history = model.fit(images, labels, batch_size=25, epochs=15, verbose=0)
    losses = history.history["loss"]
    assert losses[-1] < 0.3 * losses[0], losses
    logits = model.predict(images, verbose=0)
    decoded, _ = keras.ops.ctc_decode(
        logits, np.full(200, 12, "int32"), strategy="greedy", mask_index=0
    )
    read = array(keras, decoded)[0, :, :2]
    assert np.mean(np.all(read == labels, axis=1)) > 0.7
