"""Steps of users: one written once for all engines, and those for one engine."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

# In one process: the tests share programs.
pytestmark = pytest.mark.xdist_group("custom steps")

X = np.random.default_rng(0).normal(2.0, 0.5, (60, 2)).astype("float32")
Y = X.sum(axis=1, keepdims=True)
LATENT = 3


class Gan(keras.Model):
    """Keras's example of a GAN, with its step written once for all engines."""

    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.d_loss_tracker = keras.metrics.Mean(name="d_loss")
        self.g_loss_tracker = keras.metrics.Mean(name="g_loss")
        self.seed_generator = keras.random.SeedGenerator(1337)
        self.built = True

    @property
    def metrics(self):
        return [self.d_loss_tracker, self.g_loss_tracker]

    def compile(self, d_optimizer, g_optimizer, loss_fn, **options):
        super().compile(**options)
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss_fn

    def train_step(self, real):
        rows = real.shape[0]

        def noise():
            return keras.random.normal((rows, LATENT), seed=self.seed_generator)

        def improve(optimizer, network, loss):
            weights = network.trainable_variables
            value, gradients = keras.value_and_grad(loss, weights)
            optimizer.apply(gradients, weights)
            return value

        ones, zeros = keras.ops.ones((rows, 1)), keras.ops.zeros((rows, 1))
        both = keras.ops.concatenate([self.generator(noise()), real])
        labels = keras.ops.concatenate([ones, zeros])
        labels += 0.05 * keras.random.uniform(labels.shape, seed=self.seed_generator)
        d_loss = improve(
            self.d_optimizer,
            self.discriminator,
            lambda: self.loss_fn(labels, self.discriminator(both)),
        )
        drawn = noise()
        g_loss = improve(
            self.g_optimizer,
            self.generator,
            lambda: self.loss_fn(zeros, self.discriminator(self.generator(drawn))),
        )
        self.d_loss_tracker.update_state(d_loss)
        self.g_loss_tracker.update_state(g_loss)
        return {
            "d_loss": self.d_loss_tracker.result(),
            "g_loss": self.g_loss_tracker.result(),
        }


