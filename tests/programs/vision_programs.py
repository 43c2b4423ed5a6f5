"""Images to more than a class: masks, counts, boxes, finer images, pixels in turn."""

import numpy as np
from catalogue import classes, program
from checks import array, assert_keys, assert_saved_alike
from small_data import digits, squares


@program(slow=("jax", "tensorflow"))
def segmentation_unet(keras):
    """Down and up again with skips; a class for every pixel, measured by IoU."""
    images, masks, _ = squares()
    layers = keras.layers

    def block(x, filters):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.8)(x))

    inputs = keras.Input((16, 16, 1))
    first = block(inputs, 8)
    second = block(layers.MaxPooling2D(2)(first), 16)
    hidden = block(layers.MaxPooling2D(2)(second), 16)
    hidden = layers.Conv2DTranspose(16, 2, strides=2)(hidden)
    hidden = block(layers.Concatenate()([hidden, second]), 16)
    hidden = layers.UpSampling2D(2, interpolation="nearest")(hidden)
    hidden = block(layers.concatenate([hidden, first]), 8)
    outputs = layers.Conv2D(2, 1, activation="softmax")(hidden)
    model = keras.Model(inputs, outputs)
    assert model.output_shape == (None, 16, 16, 2)
    iou = keras.metrics.MeanIoU(2, sparse_y_pred=False, name="iou")
    model.compile(
        keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=[iou]
    )
    history = model.fit(images, masks, batch_size=16, epochs=6, verbose=0)
    assert_keys(history, "loss", "iou")
    found = model.evaluate(images, masks, verbose=0, return_dict=True)
    assert found["iou"] > 0.8, found
    seen = model.predict(images, verbose=0).argmax(axis=-1)[..., None] == 1
    true = masks == 1
    both = [np.sum(a & b) / np.sum(a | b) for a, b in ((seen, true), (~seen, ~true))]
    np.testing.assert_allclose(found["iou"], np.mean(both), 1e-5)


@program(slow=("tensorflow",))
def object_counting(keras):
    """How many objects there are: a regression with a Poisson loss."""
    images, _, counts = squares()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.AveragePooling2D(2),
            layers.Conv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="softplus"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "poisson", metrics=["mae"])
    model.fit(images, counts, batch_size=16, epochs=25, verbose=0)
    assert model.evaluate(images, counts, verbose=0)[1] < 0.35
    assert np.mean(np.round(model.predict(images, verbose=0)) == counts) > 0.75


@program
def box_regression(keras):
    """Where the object is and of which kind: two heads, a loss each, by a list."""
    random = np.random.default_rng(0)
    images = random.normal(0, 0.05, (256, 12, 12, 1)).astype("float32")
    kinds = random.integers(0, 2, 256)
    corners = random.integers(0, 8, (256, 2))
    for image, kind, (top, left) in zip(images, kinds, corners, strict=True):
        image[top : top + 4, left : left + 4] += 1.0 if kind else 0.5
    boxes = np.concatenate([corners, corners + 4], axis=1).astype("float32") / 12
    layers = keras.layers
    inputs = keras.Input((12, 12, 1))
    hidden = layers.Conv2D(12, 3, strides=2, activation="relu")(inputs)
    hidden = layers.Dense(48, activation="relu")(layers.Flatten()(hidden))
    box = layers.Dense(4, name="box")(hidden)
    kind = layers.Dense(1, activation="sigmoid", name="kind")(hidden)
    model = keras.Model(inputs, [box, kind])
    model.compile(
        keras.optimizers.Adam(0.005),
        loss=[keras.losses.Huber(0.1), "binary_crossentropy"],
        loss_weights=[10.0, 1.0],
        metrics=[["mae"], ["accuracy"]],
    )
    history = model.fit(images, [boxes, kinds], batch_size=32, epochs=15, verbose=0)
    names = ["loss", "box_loss", "kind_loss", "box_mae", "kind_accuracy"]
    assert_keys(history, *names)
    logs = {name: values[-1] for name, values in history.history.items()}
    assert logs["kind_accuracy"] > 0.9 and logs["box_mae"] < 0.1, logs
    np.testing.assert_allclose(
        logs["loss"], 10 * logs["box_loss"] + logs["kind_loss"], 1e-4
    )


@classes
def finer_class(keras):
    ops = keras.ops

    class DepthToSpace(keras.layers.Layer):
        """Channels become a block of pixels."""

        def __init__(self, block, **kwargs):
            super().__init__(**kwargs)
            self.block = block

        def call(self, x):
            batch, height, width, depth = ops.shape(x)
            size = self.block
            depth //= size**2
            x = ops.reshape(x, (batch, height, width, size, size, depth))
            x = ops.transpose(x, [0, 1, 3, 2, 4, 5])
            return ops.reshape(x, (batch, height * size, width * size, depth))

        def get_config(self):
            return {**super().get_config(), "block": self.block}

    return DepthToSpace


