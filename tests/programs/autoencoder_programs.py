"""Autoencoders: dense, denoising, variational in each engine's form and in one."""

import numpy as np
from catalogue import classes, program
from checks import assert_keys, assert_saved_alike
from small_data import digits


@program
def autoencoder_dense(keras):
    """An encoder and a decoder that share their layers with the whole."""
    (x, _), (x_test, _) = digits()
    x, x_test = x.reshape(-1, 64), x_test.reshape(-1, 64)
    inputs = keras.Input(shape=(64,))
    sparse = keras.regularizers.L1(1e-5)
    encoded = keras.layers.Dense(12, "relu", activity_regularizer=sparse)(inputs)
    decoded = keras.layers.Dense(64, activation="sigmoid")(encoded)
    autoencoder = keras.Model(inputs, decoded)
    encoder = keras.Model(inputs, encoded)
    codes = keras.Input(shape=(12,))
    decoder = keras.Model(codes, autoencoder.layers[-1](codes))
    autoencoder.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
    history = autoencoder.fit(
        x, x, epochs=10, batch_size=64, verbose=0, validation_data=(x_test, x_test)
    )
    assert_keys(history, "loss", "val_loss")
    rebuilt = decoder.predict(encoder.predict(x_test, verbose=0), verbose=0)
    whole = autoencoder.predict(x_test, verbose=0)
    np.testing.assert_allclose(rebuilt, whole, 1e-4, 1e-5)
    assert np.mean((whole - x_test) ** 2) < 0.5 * np.mean((x.mean(0) - x_test) ** 2)


@program(slow=("jax",))
def autoencoder_denoising(keras):
    """Convolutions and transposed ones take noise off images."""
    (x, _), (x_test, _) = digits()
    random = np.random.default_rng(0)

    def noisy(images):
        noise = random.normal(0, 0.4, images.shape)
        return np.clip(images + noise, 0, 1).astype("float32")

    layers = keras.layers
    inputs = layers.Input(shape=(8, 8, 1))
    hidden = layers.Conv2D(16, (3, 3), activation="relu", padding="same")(inputs)
    hidden = layers.MaxPooling2D((2, 2), padding="same")(hidden)
    hidden = layers.Conv2D(16, (3, 3), activation="relu", padding="same")(hidden)
    hidden = layers.Conv2DTranspose(
        16, (3, 3), strides=2, activation="relu", padding="same"
    )(hidden)
    outputs = layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(optimizer=keras.optimizers.Adam(0.005), loss="binary_crossentropy")
    model.fit(noisy(x), x, epochs=4, batch_size=64, verbose=0)
    spoilt = noisy(x_test)
    cleaned = model.predict(spoilt, verbose=0)
    assert cleaned.shape == x_test.shape
    assert np.mean((cleaned - x_test) ** 2) < 0.6 * np.mean((spoilt - x_test) ** 2)


@classes
def sampling_class(keras):
    class Sampling(keras.layers.Layer):
        """A draw from a normal distribution by its mean and the log of its variance."""

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seed_generator = keras.random.SeedGenerator(1337)

        def call(self, inputs):
            mean, log_variance = inputs
            shape = keras.ops.shape(mean)
            epsilon = keras.random.normal(shape, seed=self.seed_generator)
            return mean + keras.ops.exp(0.5 * log_variance) * epsilon

    return Sampling


def encoder_and_decoder(keras):
    layers = keras.layers
    inputs = keras.Input(shape=(8, 8, 1))
    hidden = layers.Conv2D(16, 3, activation="relu", strides=2, padding="same")(inputs)
    hidden = layers.Dense(32, activation="relu")(layers.Flatten()(hidden))
    mean = layers.Dense(2, name="z_mean")(hidden)
    log_variance = layers.Dense(2, name="z_log_var")(hidden)
    z = sampling_class(keras)()([mean, log_variance])
    encoder = keras.Model(inputs, [mean, log_variance, z], name="encoder")

    codes = keras.Input(shape=(2,))
    hidden = layers.Dense(4 * 4 * 16, activation="relu")(codes)
    hidden = layers.Reshape((4, 4, 16))(hidden)
    hidden = layers.Conv2DTranspose(
        16, 3, activation="relu", strides=2, padding="same"
    )(hidden)
    outputs = layers.Conv2DTranspose(1, 3, activation="sigmoid", padding="same")(hidden)
    return encoder, keras.Model(codes, outputs, name="decoder")


