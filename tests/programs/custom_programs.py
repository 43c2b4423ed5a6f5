"""Own layers, losses, metrics, callbacks, constraints, regularizers, initializers."""

import numpy as np
from catalogue import classes, program
from checks import array, assert_keys, assert_saved_alike
from small_data import iris


@classes
def custom_classes(keras):
    """All kinds of parts that people write, with the configs that files need."""
    ops = keras.ops

    class Linear(keras.layers.Layer):
        """`add_weight` in `build`, a state that does not train, a config."""

        def __init__(self, units=32, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(
                shape=(input_shape[-1], self.units),
                initializer=Scaled(0.5),
                regularizer=Spread(0.01),
                constraint=Bounded(2.0),
                name="w",
            )
            self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")
            self.calls = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name="calls"
            )

        def call(self, inputs, training=False):
            if training:
                self.calls.assign_add(1.0)
            return ops.matmul(inputs, self.w) + self.b

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    class Block(keras.layers.Layer):
        """A layer of layers, with an activity loss."""

        def __init__(self, units, rate=1e-3, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.rate = rate
            self.linear_1 = Linear(units)
            self.linear_2 = Linear(units)

        def call(self, inputs, training=False):
            hidden = ops.relu(self.linear_1(inputs, training=training))
            self.add_loss(self.rate * ops.mean(ops.square(hidden)))
            return self.linear_2(hidden, training=training)

        def get_config(self):
            return {**super().get_config(), "units": self.units, "rate": self.rate}

    class Scaled(keras.initializers.Initializer):
        def __init__(self, scale):
            self.scale = scale

        def __call__(self, shape, dtype=None, **kwargs):
            return keras.random.normal(shape, stddev=self.scale, dtype=dtype, seed=3)

        def get_config(self):
            return {"scale": self.scale}

    class Spread(keras.regularizers.Regularizer):
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, x):
            return self.factor * ops.sum(ops.square(x - ops.mean(x)))

        def get_config(self):
            return {"factor": self.factor}

    class Bounded(keras.constraints.Constraint):
        def __init__(self, bound):
            self.bound = bound

        def __call__(self, w):
            return ops.clip(w, -self.bound, self.bound)

        def get_config(self):
            return {"bound": self.bound}

    class Confident(keras.losses.Loss):
        """Cross entropy, and a penalty for being too sure."""

        def __init__(self, factor=0.1, name="confident", **kwargs):
            super().__init__(name=name, **kwargs)
            self.factor = factor

        def call(self, y_true, y_pred):
            loss = keras.losses.sparse_categorical_crossentropy(
                y_true, y_pred, from_logits=True
            )
            return loss + self.factor * ops.mean(ops.square(y_pred), axis=-1)

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    class Hits(keras.metrics.Metric):
        """How many rows are right."""

        def __init__(self, name="hits", **kwargs):
            super().__init__(name=name, **kwargs)
            self.count = self.add_variable(shape=(), initializer="zeros", name="count")

        def update_state(self, y_true, y_pred, sample_weight=None):
            right = ops.equal(
                ops.cast(ops.reshape(y_true, (-1,)), "int32"),
                ops.cast(ops.argmax(y_pred, axis=1), "int32"),
            )
            right = ops.cast(right, "float32")
            if sample_weight is not None:
                right = right * ops.cast(ops.reshape(sample_weight, (-1,)), "float32")
            self.count.assign_add(ops.sum(right))

        def result(self):
            return ops.convert_to_tensor(self.count)

        def reset_state(self):
            self.count.assign(0.0)

    return [Linear, Block, Scaled, Spread, Bounded, Confident, Hits]


