"""Time series: forecasts by recurrent and convolutional networks, states that stay."""

import numpy as np
from catalogue import program
from checks import array, assert_keys, assert_saved_alike
from small_data import windows


def forecast(keras, network, epochs=5, rate=0.01):
    """Train a network to forecast; it must beat "the next value is the last one"."""
    x, y = windows()
    model = keras.Sequential([keras.Input((16, 1)), *network])
    model.compile(keras.optimizers.Adam(rate), loss="mse", metrics=["mae"])
    history = model.fit(
        x[:320], y[:320], batch_size=32, epochs=epochs, verbose=0,
        validation_data=(x[320:], y[320:]),
    )  # fmt: skip
    assert_keys(history, "loss", "mae", "val_loss", "val_mae")
    naive = np.mean((x[320:, -1] - y[320:]) ** 2)
    assert history.history["val_loss"][-1] < naive, (naive, history.history)
    return model


@program
def series_lstm(keras):
    model = forecast(keras, [keras.layers.LSTM(24), keras.layers.Dense(1)], epochs=8)
    assert_saved_alike(keras, model, windows()[0][:20])


@program(slow=("tensorflow",))
def series_gru(keras):
    """Two GRUs, with dropout between the steps."""
    layers = keras.layers
    first = layers.GRU(16, return_sequences=True, dropout=0.05)
    second = layers.GRU(16, recurrent_dropout=0.05)
    forecast(keras, [first, second, layers.Dense(1)], epochs=8)


@program
def series_convolution(keras):
    """Causal convolutions with growing gaps: no output sees what comes after it."""
    layers = keras.layers
    convolutions = [
        layers.Conv1D(
            16, 2, padding="causal", dilation_rate=gap, activation="relu"
        )
        for gap in (1, 2, 4, 8)
    ]  # fmt: skip
    last = [layers.Conv1D(1, 1), layers.Lambda(lambda x: x[:, -1])]
    model = forecast(keras, [*convolutions, *last])
    x = windows()[0][:1]
    changed = x.copy()
    changed[:, 10:] = 0
    body = keras.Model(model.inputs, model.layers[3].output)
    before, after = (array(keras, body(inputs)) for inputs in (x, changed))
    np.testing.assert_array_equal(before[:, :10], after[:, :10])
    assert np.any(before[:, 10:] != after[:, 10:])


@program
def series_stateful(keras):
    """A stateful RNN goes on where the last batch ended, until its states are reset."""
    x, y = windows()
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(1, 8, 1)),
            keras.layers.SimpleRNN(8, stateful=True, return_sequences=True),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), loss="mse")
    pieces = np.concatenate([x[:1, 0], y[:319]])[None].reshape(-1, 8, 1)
    targets = y[:320].reshape(-1, 8, 1)
    losses = []
    for _ in range(4):
        history = model.fit(
            pieces, targets, batch_size=1, epochs=1, shuffle=False, verbose=0
        )
        losses += history.history["loss"]
        model.layers[0].reset_states()
    assert losses[-1] < 0.5 * losses[0], losses
    first = model.predict(pieces[:1], verbose=0)
    again = model.predict(pieces[:1], verbose=0)
    assert np.any(first != again)
    model.layers[0].reset_states()
    afresh = model.predict(pieces[:1], verbose=0)
    np.testing.assert_allclose(first, afresh, 1e-5, 1e-6)


@program
def series_anomalies(keras):
    """An autoencoder of windows rebuilds what is usual, and not what is not."""
    x, _ = windows()
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input(shape=(16, 1)),
            layers.Conv1D(16, 5, padding="same", strides=2, activation="relu"),
            layers.Dropout(0.1),
            layers.Conv1D(8, 5, padding="same", strides=2, activation="relu"),
            layers.Conv1DTranspose(8, 5, padding="same", strides=2, activation="relu"),
            layers.Conv1DTranspose(16, 5, padding="same", strides=2, activation="relu"),
            layers.Conv1DTranspose(1, 5, padding="same"),
        ]
    )
    assert model.output_shape == (None, 16, 1)
    model.compile(keras.optimizers.Adam(0.005), loss="mse")
    model.fit(x, x, epochs=6, batch_size=32, validation_split=0.1, verbose=0)

    def errors(series):
        return np.mean(np.abs(model.predict(series, verbose=0) - series), axis=(1, 2))

    strange = x.copy()
    strange[:, 4:12:2] *= -1
    assert np.mean(errors(strange) > np.quantile(errors(x), 0.95)) > 0.7


@program(slow=("tensorflow",))
def series_multivariate(keras):
    """Several steps ahead of several series at once, from a recurrent encoder."""
    x, _ = windows()
    both = np.concatenate([x, np.roll(x, 3, axis=1) ** 2], axis=2)
    past, future = both[:, :12], both[:, 12:]
    layers = keras.layers
    inputs = keras.Input((12, 2))
    code = layers.GRU(24)(inputs)
    hidden = layers.GRU(24, return_sequences=True)(layers.RepeatVector(4)(code))
    outputs = layers.TimeDistributed(layers.Dense(2))(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.01), loss=keras.losses.Huber())
    history = model.fit(past, future, epochs=8, batch_size=40, verbose=0)
    assert history.history["loss"][-1] < 0.3 * history.history["loss"][0]
    assert model.predict(past[:3], verbose=0).shape == (3, 4, 2)
