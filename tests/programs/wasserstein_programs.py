"""Wasserstein networks with a penalty of the gradient: a gradient in a gradient."""

from catalogue import classes, program
from checks import assert_keys
from gan_programs import (
    LATENT,
    assert_in_the_cloud,
    by_hand,
    cloud,
    gan_base,
    networks,
    start,
)


def averaging(keras, beta_1):
    """A generator's optimizer that averages weights.

    Two networks against each other circle around a balance, on which side of it they
    stop is rounding: the average of the weights stays near it.
    """
    return keras.optimizers.Adam(0.002, beta_1, use_ema=True, ema_momentum=0.98)


@program(engines=("jax",))
def wgan_by_hand(keras):
    """Wasserstein's loss and the penalty of the gradient, a gradient in a gradient."""
    import jax
    from jax import numpy as jnp

    critic, generator = networks(keras)
    before = start(keras, generator)

    def made(values, key, count=64):
        noise = jax.random.normal(key, (count, LATENT))
        return generator.stateless_call(values, [], noise)[0]

    def score(values, points):
        return critic.stateless_call(values, [], points)[0]

    def critic_loss(d_values, g_values, points, key):
        fake = made(g_values, key)
        share = jax.random.uniform(key, (64, 1))
        between = points + share * (fake - points)
        slopes = jax.grad(lambda x: jnp.sum(score(d_values, x)))(between)
        norms = jnp.sqrt(jnp.sum(slopes**2, axis=1) + 1e-12)
        wasserstein = jnp.mean(score(d_values, fake)) - jnp.mean(
            score(d_values, points)
        )
        return wasserstein + 10 * jnp.mean((norms - 1) ** 2)

    def generator_loss(g_values, d_values, points, key):
        return -jnp.mean(score(d_values, made(g_values, key)))

    losses = (critic_loss, generator_loss)
    by_hand(keras, (critic, generator), losses, cloud(), 160)
    assert_in_the_cloud(keras, generator, before)


@classes
def wgan_torch(keras):
    import torch

    class Wgan(gan_base(keras)):
        def __init__(self, discriminator, generator):
            super().__init__(discriminator, generator)
            self.built = True  # it has no `call` from which to build it

        def penalty(self, real, fake):
            share = torch.rand((real.shape[0], 1))
            between = (real + share * (fake - real)).requires_grad_(True)
            score = self.discriminator(between)
            (slopes,) = torch.autograd.grad(score.sum(), between, create_graph=True)
            return torch.mean((torch.linalg.norm(slopes, dim=1) - 1) ** 2)

        def train_step(self, real):
            count = real.shape[0]
            weights = self.discriminator.trainable_weights
            for _ in range(2):
                fake = self.generator(self.noise(count)).detach()
                self.zero_grad()
                d_loss = self.discriminator(fake).mean()
                d_loss = d_loss - self.discriminator(real).mean()
                d_loss = d_loss + 10 * self.penalty(real, fake)
                d_loss.backward()
                gradients = [v.value.grad for v in weights]
                # The last bias moves no gradient of the penalty, only the means.
                with torch.no_grad():
                    self.d_optimizer.apply(gradients, weights)
            self.zero_grad()
            g_loss = -self.discriminator(self.generator(self.noise(count))).mean()
            g_loss.backward()
            weights = self.generator.trainable_weights
            with torch.no_grad():
                self.g_optimizer.apply([v.value.grad for v in weights], weights)
            return self.update(d_loss.detach(), g_loss.detach())

    return Wgan


@classes
def wgan_tensorflow(keras):
    import tensorflow as tf

    class Wgan(gan_base(keras)):
        def penalty(self, real, fake):
            share = tf.random.uniform((tf.shape(real)[0], 1))
            between = real + share * (fake - real)
            with tf.GradientTape() as tape:
                tape.watch(between)
                score = self.discriminator(between, training=True)
            slopes = tape.gradient(score, between)
            norms = tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=1) + 1e-12)
            return tf.reduce_mean((norms - 1.0) ** 2)

        def train_step(self, real):
            if isinstance(real, tuple):
                real = real[0]
            count = tf.shape(real)[0]
            weights = self.discriminator.trainable_variables
            for _ in range(2):
                noise = self.noise(count)
                with tf.GradientTape() as tape:
                    fake = self.generator(noise, training=True)
                    d_loss = tf.reduce_mean(self.discriminator(fake, training=True))
                    d_loss -= tf.reduce_mean(self.discriminator(real, training=True))
                    d_loss += 10.0 * self.penalty(real, fake)
                gradients = tape.gradient(d_loss, weights)
                self.d_optimizer.apply_gradients(zip(gradients, weights, strict=True))
            noise = self.noise(count)
            weights = self.generator.trainable_variables
            with tf.GradientTape() as tape:
                fake = self.generator(noise, training=True)
                g_loss = -tf.reduce_mean(self.discriminator(fake, training=True))
            gradients = tape.gradient(g_loss, weights)
            self.g_optimizer.apply_gradients(zip(gradients, weights, strict=True))
            return self.update(d_loss, g_loss)

    return Wgan


@program(engines=("torch", "tensorflow"))
def wgan_gradient_penalty(keras):
    """Two steps of the critic for one of the generator; a gradient in a gradient."""
    forms = {"torch": wgan_torch, "tensorflow": wgan_tensorflow}
    critic, generator = networks(keras)
    before = start(keras, generator)
    model = forms[keras.backend.backend()](keras)(critic, generator)
    averaged = averaging(keras, beta_1=0)
    model.compile(keras.optimizers.Adam(0.01, beta_1=0), averaged)
    history = model.fit(cloud(), batch_size=64, epochs=40, verbose=0)
    assert_keys(history, "d_loss", "g_loss")
    averaged.finalize_variable_values(generator.trainable_variables)
    assert_in_the_cloud(keras, generator, before)