@program
def custom_parts(keras):
    """A network whose every part is the user's; it is saved and loaded with them."""
    x, y = iris()
    Linear, Block, _, _, _, Confident, Hits = parts = custom_classes(keras)
    inputs = keras.Input((4,))
    outputs = Linear(3, name="logits")(ops_relu(keras, Block(16)(inputs)))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.02), Confident(0.01), metrics=[Hits()])
    history = model.fit(x, y, batch_size=30, epochs=10, verbose=0)
    assert_keys(history, "hits", "loss")
    hits = history.history["hits"]
    assert hits[-1] > 120 and hits[-1] > hits[0], hits
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    right = model.predict(x, verbose=0).argmax(axis=1) == y
    assert found["hits"] == right.sum()
    logits = model.get_layer("logits")
    kernel = array(keras, logits.w)
    assert np.abs(kernel).max() <= 2
    assert float(logits.calls.value) == 50
    model(x)
    # One loss a kernel for the regularizer, one for the activity.
    assert len(model.losses) == 4
    spread = 0.01 * np.sum((kernel - kernel.mean()) ** 2)
    losses = [array(keras, keras.ops.stop_gradient(loss)) for loss in model.losses]
    assert np.any(np.isclose(losses, spread, 1e-4)), (losses, spread)
    names = {part.__name__: part for part in parts}
    loaded = assert_saved_alike(keras, model, x, custom_objects=names)
    again = loaded.evaluate(x, y, verbose=0, return_dict=True)
    assert again["hits"] == found["hits"]
    np.testing.assert_allclose(again["loss"], found["loss"], 1e-4)


def ops_relu(keras, x):
    return keras.ops.relu(x)


@program
def custom_functions(keras):
    """Plain functions as loss, metric, activation, initializer, regularizer."""
    x, y = iris()
    ops = keras.ops

    def swish(x):
        return x * ops.sigmoid(x)

    def squared_hits(y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    def total(y_true, y_pred):
        return ops.sum(y_pred, axis=-1)

    def small(shape, dtype=None):
        return keras.random.uniform(shape, -0.3, 0.3, dtype=dtype, seed=1)

    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(
                16, activation=swish, kernel_initializer=small,
                kernel_regularizer=lambda w: 1e-4 * ops.sum(ops.abs(w)),
                kernel_constraint=keras.constraints.MaxNorm(3),
            ),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(0.03), loss=squared_hits, metrics=[total])
    one_hot = keras.utils.to_categorical(y)
    history = model.fit(x, one_hot, epochs=15, verbose=0)
    assert_keys(history, "loss", "total")
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    np.testing.assert_allclose(history.history["total"], 1, 1e-4)
    found = model.evaluate(x, one_hot, verbose=0)[0]
    error = np.mean((model.predict(x, verbose=0) - one_hot) ** 2)
    penalty = 1e-4 * np.abs(model.layers[0].get_weights()[0]).sum()
    np.testing.assert_allclose(found, error + penalty, 1e-4)


@classes
def step_classes(keras):
    class WeightedPair(keras.Model):
        """A subclass of Model with `call`, `train=...` arguments and inner models."""

        def __init__(self, classes, **kwargs):
            super().__init__(**kwargs)
            self.classes = classes
            self.body = keras.Sequential(
                [keras.layers.Dense(16, activation="relu"), keras.layers.Dropout(0.1)]
            )
            self.heads = [keras.layers.Dense(classes) for _ in range(2)]
            self.mix = self.add_weight(shape=(), initializer="zeros", name="mix")

        def call(self, inputs, training=False):
            hidden = self.body(inputs, training=training)
            share = keras.ops.sigmoid(self.mix)
            first, second = (head(hidden) for head in self.heads)
            return share * first + (1 - share) * second

        def get_config(self):
            return {**super().get_config(), "classes": self.classes}

    return WeightedPair


@program(slow=("tensorflow",))
def custom_model(keras):
    """A subclassed model with layers in a list and a weight of its own."""
    x, y = iris()
    Model = step_classes(keras)
    model = Model(3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.03), loss, metrics=["accuracy"])
    weights = np.where(y == 0, 2.0, 1.0)
    history = model.fit(
        x, y, sample_weight=weights, epochs=10, batch_size=25, verbose=0,
        validation_split=0.2,
    )  # fmt: skip
    assert_keys(history, "accuracy", "loss", "val_accuracy", "val_loss")
    assert len(model.trainable_weights) == 7
    mix = next(w for w in model.weights if w.name == "mix")
    assert abs(array(keras, mix)) > 1e-3
    assert model.evaluate(x, y, verbose=0)[1] > 0.85
    names = {"WeightedPair": Model}
    assert_saved_alike(keras, model, x, custom_objects=names)
