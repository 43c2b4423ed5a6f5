"""Programs that begin with folders, series, texts and tables."""

import numpy as np
from catalogue import program
from checks import array, assert_saved_alike, folder
from small_data import digits, windows


@program(slow=("tensorflow",))
def folder_images(keras):
    """Image classification from scratch: a folder for each class, augmentation."""
    layers = keras.layers
    (x, y), _ = digits()
    with folder() as place:
        for number in range(600):
            path = place / f"digit {y[number]}" / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            keras.utils.save_img(path, 255 * x[number], scale=False)
        train, validation = keras.utils.image_dataset_from_directory(
            place, validation_split=0.2, subset="both", seed=1, image_size=(8, 8),
            batch_size=32, color_mode="grayscale",
        )  # fmt: skip
        assert train.class_names == [f"digit {i}" for i in range(10)]
        images, labels = next(iter(train))
        assert images.shape == (32, 8, 8, 1) and labels.shape == (32,)
        inputs = keras.Input((8, 8, 1))
        hidden = layers.RandomBrightness(0.1, seed=1)(inputs)
        hidden = layers.Rescaling(1 / 255)(hidden)
        hidden = layers.SeparableConv2D(32, 3, padding="same", use_bias=False)(hidden)
        hidden = layers.BatchNormalization()(hidden)
        hidden = layers.Activation("relu")(hidden)
        hidden = layers.Flatten()(layers.MaxPooling2D(2)(hidden))
        outputs = layers.Dense(10, activation="softmax")(hidden)
        model = keras.Model(inputs, outputs)
        model.compile(
            keras.optimizers.Adam(0.01),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        model.fit(train, epochs=6, verbose=0)
        _, accuracy = model.evaluate(validation, verbose=0)
        assert accuracy > 0.6, accuracy
        image = keras.utils.load_img(
            place / "digit 0" / "0.png", color_mode="grayscale", target_size=(8, 8)
        )
        row = keras.utils.img_to_array(image)[None]
        assert model.predict(row, verbose=0).shape == (1, 10)
        assert_saved_alike(keras, model, row)


@program
def folder_series(keras):
    """Weather forecasting: windows of several series, a few steps ahead."""
    x, _ = windows()
    series = np.concatenate([x[:, 0], np.roll(x[:, 0], 2)], axis=1)
    past, ahead, train_split = 12, 2, 320
    make = keras.utils.timeseries_dataset_from_array
    parts = []
    for part in (series[:train_split], series[train_split:]):
        targets = part[past + ahead :, :1]
        parts.append(
            make(part[: -past - ahead], targets, sequence_length=past, batch_size=32)
        )
    train, validation = parts
    for batch, targets in train:
        assert tuple(batch.shape) == (32, past, 2), batch.shape
        assert tuple(targets.shape) == (32, 1)
        break
    inputs = keras.layers.Input(shape=(past, 2))
    hidden = keras.layers.LSTM(16)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.02), loss="mse")
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    history = model.fit(
        train, epochs=12, validation_data=validation, callbacks=[stop], verbose=0
    )
    held_out = series[train_split:]
    naive = np.mean(
        (held_out[past + ahead :, 0] - held_out[past - 1 : -ahead - 1, 0]) ** 2
    )
    assert min(history.history["val_loss"]) < naive, (naive, history.history)


def sentences(rows=300):
    """Return texts, and whether each praises."""
    random = np.random.default_rng(0)
    good, bad = (
        "great fine lovely warm bright".split(),
        "dull cold poor grey bad".split(),
    )
    rest = "the a film story with of and it was is very quite".split()
    labels = random.integers(0, 2, rows)
    texts = []
    for label in labels:
        words = [*random.choice(rest, 8), *random.choice(good if label else bad, 3)]
        text = " ".join(random.permutation(words))
        texts.append(f"{text.capitalize()}!<br />")
    return texts, labels.astype("float32")


@program(slow=("tensorflow",))
def folder_texts(keras):
    """Text classification from scratch: files, a vocabulary, a convolution."""
    layers = keras.layers
    texts, labels = sentences()
    with folder() as place:
        for number, (text, label) in enumerate(zip(texts, labels, strict=True)):
            path = place / ("good" if label else "bad") / f"{number}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        train, test = keras.utils.text_dataset_from_directory(
            place, batch_size=30, validation_split=0.2, subset="both", seed=3
        )
        assert train.class_names == ["bad", "good"]
        words = layers.TextVectorization(max_tokens=60, output_sequence_length=12)
        words.adapt(train.map(lambda text, label: text))
        numbers = train.map(lambda text, label: (words(text), label))
        inputs = keras.Input((12,), dtype="int64")
        hidden = layers.Embedding(60, 8)(inputs)
        hidden = layers.Conv1D(16, 3, activation="relu")(layers.Dropout(0.2)(hidden))
        hidden = layers.GlobalMaxPooling1D()(hidden)
        model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))
        model.compile(
            keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"]
        )
        model.fit(numbers, epochs=6, verbose=0)
        tested = test.map(lambda text, label: (words(text), label))
        assert model.evaluate(tested, verbose=0)[1] > 0.9
    assert words.get_vocabulary()[:2] == ["", "[UNK]"]


@program(slow=("tensorflow",))
def folder_table(keras):
    """Structured data: a FeatureSpace of numbers, categories and a cross."""
    random = np.random.default_rng(0)
    rows = 400
    table = {
        "age": random.integers(20, 70, rows).astype("float32"),
        "income": random.lognormal(10, 1, rows).astype("float32"),
        "job": random.choice(["cook", "clerk", "nurse"], rows),
        "children": random.integers(0, 4, rows).astype("int32"),
    }
    labels = (table["age"] > 45) ^ (table["job"] == "cook")
    labels = labels.astype("float32")
    kinds = keras.utils.FeatureSpace
    space = kinds(
        features={
            "age": kinds.float_discretized(num_bins=8),
            "income": "float_normalized",
            "job": kinds.string_categorical(num_oov_indices=0),
            "children": kinds.integer_categorical(num_oov_indices=0),
        },
        crosses=[kinds.cross(("job", "children"), crossing_dim=8)],
        output_mode="concat",
    )
    data = table
    if hasattr(keras, "src"):  # Keras adapts to a `tf.data.Dataset` alone
        import tensorflow as tf

        data = tf.data.Dataset.from_tensor_slices(table).batch(64)
    space.adapt(data)
    numbers = array(keras, space(table))
    assert numbers.shape == (rows, 8 + 1 + 3 + 4 + 8), numbers.shape
    model = keras.Sequential(
        [
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"]
    )
    history = model.fit(numbers, labels, epochs=12, validation_split=0.2, verbose=0)
    assert history.history["val_accuracy"][-1] > 0.85, history.history
