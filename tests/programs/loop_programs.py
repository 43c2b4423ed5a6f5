"""Training loops written by hand, and gradients for other ends than a fit."""

import numpy as np
from catalogue import classes, program
from checks import array
from small_data import citations, digits, iris


def classifier(keras):
    x, _ = iris()
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dropout(0.05),
            keras.layers.Dense(3),
        ]
    )


def loop_tensorflow(keras, model, optimizer, loss_fn, metric, batches):
    import tensorflow as tf

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = loss_fn(y, logits)
        gradients = tape.gradient(loss, model.trainable_weights)
        optimizer.apply(gradients, model.trainable_weights)
        metric.update_state(y, logits)
        return loss

    return [float(step(x, y)) for x, y in batches]


def loop_torch(keras, model, optimizer, loss_fn, metric, batches):
    import torch

    losses = []
    for x, y in batches:
        logits = model(torch.as_tensor(x), training=True)
        loss = loss_fn(torch.as_tensor(y), logits)
        model.zero_grad()
        loss.backward()
        weights = list(model.trainable_weights)
        with torch.no_grad():
            optimizer.apply([v.value.grad for v in weights], weights)
        metric.update_state(y, logits.detach())
        losses.append(float(loss.detach()))
    return losses


def loop_jax(keras, model, optimizer, loss_fn, metric, batches):
    import jax

    def loss_and_updates(trainable, non_trainable, x, y):
        logits, non_trainable = model.stateless_call(
            trainable, non_trainable, x, training=True
        )
        return loss_fn(y, logits), (logits, non_trainable)

    @jax.jit
    def step(state, x, y):
        trainable, non_trainable, optimizer_variables, metric_variables = state
        gradient = jax.value_and_grad(loss_and_updates, has_aux=True)
        (loss, (logits, non_trainable)), grads = gradient(
            trainable, non_trainable, x, y
        )
        trainable, optimizer_variables = optimizer.stateless_apply(
            optimizer_variables, grads, trainable
        )
        metric_variables = metric.stateless_update_state(metric_variables, y, logits)
        return loss, (trainable, non_trainable, optimizer_variables, metric_variables)

    optimizer.build(model.trainable_variables)
    lists = (
        model.trainable_variables,
        model.non_trainable_variables,
        optimizer.variables,
        metric.variables,
    )
    state = tuple([v.value for v in variables] for variables in lists)
    losses = []
    for x, y in batches:
        loss, state = step(state, x, y)
        losses.append(float(loss))
    for variables, values in zip(lists, state, strict=True):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    return losses


def loop_once(keras, model, optimizer, loss_fn, metric, batches):
    losses = []
    for x, y in batches:

        def loss(x=x, y=y):
            logits = model(x, training=True)
            return loss_fn(y, logits), logits

        weights = model.trainable_weights
        (value, logits), gradients = keras.value_and_grad(loss, weights, has_aux=True)
        optimizer.apply(gradients, weights)
        metric.update_state(y, logits)
        losses.append(float(value))
    return losses


def trained_by(keras, loop, epochs):
    x, y = iris()
    model = classifier(keras)
    optimizer = keras.optimizers.Adam(0.03)
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    metric = keras.metrics.SparseCategoricalAccuracy()
    batches = [(x[i : i + 30], y[i : i + 30]) for i in range(0, 150, 30)] * epochs
    losses = loop(keras, model, optimizer, loss_fn, metric, batches)
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5]), losses
    assert int(array(keras, optimizer.iterations)) == 5 * epochs
    running = float(metric.result())
    metric.reset_state()
    metric.update_state(y, model(x, training=False))
    assert float(metric.result()) > max(running, 0.85)


@program
def loop_by_hand(keras):
    """A step of the engine's own: a tape, `backward`, or a jitted stateless one."""
    loops = {"jax": loop_jax, "torch": loop_torch, "tensorflow": loop_tensorflow}
    trained_by(keras, loops[keras.backend.backend()], epochs=8)


@program(beside="loop_by_hand")
def loop_written_once(keras):
    """The loop with `keras.value_and_grad`, the same on every engine."""
    trained_by(keras, loop_once, epochs=8)


