"""Many inputs and outputs, transfer learning, distillation, mixed precision, saving."""

import json
import os

import numpy as np
from catalogue import classes, program
from checks import array, assert_keys, assert_saved_alike, folder
from small_data import digits, iris


@program(slow=("tensorflow",))
def many_inputs_and_outputs(keras):
    """Named losses, weights of losses, metrics and sample weights of two outputs."""
    random = np.random.default_rng(0)
    words = random.integers(0, 30, (400, 8)).astype("int32")
    tags = random.integers(0, 2, (400, 4)).astype("float32")
    priority = (words.mean(axis=1, keepdims=True) / 30).astype("float32")
    team = tags[:, :2].sum(axis=1).astype("int32")
    layers = keras.layers
    word_input = keras.Input((None,), name="words", dtype="int32")
    tag_input = keras.Input((4,), name="tags")
    hidden = layers.GlobalAveragePooling1D()(layers.Embedding(30, 8)(word_input))
    hidden = layers.concatenate([hidden, tag_input])
    hidden = layers.Dense(24, activation="relu")(hidden)
    model = keras.Model(
        inputs=[word_input, tag_input],
        outputs={
            "priority": layers.Dense(1, name="priority")(hidden),
            "team": layers.Dense(3, name="team")(hidden),
        },
    )
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss={
            "priority": "mse",
            "team": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        },
        loss_weights={"priority": 4.0, "team": 0.5},
        metrics={"priority": ["mae"], "team": ["accuracy"]},
    )
    x = {"words": words, "tags": tags}
    y = {"priority": priority, "team": team}
    history = model.fit(x, y, batch_size=32, epochs=20, validation_split=0.1, verbose=0)
    names = [
        "loss", "priority_loss", "team_loss", "priority_mae", "team_accuracy"
    ]  # fmt: skip
    assert_keys(history, *names, *(f"val_{name}" for name in names))
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    assert found["team_accuracy"] > 0.9 and found["priority_mae"] < 0.1, found
    total = 4 * found["priority_loss"] + 0.5 * found["team_loss"]
    np.testing.assert_allclose(found["loss"], total, 1e-4)
    outputs = model.predict(x, verbose=0)
    assert outputs["priority"].shape == (400, 1) and outputs["team"].shape == (400, 3)
    error = np.mean((outputs["priority"] - priority) ** 2)
    np.testing.assert_allclose(found["priority_loss"], error, 1e-3)
    weights = {"priority": np.ones(400), "team": np.zeros(400)}
    weighted = model.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True)
    np.testing.assert_allclose(weighted["loss"], 4 * found["priority_loss"], 1e-3)


