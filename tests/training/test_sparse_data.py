"""fit, evaluate and predict on sparse data: the numbers of the same data made dense."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import scipy.sparse

import hornbeam as keras
from hornbeam import backends, ops
from hornbeam.training.execution.programs import cache

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(11)
X = scipy.sparse.random_array(
    (70, 30), density=0.15, rng=RNG, dtype="float32", format="csr"
)
Y = (np.asarray(X @ RNG.normal(size=30)) > 0).astype("int32")


def _network(sparse=True):
    keras.utils.set_random_seed(4)
    inputs = keras.Input((30,), sparse=sparse)
    x = keras.layers.Dense(8, activation="relu")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


def _fitted(x, y=Y, **settings):
    model = _network()
    history = model.fit(x, y, epochs=3, verbose=0, **settings).history
    return model, history


def _assert_equal_training(sparse, dense):
    assert sparse[1].keys() == dense[1].keys()
    for name, values in dense[1].items():
        np.testing.assert_allclose(sparse[1][name], values, rtol=1e-4, err_msg=name)
    for a, b in zip(sparse[0].get_weights(), dense[0].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_fit_evaluate_predict(training_engine):
    settings = {"batch_size": 16, "validation_split": 0.2}
    dense = _fitted(X.toarray(), **settings)
    before = cache.compilations
    sparse = _fitted(X, **settings)
    # One program for training and one for validation, with a last batch not full.
    assert cache.compilations - before == 2 * training_engine.compiles
    _assert_equal_training(sparse, dense)
    model, outputs = sparse[0], dense[0].predict(X.toarray(), verbose=0)
    np.testing.assert_allclose(model.predict(X, verbose=0), outputs, atol=1e-5)
    expected = dense[0].evaluate(X.toarray(), Y, verbose=0)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), expected, rtol=1e-4)
    np.testing.assert_allclose(model.predict_on_batch(X[:5]), outputs[:5], atol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(model(X)), outputs, atol=1e-5)
    loss = model.train_on_batch(X[:20], Y[:20])[0]
    expected = dense[0].train_on_batch(X[:20].toarray(), Y[:20])[0]
    np.testing.assert_allclose(loss, expected, rtol=1e-4)


def test_an_engines_own_sparse_tensor(training_engine):
    settings = {"batch_size": 35, "shuffle": False}
    dense = _fitted(X.toarray(), **settings)
    _assert_equal_training(_fitted(training_engine.convert(X), **settings), dense)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, i):
        return X[14 * i : 14 * (i + 1)], Y[14 * i : 14 * (i + 1)]


def test_batches_that_come_one_by_one(training_engine):
    dense = _fitted(X.toarray(), batch_size=14, shuffle=False)
    before = cache.compilations
    _assert_equal_training(_fitted(Batches(), None, shuffle=False), dense)
    assert cache.compilations - before == training_engine.compiles


def test_rows_of_very_different_lengths(training_engine):
    lengths = np.r_[30, np.zeros(40, int), np.full(29, 2)]
    x = scipy.sparse.csr_array(np.arange(30) < lengths[:, None], dtype="float32")
    settings = {"batch_size": 16}
    dense = _fitted(x.toarray(), **settings)
    _assert_equal_training(_fitted(x, **settings), dense)


def test_some_inputs_are_sparse(training_engine):
    keras.utils.set_random_seed(1)
    inputs = {"words": keras.Input((30,), sparse=True), "numbers": keras.Input((3,))}
    hidden = keras.layers.Dense(4)(inputs["words"])
    merged = keras.layers.Concatenate()([hidden, inputs["numbers"]])
    model = keras.Model(inputs, keras.layers.Dense(1)(merged))
    model.compile("sgd", "mse")
    start = model.get_weights()
    numbers = RNG.normal(size=(70, 3)).astype("float32")
    losses = []
    for words in (X, X.toarray()):
        model.set_weights(start)
        data = {"words": words, "numbers": numbers}
        keras.utils.set_random_seed(1)
        losses.append(model.fit(data, Y, epochs=2, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_sparse_targets_are_made_dense_batch_by_batch(training_engine):
    losses = []
    for targets in (X, X.toarray()):
        keras.utils.set_random_seed(2)
        model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(30)])
        model.compile("sgd", "mse", metrics=["mae"])
        history = model.fit(X, targets, epochs=2, batch_size=32, verbose=0).history
        losses.append([history["loss"], history["mae"]])
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_numpy_evaluates_and_predicts():
    with backends.scope("numpy"):
        model = _network()
        np.testing.assert_allclose(
            model.predict(X, verbose=0),
            model.predict(X.toarray(), verbose=0),
            atol=1e-6,
        )
        np.testing.assert_allclose(
            model.evaluate(X, Y, verbose=0), model.evaluate(X.toarray(), Y, verbose=0),
            rtol=1e-6,
        )  # fmt: skip


def test_one_hot_times_dense_is_embedding(training_engine):
    ids = RNG.integers(0, 12, 40)
    weights = RNG.normal(size=(12, 5)).astype("float32")
    upstream = RNG.normal(size=(40, 5)).astype("float32")
    dense = keras.layers.Dense(5, use_bias=False)
    embedding = keras.layers.Embedding(12, 5)
    results = []
    for layer, x in (
        (dense, ops.one_hot(ids, 12, sparse=True)),
        (embedding, ops.convert_to_tensor(ids)),
    ):
        layer.build((None, 12))
        layer.set_weights([weights])

        def loss(layer=layer, x=x):
            outputs = layer(x)
            return ops.sum(ops.multiply(outputs, upstream)), outputs

        weights_of = layer.trainable_weights
        (_, outputs), (gradient,) = keras.value_and_grad(loss, weights_of, True)
        results.append([ops.convert_to_numpy(v) for v in (outputs, gradient)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    expected = np.zeros((12, 5))
    np.add.at(expected, ids, upstream)
    np.testing.assert_allclose(results[0][1], expected, atol=1e-5)


def test_what_takes_no_sparse_input_says_what_to_do(engine):
    if not engine.sparse_has_class:
        pytest.skip("the engine's own functions take some")
    x = engine.convert(scipy.sparse.coo_array(np.eye(8, dtype="float32")))
    x = ops.reshape(x, (1, 8, 8, 1))
    with pytest.raises(ValueError, match="takes no sparse tensor.*sparse=False"):
        keras.layers.Conv2D(2, 3)(x)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory from /proc")
@pytest.mark.parametrize("engine_name", ["jax", "torch"])
def test_a_large_matrix_needs_little_memory(engine_name):
    pytest.importorskip(engine_name)
    # Dense it would be 20 GB. TensorFlow alone takes 800 MB to be imported.
    program = """
        import sys
        import numpy as np, scipy.sparse
        import hornbeam as keras

        keras.config.set_backend(sys.argv[1])
        rng, rows, columns, entries = np.random.default_rng(0), 100_000, 50_000, 10
        places = rng.integers(0, columns, rows * entries).astype("int32")
        starts = np.arange(0, rows * entries + 1, entries)
        x = scipy.sparse.csr_array(
            (np.ones(rows * entries, "float32"), places, starts), (rows, columns)
        )
        y = rng.integers(0, 2, rows).astype("float32")
        model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        model.fit(x, y, batch_size=2048, verbose=0)
        outputs = model.predict(x, verbose=0)
        status = open("/proc/self/status").read()  # where a parent's memory is left out
        kilobytes = int(status.split("VmHWM:")[1].split()[0])
        print(*outputs.shape, kilobytes)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), engine_name]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows, columns, kilobytes = map(int, printed.split())
    assert (rows, columns) == (100_000, 1)
    assert kilobytes < 1_000_000
