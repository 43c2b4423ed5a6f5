"""Adversarial networks: plain and conditional.

Each has two networks, two optimizers, a `compile` and a `train_step` of its own.
"""

import numpy as np
from catalogue import classes, program
from checks import array, assert_keys
from small_data import digits, ring_points

LATENT = 4


@classes
def gan_base(keras):
    """All of an adversarial network but its `train_step`."""

    class Base(keras.Model):
        def __init__(self, discriminator, generator, latent=LATENT):
            super().__init__()
            self.discriminator = discriminator
            self.generator = generator
            self.latent = latent
            self.seed_generator = keras.random.SeedGenerator(1337)
            self.d_loss_metric = keras.metrics.Mean(name="d_loss")
            self.g_loss_metric = keras.metrics.Mean(name="g_loss")

        def compile(self, d_optimizer, g_optimizer, loss_fn=None):
            super().compile()
            self.d_optimizer = d_optimizer
            self.g_optimizer = g_optimizer
            self.loss_fn = loss_fn

        @property
        def metrics(self):
            return [self.d_loss_metric, self.g_loss_metric]

        def noise(self, count):
            return keras.random.normal((count, self.latent), seed=self.seed_generator)

        def judged(self, real, fake):
            """The discriminator's loss: real points are 0, generated ones 1."""
            judged = self.discriminator(keras.ops.concatenate([fake, real]))
            count = keras.ops.shape(real)[0]
            ones, zeros = keras.ops.ones((count, 1)), keras.ops.zeros((count, 1))
            return self.loss_fn(keras.ops.concatenate([ones, zeros]), judged)

        def fooled(self, count):
            """The generator's loss: what it makes should be taken for real."""
            judged = self.discriminator(self.generator(self.noise(count)))
            return self.loss_fn(keras.ops.zeros((count, 1)), judged)

        def update(self, d_loss, g_loss):
            self.d_loss_metric.update_state(d_loss)
            self.g_loss_metric.update_state(g_loss)
            return {m.name: m.result() for m in self.metrics}

    return Base


@classes
def gan_once(keras):
    class Gan(gan_base(keras)):
        """The step written once for all engines."""

        def train_step(self, real):
            count = keras.ops.shape(real)[0]
            fake = self.generator(self.noise(count))
            weights = self.discriminator.trainable_weights
            d_loss, gradients = keras.value_and_grad(
                lambda: self.judged(real, fake), weights
            )
            self.d_optimizer.apply(gradients, weights)
            weights = self.generator.trainable_weights
            g_loss, gradients = keras.value_and_grad(
                lambda: self.fooled(count), weights
            )
            self.g_optimizer.apply(gradients, weights)
            return self.update(d_loss, g_loss)

    return Gan


@classes
def gan_tensorflow(keras):
    import tensorflow as tf

    class Gan(gan_base(keras)):
        def train_step(self, real):
            count = tf.shape(real)[0]
            fake = self.generator(self.noise(count))
            with tf.GradientTape() as tape:
                d_loss = self.judged(real, fake)
            weights = self.discriminator.trainable_weights
            gradients = tape.gradient(d_loss, weights)
            self.d_optimizer.apply_gradients(zip(gradients, weights, strict=True))
            with tf.GradientTape() as tape:
                g_loss = self.fooled(count)
            weights = self.generator.trainable_weights
            gradients = tape.gradient(g_loss, weights)
            self.g_optimizer.apply_gradients(zip(gradients, weights, strict=True))
            return self.update(d_loss, g_loss)

    return Gan


@classes
def gan_torch(keras):
    import torch

    class Gan(gan_base(keras)):
        def __init__(self, discriminator, generator):
            super().__init__(discriminator, generator)
            self.built = True  # it has no `call` from which to build it

        def train_step(self, real):
            count = real.shape[0]
            fake = self.generator(self.noise(count)).detach()
            self.zero_grad()
            d_loss = self.judged(real, fake)
            d_loss.backward()
            weights = self.discriminator.trainable_weights
            gradients = [v.value.grad for v in weights]
            with torch.no_grad():
                self.d_optimizer.apply(gradients, weights)
            self.zero_grad()
            g_loss = self.fooled(count)
            g_loss.backward()
            weights = self.generator.trainable_weights
            gradients = [v.value.grad for v in weights]
            with torch.no_grad():
                self.g_optimizer.apply(gradients, weights)
            return self.update(d_loss.detach(), g_loss.detach())

    return Gan