@classes
def vae_base(keras):
    """A variational autoencoder but for its `train_step`; it has no `call`."""
    ops = keras.ops

    class Base(keras.Model):
        def __init__(self, encoder, decoder, **kwargs):
            super().__init__(**kwargs)
            self.encoder = encoder
            self.decoder = decoder
            self.total_loss_tracker = keras.metrics.Mean(name="total_loss")
            self.rebuilt_loss_tracker = keras.metrics.Mean(name="rebuilt_loss")
            self.kl_loss_tracker = keras.metrics.Mean(name="kl_loss")

        @property
        def metrics(self):
            return [
                self.total_loss_tracker,
                self.rebuilt_loss_tracker,
                self.kl_loss_tracker,
            ]

        def losses_of(self, images, mean, log_variance, rebuilt):
            error = keras.losses.binary_crossentropy(images, rebuilt)
            error = ops.mean(ops.sum(error, axis=(1, 2)))
            kl = 1 + log_variance - ops.square(mean) - ops.exp(log_variance)
            kl = ops.mean(ops.sum(-0.5 * kl, axis=1))
            return error + kl, error, kl

        def update(self, *losses):
            for tracker, loss in zip(self.metrics, losses, strict=True):
                tracker.update_state(loss)
            return {m.name: m.result() for m in self.metrics}

    return Base


@classes
def vae_once(keras):
    class Vae(vae_base(keras)):
        """The step written once for all engines."""

        def train_step(self, data):
            def losses():
                mean, log_variance, z = self.encoder(data)
                rebuilt = self.decoder(z)
                total, *parts = self.losses_of(data, mean, log_variance, rebuilt)
                return total, parts

            weights = self.trainable_weights
            (total, parts), gradients = keras.value_and_grad(
                losses, weights, has_aux=True
            )
            self.optimizer.apply(gradients, weights)
            return self.update(total, *parts)

    return Vae


@classes
def vae_tensorflow(keras):
    import tensorflow as tf

    class Vae(vae_base(keras)):
        def train_step(self, data):
            with tf.GradientTape() as tape:
                mean, log_variance, z = self.encoder(data)
                losses = self.losses_of(data, mean, log_variance, self.decoder(z))
            gradients = tape.gradient(losses[0], self.trainable_weights)
            self.optimizer.apply_gradients(
                zip(gradients, self.trainable_weights, strict=True)
            )
            return self.update(*losses)

    return Vae


@classes
def vae_torch(keras):
    import torch

    class Vae(vae_base(keras)):
        def __init__(self, encoder, decoder):
            super().__init__(encoder, decoder)
            self.built = True  # it has no `call` from which to build it

        def train_step(self, data):
            self.zero_grad()
            mean, log_variance, z = self.encoder(data)
            losses = self.losses_of(data, mean, log_variance, self.decoder(z))
            losses[0].backward()
            weights = list(self.trainable_weights)
            gradients = [v.value.grad for v in weights]
            with torch.no_grad():
                self.optimizer.apply(gradients, weights)
            return self.update(*(loss.detach() for loss in losses))

    return Vae


@classes
def vae_jax(keras):
    import jax

    class Vae(vae_base(keras)):
        """With the state handed in and out."""

        def __init__(self, encoder, decoder):
            super().__init__(encoder, decoder)
            self.built = True  # it has no `call` from which to build it

        def losses_and_state(self, trainable, non_trainable, data):
            split, split_state = (
                len(self.encoder.trainable_variables),
                len(self.encoder.non_trainable_variables),
            )
            (mean, log_variance, z), encoder_state = self.encoder.stateless_call(
                trainable[:split], non_trainable[:split_state], data, training=True
            )
            decoder_state = non_trainable[
                split_state : split_state + len(self.decoder.non_trainable_variables)
            ]
            rebuilt, decoder_state = self.decoder.stateless_call(
                trainable[split:], decoder_state, z, training=True
            )
            losses = self.losses_of(data, mean, log_variance, rebuilt)
            done = split_state + len(decoder_state)
            state = [*encoder_state, *decoder_state, *non_trainable[done:]]
            return losses[0], (losses, state)

        def train_step(self, state, data):
            trainable, non_trainable, optimizer_variables, metrics_variables = state
            gradient = jax.value_and_grad(self.losses_and_state, has_aux=True)
            (_, (losses, non_trainable)), grads = gradient(
                trainable, non_trainable, data
            )
            trainable, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, grads, trainable
            )
            logs, updated = {}, []
            for metric, loss in zip(self.metrics, losses, strict=True):
                count = len(metric.variables)
                values = metrics_variables[len(updated) : len(updated) + count]
                values = metric.stateless_update_state(values, loss)
                logs[metric.name] = metric.stateless_result(values)
                updated += values
            return logs, (trainable, non_trainable, optimizer_variables, updated)

    return Vae


