"""Each fault that is planted is found, with its place.

All are looked for on torch, which compiles nothing, and a few on every engine.
"""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, layers, ops

draws = np.random.RandomState(0)
ROWS = 96
X = draws.normal(size=(ROWS, 6)).astype("float32")
CLASSES = (np.arange(ROWS) * 7 % 3).astype("int32")
X[:, :3] += np.eye(3)[CLASSES] * 2
BINARY = (X[:, 0] + X[:, 3] > 1).astype("float32")
NUMBERS = (X @ draws.normal(size=6)).astype("float32")
CROSSENTROPY = "sparse_categorical_crossentropy"


def network(*inner, units=3, activation="softmax", optimizer="adam", loss=CROSSENTROPY,
            shape=(6,), **options):  # fmt: skip
    inner = inner or (layers.Dense(8, activation="relu"),)
    last = [layers.Dense(units, activation=activation)] if units else []
    model = keras.Sequential([keras.Input(shape), *inner, *last])
    model.compile(optimizer, loss, **options)
    return model


def binary(**options):
    options = {"units": 1, "activation": "sigmoid", "loss": "binary_crossentropy",
               **options}  # fmt: skip
    return network(**options)


def regression(**options):
    return network(**{"units": 1, "activation": None, "loss": "mse", **options})


def with_value(x, value, place=(5, 2)):
    x = x.astype("float32").copy()
    x[place] = value
    return x


def with_weight(model, value):
    kernel = model.layers[0].kernel
    kernel.assign(with_value(kernel.numpy(), value, (0, 0)))
    return model


def deep(activation, initializer, depth=10):
    return [
        layers.Dense(16, activation=activation, kernel_initializer=initializer)
        for _ in range(depth)
    ]


class SquareRoot(keras.Layer):
    """Its gradient is infinite at 0."""

    def call(self, x):
        return ops.sqrt(ops.relu(x) * 0.0)


class Logarithm(keras.Layer):
    def call(self, x):
        return ops.log(x)


class Blocked(keras.Layer):
    def call(self, x):
        return ops.stop_gradient(x)


class Inner(keras.Model):
    """Looks up shifted integers, which no check of the data can know."""

    def __init__(self):
        super().__init__()
        self.table = layers.Embedding(5, 4)
        self.out = layers.Dense(3, activation="softmax")

    def call(self, x):
        return self.out(ops.mean(self.table(ops.minimum(x, 0) + 7), axis=1))


def frozen():
    model = network()
    model.trainable = False
    model.compile("adam", CROSSENTROPY)
    return model


def half():
    dense = layers.Dense(
        8, dtype="float16", kernel_initializer=keras.initializers.RandomNormal(0, 1e-6)
    )
    return network(
        dense, layers.Rescaling(1e-4), optimizer=keras.optimizers.SGD(0.1),
        loss=keras.losses.SparseCategoricalCrossentropy(),
    )  # fmt: skip


def two_softmaxes():
    return network(layers.Dense(3, activation="softmax"), layers.Softmax(), units=0)


def on_images():
    first = layers.Conv2D(4, 3, activation="relu")
    return network(first, layers.Flatten(), shape=(8, 8, 1))


