"""Programs that begin with data layers on arrays, `tf.data` and `DataLoader`."""

import numpy as np
from catalogue import program
from checks import array, assert_saved_alike
from small_data import digits, iris


@program
def data_tf_map(keras):
    """A `tf.data` pipeline maps batches through layers; fit reads it."""
    import tensorflow as tf

    (x, y), (x_test, y_test) = digits()
    scale = keras.layers.Normalization(axis=None)
    scale.adapt(x)
    flip = keras.layers.RandomFlip("vertical", seed=1)

    def prepared(batch, labels):
        return scale(flip(batch, training=True)), labels

    rows = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2000, seed=1).batch(64)
    train = rows.map(prepared, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)
    test = tf.data.Dataset.from_tensor_slices((x_test, y_test)).batch(64)
    test = test.map(lambda batch, labels: (scale(batch), labels))
    seen = np.concatenate([batch.numpy() for batch, _ in test])
    np.testing.assert_allclose(
        seen, (x_test - x.mean()) / x.std(), rtol=1e-3, atol=1e-3
    )
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(train, epochs=6, validation_data=test, verbose=0)
    assert history.history["val_accuracy"][-1] > 0.8, history.history


@program
def data_loader_layers(keras):
    """Layers run in a torch dataset's `__getitem__`; a `DataLoader` feeds fit."""
    import torch

    x, y = iris()
    scale = keras.layers.Normalization()
    scale.adapt(x[:120])
    bins = keras.layers.Discretization(bin_boundaries=[1.0, 3.0, 5.0])

    class Flowers(torch.utils.data.Dataset):
        def __len__(self):
            return 120

        def __getitem__(self, index):
            row = x[index]
            numbers = array(keras, scale(row[None]))[0]
            kind = array(keras, bins(row[2:3]))
            return np.append(numbers, kind).astype("float32"), int(y[index])

    loader = torch.utils.data.DataLoader(Flowers(), batch_size=20, shuffle=True)
    model = keras.Sequential(
        [keras.layers.Dense(16, "relu"), keras.layers.Dense(3, "softmax")]
    )
    model.compile(
        keras.optimizers.Adam(0.03),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(loader, epochs=15, verbose=0)
    assert history.history["accuracy"][-1] > 0.9, history.history


@program
def data_transfer(keras):
    """Digits 5 to 9 on the frozen body of a network of 0 to 4, then all of it."""
    (x, y), _ = digits()
    layers = keras.layers

    def split(low, high):
        kept = (y >= low) & (y < high)
        return 255 * x[kept], y[kept] - low

    def body():
        inputs = keras.Input((8, 8, 1))
        hidden = inputs
        for filters in (8, 16):
            hidden = layers.Conv2D(filters, 3, padding="same")(hidden)
            hidden = layers.BatchNormalization()(hidden)
            hidden = layers.ReLU()(hidden)
        return keras.Model(inputs, layers.GlobalMaxPooling2D()(hidden), name="body")

    def whole(base):
        inputs = keras.Input((8, 8, 1))
        augmentation = keras.Sequential(
            [layers.RandomFlip("horizontal"), layers.Rescaling(1 / 255)]
        )
        hidden = base(augmentation(inputs), training=False)
        hidden = layers.Dropout(0.1)(hidden)
        model = keras.Model(inputs, layers.Dense(5)(hidden))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
        return model

    base = body()
    whole(base).fit(*split(0, 5), epochs=4, batch_size=16, verbose=0)
    base.trainable = False
    before = [w.copy() for w in base.get_weights()]
    model = whole(base)
    assert len(model.trainable_weights) == 2
    head = model.fit(*split(5, 10), epochs=4, batch_size=16, verbose=0)
    for old, new in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    base.trainable = True
    model.compile(
        keras.optimizers.Adam(0.005), model.loss, metrics=["accuracy"]
    )  # fmt: skip
    tuned = model.fit(*split(5, 10), epochs=4, batch_size=16, verbose=0)
    accuracies = head.history["accuracy"][-1], tuned.history["accuracy"][-1]
    assert accuracies[1] > accuracies[0] + 0.1, accuracies
    assert_saved_alike(keras, model, split(5, 10)[0][:10])


@program(slow=("jax", "tensorflow"))
def data_mixing(keras):
    """MixUp and CutMix of batches with their labels, in a `PyDataset`."""
    (x, y), (x_test, y_test) = digits()
    labels = keras.ops.convert_to_numpy(keras.ops.one_hot(y, 10))
    mixers = [keras.layers.MixUp(alpha=0.2, seed=1), keras.layers.CutMix(seed=2)]

    class Mixed(keras.utils.PyDataset):
        def __len__(self):
            return 24

        def __getitem__(self, index):
            rows = slice(60 * index, 60 * (index + 1))
            data = {"images": x[rows], "labels": labels[rows]}
            mixed = mixers[index % 2](data, training=True)
            return array(keras, mixed["images"]), array(keras, mixed["labels"])

    images, mixed = Mixed()[0]
    assert images.shape == (60, 8, 8, 1) and np.any(images != x[:60])
    np.testing.assert_allclose(mixed.sum(axis=1), 1, rtol=1e-5)
    assert np.any((mixed > 0) & (mixed < 1))
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.05),
        metrics=["accuracy"],
    )
    test = x_test, keras.utils.to_categorical(y_test, 10)
    history = model.fit(Mixed(), epochs=6, validation_data=test, verbose=0)
    assert history.history["val_accuracy"][-1] > 0.8, history.history
