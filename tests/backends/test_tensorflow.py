"""What users of TensorFlow do with a model: their own programs, tapes and datasets."""

import sys

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends

tf = pytest.importorskip("tensorflow")

X = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


@pytest.fixture(autouse=True)
def _engine():
    with backends.scope("tensorflow"):
        yield


def model():
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Reshape((2, 2)),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.2),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )


def test_a_users_function_follows_training():
    net = model()
    run = tf.function(net, input_signature=[tf.TensorSpec((None, 4), tf.float32)])
    np.testing.assert_allclose(run(X), net(X), rtol=1e-6)
    net.set_weights([w + 1 for w in net.get_weights()])
    np.testing.assert_allclose(run(X[:5]), net(X[:5]), rtol=1e-6)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("axis", [1, -1])
def test_a_users_function_may_not_know_how_many_classes(axis, from_logits):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits, axis=axis)
    unknown = [tf.TensorSpec([None] * 2, "int32"), tf.TensorSpec([None] * 3)]
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, (4, 3)).astype("int32")
    outputs = random.uniform(0.1, 1, (4, 3, 3)).astype("float32")
    outputs /= outputs.sum(axis, keepdims=True)
    if from_logits:
        outputs = np.log(outputs)
    found = tf.function(loss, input_signature=unknown)(labels, outputs)
    chances = np.moveaxis(np.exp(outputs) if from_logits else outputs, axis, -1)
    chosen = np.take_along_axis(chances, labels[..., None], -1)
    np.testing.assert_allclose(found, -np.log(chosen).mean(), rtol=1e-5)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.SGD(0.1, clipvalue=0.1),
        lambda: keras.optimizers.Adam(0.1),
        lambda: keras.optimizers.Adam(0.1, global_clipnorm=0.3),
        lambda: keras.optimizers.Lion(0.1, weight_decay=0.1),
        lambda: keras.optimizers.Adam(0.1, gradient_accumulation_steps=2),
        lambda: keras.optimizers.Adam(0.1, use_ema=True, ema_overwrite_frequency=2),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)),
    ],
)
def test_a_users_tape_over_an_embedding(make, compiled):
    """Its gradient is rows, some of them twice: they update as the dense one does."""
    table = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    ids, found = tf.constant([[1, 2, 2], [0, 1, 4]]), []
    for dense in (False, True):
        layer = keras.layers.Embedding(6, 2)
        layer.build((None, 3))
        layer.set_weights([table])
        optimizer = make()
        optimizer.build(layer.trainable_weights)

        def step(ids, layer=layer, optimizer=optimizer, dense=dense):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum((layer(ids) - 1) ** 2)
            (gradient,) = tape.gradient(loss, layer.trainable_weights)
            assert isinstance(gradient, tf.IndexedSlices)
            if dense:
                gradient = tf.convert_to_tensor(gradient)
            optimizer.apply_gradients([(gradient, layer.embeddings)])

        run = tf.function(step) if compiled and not dense else step
        for _ in range(3):
            run(ids)
        found.append(layer.get_weights()[0])
    np.testing.assert_allclose(*found, rtol=1e-5)
    assert np.abs(found[0] - table)[[0, 1, 2, 4]].min() > 0


@pytest.mark.parametrize("compiled", [False, True])
def test_a_users_tape_takes_the_variables(compiled):
    net, optimizer = model(), keras.optimizers.SGD(0.1)
    optimizer.build(net.trainable_variables)
    seeds = [v for v in net.non_trainable_variables if "seed" in v.path]

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((net(x, training=True) - y) ** 2)
        gradients = tape.gradient(loss, net.trainable_variables)
        optimizer.apply(gradients, net.trainable_variables)
        return loss

    step = tf.function(step) if compiled else step
    before = [v.numpy() for v in seeds]
    losses = [float(step(X, Y)) for _ in range(12)]
    assert losses[-1] < losses[0]
    assert int(optimizer.iterations) == 12
    assert all((v.numpy() != old).any() for v, old in zip(seeds, before, strict=True))


def test_tape_and_value_and_grad_agree():
    net = model()
    own = net.trainable_variables
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(X) ** 2)
    expected = tape.gradient(loss, own)
    _, found = keras.value_and_grad(lambda: keras.ops.sum(net(X) ** 2), own)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["tensorflow", "torch", "jax"])
def test_datasets_feed_every_engine(name):
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(10)
    with backends.scope(name):
        net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        net.compile("sgd", "mse")
        start = net.get_weights()
        net.fit(dataset, epochs=2, verbose=0)
        found = net.evaluate(dataset, verbose=0)
        outputs = net.predict(dataset.map(lambda x, y: x), verbose=0)
        net.set_weights(start)
        net.fit(X, Y, batch_size=10, epochs=2, shuffle=False, verbose=0)
        assert found == pytest.approx(net.evaluate(X, Y, verbose=0), rel=1e-4)
        np.testing.assert_allclose(outputs, net.predict(X, verbose=0), rtol=1e-4)


