"""The networks that are measured: one function each for hornbeam and for Keras."""

import dataclasses
from collections.abc import Callable

import numpy as np


def mlp(keras, x):
    """784-128-10 with dropout."""
    x = keras.layers.Dense(128, activation="relu")(x)
    x = keras.layers.Dropout(0.2)(x)
    return keras.layers.Dense(10)(x)


def digits(keras, x):
    """64-64-10 with dropout: a network for a search."""
    x = keras.layers.Dense(64, activation="relu")(x)
    x = keras.layers.Dropout(0.2)(x)
    return keras.layers.Dense(10)(x)


def wide_mlp(keras, x):
    """1024-4096-4096-10: matrix products and the optimizer's traffic."""
    for _ in range(2):
        x = keras.layers.Dense(4096, activation="relu")(x)
    return keras.layers.Dense(10)(x)


def cnn(keras, x):
    """3x3 convolutions of 32 and 64 filters with pooling."""
    for filters in (32, 64):
        x = keras.layers.Conv2D(filters, 3, activation="relu")(x)
        x = keras.layers.MaxPooling2D()(x)
    return keras.layers.Dense(10)(keras.layers.Flatten()(x))


def _convolution(keras, x, filters, strides=1, size=3, relu=True):
    x = keras.layers.Conv2D(filters, size, strides, "same", use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    return keras.layers.ReLU()(x) if relu else x


def resnet(keras, x):
    """ResNet-18 for 32x32 images, a quarter as wide (He et al., 2016)."""
    x = _convolution(keras, x, 16)
    for filters, first_strides in ((16, 1), (32, 2), (64, 2), (128, 2)):
        for strides in (first_strides, 1):
            y = _convolution(keras, x, filters, strides)
            y = _convolution(keras, y, filters, relu=False)
            if strides != 1 or x.shape[-1] != filters:
                x = _convolution(keras, x, filters, strides, 1, relu=False)
            x = keras.layers.ReLU()(keras.layers.Add()([x, y]))
    return keras.layers.Dense(10)(keras.layers.GlobalAveragePooling2D()(x))


def mobilenet(keras, x):
    """Depthwise separable blocks (Howard et al., 2017)."""
    x = _convolution(keras, x, 16)
    for filters, strides in ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1)):
        x = keras.layers.DepthwiseConv2D(3, strides, "same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
        x = _convolution(keras, x, filters, size=1)
    return keras.layers.Dense(10)(keras.layers.GlobalAveragePooling2D()(x))


def lstm(keras, x):
    """One LSTM of 64 units over 80 steps."""
    return keras.layers.Dense(10)(keras.layers.LSTM(64)(x))


def gru(keras, x):
    """One GRU of 64 units over 80 steps."""
    return keras.layers.Dense(10)(keras.layers.GRU(64)(x))


def stacked_gru(keras, x):
    """Two GRUs of 64 units."""
    x = keras.layers.GRU(64, return_sequences=True)(x)
    return keras.layers.Dense(10)(keras.layers.GRU(64)(x))


def bidirectional_lstm(keras, x):
    """An LSTM of 32 units in each direction."""
    x = keras.layers.Bidirectional(keras.layers.LSTM(32))(x)
    return keras.layers.Dense(10)(x)


def _block(keras, x, heads, causal):
    width = x.shape[-1]
    y = keras.layers.LayerNormalization()(x)
    attention = keras.layers.MultiHeadAttention(heads, width // heads)
    x = keras.layers.Add()([x, attention(y, y, use_causal_mask=causal)])
    y = keras.layers.LayerNormalization()(x)
    y = keras.layers.Dense(4 * width, activation="gelu")(y)
    return keras.layers.Add()([x, keras.layers.Dense(width)(y)])


def transformer(keras, x):
    """An encoder of two blocks, 4 heads, width 64, 32 steps."""
    for _ in range(2):
        x = _block(keras, x, 4, causal=False)
    return keras.layers.Dense(10)(keras.layers.GlobalAveragePooling1D()(x))


def decoder(keras, x):
    """A language model of two causal blocks, width 128, over 1,000 tokens."""
    x = keras.layers.Embedding(1000, 128)(x)
    for _ in range(2):
        x = _block(keras, x, 4, causal=True)
    return keras.layers.Dense(1000)(keras.layers.LayerNormalization()(x))


def recommender(keras, x):
    """Two columns of a table of a million rows, and a dot product."""
    embedded = keras.layers.Embedding(1_000_000, 32)(x)
    hidden = keras.layers.Dense(32, activation="relu")(keras.layers.Flatten()(embedded))
    return keras.layers.Dense(2)(hidden)


def autoencoder(keras, x):
    """Strided convolutions down, transposed ones up."""
    for filters in (16, 32):
        x = keras.layers.Conv2D(filters, 3, 2, "same", activation="relu")(x)
    for filters in (32, 16):
        x = keras.layers.Conv2DTranspose(filters, 3, 2, "same", activation="relu")(x)
    return keras.layers.Conv2D(1, 3, padding="same")(x)


def plain(units=128, depth=2):
    """Return a network of as many layers of `units`, for what grows with its size."""

    def network(keras, x):
        for _ in range(depth):
            x = keras.layers.Dense(units, activation="relu")(x)
        return keras.layers.Dense(10)(x)

    return network


@dataclasses.dataclass(frozen=True)
class Workload:
    """A network, its data and how it is trained.

    Attributes:
        network: `network(keras, inputs)` returns the outputs.
        rows: the number of rows.
        shape: the shape of a row.
        batch: the rows of a batch.
        epochs: warm epochs of which the median is taken.
        optimizer: its name, with the library's defaults.
        kind: what the rows and targets are: "features", "tokens" (each with the next
            one as target), "table" (two row numbers of a table), "images" (targets
            are the images).
    """

    network: Callable
    rows: int
    shape: tuple
    batch: int
    epochs: int = 5
    optimizer: str = "adam"
    kind: str = "features"

    def data(self):
        """Return inputs and targets that the network can learn."""
        random = np.random.default_rng(0)
        shape = (self.rows, *self.shape)
        if self.kind == "tokens":
            x = random.integers(0, 1000, shape, dtype="int32")
            return x, (x * 7 + 1) % 1000
        if self.kind == "table":
            x = random.integers(0, 1_000_000, shape, dtype="int32")
            return x, (x.sum(1) % 2).astype("int32")
        x = random.random(shape, dtype=np.float32)
        if self.kind == "images":
            return x, x
        features = x.reshape(self.rows, -1)
        weights = random.standard_normal((features.shape[1], 10)).astype("float32")
        return x, (features @ weights).argmax(1).astype("int32")

    def model(self, keras):
        """Return the compiled model."""
        kind = "float32" if self.kind in ("features", "images") else "int32"
        inputs = keras.Input(self.shape, dtype=kind)
        model = keras.Model(inputs, self.network(keras, inputs))
        if self.kind == "images":
            model.compile(self.optimizer, "mse")
        else:
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(self.optimizer, loss, metrics=["accuracy"])
        return model


WORKLOADS = {
    "mlp": Workload(mlp, 60_000, (784,), 128),
    "digits": Workload(digits, 1_437, (64,), 32, 20),
    "wide_mlp": Workload(wide_mlp, 2_048, (1024,), 256),
    "cnn": Workload(cnn, 4_096, (28, 28, 1), 128, 3),
    "resnet": Workload(resnet, 512, (32, 32, 3), 64, 3),
    "mobilenet": Workload(mobilenet, 1_024, (32, 32, 3), 64, 3),
    "lstm": Workload(lstm, 2_048, (80, 16), 64, 3),
    "gru": Workload(gru, 2_048, (80, 16), 64, 3),
    "stacked_gru": Workload(stacked_gru, 1_024, (80, 16), 64, 3),
    "bidirectional_lstm": Workload(bidirectional_lstm, 1_024, (80, 16), 64, 3),
    "transformer": Workload(transformer, 2_048, (32, 64), 64, 3),
    "decoder": Workload(decoder, 512, (64,), 32, 3, kind="tokens"),
    "recommender": Workload(recommender, 65_536, (2,), 1024, 3, kind="table"),
    "autoencoder": Workload(autoencoder, 1_024, (28, 28, 1), 64, 3, kind="images"),
    # How cost and compilation grow: each beside the first.
    "plain": Workload(plain(), 6_000, (784,), 128),
    "plain_rows_x10": Workload(plain(), 60_000, (784,), 128),
    "plain_batch_x2": Workload(plain(), 6_000, (784,), 256),
    **{
        f"plain_width_x{n}": Workload(plain(units=128 * n), 6_000, (784,), 128)
        for n in (2, 4, 8)
    },
    **{
        f"plain_depth_x{n}": Workload(plain(depth=2 * n), 6_000, (784,), 128)
        for n in (2, 4, 8, 16)
    },
}
