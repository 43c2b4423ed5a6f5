"""Models with steps of their own and no `call`, the form of most VAEs and GANs."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

# In one process: the tests share programs.
pytestmark = pytest.mark.xdist_group("steps without call")

X = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
UNITS = (3, 4)


def networks(inputs):
    """Two networks; without Inputs they are built when they are first called."""
    sizes = (4, 3) if inputs else (None, None)
    return [
        keras.Sequential(
            ([keras.Input((size,))] if size else [])
            + [keras.layers.Dense(units, kernel_initializer="ones")]
        )
        for size, units in zip(sizes, UNITS, strict=True)
    ]


class AutoEncoder(keras.Model):
    """The step is written once for all engines."""

    def __init__(self, inputs=True):
        super().__init__()
        self.encoder, self.decoder = networks(inputs)
        self.mean = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.mean]

    def loss_of(self, x):
        return keras.ops.mean((self.decoder(self.encoder(x)) - x) ** 2)

    def train_step(self, x):
        loss, gradients = keras.value_and_grad(
            lambda: self.loss_of(x), self.trainable_variables
        )
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.tracked(loss)

    def tracked(self, loss):
        self.mean.update_state(loss)
        return {"loss": self.mean.result()}

    def test_step(self, x):
        return self.tracked(self.loss_of(x))

    def predict_step(self, x):
        return self.encoder(x)


class OnTensorFlow(AutoEncoder):
    """The step of Keras's guides for TensorFlow."""

    engine = "tensorflow"

    def train_step(self, x):
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = self.loss_of(x)
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(
            zip(gradients, self.trainable_weights, strict=True)
        )
        return self.tracked(loss)


class OnTorch(AutoEncoder):
    """The step of Keras's guides for PyTorch."""

    engine = "torch"

    def train_step(self, x):
        import torch

        self.zero_grad()
        loss = self.loss_of(x)
        loss.backward()
        weights = list(self.trainable_weights)
        with torch.no_grad():
            self.optimizer.apply([w.value.grad for w in weights], weights)
        return self.tracked(loss)


class OnJax(AutoEncoder):
    """The step of Keras's guides for JAX: it takes the state and returns it."""

    engine = "jax"

    def train_step(self, state, x):
        import jax

        trainable, others, slots, metrics = state
        split = len(self.encoder.trainable_variables)

        def loss_of(trainable):
            code, _ = self.encoder.stateless_call(trainable[:split], [], x)
            found, _ = self.decoder.stateless_call(trainable[split:], [], code)
            return keras.ops.mean((found - x) ** 2)

        loss, gradients = jax.value_and_grad(loss_of)(trainable)
        trainable, slots = self.optimizer.stateless_apply(slots, gradients, trainable)
        metrics = self.mean.stateless_update_state(metrics, loss)
        logs = {"loss": self.mean.stateless_result(metrics)}
        return logs, (trainable, others, slots, metrics)


@pytest.fixture(scope="module")
def trained():
    """The same network, trained by the step of the library."""
    with backends.scope("torch"):
        model = keras.Sequential(networks(inputs=True))
        model.compile(keras.optimizers.SGD(0.01, momentum=0.5), "mse")
        history = model.fit(X, X, **HOW).history
        return model.get_weights(), history["loss"]


HOW = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}


def check(model, trained):
    model.compile(keras.optimizers.SGD(0.01, momentum=0.5))
    history = model.fit(X, **HOW).history
    weights, losses = trained
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-5)
    for one, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("inputs", [True, False])
def test_a_model_without_call_is_trained(training_engine, inputs, trained):
    check(AutoEncoder(inputs), trained)


@pytest.mark.parametrize(
    ("cls", "inputs"),
    [(OnTensorFlow, True), (OnTensorFlow, False), (OnTorch, False), (OnJax, True)],
)
def test_in_the_form_for_one_engine(cls, inputs, trained):
    pytest.importorskip(cls.engine)
    with backends.scope(cls.engine):
        check(cls(inputs), trained)


def test_its_other_steps_run_first(engine):
    model = AutoEncoder(inputs=False)
    model.compile()
    code = model.predict(X, verbose=0)
    kernel, bias = model.encoder.get_weights()
    np.testing.assert_allclose(code, X @ kernel + bias, rtol=1e-5, atol=1e-6)
    loss = model.evaluate(X, batch_size=8, verbose=0)
    kernel, bias = model.decoder.get_weights()
    np.testing.assert_allclose(loss, ((code @ kernel + bias - X) ** 2).mean(), 1e-5)


def test_a_step_builds_what_call_leaves_out(training_engine):
    """And the losses and metrics of compile(), where the step alone uses them."""

    class Critic(keras.Model):
        def __init__(self):
            super().__init__()
            self.body, self.head = keras.layers.Dense(2), keras.layers.Dense(1)

        def call(self, x):
            return self.body(x)

        def train_step(self, data):
            x, y = data
            loss, gradients = keras.value_and_grad(
                lambda: self.compute_loss(y=y, y_pred=self.head(self(x))),
                self.trainable_variables,
            )
            self.optimizer.apply(gradients, self.trainable_variables)
            return self.compute_metrics(x, y, self.head(self(x))) | {"loss": loss}

    model = Critic()
    model.compile(keras.optimizers.SGD(0.05), "mse", metrics=["mae"])
    logs = model.fit(X, X[:, :1], batch_size=24, epochs=3, verbose=0).history
    assert logs["loss"][-1] < logs["loss"][0]
    assert logs["mae"][-1] < logs["mae"][0]
    assert [v.shape for v in model.weights] == [(4, 2), (2,), (2, 1), (1,)]


def test_weights_go_to_a_file_and_back(python_only, tmp_path):
    path = tmp_path / "model.weights.h5"
    model = AutoEncoder()
    model.decoder.layers[0].set_weights([np.arange(12.0).reshape(3, 4), np.ones(4)])
    model.save_weights(path)
    other = AutoEncoder()
    other.load_weights(path)
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    model.build()
    assert model.count_params() == 15 + 16
    with pytest.raises(ValueError, match="not yet been built"):
        AutoEncoder(inputs=False).save_weights(path)


def test_nothing_to_run_says_what_to_write():
    class Empty(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = keras.layers.Dense(1)

    with backends.scope("torch"):
        model = Empty()
        model.compile(loss="mse")
        with pytest.raises(
            NotImplementedError, match=r"neither a `call\(\)` nor a `tr"
        ):
            model.fit(X, X, verbose=0)
        with pytest.raises(NotImplementedError, match=r"`call\(\)`.*\['dense'\]"):
            model.build((None, 4))
