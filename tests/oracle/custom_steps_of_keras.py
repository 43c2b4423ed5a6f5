"""Custom steps in Keras's form for each engine; with Keras, run by test_guide_steps.py.

The forms are those that Keras documents in "Customizing what happens in `fit()`" with
JAX, with PyTorch and with TensorFlow. A case is a function of the library that returns
numbers.
"""

import json

import numpy as np

X = np.random.default_rng(0).standard_normal((20, 4)).astype("float32")
Y = X @ np.float32([[1.0], [-2.0], [0.5], [3.0]])
W = np.linspace(0.5, 2, len(X)).astype("float32")
LATENT = 3


def with_fixed_weights(keras, *models):
    """Give the models weights that do not depend on the library."""
    for number, model in enumerate(models):
        random = np.random.default_rng(number + 1)
        model.set_weights(
            [0.3 * random.standard_normal(w.shape) for w in model.get_weights()]
        )


def regressor(keras, base):
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(5, activation="tanh")(inputs)
    model = base(inputs, keras.layers.Dense(1)(hidden))
    with_fixed_weights(keras, model)
    return model


def trained(keras, model, **options):
    """Compile and train; return the history, an evaluation and some outputs."""
    model.compile(optimizer=keras.optimizers.Adam(0.02), **options)
    given = {"sample_weight": W} if "weighted_metrics" in options else {}
    history = model.fit(
        X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0, **given
    ).history
    evaluated = model.evaluate(X, Y, batch_size=8, verbose=0, return_dict=True)
    outputs = model.predict(X[:5], verbose=0)
    return {"history": history, "evaluated": evaluated, "outputs": outputs.tolist()}


def jax_classes(keras):
    import jax

    class Plain(keras.Model):
        def loss_and_updates(self, trainable, non_trainable, x, y, training=False):
            y_pred, non_trainable = self.stateless_call(
                trainable, non_trainable, x, training=training
            )
            return self.compute_loss(x, y, y_pred), (y_pred, non_trainable)

        def updated(self, metrics_variables, loss, y, y_pred):
            new, logs = [], {}
            for metric in self.metrics:
                own = metrics_variables[len(new) : len(new) + len(metric.variables)]
                if metric.name == "loss":
                    own = metric.stateless_update_state(own, loss)
                else:
                    own = metric.stateless_update_state(own, y, y_pred)
                logs[metric.name] = metric.stateless_result(own)
                new += own
            return logs, new

        def train_step(self, state, data):
            trainable, non_trainable, optimizer_variables, metrics_variables = state
            x, y = data
            gradient = jax.value_and_grad(self.loss_and_updates, has_aux=True)
            (loss, (y_pred, non_trainable)), grads = gradient(
                trainable, non_trainable, x, y, training=True
            )
            trainable, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, grads, trainable
            )
            logs, new = self.updated(metrics_variables, loss, y, y_pred)
            return logs, (trainable, non_trainable, optimizer_variables, new)

        def test_step(self, state, data):
            x, y = data
            trainable, non_trainable, metrics_variables = state
            y_pred, non_trainable = self.stateless_call(
                trainable, non_trainable, x, training=False
            )
            loss = self.compute_loss(x, y, y_pred)
            logs, new = self.updated(metrics_variables, loss, y, y_pred)
            return logs, (trainable, non_trainable, new)

        def predict_step(self, state, data):
            trainable, non_trainable = state
            outputs, non_trainable = self.stateless_call(trainable, non_trainable, data)
            return 10 * outputs, non_trainable

    class Lower(keras.Model):
        """With metrics and a loss of its own; `compile()` gets an optimizer only."""

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.loss_tracker = keras.metrics.Mean(name="loss")
            self.mae_metric = keras.metrics.MeanAbsoluteError(name="mae")
            self.loss_fn = keras.losses.MeanSquaredError()

        def loss_and_updates(self, trainable, non_trainable, x, y, training=False):
            y_pred, non_trainable = self.stateless_call(
                trainable, non_trainable, x, training=training
            )
            return self.loss_fn(y, y_pred), (y_pred, non_trainable)

        def train_step(self, state, data):
            trainable, non_trainable, optimizer_variables, metrics_variables = state
            x, y = data
            gradient = jax.value_and_grad(self.loss_and_updates, has_aux=True)
            (loss, (y_pred, non_trainable)), grads = gradient(
                trainable, non_trainable, x, y, training=True
            )
            trainable, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, grads, trainable
            )
            count = len(self.loss_tracker.variables)
            own = self.loss_tracker.stateless_update_state(
                metrics_variables[:count], loss
            )
            mae = self.mae_metric.stateless_update_state(
                metrics_variables[count:], y, y_pred
            )
            logs = {
                self.loss_tracker.name: self.loss_tracker.stateless_result(own),
                self.mae_metric.name: self.mae_metric.stateless_result(mae),
            }
            return logs, (trainable, non_trainable, optimizer_variables, own + mae)

        @property
        def metrics(self):
            return [self.loss_tracker, self.mae_metric]

    class Wrapped(keras.Model):
        """Calls the step of the base class, and changes what it gives."""

        def train_step(self, state, data):
            logs, state = super().train_step(state, data)
            trainable, *others = state
            trainable = [0.9 * value for value in trainable]
            return {"twice": 2 * logs["loss"]}, (trainable, *others)

        def test_step(self, state, data):
            logs, state = super().test_step(state, data)
            return {"loss": logs["loss"] + 1}, state

        def predict_step(self, state, data):
            outputs, non_trainable = super().predict_step(state, data)
            return outputs - 1, non_trainable

    return Plain, Lower, Wrapped


