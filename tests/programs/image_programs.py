"""Image classification: dense, convolutional, residual, and a vision transformer."""

import functools

import numpy as np
from catalogue import classes, program
from checks import array, assert_keys, assert_saved_alike
from small_data import digits


@program
def image_mlp(keras):
    """Dense layers and dropout give logits, a model around it probabilities."""
    (x, y), (x_test, y_test) = digits()
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10),
        ]
    )
    assert model.count_params() == 64 * 64 + 64 + 64 * 10 + 10
    model.compile(
        optimizer="adam",
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = model.fit(x, y, epochs=12, verbose=0)
    assert_keys(history, "accuracy", "loss")
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    assert accuracy > 0.82, accuracy

    classifier = keras.Sequential([model, keras.layers.Softmax()])
    probabilities = classifier.predict(x_test, verbose=0)
    assert probabilities.shape == (360, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, 1e-5)
    right = probabilities.argmax(axis=1) == y_test
    np.testing.assert_allclose(np.mean(right), accuracy, 1e-6)
    true = probabilities[np.arange(360), y_test]
    np.testing.assert_allclose(-np.mean(np.log(true)), loss, 1e-4)


@program
def image_cnn(keras):
    """Convolutions and pooling, one-hot labels, a validation split, a saved model."""
    (x, y), (x_test, y_test) = digits()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, (2, 2), activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    assert [layer.output.shape[1:3] for layer in model.layers[:3]] == [
        (6, 6),
        (3, 3),
        (2, 2),
    ]
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    one_hot = keras.utils.to_categorical(y, 10)
    history = model.fit(
        x, one_hot, batch_size=32, epochs=10, validation_split=0.1, verbose=0
    )
    assert_keys(history, "accuracy", "loss", "val_accuracy", "val_loss")
    one_hot_test = keras.utils.to_categorical(y_test, 10)
    score = model.evaluate(x_test, one_hot_test, verbose=0, return_dict=True)
    assert score["accuracy"] > 0.75, score
    assert_saved_alike(keras, model, x_test[:20])


@program(slow=("jax", "tensorflow"))
def residual_cnn(keras):
    """Separable convolutions, batch normalisation and residuals (a tiny Xception)."""
    (x, y), (x_test, y_test) = digits()
    layers = keras.layers
    normal = functools.partial(layers.BatchNormalization, momentum=0.8)
    inputs = keras.Input((8, 8, 1))
    hidden = layers.Rescaling(2.0, offset=-1.0)(inputs)
    hidden = layers.Conv2D(16, 3, padding="same", use_bias=False)(hidden)
    hidden = layers.Activation("relu")(normal()(hidden))
    for filters in (24, 32):
        skip = layers.Conv2D(filters, 1, strides=2, padding="same")(hidden)
        hidden = layers.SeparableConv2D(filters, 3, padding="same")(hidden)
        hidden = layers.Activation("relu")(normal()(hidden))
        hidden = layers.MaxPooling2D(3, strides=2, padding="same")(hidden)
        hidden = layers.add([hidden, skip])
    hidden = layers.GlobalAveragePooling2D()(hidden)
    outputs = layers.Dense(10, activation="softmax")(layers.Dropout(0.25)(hidden))
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        metrics=["sparse_categorical_accuracy"],
    )
    model.fit(x, y, batch_size=64, epochs=4, verbose=0)
    averages = [v for v in model.non_trainable_variables if "moving" in v.path]
    assert len(averages) == 6
    assert all(np.ptp(array(keras, v)) > 0 for v in averages)
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    assert accuracy > 0.8, accuracy


@classes
def transformer_parts(keras):
    """Layers of a vision transformer."""
    layers, ops = keras.layers, keras.ops

    class Patches(layers.Layer):
        """Cut images into flat patches."""

        def __init__(self, patch_size, **kwargs):
            super().__init__(**kwargs)
            self.patch_size = patch_size

        def call(self, images):
            size = self.patch_size
            batch, height, width, channels = ops.shape(images)
            rows, columns = height // size, width // size
            patches = ops.reshape(images, (batch, rows, size, columns, size, channels))
            patches = ops.transpose(patches, (0, 1, 3, 2, 4, 5))
            return ops.reshape(patches, (batch, rows * columns, size * size * channels))

        def get_config(self):
            return {**super().get_config(), "patch_size": self.patch_size}

    class PatchEncoder(layers.Layer):
        """Project patches and add what their place means."""

        def __init__(self, count, width, **kwargs):
            super().__init__(**kwargs)
            self.count = count
            self.width = width
            self.projection = layers.Dense(width)
            self.position_embedding = layers.Embedding(count, width)

        def call(self, patches):
            positions = ops.expand_dims(ops.arange(0, self.count), axis=0)
            return self.projection(patches) + self.position_embedding(positions)

        def get_config(self):
            return {**super().get_config(), "count": self.count, "width": self.width}

    return Patches, PatchEncoder


@program(slow=("jax", "tensorflow"))
def vision_transformer(keras):
    """Patches, an encoding of places, blocks of attention, an MLP head; saved."""
    (x, y), (x_test, y_test) = digits()
    layers = keras.layers
    Patches, PatchEncoder = transformer_parts(keras)

    inputs = keras.Input((8, 8, 1))
    patches = Patches(2)(inputs)
    assert patches.shape == (None, 16, 4)
    encoded = PatchEncoder(16, 24)(patches)
    for _ in range(2):
        normal = layers.LayerNormalization(epsilon=1e-6)(encoded)
        attention = layers.MultiHeadAttention(2, 12, dropout=0.1)(normal, normal)
        skip = layers.Add()([attention, encoded])
        hidden = layers.LayerNormalization(epsilon=1e-6)(skip)
        for units in (48, 24):
            hidden = layers.Dense(units, activation=keras.activations.gelu)(hidden)
            hidden = layers.Dropout(0.1)(hidden)
        encoded = layers.Add()([hidden, skip])
    hidden = layers.Flatten()(layers.LayerNormalization(epsilon=1e-6)(encoded))
    outputs = layers.Dense(10)(layers.Dropout(0.2)(hidden))
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizer=keras.optimizers.AdamW(0.004, weight_decay=1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[
            keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
            keras.metrics.SparseTopKCategoricalAccuracy(3, name="top-3-accuracy"),
        ],
    )
    history = model.fit(x, y, batch_size=64, epochs=6, validation_split=0.1, verbose=0)
    names = ["accuracy", "loss", "top-3-accuracy"]
    assert_keys(history, *names, *(f"val_{name}" for name in names))
    _, accuracy, top = model.evaluate(x_test, y_test, verbose=0)
    assert top > accuracy > 0.75, (accuracy, top)

    cut = array(keras, Patches(2)(x[:1]))[0]
    np.testing.assert_array_equal(cut[5].reshape(2, 2), x[0, 2:4, 2:4, 0])
    parts = {"Patches": Patches, "PatchEncoder": PatchEncoder}
    assert_saved_alike(keras, model, x_test[:20], custom_objects=parts)
