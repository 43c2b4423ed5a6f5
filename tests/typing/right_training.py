"""Parts of training that users write themselves, and the library's in their usual use.

Losses, metrics, optimizers, schedules, callbacks, datasets.
"""

from typing import Any

import numpy as np

import hornbeam as keras
from hornbeam import ops


class Quartic(keras.losses.Loss):
    def __init__(self, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, y_true, y_pred):
        return self.scale * ops.mean((y_true - y_pred) ** 4, axis=-1)


class Absolute(keras.losses.Loss):
    def call(self, y_true: np.ndarray, y_pred: np.ndarray):
        return ops.abs(y_true - y_pred)

    def get_config(self):
        return {**super().get_config(), "extra": 1}


class Largest(keras.metrics.Metric):
    def __init__(self, name="largest", **kwargs):
        super().__init__(name=name, **kwargs)
        self.largest = self.add_weight(name="largest", initializer="zeros")
        self.count = self.add_variable(shape=(), initializer="zeros", dtype="int32")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest.assign(ops.maximum(self.largest, ops.max(y_pred)))
        self.count.assign_add(1)

    def result(self):
        return self.largest.value

    def reset_state(self):
        for variable in self.variables:
            variable.assign(0)


class Halves(keras.metrics.Metric):
    def __init__(self):
        super().__init__(name="halves")
        self.total = self.add_weight()

    def update_state(self, values):
        self.total.assign_add(ops.sum(values) / 2)

    def result(self):
        return {"half": self.total / 1, "whole": self.total * 2}


class SignDescent(keras.optimizers.Optimizer):
    def __init__(self, learning_rate=0.01, name="sign_descent", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)

    def build(self, variables):
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, learning_rate * ops.sign(gradient))

    def get_config(self):
        return super().get_config()


class Careful(keras.optimizers.Adam):
    def __init__(self, learning_rate=0.01, **kwargs):
        super().__init__(learning_rate, beta_1=0.8, **kwargs)

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate * 0.5)


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, steps):
        self.peak = peak
        self.steps = steps

    def __call__(self, step):
        step = ops.cast(step, "float32")
        return self.peak * ops.minimum(1.0, (step + 1) / self.steps)

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps}


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.size = x, y, size

    def __len__(self):
        return len(self.x) // self.size

    def __getitem__(self, idx):
        rows = slice(idx * self.size, (idx + 1) * self.size)
        return self.x[rows], self.y[rows]

    def on_epoch_end(self):
        print("again")


class Watch(keras.callbacks.Callback):
    def __init__(self, limit: float = 0.1):
        super().__init__()
        self.limit = limit
        self.rates: list[float] = []

    def on_train_begin(self, logs=None):
        print(self.params["epochs"], self.model.count_params())

    def on_epoch_end(self, epoch: int, logs: dict | None = None):
        if logs and logs["loss"] < self.limit:
            self.model.stop_training = True
        self.rates.append(float(self.model.optimizer.learning_rate))

    def on_batch_end(self, batch, logs=None):
        if logs["loss"] > 1e6:
            self.model.stop_training = True

    def on_test_end(self, logs={}):  # noqa: B006
        self.model.of_my_own = logs.get("loss")

    def on_predict_end(self, logs=None):
        print(self.model.of_my_own)


class HighestRecall(keras.callbacks.EarlyStopping):
    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        print(self.best, self.wait, self.stopped_epoch)


x = np.random.random((24, 3)).astype("float32")
y = np.random.random((24, 1)).astype("float32")


def network(**arguments):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(**arguments)
    return model


# Losses and metrics by themselves.
print(float(Quartic(scale=2.0, name="q", reduction="sum")(y, y + 1)))
print(keras.losses.Huber(delta=0.5)(y, y * 2, sample_weight=np.ones(24)))
print(Absolute(reduction=None)(y, y).shape)
print(keras.losses.mean_squared_error(y, [[0.0]] * 24).shape)
print(keras.losses.CategoricalFocalCrossentropy(alpha=[0.3, 0.7], gamma=1).name.upper())
metric = keras.metrics.AUC(curve="PR", num_thresholds=20)
metric.update_state([0, 1, 1], [0.1, 0.7, 0.4])
print(float(metric.result()) + 1, metric.num_thresholds * 2)
metric.reset_state()
mean = keras.metrics.Mean()
mean.update_state(3.0)
mean.update_state([1, 2], sample_weight=[0.5, 0.5])
print(mean(4.0), float(mean.total / mean.count))
halves = Halves()
halves.update_state([1.0, 3.0])
print(halves.result()["half"])