def networks(keras):
    discriminator = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(32),
            keras.layers.LeakyReLU(negative_slope=0.2),
            keras.layers.Dense(32),
            keras.layers.LeakyReLU(negative_slope=0.2),
            keras.layers.Dense(1),
        ],
        name="discriminator",
    )
    generator = keras.Sequential(
        [
            keras.Input((LATENT,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(2),
        ],
        name="generator",
    )
    return discriminator, generator


def cloud():
    """A cloud of points away from where a generator begins."""
    return (0.3 * ring_points() + [2, -1]).astype("float32")


def assert_in_the_cloud(keras, generator, before):
    """What is generated has moved to the cloud."""
    after = start(keras, generator)
    assert after.shape == (200, 2)
    distance = [np.linalg.norm(x - [2, -1], axis=1).mean() for x in (before, after)]
    assert distance[1] < 0.7 * distance[0], distance


def start(keras, generator):
    noise = np.random.default_rng(1).normal(size=(200, LATENT)).astype("float32")
    return generator.predict(noise, verbose=0)


def optimizers(keras, rate=0.004):
    return [keras.optimizers.Adam(rate, beta_1=0.5) for _ in range(2)]


def trained_gan(keras, Gan, epochs=25):
    discriminator, generator = networks(keras)
    before = start(keras, generator)
    gan = Gan(discriminator, generator)
    gan.compile(*optimizers(keras), keras.losses.BinaryCrossentropy(from_logits=True))
    history = gan.fit(cloud(), batch_size=64, epochs=epochs, verbose=0)
    assert_keys(history, "d_loss", "g_loss")
    assert len(history.history["d_loss"]) == epochs
    for optimizer in (gan.d_optimizer, gan.g_optimizer):
        assert int(array(keras, optimizer.iterations)) == 4 * epochs
    assert_in_the_cloud(keras, generator, before)


@program(engines=("torch", "tensorflow"))
def gan(keras):
    """`train_step` in the form that Keras has for the engine."""
    forms = {"torch": gan_torch, "tensorflow": gan_tensorflow}
    trained_gan(keras, forms[keras.backend.backend()](keras))


@program(beside="gan_by_hand")
def gan_written_once(keras):
    """`train_step` with `keras.value_and_grad`, the same on every engine."""
    trained_gan(keras, gan_once(keras))


def by_hand(keras, networks, losses, points, epochs):
    """Train two networks by their losses in turn with a jitted step of JAX.

    `losses` are two functions of (d_values, g_values, points, key).
    """
    import jax

    pair = optimizers(keras)
    for network, optimizer in zip(networks, pair, strict=True):
        optimizer.build(network.trainable_variables)

    @jax.jit
    def step(state, points, key):
        (d_values, g_values), (d_state, g_state) = state
        keys = jax.random.split(key)
        d_loss, gradients = jax.value_and_grad(losses[0])(
            d_values, g_values, points, keys[0]
        )
        d_values, d_state = pair[0].stateless_apply(d_state, gradients, d_values)
        g_loss, gradients = jax.value_and_grad(losses[1])(
            g_values, d_values, points, keys[1]
        )
        g_values, g_state = pair[1].stateless_apply(g_state, gradients, g_values)
        return ((d_values, g_values), (d_state, g_state)), d_loss, g_loss

    state = tuple(
        tuple([v.value for v in variables] for variables in group)
        for group in (
            [network.trainable_variables for network in networks],
            [optimizer.variables for optimizer in pair],
        )
    )
    key = jax.random.PRNGKey(0)
    for _ in range(epochs):
        for batch in np.split(points, 4):
            key, draw = jax.random.split(key)
            state, d_loss, g_loss = step(state, batch, draw)
    assert np.isfinite([float(d_loss), float(g_loss)]).all()
    for network, values in zip(networks, state[0], strict=True):
        for variable, value in zip(network.trainable_variables, values, strict=True):
            variable.assign(value)


@program(engines=("jax",))
def gan_by_hand(keras):
    """A loop by hand on JAX: two networks, two optimizers, stateless calls."""
    import jax
    from jax import numpy as jnp

    discriminator, generator = networks(keras)
    before = start(keras, generator)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    def made(values, key, count=64):
        noise = jax.random.normal(key, (count, LATENT))
        return generator.stateless_call(values, [], noise)[0]

    def judged(values, points):
        return discriminator.stateless_call(values, [], points)[0]

    def d_loss(d_values, g_values, points, key):
        answers = judged(d_values, jnp.concatenate([made(g_values, key), points]))
        labels = jnp.concatenate([jnp.ones((64, 1)), jnp.zeros((64, 1))])
        return cross_entropy(labels, answers)

    def g_loss(g_values, d_values, points, key):
        answers = judged(d_values, made(g_values, key))
        return cross_entropy(jnp.zeros((64, 1)), answers)

    by_hand(keras, (discriminator, generator), (d_loss, g_loss), cloud(), 25)
    assert_in_the_cloud(keras, generator, before)


@classes
def conditional_gan(keras):
    ops = keras.ops

    class ConditionalGan(gan_base(keras)):
        """The class goes in beside the noise, and beside the image as channels."""

        def seen(self, images, one_hot):
            rows, columns = images.shape[1:3]
            planes = ops.repeat(ops.repeat(one_hot[:, None, None], rows, 1), columns, 2)
            return ops.concatenate([images, planes], -1)

        def made(self, one_hot):
            noise = self.noise(ops.shape(one_hot)[0])
            return self.generator(ops.concatenate([noise, one_hot], axis=1))

        def train_step(self, data):
            images, one_hot = data
            fake = self.seen(self.made(one_hot), one_hot)
            real = self.seen(images, one_hot)
            weights = self.discriminator.trainable_weights
            d_loss, gradients = keras.value_and_grad(
                lambda: self.judged(real, fake), weights
            )
            self.d_optimizer.apply(gradients, weights)

            def fooled():
                judged = self.discriminator(self.seen(self.made(one_hot), one_hot))
                return self.loss_fn(ops.zeros_like(judged), judged)

            weights = self.generator.trainable_weights
            g_loss, gradients = keras.value_and_grad(fooled, weights)
            self.g_optimizer.apply(gradients, weights)
            return self.update(d_loss, g_loss)

    return ConditionalGan


@program(beside="", slow=True)
def conditional_dcgan(keras):
    """Convolutional networks that make the digit that they are asked for."""
    (x, y), _ = digits()
    few = y < 2
    x, one_hot = x[few], keras.utils.to_categorical(y[few], 2).astype("float32")
    layers = keras.layers
    discriminator = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(16, 3, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(32, 3, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.GlobalMaxPooling2D(),
            layers.Dense(1),
        ]
    )
    generator = keras.Sequential(
        [
            keras.Input((LATENT + 2,)),
            layers.Dense(2 * 2 * 32),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Reshape((2, 2, 32)),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2DTranspose(16, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )
    model = conditional_gan(keras)(discriminator, generator)
    averaged = keras.optimizers.Adam(0.002, beta_1=0.5, use_ema=True, ema_momentum=0.98)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.002, beta_1=0.5), averaged, loss)
    history = model.fit(x, one_hot, batch_size=32, epochs=20, verbose=0)
    assert_keys(history, "d_loss", "g_loss")
    averaged.finalize_variable_values(generator.trainable_variables)
    noise = np.random.default_rng(0).normal(size=(40, LATENT))
    asked = np.repeat(np.eye(2), 20, axis=0)
    images = generator.predict(np.concatenate([noise, asked], 1), verbose=0)
    means = [x[one_hot[:, k] == 1].mean(axis=0) for k in (0, 1)]
    nearest = np.argmin(
        [np.sum((images - mean) ** 2, axis=(1, 2, 3)) for mean in means], axis=0
    )
    assert np.mean(nearest == asked.argmax(axis=1)) > 0.9