def base_network(keras):
    """A small network "trained on other data": on the digits 0 to 4."""
    (x, y), _ = digits()
    layers = keras.layers
    inputs = keras.Input((8, 8, 1))
    hidden = layers.Conv2D(16, 3, padding="same", name="conv")(inputs)
    hidden = layers.BatchNormalization(momentum=0.8, name="norm")(hidden)
    hidden = layers.Activation("relu")(hidden)
    hidden = layers.GlobalMaxPooling2D(name="pool")(layers.MaxPooling2D()(hidden))
    model = keras.Model(inputs, layers.Dense(5, activation="softmax")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy")
    low = y < 5
    model.fit(x[low], y[low], batch_size=64, epochs=3, verbose=0)
    return model


@program(slow=("jax", "tensorflow"))
def transfer_learning(keras):
    """Cut the head off, freeze, train a new head, thaw, train on at a low rate."""
    (x, y), _ = digits()
    high = y >= 5
    x, y = x[high], y[high] - 5
    trained = base_network(keras)
    base = keras.Model(trained.input, trained.get_layer("pool").output)
    base.trainable = False
    inputs = keras.Input(shape=(8, 8, 1))
    hidden = base(inputs, training=False)
    hidden = keras.layers.Dropout(0.1)(keras.layers.Dense(32, "relu")(hidden))
    model = keras.Model(inputs, keras.layers.Dense(5)(hidden))
    assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (4, 6)

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    before = base.get_weights()
    model.fit(x, y, batch_size=64, epochs=5, verbose=0)
    for old, new in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    frozen = model.evaluate(x, y, verbose=0)

    base.trainable = True
    base.get_layer("norm").trainable = False
    model.compile(keras.optimizers.Adam(0.005), loss, metrics=["accuracy"])
    assert len(model.trainable_weights) == 6
    model.fit(x, y, batch_size=64, epochs=8, verbose=0)
    tuned = model.evaluate(x, y, verbose=0)
    assert tuned[0] < frozen[0] and tuned[1] > 0.8, (frozen, tuned)
    after = base.get_weights()
    assert np.any(before[0] != after[0])
    # Frozen batch normalisation runs in inference mode: its averages stay too.
    for old, new in zip(before[2:], after[2:], strict=True):
        np.testing.assert_array_equal(old, new)


@program
def model_surgery(keras):
    """Layers by name, `pop`, weights from one network into a part of another."""
    source = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(16, activation="relu", name="body"),
            keras.layers.Dense(3, name="head"),
        ]
    )
    x, y = iris()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    source.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    source.fit(x, y, epochs=20, verbose=0)
    assert source.evaluate(x, y, verbose=0)[1] > 0.8

    clone = keras.models.clone_model(source)
    assert np.any(clone.get_weights()[0] != source.get_weights()[0])
    clone.set_weights(source.get_weights())
    expected = source.predict(x, verbose=0)
    np.testing.assert_allclose(clone.predict(x, verbose=0), expected, 1e-5, 1e-5)

    clone.pop()
    clone.add(keras.layers.Dense(2, name="new_head"))
    assert [layer.name for layer in clone.layers] == ["body", "new_head"]
    clone.get_layer("body").trainable = False
    clone.compile("sgd", loss)
    clone.fit(x, y % 2, epochs=1, verbose=0)
    body = source.get_layer("body").get_weights()
    np.testing.assert_array_equal(clone.layers[0].get_weights()[0], body[0])

    inner = keras.Model(source.inputs, source.get_layer("body").output)
    hidden = np.maximum(x @ body[0] + body[1], 0)
    np.testing.assert_allclose(inner.predict(x, verbose=0), hidden, 1e-4, 1e-4)


@classes
def distiller_class(keras):
    ops = keras.ops

    class Distiller(keras.Model):
        """A student that learns from labels and from a teacher."""

        def __init__(self, student, teacher):
            super().__init__()
            self.student = student
            self.teacher = teacher

        def compile(self, student_loss_fn, distillation_loss_fn, alpha, temperature,
                    **options):  # fmt: skip
            super().compile(**options)
            self.student_loss_fn = student_loss_fn
            self.distillation_loss_fn = distillation_loss_fn
            self.alpha = alpha
            self.temperature = temperature

        def compute_loss(
            self, x=None, y=None, y_pred=None, sample_weight=None, allow_empty=False
        ):
            taught = self.teacher(x, training=False)
            soft = [
                ops.softmax(logits / self.temperature, axis=1)
                for logits in (taught, y_pred)
            ]
            distilled = self.distillation_loss_fn(*soft) * self.temperature**2
            return (
                self.alpha * self.student_loss_fn(y, y_pred)
                + (1 - self.alpha) * distilled
            )

        def call(self, x):
            return self.student(x)

    return Distiller