# What `get` returns can be used as what it is.
print(
    keras.losses.get("mse")(y, y), keras.losses.get(keras.losses.MeanSquaredError).name
)
print(keras.losses.get(Quartic(3.0)).scale, keras.metrics.get("accuracy").name)
print(keras.optimizers.get("adam").learning_rate, keras.optimizers.get("sgd").variables)
config = keras.optimizers.serialize(keras.optimizers.SGD(0.1, 0.9, nesterov=True))
print(keras.optimizers.deserialize(config).momentum)
print(keras.losses.deserialize(keras.losses.serialize(Quartic()), {"Quartic": Quartic}))

# Optimizers: shared arguments by name and, after the own ones, by position.
optimizers = [
    keras.optimizers.SGD(0.1, 0.9, True, 1e-4),
    keras.optimizers.Adam(learning_rate=1e-3, clipnorm=1.0, name="mine"),
    keras.optimizers.AdamW(1e-3, 4e-3, use_ema=True, ema_momentum=0.9),
    keras.optimizers.RMSprop(WarmUp(0.1, 10), rho=0.8, global_clipnorm=1),
    keras.optimizers.Adam(lambda: 0.001, gradient_accumulation_steps=2),
    keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 100, 0.1)),
    keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()),
    SignDescent(0.1, weight_decay=0.001),
    Careful(clipvalue=0.5),
]
settings: dict[str, Any] = {"learning_rate": 0.1, "use_ema": True}
optimizers.append(keras.optimizers.Nadam(**settings))
for optimizer in optimizers:
    model = network(optimizer=optimizer, loss=Quartic(), metrics=[Largest(), "mae"])
    model.fit(x, y, verbose=0, batch_size=8)
    print(optimizer.iterations + 0, len(optimizer.variables), optimizer.name.upper())
rate = keras.optimizers.Adam(0.01)
rate.learning_rate.assign(0.2)
rate.learning_rate = 0.1
print(float(rate.learning_rate) * 2, rate.beta_1 + 0.1)
print(WarmUp(0.1, 4)(2), keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)(5))
variable = keras.Variable([1.0])
rate.apply_gradients([(ops.ones((1,)), variable)])
rate.apply([ops.ones((1,))], [variable])

# Callbacks, datasets, history.
model = network(optimizer="adam", loss=["mse"], metrics=["mae", Largest()])
dataset = Batches(x, y, 8, workers=2)
history = model.fit(
    dataset,
    epochs=2,
    verbose=0,
    validation_data=(x, y),
    callbacks=[
        Watch(limit=0.0),
        HighestRecall(monitor="val_mae", mode="min", min_delta=1e-3, baseline=None),
        keras.callbacks.CSVLogger("log.csv", append=True),
        keras.callbacks.BackupAndRestore("backup", save_freq="epoch"),
        keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)),
    ],
)
print(history.history["val_loss"][-1], max(history.epoch), history.params["epochs"])
print(dataset.num_batches, len(dataset), dataset[0][0].shape, dataset.workers + 1)
model.predict(x, verbose=0, callbacks=[Watch()])

# Utilities.
bar = keras.utils.Progbar(10, verbose=0, stateful_metrics=["acc"])
bar.update(3, [("loss", 0.5)], finalize=False)
print(keras.utils.to_categorical([0, 1, 2], num_classes=3).sum(axis=1))
print(keras.utils.pad_sequences([[1], [2, 3]], maxlen=4, padding="post").shape)
print(keras.utils.normalize(x, axis=-1).shape)
keras.utils.set_random_seed(7)
keras.mixed_precision.set_global_policy(keras.DTypePolicy("float32"))
print(keras.config.dtype_policy().compute_dtype.upper(), keras.config.floatx().upper())
structure = {"a": [1, 2], "b": (3,)}
print(sum(keras.tree.flatten(structure)), keras.tree.map_structure(abs, structure)["a"])