def jax_plain(keras):
    model = regressor(keras, jax_classes(keras)[0])
    return trained(keras, model, loss="mse", metrics=["mae"])


def jax_lower(keras):
    model = regressor(keras, jax_classes(keras)[1])
    model.compile(optimizer=keras.optimizers.Adam(0.02))
    return model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0).history


def jax_wrapped(keras):
    model = regressor(keras, jax_classes(keras)[2])
    return trained(keras, model, loss="mse", metrics=["mae"])


def jax_dropout(keras):
    """Seeds and statistics go through `stateless_call`: the draws differ, so no numbers
    of them are compared."""
    model = jax_classes(keras)[0]
    inputs = keras.Input((4,))
    x = keras.layers.BatchNormalization()(keras.layers.Dropout(0.0)(inputs))
    model = model(inputs, keras.layers.Dense(1)(x))
    with_fixed_weights(keras, model)
    return trained(keras, model, loss="mse", metrics=["mae"])


def torch_plain(keras):
    import torch

    class Plain(keras.Model):
        def train_step(self, data):
            x, y, sample_weight = data if len(data) == 3 else (*data, None)
            self.zero_grad()
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred, sample_weight=sample_weight)
            loss.backward()
            trainable_weights = [v for v in self.trainable_weights]  # noqa: C416
            gradients = [v.value.grad for v in trainable_weights]
            with torch.no_grad():
                self.optimizer.apply(gradients, trainable_weights)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred, sample_weight=sample_weight)
            return {m.name: m.result() for m in self.metrics}

        def test_step(self, data):
            x, y = data
            y_pred = self(x, training=False)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    model = regressor(keras, Plain)
    return trained(keras, model, loss="mse", weighted_metrics=["mae"])


def tensorflow_plain(keras):
    import tensorflow as tf

    class Plain(keras.Model):
        def train_step(self, data):
            x, y, sample_weight = data if len(data) == 3 else (*data, None)
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(
                    y=y, y_pred=y_pred, sample_weight=sample_weight
                )
            trainable_vars = self.trainable_variables
            gradients = tape.gradient(loss, trainable_vars)
            self.optimizer.apply(gradients, trainable_vars)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred, sample_weight=sample_weight)
            return {m.name: m.result() for m in self.metrics}

        def test_step(self, data):
            x, y = data
            y_pred = self(x, training=False)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            for metric in self.metrics:
                if metric.name != "loss":
                    metric.update_state(y, y_pred)
                else:
                    metric.update_state(loss)
            return {m.name: m.result() for m in self.metrics}

    model = regressor(keras, Plain)
    return trained(keras, model, loss="mse", weighted_metrics=["mae"])


