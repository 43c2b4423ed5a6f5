"""Writes files of old versions of Keras, with what their models predict beside them.

    python tests/saving/write_legacy_files.py LIBRARY FILE.zip

runs in an environment of that version: LIBRARY is `keras` (2.12.0 with TensorFlow
2.12.0, the oldest that Python 3.11 can install) or `tf_keras` (2.21.0). What it wrote
is in `tests/saving/files/`.
"""

import importlib
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

k = importlib.import_module(sys.argv[1])
L, O = k.layers, k.optimizers
random = np.random.default_rng(0)

VECTOR, SERIES, IMAGE, VOLUME, WORDS = (6,), (7, 3), (8, 8, 3), (5, 6, 6, 2), (5,)
SEQUENTIAL = {
    "dense": (
        VECTOR,
        lambda: [L.Dense(4, activation="relu", kernel_regularizer="l2"), L.Dense(2)],
    ),
    "batch_normalization": (VECTOR, lambda: [L.BatchNormalization()]),
    "frozen": (
        VECTOR,
        lambda: [L.Dense(3), L.BatchNormalization(trainable=False)],
    ),
    "normalization": (
        IMAGE,
        lambda: [
            L.LayerNormalization(),
            L.GroupNormalization(3),
            L.UnitNormalization(),
            L.Rescaling(0.5, 1.0),
        ],
    ),
    "conv_1d": (SERIES, lambda: [L.Conv1D(4, 3, padding="causal")]),
    "conv_2d": (
        IMAGE,
        lambda: [L.Conv2D(6, 3, groups=3), L.Conv2D(4, 3, strides=2, padding="same")],
    ),
    "conv_3d": (VOLUME, lambda: [L.Conv3D(3, 2), L.Conv3DTranspose(2, 2)]),
    "transpose_1d": (SERIES, lambda: [L.Conv1DTranspose(4, 3)]),
    "transpose_2d": (IMAGE, lambda: [L.Conv2DTranspose(4, 3, strides=2)]),
    "depthwise_1d": (SERIES, lambda: [L.DepthwiseConv1D(3)]),
    "depthwise_2d": (IMAGE, lambda: [L.DepthwiseConv2D(3, depth_multiplier=2)]),
    "separable_1d": (SERIES, lambda: [L.SeparableConv1D(4, 3)]),
    "separable_2d": (IMAGE, lambda: [L.SeparableConv2D(4, 3)]),
    "pooling_1d": (SERIES, lambda: [L.MaxPooling1D(2), L.AveragePooling1D(2)]),
    "pooling_2d": (
        IMAGE,
        lambda: [
            L.MaxPooling2D(),
            L.AveragePooling2D(2, strides=1),
            L.GlobalAveragePooling2D(keepdims=True),
            L.GlobalMaxPooling2D(),
        ],
    ),
    "pooling_3d": (VOLUME, lambda: [L.MaxPooling3D(2)]),
    "lstm": (SERIES, lambda: [L.LSTM(4, return_sequences=True), L.LSTM(3)]),
    "gru": (SERIES, lambda: [L.GRU(4)]),
    "gru_reset_before": (SERIES, lambda: [L.GRU(4, reset_after=False)]),
    "simple_rnn": (SERIES, lambda: [L.SimpleRNN(4)]),
    "rnn_cells": (SERIES, lambda: [L.RNN([L.GRUCell(3), L.LSTMCell(2)])]),
    "bidirectional": (
        SERIES,
        lambda: [
            L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum"),
            L.Bidirectional(L.LSTM(3)),
        ],
    ),
    "time_distributed": (SERIES, lambda: [L.TimeDistributed(L.Dense(4))]),
    "conv_lstm": (
        (4, 6, 6, 2),
        lambda: [L.ConvLSTM2D(3, 2, recurrent_activation="sigmoid")],
    ),
    "embedding": (WORDS, lambda: [L.Embedding(10, 4, mask_zero=True), L.LSTM(3)]),
    "embedding_flat": (
        WORDS,
        lambda: [L.Embedding(10, 4, input_length=5), L.Flatten(), L.Dense(1)],
    ),
    "activations": (
        VECTOR,
        lambda: [
            L.Activation("tanh"),
            L.LeakyReLU(alpha=0.2),
            L.ELU(0.5),
            L.PReLU(),
            L.ReLU(6.0, threshold=0.1),
            L.ThresholdedReLU(theta=0.05),
            L.Softmax(),
        ],
    ),
    "regularization": (
        SERIES,
        lambda: [
            L.Dropout(0.5),
            L.SpatialDropout1D(0.2),
            L.GaussianNoise(0.1),
            L.GaussianDropout(0.1),
            L.AlphaDropout(0.1),
            L.ActivityRegularization(l1=0.1),
        ],
    ),
    "reshaping": (
        IMAGE,
        lambda: [
            L.ZeroPadding2D(1),
            L.Cropping2D(((1, 0), (0, 1))),
            L.UpSampling2D(2, interpolation="bilinear"),
            L.Permute((3, 1, 2)),
            L.Reshape((-1, 4)),
            L.Flatten(),
            L.RepeatVector(2),
        ],
    ),
    "masking": (SERIES, lambda: [L.Masking(), L.GRU(2)]),
    "einsum": (
        SERIES,
        lambda: [L.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d")],
    ),
    "nested": (
        VECTOR,
        lambda: [
            k.Sequential([L.InputLayer(VECTOR), L.Dense(4), L.BatchNormalization()]),
            L.Dense(2),
        ],
    ),
}


def merging():
    a, b = k.Input((5,), name="a"), k.Input((5,), name="b")
    shared = L.Dense(4, name="shared")
    x, y = shared(a), shared(b)
    merges = (L.Add, L.Subtract, L.Multiply, L.Average, L.Maximum, L.Minimum)
    merged = [cls()([x, y]) for cls in (*merges, L.Concatenate)] + [L.Dot(1)([x, y])]
    outputs = L.Dense(2)(L.concatenate(merged)), L.Dense(1, activation="sigmoid")(x)
    return k.Model([a, b], outputs)


def attention():
    a, b = k.Input((5, 4)), k.Input((6, 4))
    heads = L.MultiHeadAttention(2, 3)(a, b)
    others = L.Attention(use_scale=True)([a, b]), L.AdditiveAttention()([a, b])
    return k.Model([a, b], L.Concatenate()([heads, *others]))


def states():
    x = k.Input((5, 4))
    _, h, c = L.LSTM(3, return_state=True)(x)
    return k.Model(x, L.LSTM(3)(x, initial_state=[h, c]))


def sequential(shape, layers):
    return k.Sequential([L.InputLayer(shape), *layers()])


def before_2_11(name, **arguments):
    """Return an optimizer of the kind before Keras 2.11."""
    if hasattr(O.legacy, name):
        return getattr(O.legacy, name)(**arguments)
    files = {"Adam": "adam", "RMSprop": "rmsprop", "SGD": "gradient_descent"}
    module = importlib.import_module(f"keras.optimizers.legacy.{files[name]}")
    return getattr(module, name)(**arguments)


OPTIMIZERS = {
    "sgd": lambda: O.SGD(0.01, momentum=0.9, nesterov=True),
    "adam": lambda: O.Adam(0.01, amsgrad=True),
    "rmsprop": lambda: O.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda: O.Adagrad(0.01),
    "adadelta": lambda: O.Adadelta(0.1),
    "adamax": lambda: O.Adamax(0.01),
    "nadam": lambda: O.Nadam(0.01),
    "ftrl": lambda: O.Ftrl(0.01),
    "old_adam": lambda: before_2_11("Adam", learning_rate=0.01, decay=0.1),
    "old_sgd": lambda: before_2_11("SGD", learning_rate=0.01, momentum=0.9, decay=0.1),
    "old_rmsprop": lambda: before_2_11("RMSprop", learning_rate=0.01),
}


def data(shape, words):
    if words:
        return random.integers(0, 10, (4, *shape)).astype("float32")
    return random.normal(size=(4, *shape)).astype("float32")


def write_architecture(folder, name, model, shapes):
    for weight in model.weights:
        values = 0.3 * random.normal(size=weight.shape)
        weight.assign(abs(values) + 0.5 if "variance" in weight.name else values)
    inputs = [data(shape, name.startswith("embedding")) for shape in shapes]
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    model.save(f"{folder}/{name}.h5")
    model.save(f"{folder}/{name}.keras", save_format="keras")
    model.save_weights(f"{folder}/{name}_weights.h5")
    Path(folder, f"{name}.json").write_text(model.to_json())
    arrays = {f"x{i}": x for i, x in enumerate(inputs)}
    arrays |= {f"y{i}": y for i, y in enumerate(outputs)}
    np.savez(f"{folder}/{name}.npz", **arrays)


def write_training(folder, name, optimizer):
    """Write a model after two epochs, and what it predicts after a third."""
    k.utils.set_random_seed(1)
    model = k.Sequential([L.InputLayer((4,)), L.Dense(3), L.Dense(1)])
    model.compile(optimizer, "mse", metrics=["mae"])
    x = random.normal(size=(16, 4)).astype("float32")
    y = x.sum(1, keepdims=True)
    how = {"batch_size": 4, "verbose": 0, "shuffle": False}
    model.fit(x, y, epochs=2, **how)
    model.save(f"{folder}/optimizer_{name}.h5")
    model.fit(x, y, epochs=1, **how)
    prediction = model.predict(x, verbose=0)
    np.savez(f"{folder}/optimizer_{name}.npz", x0=x, t0=y, y0=prediction)


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name, (shape, layers) in SEQUENTIAL.items():
            write_architecture(folder, name, sequential(shape, layers), [shape])
        write_architecture(folder, "merging", merging(), [(5,), (5,)])
        write_architecture(folder, "attention", attention(), [(5, 4), (6, 4)])
        write_architecture(folder, "states", states(), [(5, 4)])
        for name, make in OPTIMIZERS.items():
            write_training(folder, name, make())
        with zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_LZMA) as file:
            for path in sorted(Path(folder).iterdir()):
                file.write(path, path.name)


if __name__ == "__main__":
    main()