@program(slow=("torch", "tensorflow"))
def super_resolution(keras):
    """An image of four times the pixels by sub-pixel convolution, of any size."""
    (x, _), _ = digits()
    x = x[:500]
    small = x.reshape(-1, 4, 2, 4, 2, 1).mean(axis=(2, 4))
    layers = keras.layers
    inputs = keras.Input(shape=(None, None, 1))
    hidden = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    hidden = layers.Conv2D(16, 3, padding="same", activation="relu")(hidden)
    hidden = layers.Conv2D(4, 3, padding="same")(hidden)
    DepthToSpace = finer_class(keras)
    model = keras.Model(inputs, DepthToSpace(2)(hidden))
    assert model.output_shape == (None, None, None, 1)
    model.compile(keras.optimizers.Adam(0.005), "mean_squared_error")
    model.fit(small, x, batch_size=25, epochs=8, verbose=0)
    repeated = small.repeat(2, axis=1).repeat(2, axis=2)
    finer = model.predict(small, verbose=0)
    assert np.mean((finer - x) ** 2) < 0.7 * np.mean((repeated - x) ** 2)
    assert model.predict(x[:2], verbose=0).shape == (2, 16, 16, 1)
    names = {"DepthToSpace": DepthToSpace}
    assert_saved_alike(keras, model, small[:4], custom_objects=names)


@classes
def pixel_layers(keras):
    layers = keras.layers

    class MaskedConv(layers.Layer):
        """A convolution that sees the pixels before its own, and with "B" its own."""

        def __init__(self, mask_type, **kwargs):
            super().__init__()
            self.mask_type = mask_type
            self.conv = layers.Conv2D(**kwargs)

        def build(self, input_shape):
            self.conv.build(input_shape)
            height, width, *rest = self.conv.kernel.shape
            mask = np.zeros((height, width, *rest), "float32")
            mask[: height // 2] = 1
            mask[height // 2, : width // 2] = 1
            if self.mask_type == "B":
                mask[height // 2, width // 2] = 1
            self.mask = mask

        def call(self, inputs):
            self.conv.kernel.assign(self.conv.kernel * self.mask)
            return self.conv(inputs)

    return MaskedConv


@program(engines=("torch", "tensorflow"))
def pixel_cnn(keras):
    """Every pixel from those before it; `call` assigns the masked kernel."""
    (x, _), _ = digits()
    x = (x[:600] > 0.4).astype("float32")
    layers = keras.layers
    MaskedConv = pixel_layers(keras)
    options = {"activation": "relu", "padding": "same"}
    inputs = keras.Input(shape=(8, 8, 1))
    hidden = MaskedConv("A", filters=16, kernel_size=5, **options)(inputs)
    skip = layers.Conv2D(16, 1, activation="relu")(hidden)
    skip = MaskedConv("B", filters=16, kernel_size=3, **options)(skip)
    hidden = layers.add([hidden, skip])
    outputs = layers.Conv2D(1, 1, activation="sigmoid")(hidden)
    model = keras.Model(inputs, outputs)
    assert_pixels(keras, model, x)


@classes
def masked_kernel_class(keras):
    class MaskedConv2D(keras.layers.Conv2D):
        """The mask is multiplied in where the kernel is read."""

        def __init__(self, *arguments, mask_type="B", **kwargs):
            super().__init__(*arguments, **kwargs)
            self.mask_type = mask_type

        def build(self, input_shape):
            super().build(input_shape)
            height, width, *_ = self.kernel.shape
            self.mask = np.zeros(self.kernel.shape, "float32")
            self.mask[: height // 2] = 1
            self.mask[height // 2, : width // 2 + (self.mask_type == "B")] = 1

        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, kernel * self.mask)

        def call(self, inputs):
            ops = keras.ops
            outputs = ops.conv(inputs, self.kernel * self.mask, padding="same")
            return self.activation(outputs + self.bias)

    return MaskedConv2D


@program
def pixel_cnn_subclassed(keras):
    """Every pixel from those before it; a subclass of a convolution of the library."""
    (x, _), _ = digits()
    x = (x[:600] > 0.4).astype("float32")
    MaskedConv2D = masked_kernel_class(keras)
    options = {"activation": "relu", "padding": "same"}
    inputs = keras.Input(shape=(8, 8, 1))
    hidden = MaskedConv2D(16, 5, mask_type="A", **options)(inputs)
    hidden = keras.layers.add([hidden, MaskedConv2D(16, 3, **options)(hidden)])
    outputs = keras.layers.Conv2D(1, 1, activation="sigmoid")(hidden)
    assert_pixels(keras, keras.Model(inputs, outputs), x)


def assert_pixels(keras, model, x):
    """Train; no output depends on its pixel or later ones; pixels are drawn in turn."""
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    losses = model.fit(x, x, batch_size=50, epochs=4, verbose=0).history["loss"]
    share = x.mean()
    blind = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert losses[-1] < 0.8 * blind, (losses, blind)
    changed = x[:1].copy()
    changed[:, 4, 4:] = 1 - changed[:, 4, 4:]
    changed[:, 5:] = 1 - changed[:, 5:]
    before, after = (array(keras, model(a)).reshape(64) for a in (x[:1], changed))
    np.testing.assert_allclose(before[:37], after[:37], 1e-5, 1e-6)
    assert np.any(np.abs(before[37:] - after[37:]) > 1e-3)
    random, pixels = np.random.default_rng(0), np.zeros((2, 8, 8, 1), "float32")
    for row in range(2):
        for column in range(8):
            chances = model.predict(pixels, verbose=0)[:, row, column]
            pixels[:, row, column] = random.random(chances.shape) < chances
    assert 0 < pixels[:, :2].mean() < 1
