"""A training that can be interrupted at any step, and resumed; also as a program.

python -m tests.callbacks.resumable FOLDER EPOCHS
"""

import json
import os
import sys

import numpy as np

import hornbeam as keras

ROWS, SIZE, EPOCHS = 40, 8, 3
X = np.random.default_rng(0).normal(size=(ROWS, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


class Interrupted(Exception):
    pass


class InterruptAt(keras.callbacks.Callback):
    """Raises after so many steps of this process; one of validation may be the last."""

    def __init__(self, step, of="train"):
        super().__init__()
        self.left, self.of = step, of

    def _count(self, kind):
        self.left -= kind == self.of
        if self.left == 0:
            raise Interrupted

    def on_train_batch_end(self, batch, logs=None):
        self._count("train")

    def on_test_batch_end(self, batch, logs=None):
        self._count("test")

    def on_epoch_end(self, epoch, logs=None):
        self._count("epoch")


def small_model():
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.2),
            keras.layers.GaussianNoise(0.1),
            keras.layers.Dense(1),
        ]
    )
    optimizer = keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.9)
    if keras.config.backend() != "tensorflow":  # XLA compiles it for seconds
        optimizer = keras.optimizers.LossScaleOptimizer(
            optimizer, initial_scale=8.0, dynamic_growth_steps=4
        )
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


class Rates(keras.callbacks.Callback):
    """Changes a number that is no Variable."""

    def on_train_batch_end(self, batch, logs=None):
        self.model.layers[2].rate = 0.1 + 0.01 * (batch % 3)


def callbacks(folder, save_freq):
    folder = os.fspath(folder)
    return [
        keras.callbacks.BackupAndRestore(folder + "/backup", save_freq),
        keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=9, factor=0.5),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        keras.callbacks.EarlyStopping("mae", patience=99, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint(
            folder + "/best.weights.h5", "loss", 0, True, True, save_freq=7
        ),
        keras.callbacks.CSVLogger(folder + "/log.csv"),
    ]


def fit(folder, *more, save_freq=2, data=None, epochs=EPOCHS, **arguments):
    """Train; return all that is to be equal in the end."""
    os.makedirs(folder, exist_ok=True)
    model = small_model()
    x, y = (X, Y) if data is None else (data(), None)
    history = model.fit(
        x,
        y,
        SIZE if x is X or hasattr(x, "tensors") else None,
        epochs,
        0,
        [*callbacks(folder, save_freq), Rates(), *more],
        validation_data=(X[:9], Y[:9]),
        **arguments,
    )
    with open(os.path.join(folder, "log.csv"), encoding="utf-8") as file:
        log = file.read()
    values = [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]
    return history.history, history.epoch, log, [x.tolist() for x in values]


if __name__ == "__main__":

    class Tell(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            print(".", end="", flush=True)

        def on_epoch_end(self, epoch, logs=None):
            print("e", end="", flush=True)

    result = fit(sys.argv[1], Tell(), save_freq=3, epochs=int(sys.argv[2]))
    with open(os.path.join(sys.argv[1], "result.json"), "w", encoding="utf-8") as out:
        json.dump(result, out)