def gradient_of(keras):
    """`gradient(function, array)` by the engine's own means: value and gradient."""
    engine = keras.backend.backend()
    if engine == "jax":
        import jax

        return lambda function, x: jax.value_and_grad(function)(x)
    if engine == "torch":
        import torch

        def torch_gradient(function, x):
            x = torch.as_tensor(np.array(x)).requires_grad_(True)
            value = function(x)
            (gradient,) = torch.autograd.grad(value, x)
            return value.detach(), gradient

        return torch_gradient
    import tensorflow as tf

    def tensorflow_gradient(function, x):
        x = tf.convert_to_tensor(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        return value, tape.gradient(value, x)

    return tensorflow_gradient


def digits_network(keras):
    (x, y), _ = digits()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(12, 3, padding="same", activation="relu", name="last_conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, name="logits"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    few = y < 3
    model.fit(x[few], y[few], batch_size=32, epochs=6, verbose=0)
    return model, x[few], y[few]


@program
def grad_cam(keras):
    """Which places of the last feature map speak for a class."""
    model, x, y = digits_network(keras)
    body = keras.Model(model.inputs, model.get_layer("last_conv").output)
    features = keras.Input(body.output.shape[1:])
    hidden = features
    for layer in model.layers[1:]:
        hidden = layer(hidden)
    head = keras.Model(features, hidden)
    image = x[y == 0][:1]
    maps = array(keras, body(image))
    value, gradient = gradient_of(keras)(lambda a: keras.ops.sum(head(a)[:, 0]), maps)
    gradient = array(keras, gradient)
    assert gradient.shape == maps.shape == (1, 8, 8, 12)
    # Behind the mean over the places the gradient is the weight of the class.
    weights = model.get_layer("logits").get_weights()[0][:, 0] / 64
    np.testing.assert_allclose(gradient[0, 3, 4], weights, 1e-4, 1e-6)
    heat = np.maximum((maps[0] * gradient[0].mean(axis=(0, 1))).sum(-1), 0)
    assert heat.shape == (8, 8) and heat.max() > 0
    whole = model.predict(image, verbose=0)[0, 0]
    np.testing.assert_allclose(float(value), whole, 1e-4)


@program
def optimised_input(keras):
    """An image changed by gradient ascent until the network sees another class."""
    model, x, y = digits_network(keras)
    model.trainable = False
    gradient, image = gradient_of(keras), x[y == 0][:1]

    def towards_one(image):
        return -keras.ops.log_softmax(model(image, training=False))[0, 1]

    values = []
    for _ in range(12):
        value, slope = gradient(towards_one, image)
        slope = array(keras, slope)
        image = (image - 0.3 * slope / np.abs(slope).max()).astype("float32")
        values.append(float(value))
    assert values[-1] < 0.2 * values[0], values
    assert model.predict(image, verbose=0).argmax() == 1


@program
def style_statistics(keras):
    """An input with the Gram matrix of another image's features: a Variable that an
    optimizer of ours moves."""
    random = np.random.default_rng(0)
    features = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(
                6, 3, activation="tanh", kernel_initializer="he_normal"
            ),
            keras.layers.AveragePooling2D(2),
        ]
    )
    ops = keras.ops

    def gram(image):
        flat = ops.reshape(features(image), (-1, 6))
        return ops.matmul(ops.transpose(flat), flat) / 9

    (x, _), _ = digits()
    style = gram(x[:1])
    image = keras.Variable(random.random((1, 8, 8, 1)).astype("float32"))
    optimizer = keras.optimizers.Adam(0.05)
    optimizer.build([image])
    gradient, values = gradient_of(keras), []
    for _ in range(40):
        value, slope = gradient(
            lambda a: ops.mean(ops.square(gram(a) - style)), array(keras, image)
        )
        optimizer.apply([slope], [image])
        values.append(float(value))
    assert values[-1] < 0.15 * values[0], values


@classes
def hyper_network(keras):
    layers, ops = keras.layers, keras.ops

    class Hyper(keras.Model):
        """A network that writes the weights of another one, for every sample."""

        def __init__(self):
            super().__init__()
            self.writer = keras.Sequential([layers.Dense(16, "relu"), layers.Dense(17)])

        def call(self, inputs):
            task, x = inputs
            weights = self.writer(task)
            first = ops.reshape(weights[:, :8], (-1, 1, 8))
            second = ops.reshape(weights[:, 8:16], (-1, 8, 1))
            hidden = ops.tanh(ops.matmul(x[:, None], first))
            return ops.matmul(hidden, second)[:, 0] + weights[:, 16:]

    return Hyper