def test_a_program_without_xla_kernels_runs_all_the_same():
    engine = backends.get("tensorflow")
    held = engine.new_variable(engine.convert([1.0, 2.0]), True)

    def loop(state, words):
        def body(i, state):
            # Strings are nothing that XLA knows.
            number = tf.strings.to_number(words[i])
            return [state[0] + number]

        return engine.fori_loop(0, 3, body, state), engine.convert(1)

    words = tf.constant(["1", "2", "3"])
    program = engine.compile(loop, ([held], words), donate=(0,))
    (found,), _ = program([held], words)
    assert found is held
    np.testing.assert_array_equal(held, [7, 8])


@pytest.mark.parametrize("convolves", [False, True])
def test_xla_compiles_loops_but_not_convolutions(convolves):
    engine = backends.get("tensorflow")
    kernel = engine.convert(np.full((3, 3, 1, 1), 1 / 9, "float32"))

    def loop(x):
        def body(i, x):
            return tf.nn.conv2d(x, kernel, 1, "SAME") if convolves else x / 2

        return engine.fori_loop(0, 2, body, x)

    x = engine.convert(np.ones((1, 5, 5, 1), "float32"))
    program = engine.compile(loop, (x,))
    assert (program._run is program._plain) is convolves
    assert float(program(x)[0, 2, 2, 0]) == pytest.approx(1 if convolves else 0.25)


def test_convolutions_train_as_on_jax():
    rng = np.random.default_rng(0)
    x, y = rng.random((12, 6, 6, 4), dtype="float32"), rng.random((12, 1))
    losses = []
    for name in ("jax", "tensorflow"):
        with backends.scope(name):
            keras.utils.set_random_seed(1)
            layers = [
                keras.layers.Conv2D(4, 3, groups=2, activation="relu"),
                keras.layers.DepthwiseConv2D(2, dilation_rate=2),
                keras.layers.Conv2DTranspose(2, 2, strides=2),
                keras.layers.Flatten(),
                keras.layers.Dense(1),
            ]
            net = keras.Sequential([keras.Input((6, 6, 4)), *layers])
            net.compile("adam", "mse")
            history = net.fit(x, y, batch_size=4, epochs=3, verbose=0).history
            losses.append(history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)


def test_programs_do_not_hold_their_function():
    import gc
    import weakref

    engine = backends.get("tensorflow")

    class Owner:
        def run(self, x):
            return engine.fori_loop(0, 2, lambda i, y: y * 2, x)

    owner = Owner()
    alive = weakref.ref(owner)
    program = engine.compile(owner.run, (engine.convert(1.0),))
    del owner
    gc.collect()
    assert alive() is None
    assert float(program(engine.convert(3.0))) == 12


def test_a_missing_tensorflow_says_what_to_install(monkeypatch):
    monkeypatch.delitem(backends._loaded, "tensorflow", raising=False)
    for name in [n for n in sys.modules if n.startswith("hornbeam.backends.tensorf")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match=r"pip install 'hornbeam\[tensorflow\]'"):
        backends.get("tensorflow")


IMAGES = np.random.default_rng(1).uniform(0, 255, (3, 7, 6, 3)).astype("float32")


@pytest.mark.parametrize(
    ("name", "arguments", "fused"),
    [
        ("RandomRotation", {"factor": 0.2, "fill_mode": "constant"}, True),
        ("AutoContrast", {}, True),
        ("RandomContrast", {"factor": 0.5}, True),
        # XLA would compile for each place.
        ("RandomCrop", {"height": 4, "width": 5}, False),
    ],
)
def test_layers_of_images_are_one_kernel_in_graphs(name, arguments, fused):
    arguments = arguments if name == "AutoContrast" else {**arguments, "seed": 3}
    eager = getattr(keras.layers, name)(**arguments)(IMAGES)
    layer = getattr(keras.layers, name)(**arguments)
    run = tf.function(layer, input_signature=[tf.TensorSpec((None, 7, 6, 3))])
    np.testing.assert_allclose(run(IMAGES), eager, rtol=1e-4, atol=1e-2)
    graph = run.get_concrete_function().graph.as_graph_def()
    nodes = [node for node in graph.node if node.attr["_XlaMustCompile"].b]
    assert bool(nodes) is fused


def test_what_users_write_runs_as_written():
    class Doubled(keras.layers.RandomFlip):
        def transform_images(self, images, transformation, training=True):
            return tf.numpy_function(lambda x: 2 * x, [images], tf.float32)

    run = tf.function(Doubled())
    np.testing.assert_array_equal(run(IMAGES), 2 * IMAGES)
