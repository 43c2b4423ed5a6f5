"""Callbacks: the library's, one's own, and what they may override."""

import numpy as np

import hornbeam as keras
from hornbeam.callbacks import Callback, EarlyStopping, ModelCheckpoint


class Report(Callback):
    def __init__(self, every=2):
        super().__init__()
        self.every = every
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if epoch % self.every == 0:
            print(f"{epoch}: {logs['loss']:.3f}", self.model.name, self.params)
        if logs.get("val_loss", 1.0) < 0.001:
            self.model.stop_training = True

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(batch)


class Simple(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.started = True

    def on_epoch_begin(self, epoch, logs={}):  # noqa: B006
        print("epoch", epoch)


def schedule(epoch, rate):
    return rate * 0.5 if epoch else rate


x, y = np.random.random((20, 3)), np.random.random((20, 1))
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile(optimizer="sgd", loss="mse")
report = Report(every=1)
history = model.fit(
    x,
    y,
    epochs=2,
    validation_split=0.2,
    verbose=0,
    callbacks=[
        report,
        Simple(),
        EarlyStopping("val_loss", patience=3, restore_best_weights=True),
        ModelCheckpoint("best.weights.h5", save_best_only=True, save_weights_only=True),
        keras.callbacks.LearningRateScheduler(schedule),
        keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.2, mode="min"),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs)),
        keras.callbacks.TerminateOnNaN(),
    ],
)
model.fit(x, y, callbacks=report, verbose=0)
print(len(report.seen), history.history["val_loss"][-1], history.epoch)