@program
def hypernetwork(keras):
    """Weights are outputs of a network: the task says which line the second draws."""
    random = np.random.default_rng(0)
    task = random.uniform(-1, 1, (400, 1)).astype("float32")
    x = random.uniform(-1, 1, (400, 1)).astype("float32")
    model = hyper_network(keras)()
    model.compile(keras.optimizers.Adam(0.02), "mse")
    history = model.fit([task, x], task * x, batch_size=40, epochs=15, verbose=0)
    assert history.history["loss"][-1] < 0.2 * np.mean((task * x) ** 2)


@program(beside="")
def meta_learning(keras):
    """A gradient inside another (MAML): a start from which one step fits any line.

    The inner step goes through `stateless_call`, so that the outer gradient sees it.
    """
    ops, random = keras.ops, np.random.default_rng(0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(0.05)
    optimizer.build(model.trainable_variables)
    x = ops.convert_to_tensor(np.linspace(-1, 1, 8, dtype="float32")[:, None])

    def after_one_step(slope, bias=3.0):
        weights = [v.value for v in model.trainable_variables]
        error = ops.mean(
            x * (ops.matmul(x, weights[0]) + weights[1] - slope * x - bias)
        )
        shift = ops.mean(ops.matmul(x, weights[0]) + weights[1] - slope * x - bias)
        stepped = [weights[0] - 2 * 0.5 * error, weights[1] - 2 * 0.1 * shift]
        outputs, _ = model.stateless_call(stepped, [], x)
        return ops.mean(ops.square(outputs - slope * x - bias))

    losses = []
    for _ in range(60):
        slope = float(random.uniform(-1, 1))
        loss, gradients = keras.value_and_grad(
            lambda slope=slope: after_one_step(slope), model.trainable_variables
        )
        optimizer.apply(gradients, model.trainable_variables)
        losses.append(float(loss))
    assert np.mean(losses[-10:]) < 0.1 * np.mean(losses[:10]), losses


@classes
def graph_convolution_class(keras):
    ops = keras.ops

    class GraphConvolution(keras.layers.Layer):
        """A X W: what the neighbours say, by the normalised adjacency A."""

        def __init__(self, units, activation=None, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.activation = keras.activations.get(activation)

        def build(self, input_shape):
            features = input_shape[0][-1]
            self.kernel = self.add_weight(
                shape=(features, self.units),
                initializer="glorot_uniform",
                name="kernel",
            )

        def call(self, inputs):
            features, adjacency = inputs
            hidden = ops.matmul(features, self.kernel)
            return self.activation(ops.matmul(adjacency, hidden))

        def compute_output_shape(self, input_shape):
            return (*input_shape[0][:-1], self.units)

    return GraphConvolution


@program
def graph_convolution(keras):
    """All nodes are one batch; sample weights say which labels are known."""
    features, adjacency, labels = citations()
    GraphConvolution = graph_convolution_class(keras)
    nodes = len(labels)
    inputs = [keras.Input((nodes, 8)), keras.Input((nodes, nodes))]
    hidden = GraphConvolution(16, "relu")(inputs)
    hidden = keras.layers.Dropout(0.2)(hidden)
    outputs = GraphConvolution(3, "softmax")([hidden, inputs[1]])
    assert outputs.shape == (None, nodes, 3)
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy",
    )  # fmt: skip
    known = (np.arange(nodes) < 30).astype("float32")
    x, y = [features[None], adjacency[None]], labels[None]
    model.fit(x, y, sample_weight=known[None], epochs=40, verbose=0)
    right = model.predict(x, verbose=0)[0].argmax(axis=-1) == labels
    assert right[30:].mean() > 0.85, right[30:].mean()
    expected = np.maximum(adjacency @ features @ model.layers[2].get_weights()[0], 0)
    first = keras.Model(inputs, model.layers[2].output).predict(x, verbose=0)
    np.testing.assert_allclose(first[0], expected, 1e-3, 1e-5)