def trained_vae(keras, Vae):
    (x, y), _ = digits()
    vae = Vae(*encoder_and_decoder(keras))
    vae.compile(optimizer=keras.optimizers.Adam(0.003))
    before = vae.encoder.get_weights()
    history = vae.fit(x, epochs=6, batch_size=64, verbose=0)
    assert_keys(history, "total_loss", "rebuilt_loss", "kl_loss")
    logs = {name: np.array(values) for name, values in history.history.items()}
    assert logs["total_loss"][-1] < 0.75 * logs["total_loss"][0], logs
    parts = logs["rebuilt_loss"] + logs["kl_loss"]
    np.testing.assert_allclose(logs["total_loss"], parts, 1e-3)
    changed = zip(before, vae.encoder.get_weights(), strict=True)
    assert all(np.any(old != new) for old, new in changed)
    mean, _, z = vae.encoder.predict(x[:200], verbose=0)
    assert mean.shape == z.shape == (200, 2) and np.any(mean != z)
    images = vae.decoder.predict(np.float32([[0, 0], [1, -1]]), verbose=0)
    assert images.shape == (2, 8, 8, 1) and images.min() >= 0 and images.max() <= 1


@program(slow=("jax", "tensorflow"))
def vae(keras):
    """`train_step` in the form that Keras has for the engine."""
    forms = {"jax": vae_jax, "torch": vae_torch, "tensorflow": vae_tensorflow}
    trained_vae(keras, forms[keras.backend.backend()](keras))


@program(beside="vae", slow=("jax", "tensorflow"))
def vae_written_once(keras):
    """`train_step` with `keras.value_and_grad`, the same on every engine."""
    trained_vae(keras, vae_once(keras))


@program(slow=("tensorflow",))
def vae_with_add_loss(keras):
    """The divergence is added as a loss by a layer on the way."""
    (x, _), _ = digits()
    flat = x.reshape(-1, 64)
    layers = keras.layers
    Sampling, Divergence = sampling_class(keras), divergence_class(keras)
    inputs = keras.Input((64,))
    hidden = layers.Dense(32, activation="relu")(inputs)
    mean, log_variance = layers.Dense(2)(hidden), layers.Dense(2)(hidden)
    z = Sampling()(Divergence(0.01)([mean, log_variance]))
    hidden = layers.Dense(32, activation="relu")(z)
    model = keras.Model(inputs, layers.Dense(64, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.01), loss="mse")
    history = model.fit(flat, flat, epochs=4, batch_size=64, verbose=0)
    losses = history.history["loss"]
    assert losses[-1] < 0.8 * losses[0], losses
    names = {"Sampling": Sampling, "Divergence": Divergence}
    encoder = keras.Model(inputs, mean)
    assert_saved_alike(keras, encoder, flat[:9], custom_objects=names)
    found = model.evaluate(flat, flat, verbose=0, batch_size=1437)
    error = np.mean((model.predict(flat, verbose=0, batch_size=1437) - flat) ** 2)
    assert found > error


@classes
def divergence_class(keras):
    class Divergence(keras.layers.Layer):
        """Hand mean and log of variance on, and add their distance from N(0, 1)."""

        def __init__(self, weight, **kwargs):
            super().__init__(**kwargs)
            self.weight = weight

        def call(self, inputs):
            mean, log_variance = inputs
            kl = 1 + log_variance - mean**2 - keras.ops.exp(log_variance)
            self.add_loss(-0.5 * self.weight * keras.ops.mean(kl))
            return inputs

        def get_config(self):
            return {**super().get_config(), "weight": self.weight}

    return Divergence
