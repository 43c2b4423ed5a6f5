"""Callbacks: the library's and the user's."""

import csv
import os

import numpy as np
from catalogue import classes, program
from checks import array, folder
from small_data import diabetes


def regressor(keras, rate=0.01):
    x, _ = diabetes()
    model = keras.Sequential(
        [
            keras.Input((10,)),
            keras.layers.Rescaling(1 / x.std(axis=0), -x.mean(axis=0) / x.std(axis=0)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(rate), loss="mse", metrics=["mae"])
    return model


def fit(model, epochs, callbacks, **options):
    x, y = diabetes()
    return model.fit(
        x, y, epochs=epochs, batch_size=64, validation_split=0.2, verbose=0,
        callbacks=callbacks, **options,
    )  # fmt: skip


@program
def checkpoints_and_stopping(keras):
    """The best model in a file, weights of every epoch, rates that fall, a log."""
    x, y = diabetes()
    model = regressor(keras, rate=0.03)
    with folder() as place:
        best = os.fspath(place / "best.keras")
        log = os.fspath(place / "log.csv")
        callbacks = [
            keras.callbacks.EarlyStopping("val_mae", patience=6, min_delta=1e-3),
            keras.callbacks.ModelCheckpoint(best, "val_loss", save_best_only=True),
            keras.callbacks.ModelCheckpoint(
                os.fspath(place / "{epoch:02d}.weights.h5"), save_weights_only=True
            ),
            keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2, min_lr=1e-4),
            keras.callbacks.CSVLogger(log),
            keras.callbacks.TerminateOnNaN(),
        ]
        history = fit(model, 25, callbacks).history
        epochs = len(history["loss"])
        assert set(history) == {"loss", "mae", "val_loss", "val_mae", "learning_rate"}
        weights = sorted(p.name for p in place.glob("*.weights.h5"))
        assert weights == [f"{i + 1:02d}.weights.h5" for i in range(epochs)]
        loaded = keras.models.load_model(best)
        other = regressor(keras)
        other.load_weights(place / weights[int(np.argmin(history["val_loss"]))])
        for m in (loaded, other):
            found = m.evaluate(x[353:], y[353:], verbose=0)
            np.testing.assert_allclose(found[0], min(history["val_loss"]), 1e-4)
        with open(log) as file:
            rows = list(csv.DictReader(file))
    assert len(rows) == epochs
    np.testing.assert_allclose(
        [float(row["val_mae"]) for row in rows], history["val_mae"], 1e-5
    )
    rates = np.array(history["learning_rate"])
    assert rates[0] == np.float32(0.03) and rates[-1] < 0.03
    assert set(np.round(rates[1:] / rates[:-1], 3)) <= {1.0, 0.5}


@program
def scheduled_rates(keras):
    """A schedule by epoch, one inside the optimizer, and lambdas as callbacks."""
    model, calls = regressor(keras), []
    callbacks = [
        keras.callbacks.LearningRateScheduler(
            lambda epoch, rate: rate if epoch < 2 else rate * 0.5
        ),
        keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: calls.append(epoch),
            on_train_end=lambda logs: calls.append("end"),
        ),
    ]
    history = fit(model, 4, callbacks).history
    rates = [0.01, 0.01, 0.005, 0.0025]
    np.testing.assert_allclose(history["learning_rate"], rates, 1e-5)
    assert calls == [0, 1, 2, 3, "end"]

    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True)
    model.compile(keras.optimizers.SGD(schedule, momentum=0.5), loss="mae")
    x, y = diabetes()
    model.fit(x, y, batch_size=64, epochs=3, verbose=0)  # 7 steps an epoch
    assert int(array(keras, model.optimizer.iterations)) == 21
    np.testing.assert_allclose(float(model.optimizer.learning_rate), 0.025, 1e-5)


@program
def backup_and_restore(keras):
    """A run that is interrupted goes on in the epoch where it ended."""

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    with folder() as place:
        backup = os.fspath(place / "backup")
        try:
            callbacks = [keras.callbacks.BackupAndRestore(backup), Interrupt()]
            fit(regressor(keras), 5, callbacks)
        except KeyboardInterrupt:
            pass
        assert os.listdir(backup)
        model = regressor(keras)
        history = fit(model, 5, [keras.callbacks.BackupAndRestore(backup)])
        assert not os.path.exists(backup)
    assert history.epoch[-3:] == [2, 3, 4]
    assert int(array(keras, model.optimizer.iterations)) == 5 * 6


@classes
def watcher_class(keras):
    class Watcher(keras.callbacks.Callback):
        """Notes every event, reads logs and model, and stops the training."""

        def __init__(self):
            super().__init__()
            self.events = []
            self.losses = []

        def on_train_begin(self, logs=None):
            self.events.append("train begin")
            assert self.params["epochs"] == 9

        def on_epoch_begin(self, epoch, logs=None):
            self.events.append(f"epoch {epoch}")

        def on_train_batch_end(self, batch, logs=None):
            self.losses.append(float(logs["loss"]))

        def on_test_begin(self, logs=None):
            self.events.append("test begin")

        def on_test_end(self, logs=None):
            self.events.append("test end")

        def on_epoch_end(self, epoch, logs=None):
            assert set(logs) == {"loss", "mae", "val_loss", "val_mae"}
            self.model.optimizer.learning_rate = 0.001
            if epoch == 1:
                self.model.stop_training = True

        def on_train_end(self, logs=None):
            self.events.append("train end")

        def on_predict_batch_end(self, batch, logs=None):
            self.events.append(f"predicted {batch} {logs['outputs'].shape}")

    return Watcher


@program
def own_callback(keras):
    """Events in their order, one loss a batch, a stop from inside."""
    watcher = watcher_class(keras)()
    model = regressor(keras)
    history = fit(model, 9, [watcher])
    test = ["test begin", "test end"]
    expected = ["train begin", "epoch 0", *test, "epoch 1", *test, "train end"]
    assert watcher.events == expected
    assert len(watcher.losses) == 2 * 6 and history.epoch == [0, 1]
    np.testing.assert_allclose(watcher.losses[5], history.history["loss"][0], 1e-5)
    np.testing.assert_allclose(float(model.optimizer.learning_rate), 0.001, 1e-6)
    watcher.events.clear()
    model.predict(diabetes()[0][:50], batch_size=25, verbose=0, callbacks=[watcher])
    assert watcher.events == ["predicted 0 (25, 1)", "predicted 1 (25, 1)"]


@program
def stop_on_nan(keras):
    """A rate far too high: training ends with the step whose loss is not finite."""
    import warnings

    model = regressor(keras)
    model.compile(keras.optimizers.SGD(1e18), loss="mse")
    x, y = diabetes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = model.fit(
            x, y, epochs=5, batch_size=64, verbose=0,
            callbacks=[keras.callbacks.TerminateOnNaN()],
        )  # fmt: skip
    assert len(history.history.get("loss", [])) <= 1