def gan(**options):
    keras.utils.set_random_seed(1)
    discriminator = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(1),
        ]
    )
    generator = keras.Sequential(
        [
            keras.Input((LATENT,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(2),
        ]
    )
    model = Gan(discriminator, generator)
    model.compile(
        d_optimizer=keras.optimizers.Adam(0.01),
        g_optimizer=keras.optimizers.SGD(0.002, momentum=0.5),
        loss_fn=keras.losses.BinaryCrossentropy(from_logits=True),
        **options,
    )
    return model


def train(model):
    return model.fit(X, batch_size=16, epochs=8, shuffle=False, verbose=0).history


@pytest.fixture(scope="module")
def eagerly():
    """What the step gives on PyTorch, one operation at a time."""
    with backends.scope("torch"):
        return train(gan(run_eagerly=True))


def test_a_gan_is_trained_alike_on_every_engine(training_engine, eagerly):
    model = gan()
    found = train(model)
    assert set(found) == {"d_loss", "g_loss"}
    losses = np.array(found["d_loss"])
    assert (np.diff(losses) < 0).all() and losses[-1] < 0.7 * losses[0]
    for name in found:
        np.testing.assert_allclose(found[name], eagerly[name], rtol=1e-4)
    # Each optimizer changed the weights of its own network, and not the other's.
    assert int(model.d_optimizer.iterations.numpy()) == 8 * 4
    slots = {v.shape for v in model.g_optimizer.variables}
    assert (LATENT, 8) in slots and (2, 16) not in slots

    # The rate is an input of the program, if there is one.
    programs = model._bindings["train"].cache
    compiled = programs.compilations
    model.d_optimizer.learning_rate = 0.0
    before = model.discriminator.get_weights()
    train(model)
    assert programs.compilations == compiled
    for old, new in zip(before, model.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_further_optimizers_move_and_are_saved_with_the_model(tmp_path):
    with backends.scope("torch"):
        model = gan()
        model.fit(X, batch_size=16, verbose=0)
        state = [v.numpy() for v in model.d_optimizer.variables]
        model.save_weights(tmp_path / "gan.weights.h5")
        model.fit(X, batch_size=16, verbose=0)
    model.to_backend("numpy")
    assert {v.backend.name for v in model.d_optimizer.variables} == {"numpy"}
    model.load_weights(tmp_path / "gan.weights.h5")
    for old, variable in zip(state, model.d_optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())


class OnState(keras.Sequential):
    """A step that halves all weights, in the form that takes the state."""

    def train_step(self, state, data):
        trainable, others, optimizer_variables, metrics_variables = state
        trainable = [value / 2 for value in trainable]
        return {"rows": len(data[0])}, (
            trainable,
            others,
            optimizer_variables,
            metrics_variables,
        )


def small(cls):
    model = cls([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("way", ["fit", "generator", "train_on_batch", "eager"])
def test_what_a_step_on_the_state_returns_is_assigned(way):
    with backends.scope("jax"):
        model = small(OnState)
        model.run_eagerly = way == "eager"
        kernel = model.get_weights()[0]
        if way == "train_on_batch":
            for rows in (16, 16, 16, 12):
                logs = model.train_on_batch(X[:rows], Y[:rows], return_dict=True)
            assert logs == {"rows": 12}
        else:
            data = (X, Y)
            if way == "generator":
                data = (((X[i : i + 16], Y[i : i + 16]) for i in range(0, 60, 16)),)
            options = {} if way == "generator" else {"batch_size": 16}
            logs = model.fit(*data, verbose=0, shuffle=False, **options).history
            assert logs == {"rows": [12]}
        np.testing.assert_allclose(model.get_weights()[0], kernel / 16, rtol=1e-6)


class ForAll(keras.Sequential):
    """Keras's form for several engines: a step for each."""

    def train_step(self, *args, **kwargs):
        return getattr(self, f"_{keras.backend.backend()}_step")(*args, **kwargs)

    def _jax_step(self, state, data):
        import jax

        trainable, others, optimizer_variables, metrics_variables = state
        x, y = data

        def loss_fn(trainable, others):
            y_pred, others = self.stateless_call(trainable, others, x, training=True)
            return self.compute_loss(x, y, y_pred), others

        gradient = jax.value_and_grad(loss_fn, has_aux=True)
        (loss, others), gradients = gradient(trainable, others)
        trainable, optimizer_variables = self.optimizer.stateless_apply(
            optimizer_variables, gradients, trainable
        )
        state = (trainable, others, optimizer_variables, metrics_variables)
        return {"loss": loss}, state

    def _torch_step(self, data):
        import torch

        x, y = data
        self.zero_grad()
        loss = self.compute_loss(x, y, self(x, training=True))
        loss.backward()
        with torch.no_grad():
            gradients = [v.value.grad for v in self.trainable_weights]
            self.optimizer.apply(gradients, self.trainable_weights)
        return {"loss": loss}

    def _tensorflow_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply(gradients, self.trainable_weights)
        return {"loss": loss}


def test_one_model_with_a_step_for_each_engine(training_engine):
    found = []
    for cls in (ForAll, keras.Sequential):
        keras.utils.set_random_seed(1)
        model = small(cls)
        model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_a_wrong_state_says_what_is_wrong():
    class Short(OnState):
        def train_step(self, state, data):
            return {}, state[:3]

    class Fewer(OnState):
        def train_step(self, state, data):
            return {}, (state[0][:1], *state[1:])

    class Nothing(OnState):
        def train_step(self, state, data):
            return {"loss": 0.0}

    with backends.scope("jax"):
        for cls, message in (
            (
                Short,
                r"must return \(logs, \(trainable_variables, .*Received: \(a dict, \(",
            ),
            (Fewer, "the 2 values of `trainable_variables`. Received 1"),
            (Nothing, r"must return \(logs, .*Received: a dict"),
        ):
            model = small(cls)
            before = model.get_weights()
            with pytest.raises(ValueError, match=message):
                model.fit(X, Y, verbose=0)
            np.testing.assert_array_equal(before[0], model.get_weights()[0])


@pytest.mark.parametrize("name", ["torch", "tensorflow"])
def test_a_step_on_the_state_belongs_to_jax(name):
    with backends.scope(name):
        model = small(OnState)
        with pytest.raises(
            NotImplementedError,
            match=rf"`train_step\(self, state, data\)`.*runs on '{name}'.*to_backend",
        ):
            model.fit(X, Y, verbose=0)
    model.to_backend("jax")
    model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("name", ["jax", "tensorflow"])
def test_a_step_of_torch_belongs_to_torch(name):
    class OnTorch(keras.Sequential):
        def train_step(self, data):
            self.zero_grad()

    with backends.scope(name):
        model = small(OnTorch)
        with pytest.raises(
            NotImplementedError, match=rf"zero_grad.* for .*'torch'.*runs on '{name}'"
        ):
            model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_a_step_of_tensorflow_belongs_to_tensorflow(name):
    tf = pytest.importorskip("tensorflow")

    class OnTensorFlow(keras.Sequential):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            return tape.gradient(loss, self.trainable_variables)

    with backends.scope(name):
        model = small(OnTensorFlow)
        with pytest.raises(
            NotImplementedError, match=rf"Tape.*for .*'tensorflow'.*runs on '{name}'"
        ):
            model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("compiled", [True, False])
def test_tapes_inside_a_program_of_ours(compiled):
    """Two tapes, one inside the other, and one that was told what to watch."""
    tf = pytest.importorskip("tensorflow")

    class Tapes(keras.Sequential):
        def train_step(self, data):
            x, y = data
            kernel, bias = self.trainable_variables
            with tf.GradientTape() as outer:
                with tf.GradientTape() as inner:
                    loss = tf.reduce_sum(self(x) ** 3)
                first = inner.gradient(loss, kernel)
                total = tf.reduce_sum(first)
            second = outer.gradient(total, bias)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(bias.value)
                loss = tf.reduce_sum(self(x))
            kept = tape.gradient(loss, [kernel, bias])
            assert kept[0] is None
            self.optimizer.apply([first, 0 * kept[1]], [kernel, bias])
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(self(x) ** 2)
            after = tape.gradient(loss, kernel)
            return {"second": second, "kept": kept[1], "after": after}

    with backends.scope("tensorflow"):
        model = Tapes([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(1e-3), run_eagerly=not compiled)
        kernel, bias = (w.astype("float64") for w in model.get_weights())
        logs = model.train_on_batch(X, Y, return_dict=True)
    x = X.astype("float64")
    out = x @ kernel + bias
    # d/db sum_k d/dk sum(out^3) = sum_k sum(6 out x_k)
    np.testing.assert_allclose(logs["second"], (6 * out * x).sum(), rtol=1e-4)
    np.testing.assert_allclose(logs["kept"], len(X), rtol=1e-6)
    kernel = kernel - 1e-3 * 3 * x.T @ out**2
    np.testing.assert_allclose(
        logs["after"], 2 * x.T @ (x @ kernel + bias), rtol=1e-3, atol=1e-3
    )


class LastSeen(keras.metrics.Metric):
    """Its result is the Variable itself."""

    def __init__(self, name="last"):
        super().__init__(name=name)
        self.last = self.add_variable(shape=(), initializer="zeros", name="last")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.last.assign(keras.ops.sum(y_true))

    def result(self):
        return self.last


def test_a_result_that_is_a_variable_is_read_where_it_was_made(training_engine):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[LastSeen()])
    fit = model.fit(X, Y, batch_size=20, epochs=2, shuffle=False, verbose=0)
    found = model.evaluate(X[:20], Y[:20], batch_size=20, verbose=0)
    np.testing.assert_allclose(fit.history["last"], [Y[40:].sum()] * 2, 1e-5)
    np.testing.assert_allclose(found[1], Y[:20].sum(), 1e-5)
    values = [keras.ops.array(7.0)]
    assert float(LastSeen().stateless_result(values)) == 7


class OldLoss(keras.Model):
    """`compute_loss` without the argument `training`."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, inputs):
        return self.dense(inputs)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        return keras.ops.mean(keras.ops.square(y - y_pred))


def test_compute_loss_need_not_take_training(training_engine):
    model = OldLoss()
    model.compile(keras.optimizers.SGD(0.01))
    history = model.fit(X, Y, batch_size=60, epochs=2, verbose=0).history["loss"]
    assert history[1] < history[0]
    error = np.mean((model.predict(X, verbose=0) - Y) ** 2)
    found = model.evaluate(X, Y, batch_size=60, verbose=0)
    np.testing.assert_allclose(found, error, 1e-4)


class Reconstruction(keras.Model):
    """Its only loss is what `call` adds."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        outputs = self.dense(x)
        self.add_loss(keras.ops.mean(keras.ops.square(outputs - x)))
        return outputs


def regularized():
    l2 = keras.regularizers.L2(0.1)
    inputs = keras.Input((2,))
    outputs = keras.layers.Dense(2, kernel_regularizer=l2, name="dense")(inputs)
    return keras.Model(inputs, outputs)


def two_outputs():
    model = regularized()
    head = keras.layers.Dense(1, name="head")(model.output)
    return keras.Model(model.input, [model.output, head])


def added_loss(model, x):
    kernel, bias = model.get_layer("dense").get_weights()
    if isinstance(model, Reconstruction):
        return np.square(x @ kernel + bias - x).mean()
    return 0.1 * np.square(kernel).sum()


@pytest.mark.parametrize("make", [Reconstruction, regularized, two_outputs])
@pytest.mark.parametrize("metrics", [None, ["mae"]])
def test_added_losses_alone(training_engine, make, metrics):
    keras.utils.set_random_seed(0)
    model = make()
    targets = [X, Y] if make is two_outputs else X
    if metrics and make is two_outputs:
        metrics = [metrics, []]
    model.compile(keras.optimizers.SGD(0.01), metrics=metrics)
    data = (X, targets) if metrics else (X,)
    options = {"verbose": 0, "batch_size": 16}
    history = model.fit(*data, epochs=2, validation_data=data, **options).history
    assert history["loss"][1] < history["loss"][0]
    wanted = added_loss(model, X)
    np.testing.assert_allclose(history["val_loss"][-1], wanted, rtol=1e-4)
    found = model.evaluate(*data, return_dict=True, **options)
    np.testing.assert_allclose(found["loss"], wanted, rtol=1e-4)
    assert len(found) == (2 if metrics else 1)
    found = model.train_on_batch(*data, return_dict=True)
    np.testing.assert_allclose(found["loss"], wanted, rtol=1e-4)


def test_no_loss_at_all(training_engine):
    """Evaluation gives 0, as in Keras; training says what is missing."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", metrics=["mae"])
    loss, error = model.evaluate(X, Y, verbose=0)
    predictions = model.predict(X, verbose=0)
    assert loss == 0
    np.testing.assert_allclose(error, np.abs(predictions - Y).mean(), rtol=1e-5)
    with pytest.raises(ValueError, match="no loss to compute.*compile\\(loss="):
        model.fit(X, Y, verbose=0)


class Tracked(keras.Model):
    """A step whose log is the result of a metric of its own."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.mean = keras.metrics.Mean(name="mean")

    def train_step(self, data):
        self.mean.update_state(keras.ops.mean(self.network(data)))
        return {"mean": self.mean.result()}


def test_a_step_with_a_convolution_logs_the_result_of_a_metric(training_engine):
    network = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)])
    model = Tracked(network)
    model.compile("sgd")
    images = np.random.default_rng(0).normal(size=(8, 4, 4, 1)).astype("float32")
    found = model.fit(images, batch_size=4, verbose=0).history["mean"]
    np.testing.assert_allclose(found, network.predict(images, verbose=0).mean(), 1e-4)


def test_metrics_may_leave_the_loss_out(training_engine):
    """The usual program: an own mean, shown instead of the loss."""

    class Own(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.mean = keras.metrics.Mean(name="mean")

        @property
        def metrics(self):
            return [self.mean]

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            loss = keras.ops.mean((y - y_pred) ** 2)
            self.mean.update_state(loss)
            return loss

    inputs = keras.Input((8,))
    outputs = keras.layers.Dense(1, kernel_initializer="zeros")(inputs)
    model = Own(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.0))
    x = np.ones((16, 8), "float32")
    y = np.arange(16.0, dtype="float32")[:, None]
    data = {"validation_data": (x, y), "verbose": 0}
    history = model.fit(x, y, batch_size=8, epochs=2, **data).history
    assert set(history) == {"mean", "val_mean"}
    np.testing.assert_allclose(history["mean"], [np.mean(y**2)] * 2, rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), np.mean(y**2), 1e-5)


@pytest.mark.parametrize("arguments", [{"metrics": []}, {"weighted_metrics": []}])
@pytest.mark.parametrize("with_targets", [False, True])
def test_own_loss_of_several_outputs_without_metrics(
    training_engine, arguments, with_targets
):
    """A loss of one's own, as in Siamese networks, needs neither losses nor targets."""

    class Apart(keras.Model):
        def compute_loss(
            self, x=None, y=None, y_pred=None, sample_weight=None, training=True
        ):
            return keras.ops.mean(y_pred[0] - y_pred[1])

    inputs = keras.Input((4,))
    dense = [keras.layers.Dense(1, use_bias=False) for _ in range(2)]
    model = Apart(inputs, [layer(inputs) for layer in dense])
    model.compile(keras.optimizers.SGD(1.0), **arguments)
    first = [layer.kernel.numpy() for layer in dense]
    x = np.ones((4, 4), "float32")
    model.fit(x, np.zeros(4) if with_targets else None, verbose=0)
    # The gradients of the mean are 1 and -1.
    np.testing.assert_allclose(dense[0].kernel.numpy(), first[0] - 1, rtol=1e-5)
    np.testing.assert_allclose(dense[1].kernel.numpy(), first[1] + 1, rtol=1e-5)
