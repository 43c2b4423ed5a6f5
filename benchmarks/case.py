"""One measurement in a process of its own: `python case.py CASE LIBRARY`.

Prints one JSON object of seconds. LIBRARY is hornbeam, keras (both on the engine in
KERAS_BACKEND) or torch (a loop written by hand).
"""

import json
import sys
import time

import numpy as np

SIZES = {
    "mlp": {"rows": 60_000, "features": 784, "hidden": 128, "batch": 128},
    "digits": {"rows": 1_437, "features": 64, "hidden": 64, "batch": 32},
}


def data(size):
    """Return inputs and labels that a network can learn."""
    rng = np.random.default_rng(0)
    x = rng.random((size["rows"], size["features"]), dtype=np.float32)
    y = (x @ rng.standard_normal((size["features"], 10))).argmax(1).astype("int32")
    return x, y


def network(keras, size, dropout_rate=0.2):
    """The same network in both libraries."""
    model = keras.Sequential(
        [
            keras.layers.Input((size["features"],)),
            keras.layers.Dense(size["hidden"], activation="relu"),
            keras.layers.Dropout(dropout_rate),
            keras.layers.Dense(10),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def fit(library, case):
    """Measure the first epoch, warm epochs, and a second model of equal structure."""
    import importlib

    size = SIZES[case]
    x, y = data(size)
    started = time.perf_counter()
    keras = importlib.import_module(library)
    imported = time.perf_counter()
    model = network(keras, size)
    options = {"batch_size": size["batch"], "verbose": 0}
    model.fit(x, y, epochs=1, **options)
    first = time.perf_counter()
    epochs = 5 if case == "mlp" else 20
    ends = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ends.append(time.perf_counter())

    model.fit(x, y, epochs=epochs, callbacks=[Clock()], **options)
    second_started = time.perf_counter()
    second = network(keras, size, dropout_rate=0.3)
    second.fit(x[: size["batch"] * 4], y[: size["batch"] * 4], epochs=1, **options)
    second_same_data = time.perf_counter()
    third = network(keras, size, dropout_rate=0.4)
    third.train_on_batch(x[: size["batch"]], y[: size["batch"]])
    fourth_started = time.perf_counter()
    fourth = network(keras, size, dropout_rate=0.1)
    fourth.train_on_batch(x[: size["batch"]], y[: size["batch"]])
    return {
        "import": imported - started,
        "first_epoch": first - imported,
        "warm_epoch": float(np.median(np.diff(ends))),
        "second_model_other_rows": second_same_data - second_started,
        "second_model_first_step": time.perf_counter() - fourth_started,
    }


def torch_loop(case):
    """The same training written by hand in torch, with fused Adam."""
    import torch

    size = SIZES[case]
    x, y = data(size)
    x, y = torch.from_numpy(x), torch.from_numpy(y).long()
    model = torch.nn.Sequential(
        torch.nn.Linear(size["features"], size["hidden"]),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(size["hidden"], 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
    ends = [time.perf_counter()]
    for _ in range(6 if case == "mlp" else 21):
        order = torch.randperm(len(x))
        total, correct = torch.zeros(()), torch.zeros(())
        for begin in range(0, len(x), size["batch"]):
            rows = order[begin : begin + size["batch"]]
            inputs, labels = x[rows], y[rows]
            logits = model(inputs)
            loss = torch.nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                total += loss * len(rows)
                correct += (logits.argmax(1) == labels).sum()
        float(total), float(correct)
        ends.append(time.perf_counter())
    return {"warm_epoch": float(np.median(np.diff(ends)[1:]))}


def predict(library):
    """Measure a warm predict of one row."""
    import importlib

    keras = importlib.import_module(library)
    size = SIZES["digits"]
    x, _ = data(size)
    model = network(keras, size)
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
    if library == "torch":
        found = torch_loop(case)
    elif case == "predict":
        found = predict(library)
    else:
        found = fit(library, case)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
