"""One measurement in a process of its own: `python case.py CASE LIBRARY`.

Prints one JSON object of seconds. LIBRARY is hornbeam or keras (both on the engine in
KERAS_BACKEND), or hand: a loop written by hand on that engine.
"""

import importlib
import json
import os
import sys
import time

import by_hand
import numpy as np

# Rows, the shape of one, the hidden units, rows in a batch, warm epochs.
SIZES = {
    name: dict(zip(("rows", "shape", "hidden", "batch", "epochs"), values, strict=True))
    for name, values in {
        "mlp": (60_000, (784,), 128, 128, 3),
        "digits": (1_437, (64,), 64, 32, 20),
        "cnn": (1_024, (28, 28, 1), 32, 64, 3),
        "lstm": (1_024, (32, 16), 64, 64, 4),
        "transformer": (1_024, (32, 32), 64, 64, 4),
    }.items()
}


def data(size):
    """Return inputs and labels that a network can learn."""
    rng = np.random.default_rng(0)
    features = int(np.prod(size["shape"]))
    x = rng.random((size["rows"], features), dtype=np.float32)
    y = (x @ rng.standard_normal((features, 10))).argmax(1).astype("int32")
    return x.reshape(-1, *size["shape"]), y


def mlp(layers, x, size, dropout_rate):
    x = layers.Dense(size["hidden"], activation="relu")(x)
    return layers.Dropout(dropout_rate)(x)


def cnn(layers, x, size, dropout_rate):
    for filters in (16, size["hidden"]):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    return layers.Flatten()(x)


def lstm(layers, x, size, dropout_rate):
    return layers.LSTM(size["hidden"])(x)


def transformer(layers, x, size, dropout_rate):
    channels = size["shape"][-1]
    attended = layers.MultiHeadAttention(4, channels // 4)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    wide = layers.Dense(size["hidden"], activation="relu")(x)
    x = layers.Add()([x, layers.Dense(channels)(wide)])
    return layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))


BODIES = {"cnn": cnn, "lstm": lstm, "transformer": transformer}


def network(keras, case, dropout_rate=0.2):
    """The same network in both libraries."""
    inputs = keras.Input(SIZES[case]["shape"])
    body = BODIES.get(case, mlp)(keras.layers, inputs, SIZES[case], dropout_rate)
    model = keras.Model(inputs, keras.layers.Dense(10)(body))
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def fit(library, case):
    """Measure the first epoch, warm epochs, and a second model of equal structure."""
    size = SIZES[case]
    x, y = data(size)
    started = time.perf_counter()
    keras = importlib.import_module(library)
    imported = time.perf_counter()
    model = network(keras, case)
    options = {"batch_size": size["batch"], "verbose": 0}
    model.fit(x, y, epochs=1, **options)
    first = time.perf_counter()
    ends = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ends.append(time.perf_counter())

    model.fit(x, y, epochs=1 + size["epochs"], callbacks=[Clock()], **options)
    found = {
        "import": imported - started,
        "first_epoch": first - imported,
        "warm_epoch": float(np.median(np.diff(ends))),
    }
    if case in BODIES:
        return found
    second_started = time.perf_counter()
    second = network(keras, case, dropout_rate=0.3)
    second.fit(x[: size["batch"] * 4], y[: size["batch"] * 4], epochs=1, **options)
    found["second_model_other_rows"] = time.perf_counter() - second_started
    third = network(keras, case, dropout_rate=0.4)
    third.train_on_batch(x[: size["batch"]], y[: size["batch"]])
    fourth_started = time.perf_counter()
    fourth = network(keras, case, dropout_rate=0.1)
    fourth.train_on_batch(x[: size["batch"]], y[: size["batch"]])
    found["second_model_first_step"] = time.perf_counter() - fourth_started
    return found


def hand(case):
    """Measure the warm epochs of a loop written by hand."""
    loop = by_hand.LOOPS[os.environ["KERAS_BACKEND"]]
    ends = loop(case, SIZES[case], *data(SIZES[case]))
    return {"warm_epoch": float(np.median(np.diff(ends)))}


def predict(library):
    """Measure a warm predict of one row."""
    keras = importlib.import_module(library)
    x, _ = data(SIZES["digits"])
    model = network(keras, "digits")
    started = time.perf_counter()
    model.predict(x[:1], verbose=0)
    first = time.perf_counter() - started
    times = []
    for _ in range(200):
        started = time.perf_counter()
        model.predict(x[:1], verbose=0)
        times.append(time.perf_counter() - started)
    return {"first_predict": first, "predict_one_row": float(np.median(times))}


def main(case, library):
    """Run one case and print its seconds."""
    if library == "hand":
        found = hand(case)
    elif case == "predict":
        found = predict(library)
    else:
        found = fit(library, case)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