def unused():
    """A layer that leads to no loss."""
    inputs = keras.Input((6,))
    outputs = [layers.Dense(3, activation="softmax")(inputs)]
    outputs.append(layers.Dense(4, name="side")(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("adam", [CROSSENTROPY, None])
    return model


class Failing(keras.Sequential):
    def train_step(self, data):
        raise RuntimeError("it fails")


class LogarithmOfLess(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return ops.log(-1.0 - ops.abs(y_pred[:, 0]))


IMAGES = np.random.RandomState(3).uniform(0, 120, (ROWS, 8, 8, 1)).astype("float32")
IMAGES[:, 2:5, 2:5, 0] += CLASSES[:, None, None] * 60
SEQUENCES = np.random.RandomState(1).randint(0, 5, size=(ROWS, 4))

# "kind" or "kind: variant": (part of where, model, data, options of diagnose)
FAULTS = {
    "inputs-not-finite": ("x", network, (with_value(X, np.nan), CLASSES)),
    "targets-not-finite": (
        "dense", regression, (X, with_value(NUMBERS, np.inf, 3))),
    "inputs-not-scaled": ("x", network, (X * 300 + 50, CLASSES)),
    "features-of-different-scales": (
        "x", network, (X * [1e-5, 1, 1, 1, 1, 1], CLASSES)),
    "inputs-constant": ("x", network, (np.ones_like(X), CLASSES)),
    "labels-constant": ("dense", network, (X, np.ones(ROWS, int))),
    "labels-imbalanced": (
        "dense", binary, (X, (np.arange(ROWS) == 3).astype("float32"))),
    "label-leaks": (
        "x[:, 4]", binary,
        (np.where(np.arange(6) == 4, BINARY[:, None] * 3 - 1, X), BINARY)),
    "validation-overlaps-training": (
        "validation_data", network, (X, CLASSES),
        {"validation_data": (X[:40], CLASSES[:40])}),
    "validation-of-other-classes": (
        "dense", network, (X, np.sort(CLASSES)), {"validation_split": 0.3}),
    "sample-weights-zero": (
        "sample_weight", network, (X, CLASSES), {"sample_weight": np.zeros(ROWS)}),
    "sample-weights-negative": (
        "sample_weight", network, (X, CLASSES), {"sample_weight": -np.ones(ROWS)}),
    "labels-out-of-range": ("dense", network, (X, CLASSES * 2)),
    "labels-begin-at-1": ("dense", network, (X, CLASSES + 1)),
    "targets-large": ("dense", regression, (X, NUMBERS * 1e4)),
    "logits-for-probabilities": (
        "dense", lambda: network(activation=None), (X, CLASSES)),
    "probabilities-for-logits": (
        "dense",
        lambda: network(
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
        (X, CLASSES)),
    "no-distribution": ("dense", lambda: network(activation="sigmoid"), (X, CLASSES)),
    "one-hot-for-sparse": ("dense", network, (X, np.eye(3)[CLASSES])),
    "sparse-for-one-hot": (
        "dense", lambda: network(loss="categorical_crossentropy"), (X, CLASSES)),
    "several-labels-for-softmax": (
        "dense", lambda: network(loss="categorical_crossentropy"),
        (X, (X[:, :3] > 0).astype("float32"))),
    "softmax-over-one-unit": (
        "dense", lambda: binary(activation="softmax"), (X, BINARY[:, None])),
    "softmax-twice": ("softmax", two_softmaxes, (X, CLASSES)),
    "targets-outside-activation": (
        "dense", lambda: regression(activation="sigmoid"), (X, NUMBERS * 5)),
    "labels-of-signs": ("dense", binary, (X, BINARY * 2 - 1)),
    "accuracy-of-regression": (
        "dense", lambda: regression(metrics=["accuracy"]), (X, NUMBERS)),
    "weights-not-finite": (
        "dense/kernel", lambda: with_weight(network(), np.nan), (X, CLASSES)),
    "layer-not-finite": (
        "logarithm", lambda: network(Logarithm(), layers.Dense(4)), (X, CLASSES)),
    "gradient-not-finite": (
        "dense/", lambda: network(layers.Dense(4), SquareRoot()), (X, CLASSES)),
    "dead-relu": (
        "dense",
        lambda: network(
            layers.Dense(8, activation="relu",
                         bias_initializer=keras.initializers.Constant(-50))),
        (X, CLASSES)),
    "saturated": (
        "dense",
        lambda: network(
            layers.Dense(8, activation="tanh",
                         kernel_initializer=keras.initializers.RandomNormal(0, 50))),
        (X, CLASSES)),
    "vanishing-gradient": (
        "dense", lambda: network(*deep("sigmoid", "glorot_uniform")), (X, CLASSES)),
    "exploding-gradient": (
        "dense",
        lambda: network(*deep(None, keras.initializers.RandomNormal(0, 2)), units=1,
                        activation=None, loss="mse"),
        (X, NUMBERS)),
    "no-gradient": (
        "dense", lambda: network(layers.Dense(8), Blocked()), (X, CLASSES)),
    "all-frozen": ("sequential", frozen, (X, CLASSES)),
    "equal-units": (
        "dense/kernel",
        lambda: network(
            layers.Dense(8, activation="tanh", kernel_initializer="ones"),
            layers.Dense(4, kernel_initializer="zeros"),
            layers.Dense(4, kernel_initializer="ones")),
        (X, CLASSES)),
    "constant-predictions": (
        "dense", lambda: network(layers.Dense(4), layers.Rescaling(0)), (X, CLASSES)),
    "loss-above-chance": (
        "dense", lambda: network(layers.Rescaling(300)), (X, CLASSES)),
    "learning-rate-low": (
        "dense", lambda: network(optimizer=keras.optimizers.SGD(1e-9)), (X, CLASSES)),
    "learning-rate-high": (
        "optimizer", lambda: network(optimizer=keras.optimizers.Adam(5.0)),
        (X, CLASSES)),
    "learning-rate-zero": (
        "optimizer", lambda: network(optimizer=keras.optimizers.SGD(0.0)),
        (X, CLASSES)),
    "batch-norm-of-few": (
        "batch_normalization",
        lambda: network(layers.Dense(8), layers.BatchNormalization()),
        (X, CLASSES), {"batch_size": 2}),
    "dropout-high": (
        "dropout", lambda: network(layers.Dense(8), layers.Dropout(0.95)),
        (X, CLASSES)),
    "float16-underflow": ("dense", half, (X, CLASSES)),
    "index-out-of-range": ("embedding", Inner, (SEQUENCES, CLASSES)),
    "regularization-dominates": (
        "sequential",
        lambda: network(layers.Dense(64, kernel_regularizer=keras.regularizers.L2(50))),
        (X, CLASSES)),
    "refused": ("sequential", network, (X, np.ones((ROWS, 7)))),
    "sample-weights-not-finite": (
        "sample_weight", network, (X, CLASSES),
        {"sample_weight": with_value(np.ones(ROWS), np.nan, 3)}),
    "loss-not-finite": (
        "loss", lambda: regression(loss=LogarithmOfLess()), (X, NUMBERS)),
    "step-fails": (
        "failing", lambda: Failing([keras.Input((6,)), layers.Dense(3)]), (X, CLASSES)),
    "inputs-not-finite: infinite": (
        "x", network, (with_value(X, np.inf), CLASSES)),
    "inputs-not-finite: a whole feature": (
        "x", network, (np.where(np.arange(6) == 2, np.nan, X), CLASSES)),
    "inputs-not-scaled: bytes": ("x", on_images, (IMAGES, CLASSES)),
    "labels-constant: of numbers": ("dense", regression, (X, np.ones(ROWS))),
    "labels-constant: of two classes": ("dense", binary, (X, np.ones(ROWS))),
    "labels-imbalanced: of three classes": (
        "dense", network, (X, np.eye(3, ROWS, 5).argmax(0))),
    "label-leaks: of classes": (
        "x[:, 5]", network,
        (np.where(np.arange(6) == 5, CLASSES[:, None] - 1.0, X), CLASSES)),
    "label-leaks: of numbers": (
        "x[:, 2]", regression,
        (np.where(np.arange(6) == 2, NUMBERS[:, None] / 3, X), NUMBERS)),
    "validation-overlaps-training: rows twice": (
        "validation_data", network, (np.tile(X, (2, 1)), np.tile(CLASSES, 2)),
        {"validation_split": 0.3}),
    "logits-for-probabilities: of two classes": (
        "dense", lambda: binary(activation=None), (X, BINARY)),
    "probabilities-for-logits: of two classes": (
        "dense",
        lambda: binary(loss=keras.losses.BinaryCrossentropy(from_logits=True)),
        (X, BINARY)),
    "targets-outside-activation: tanh": (
        "dense", lambda: regression(activation="tanh"), (X, NUMBERS * 5)),
    "targets-outside-activation: ReLU": (
        "dense", lambda: regression(activation="relu"), (X, NUMBERS)),
    "dead-relu: a layer of its own": (
        "re_lu",
        lambda: network(
            layers.Dense(8, bias_initializer=keras.initializers.Constant(-50)),
            layers.ReLU()),
        (X, CLASSES)),
    "saturated: sigmoid": (
        "dense",
        lambda: network(
            layers.Dense(8, activation="sigmoid",
                         kernel_initializer=keras.initializers.RandomNormal(0, 80))),
        (X, CLASSES)),
    "saturated: softmax": (
        "dense",
        lambda: network(
            layers.Dense(8, activation="softmax",
                         kernel_initializer=keras.initializers.RandomNormal(0, 80))),
        (X, CLASSES)),
    "saturated: the last softmax": (
        "dense", lambda: network(layers.Rescaling(200)), (X, CLASSES)),
    "no-gradient: without a loss": ("side", unused, (X, [CLASSES])),
    "learning-rate-high: SGD": (
        "optimizer", lambda: network(optimizer=keras.optimizers.SGD(300.0)),
        (X, CLASSES)),
    "learning-rate-low: Adam": (
        "dense", lambda: network(optimizer=keras.optimizers.Adam(1e-9)), (X, CLASSES)),
    "batch-norm-of-few: one row": (
        "batch_normalization",
        lambda: network(layers.Dense(8), layers.BatchNormalization()),
        (X, CLASSES), {"batch_size": 1}),
}  # fmt: skip


def found(fault):
    where, make, data, options = (*FAULTS[fault], {})[:4]
    keras.utils.set_random_seed(0)  # a draw of weights may happen to be right
    model = make()
    if not model.compiled:
        model.compile("adam", CROSSENTROPY)
    return where, model.diagnose(*data, **options)


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(fault):
    kind = fault.partition(":")[0]
    with backends.scope("torch"):
        where, diagnosis = found(fault)
    finding = next((f for f in diagnosis if f.kind == kind), None)
    assert finding is not None, diagnosis.kinds
    assert where in finding.where
    assert finding.severity != "info"
    assert not diagnosis.healthy
    assert finding.kind in str(diagnosis) and finding.evidence and finding.advice
    assert finding.kind in diagnosis._repr_html_()


@pytest.mark.parametrize("kind", ["layer-not-finite", "dead-relu", "no-gradient"])
def test_fault_on_every_engine(training_engine, kind):
    where, diagnosis = found(kind)
    assert where in {f.kind: f.where for f in diagnosis}[kind]


def test_what_follows_from_bad_targets_says_so():
    found = regression().diagnose(X, with_value(NUMBERS, np.nan, 3))
    advice = {finding.kind: finding.advice for finding in found}
    assert advice["loss-not-finite"] == "Mend the data first: see above."
    assert "2 errors" in str(found)


def test_the_operation_inside_a_layer_is_named(training_engine):
    root = layers.Lambda(lambda x: ops.sqrt(ops.sum(x, 1, keepdims=True) - 1e3))
    found = {f.kind: f.evidence for f in network(root).diagnose(X, CLASSES)}
    assert "inside it 'sqrt' is" in found["layer-not-finite"].lower()
    bad = network(layers.Dense(4)).diagnose(with_value(X, np.nan), CLASSES)
    assert "Inside it" not in str(bad)


def test_a_refusal_quotes_the_error_alone():
    """JAX adds words about its tracebacks to every error."""
    with backends.scope("jax"):
        (found,) = network().diagnose(X)
    assert found.kind == "refused" and "JAX has removed" not in str(found)


def test_class_numbers_for_a_loss_of_numbers():
    (found,) = network(loss="mse").diagnose(X, CLASSES)
    assert "1 unit, or check" in found.evidence
    assert "'sparse_categorical_crossentropy'" in found.evidence


def test_a_constant_label_is_written_as_a_number():
    found = binary().diagnose(X, np.ones(ROWS))
    assert f"All {ROWS} targets looked at are 1." in [f.evidence for f in found]