@program(slow=("tensorflow",))
def distillation(keras):
    """A small network learns what a bigger one says; the teacher stays as it is."""
    (x, y), (x_test, y_test) = digits()

    def network(*units):
        hidden = [keras.layers.Dense(n, activation="relu") for n in units]
        flat = keras.layers.Flatten()
        return keras.Sequential(
            [keras.Input((8, 8, 1)), flat, *hidden, keras.layers.Dense(10)]
        )

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    teacher, student = network(64, 32), network(12)
    teacher.compile(keras.optimizers.Adam(0.005), loss, metrics=["accuracy"])
    teacher.fit(x, y, epochs=4, batch_size=64, verbose=0)
    before = teacher.get_weights()
    teacher.trainable = False
    distiller = distiller_class(keras)(student=student, teacher=teacher)
    distiller.compile(
        optimizer=keras.optimizers.Adam(0.01),
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
        student_loss_fn=loss,
        distillation_loss_fn=keras.losses.KLDivergence(),
        alpha=0.1,
        temperature=4,
    )
    history = distiller.fit(x, y, epochs=8, batch_size=64, verbose=0)
    assert_keys(history, "loss", "sparse_categorical_accuracy")
    found = distiller.evaluate(x_test, y_test, verbose=0, return_dict=True)
    assert found["sparse_categorical_accuracy"] > 0.8, found
    for old, new in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@program
def mixed_precision(keras):
    """bfloat16 inside, float32 weights and a float32 output; float16 scales losses."""
    (x, y), (x_test, y_test) = digits()
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        inputs = keras.Input((8, 8, 1))
        hidden = keras.layers.Flatten()(inputs)
        hidden = keras.layers.Dense(64, activation="relu")(hidden)
        outputs = keras.layers.Dense(10, name="logits")(hidden)
        outputs = keras.layers.Activation("softmax", dtype="float32")(outputs)
        model = keras.Model(inputs, outputs)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    dense = model.get_layer("logits")
    assert (dense.compute_dtype, dense.variable_dtype) == ("bfloat16", "float32")
    assert (hidden.dtype, outputs.dtype) == ("bfloat16", "float32")
    model.compile(
        keras.optimizers.Adam(0.003),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(x, y, batch_size=64, epochs=5, verbose=0)
    assert model.evaluate(x_test, y_test, verbose=0)[1] > 0.8
    assert model.predict(x_test[:2], verbose=0).dtype == np.float32
    loaded = assert_saved_alike(keras, model, x_test[:20])
    assert loaded.get_layer("logits").compute_dtype == "bfloat16"


@program
def saving_and_loading(keras):
    """The whole model, its weights, its architecture; training goes on."""
    x, y = iris()

    def network():
        model = keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(16, activation="tanh"),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        model.compile(
            keras.optimizers.Adam(0.02),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    model = network()
    model.fit(x, y, epochs=5, shuffle=False, verbose=0)
    expected = model.predict(x, verbose=0)
    with folder() as place:
        weights = os.fspath(place / "my.weights.h5")
        model.save_weights(weights)
        other = network()
        other.load_weights(weights)
        np.testing.assert_allclose(other.predict(x, verbose=0), expected, 1e-5)

        whole = os.fspath(place / "my_model.keras")
        model.save(whole)
        loaded = keras.models.load_model(whole)
    scores = [m.evaluate(x, y, verbose=0) for m in (model, loaded)]
    np.testing.assert_allclose(*scores, 1e-5)

    # With its optimizer: both go on in the same way.
    for m in (model, loaded):
        m.fit(x, y, epochs=2, shuffle=False, verbose=0)
    assert int(array(keras, loaded.optimizer.iterations)) == 7 * 5
    for one, two in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, 1e-4, 1e-5)
    assert model.evaluate(x, y, verbose=0)[1] > 0.8

    architecture = model.to_json()
    assert json.loads(architecture)["class_name"] == "Sequential"
    rebuilt = keras.models.model_from_json(architecture)
    rebuilt.set_weights(model.get_weights())
    again = keras.Sequential.from_config(model.get_config())
    assert [w.shape for w in again.weights] == [w.shape for w in rebuilt.weights]
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(rebuilt.predict(x, verbose=0), expected, 1e-5)
