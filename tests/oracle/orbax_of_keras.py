"""A model whose checkpoints go between the libraries, written and read by either."""

import pathlib

import numpy as np

X = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
Y = X.sum(1, keepdims=True)


def model(keras):
    """Every part has a name: Keras passes over what it does not find, silently."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((4,))
    x = keras.layers.Dense(3, "relu", name="first")(inputs)
    x = keras.layers.Dropout(0.2, name="dropout")(x)
    x = keras.layers.BatchNormalization(name="normalization")(x)
    made = keras.Model(inputs, keras.layers.Dense(1, name="last")(x), name="net")
    made.compile(keras.optimizers.Adam(name="adam"), "mse", metrics=["mae"])
    return made


def nested(keras):
    """Automatic names, of models in each other."""
    keras.utils.set_random_seed(2)
    inner = keras.Sequential([keras.layers.Dense(3, "relu"), keras.layers.Dense(3)])
    last = keras.layers.Dense(1)
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), inner, last])
    made.compile("adam", "mse")
    return made


def results(made):
    state = [np.asarray(v).tolist() for v in made.optimizer.variables]
    return np.asarray(made.predict(X, verbose=0)).tolist(), state


def write_nested(keras, folder):
    made = nested(keras)
    save = keras.callbacks.OrbaxCheckpoint(folder)
    made.fit(X, Y, 4, 2, 0, callbacks=[save])
    return results(made)


def write(keras, folder):
    save = keras.callbacks.OrbaxCheckpoint
    path = pathlib.Path(folder)
    made = model(keras)
    weights = save(path / "weights", save_weights_only=True, save_freq=3)
    made.fit(X, Y, 4, 2, 0, callbacks=[save(path / "all", max_to_keep=2), weights])
    return results(made)


def read(keras, folder):
    loaded = keras.saving.load_model(pathlib.Path(folder) / "all")
    fresh = model(keras)
    fresh.load_weights(pathlib.Path(folder) / "all")
    other = model(keras)
    other.load_weights(pathlib.Path(folder) / "weights")
    return [results(loaded), results(fresh), results(other)[0]]


def steps(folder):
    return {
        part.name: sorted(path.name for path in part.iterdir())
        for part in pathlib.Path(folder).iterdir()
    }
