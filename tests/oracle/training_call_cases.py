"""Calls of fit() and kin, for both libraries: each case gives numbers."""

import json

import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((22, 4)).astype("float32")
A = rng.standard_normal((22, 3)).astype("float32")
B = rng.integers(0, 3, 22)
V, W = np.linspace(2, 0.1, 22), np.linspace(0.2, 2, 22)
SPARSE = "sparse_categorical_crossentropy"


def start(keras, model):
    own = np.random.default_rng(1)
    model.set_weights(
        [0.5 * own.standard_normal(w.shape) ** 2 for w in model.get_weights()]
    )
    return model, keras.optimizers.SGD(0.1)


def one(keras, **options):
    layers = [keras.layers.Dense(5, "tanh"), keras.layers.Dense(3, "softmax")]
    model, sgd = start(keras, keras.Sequential([keras.Input((4,)), *layers]))
    model.compile(sgd, SPARSE, metrics=["accuracy"], **options)
    return model


def two(keras, form):
    x = keras.Input((4,), name="x")
    h = keras.layers.Dense(5, "tanh")(x)
    a = keras.layers.Dense(3, name="a")(h)
    b = keras.layers.Dense(3, "softmax", name="b")(h)
    return start(keras, keras.Model(x, [a, b] if form is list else {"a": a, "b": b}))


def fit(model, *data, **options):
    options = {"batch_size": 5, "epochs": 2, **options}
    fitted = model.fit(*data, shuffle=False, verbose=0, **options)
    return {**fitted.history, "epoch": fitted.epoch}


def lists(keras):
    model, sgd = two(keras, list)
    model.compile(
        sgd,
        ["mse", SPARSE],
        loss_weights=[0.3, 2.0],
        metrics=[["mae"], ["accuracy"]],
        weighted_metrics=[["mse"], ["accuracy"]],
    )
    found = fit(model, X, [A, B], sample_weight=[W, V])
    return found, model.evaluate(X, [A, B], verbose=0)


def dicts(keras):
    model, sgd = two(keras, dict)
    model.compile(
        sgd,
        {"a": "mse", "b": SPARSE},
        loss_weights={"a": 0.3, "b": 2.0},
        metrics={"b": ["accuracy"], "a": "mae"},
        weighted_metrics={"a": ["mse"]},
    )
    y = {"a": A, "b": B}
    found = fit(model, {"x": X}, y, sample_weight={"a": W, "b": V})
    result = model.evaluate({"x": X}, y, verbose=0, return_dict=True)
    outputs = model.predict({"x": X}, verbose=0)
    return found, result, {k: v.sum(0).tolist() for k, v in outputs.items()}


def validation(keras):
    # Steps in one call change no result; Keras on torch cannot make several.
    model = one(keras, steps_per_execution=1 if keras.__name__ == "keras" else 3)
    found = fit(
        model,
        X,
        B,
        epochs=6,
        initial_epoch=2,
        validation_split=0.3,
        validation_freq=2,
        class_weight={0: 1.0, 1: 0.3, 2: 4.0},
    )
    # Op by op, but on JAX, where every op would be compiled for every size of batch.
    model = one(keras, run_eagerly=keras.backend.backend() != "jax")
    return found, fit(
        model,
        X,
        B,
        epochs=4,
        validation_data=(X[:7], B[:7], W[:7]),
        validation_freq=[1, 4],
        validation_batch_size=3,
        validation_steps=2,
    )


def generators(keras):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return X[6 * i : 6 * i + 6], B[6 * i : 6 * i + 6]

    def endless():
        while True:
            for i in range(0, 20, 5):
                yield X[i : i + 5], B[i : i + 5], W[i : i + 5]

    model = one(keras)
    found = fit(model, endless(), batch_size=None, steps_per_epoch=3, epochs=3)
    result = model.evaluate(endless(), steps=3, verbose=0)
    other = one(keras)
    return (
        found,
        result,
        fit(other, Batches(), batch_size=None, validation_data=Batches()),
    )


def frames(keras):
    import pandas as pd

    x, y, w = pd.DataFrame(X), pd.Series(B), pd.Series(W)
    return fit(one(keras), x, y, sample_weight=w), fit(one(keras), x, y, epochs=1)


def batches(keras):
    model = one(keras)
    return [
        model.train_on_batch(X[:8], B[:8], sample_weight=W[:8]),
        model.train_on_batch(X[8:], B[8:], return_dict=True),
        model.train_on_batch(X[8:], B[8:], class_weight={0: 1.0, 1: 2.0, 2: 3.0}),
        model.test_on_batch(X[:8], B[:8]),
        model.test_on_batch(X[8:], B[8:], sample_weight=W[8:], return_dict=True),
        model.predict_on_batch(X[:3]).tolist(),
    ]


def added(keras):
    class Penalty(keras.layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * keras.ops.mean(keras.ops.square(x)))
            return x

    layers = [
        keras.layers.Dense(5, activity_regularizer="l2", kernel_regularizer="l1"),
        Penalty(),
        keras.layers.Dense(3),
    ]
    model, sgd = start(keras, keras.Sequential([keras.Input((4,)), *layers]))
    model.compile(sgd, "mse", metrics=["mae"])
    return fit(model, X, A), model.evaluate(X, A, verbose=0, batch_size=11)


def frozen(keras):
    norm = keras.layers.BatchNormalization(momentum=0.7)
    layers = [keras.layers.Dense(5), norm, keras.layers.Dense(3)]
    model, sgd = start(keras, keras.Sequential([keras.Input((4,)), *layers]))
    model.compile(sgd, "mse")
    found = [fit(model, X, A, batch_size=11)]
    norm.trainable = False
    model.compile(keras.optimizers.SGD(0.1), "mse")
    found += [fit(model, X, A), [float(w.sum()) for w in model.get_weights()]]
    return found + [len(model.trainable_variables)]


def callbacks(keras):
    made = [
        keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau("val_loss", patience=1, factor=0.5),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.9 * rate),
    ]
    model = one(keras)
    found = fit(model, X, B, epochs=20, callbacks=made, validation_split=0.3)
    return found, model.evaluate(X, B, verbose=0)


CASES = (
    lists, dicts, validation, generators, frames, batches, added, frozen, callbacks,
)  # fmt: skip


def of_keras(keras):
    return {case.__name__: json.loads(json.dumps(case(keras))) for case in CASES}
