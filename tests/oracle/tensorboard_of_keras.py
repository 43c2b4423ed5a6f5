"""A training that TensorBoard watches, for either library."""

import pathlib

import numpy as np

X = np.random.default_rng(0).integers(0, 9, (24, 4))
Y = X.mean(1, keepdims=True).astype("float32")


def model(keras):
    inputs = keras.Input((4,), dtype="int32", name="words")
    x = keras.layers.Embedding(9, 3, name="table")(inputs)
    x = keras.layers.Conv1D(2, 2, name="conv")(x)
    x = keras.layers.BatchNormalization(name="normal")(x)
    x = keras.layers.Flatten(name="flat")(x)
    made = keras.Model(inputs, keras.layers.Dense(1, name="out")(x), name="net")
    own = np.random.default_rng(1)
    made.set_weights([own.uniform(0.1, 1, w.shape) for w in made.get_weights()])
    made.compile(keras.optimizers.SGD(0.01), "mse", metrics=["mae"])
    return made


CASES = {
    "epochs": {},
    "batches": {"update_freq": "batch"},
    "some_batches": {"update_freq": 2, "write_graph": False},
    "histograms": {"histogram_freq": 1, "write_images": True},
    "rare_histograms": {"histogram_freq": 2, "write_steps_per_second": True},
}


def write(keras, folder):
    for name, arguments in CASES.items():
        board = keras.callbacks.TensorBoard(pathlib.Path(folder) / name, **arguments)
        made = model(keras)
        options = {"validation_data": (X[:8], Y[:8]), "shuffle": False, "verbose": 0}
        made.fit(X, Y, batch_size=8, epochs=3, callbacks=[board], **options)
        made.evaluate(X, Y, verbose=0, callbacks=[board])