def gan_parts(keras):
    """Return the two networks, and a base with the trackers and the compile()."""
    layers = keras.layers
    discriminator = keras.Sequential(
        [keras.Input((4,)), layers.Dense(6, activation="tanh"), layers.Dense(1)]
    )
    generator = keras.Sequential([keras.Input((LATENT,)), layers.Dense(4)])
    with_fixed_weights(keras, discriminator, generator)

    class Base(keras.Model):
        def __init__(self, discriminator, generator, latent_dim):
            super().__init__()
            self.discriminator = discriminator
            self.generator = generator
            self.latent_dim = latent_dim
            self.d_loss_tracker = keras.metrics.Mean(name="d_loss")
            self.g_loss_tracker = keras.metrics.Mean(name="g_loss")
            self.seed_generator = keras.random.SeedGenerator(1337)
            self.built = True

        @property
        def metrics(self):
            return [self.d_loss_tracker, self.g_loss_tracker]

        def compile(self, d_optimizer, g_optimizer, loss_fn):
            super().compile()
            self.d_optimizer = d_optimizer
            self.g_optimizer = g_optimizer
            self.loss_fn = loss_fn

        def noise(self, batch_size):
            """Numbers that are the same in both libraries, and as many draws."""
            draw = keras.random.normal(
                shape=(batch_size, self.latent_dim), seed=self.seed_generator
            )
            return 0.0 * draw + keras.ops.linspace(-1.0, 1.0, self.latent_dim)

    return Base, discriminator, generator


def gan_trained(keras, model):
    model.compile(
        d_optimizer=keras.optimizers.Adam(0.02),
        g_optimizer=keras.optimizers.Adam(0.01),
        loss_fn=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    history = model.fit(X, batch_size=8, epochs=3, shuffle=False, verbose=0).history
    return history, [w.tolist() for w in model.generator.get_weights()]


def torch_gan(keras):
    import torch

    base, *networks = gan_parts(keras)

    class Gan(base):
        def train_step(self, real_images):
            if isinstance(real_images, tuple | list):
                real_images = real_images[0]
            batch_size = real_images.shape[0]
            generated = self.generator(self.noise(batch_size))
            combined = torch.concat([generated, real_images.clone()], axis=0)
            labels = torch.concat(
                [torch.ones((batch_size, 1)), torch.zeros((batch_size, 1))], axis=0
            )

            self.zero_grad()
            d_loss = self.loss_fn(labels, self.discriminator(combined))
            d_loss.backward()
            grads = [v.value.grad for v in self.discriminator.trainable_weights]
            with torch.no_grad():
                self.d_optimizer.apply(grads, self.discriminator.trainable_weights)

            misleading = torch.zeros((batch_size, 1))
            self.zero_grad()
            generated = self.generator(self.noise(batch_size))
            g_loss = self.loss_fn(misleading, self.discriminator(generated))
            g_loss.backward()
            grads = [v.value.grad for v in self.generator.trainable_weights]
            with torch.no_grad():
                self.g_optimizer.apply(grads, self.generator.trainable_weights)

            self.d_loss_tracker.update_state(d_loss)
            self.g_loss_tracker.update_state(g_loss)
            return {
                "d_loss": self.d_loss_tracker.result(),
                "g_loss": self.g_loss_tracker.result(),
            }

    return gan_trained(keras, Gan(*networks, LATENT))


def tensorflow_gan(keras):
    import tensorflow as tf

    base, *networks = gan_parts(keras)

    class Gan(base):
        def train_step(self, real_images):
            if isinstance(real_images, tuple):
                real_images = real_images[0]
            batch_size = tf.shape(real_images)[0]
            generated = self.generator(self.noise(batch_size))
            combined = tf.concat([generated, real_images], axis=0)
            labels = tf.concat(
                [tf.ones((batch_size, 1)), tf.zeros((batch_size, 1))], axis=0
            )

            with tf.GradientTape() as tape:
                d_loss = self.loss_fn(labels, self.discriminator(combined))
            grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
            self.d_optimizer.apply(grads, self.discriminator.trainable_weights)

            misleading = tf.zeros((batch_size, 1))
            with tf.GradientTape() as tape:
                generated = self.generator(self.noise(batch_size))
                g_loss = self.loss_fn(misleading, self.discriminator(generated))
            grads = tape.gradient(g_loss, self.generator.trainable_weights)
            self.g_optimizer.apply(grads, self.generator.trainable_weights)

            self.d_loss_tracker.update_state(d_loss)
            self.g_loss_tracker.update_state(g_loss)
            return {
                "d_loss": self.d_loss_tracker.result(),
                "g_loss": self.g_loss_tracker.result(),
            }

    return gan_trained(keras, Gan(*networks, LATENT))


CASES = {
    "jax": [jax_plain, jax_lower, jax_wrapped, jax_dropout],
    "torch": [torch_plain, torch_gan],
    "tensorflow": [tensorflow_plain, tensorflow_gan],
}


def of_keras(keras, engine):
    return json.loads(json.dumps({f.__name__: f(keras) for f in CASES[engine]}))
