"""Twenty programs in which there is nothing to find."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.preprocessing import StandardScaler

import hornbeam as keras
from hornbeam import backends, layers, ops

SPARSE = "sparse_categorical_crossentropy"
draws = np.random.RandomState(0)


def digits(images=False):
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    return (x.reshape(-1, 8, 8, 1) if images else x), y


def scaled(load):
    x, y = load(return_X_y=True)
    return StandardScaler().fit_transform(x).astype("float32"), y


def sequential(shape, *inner, optimizer="adam", loss=SPARSE, metrics=None):
    model = keras.Sequential([keras.Input(shape), *inner])
    model.compile(optimizer, loss, metrics=metrics)
    return model


def softmax(units):
    return layers.Dense(units, activation="softmax")


def dense(units=32, **options):
    return layers.Dense(units, activation="relu", **options)


def digits_dense():
    return sequential((64,), dense(), layers.Dropout(0.3), softmax(10),
                      metrics=["accuracy"]), digits()  # fmt: skip


def digits_raw():
    x, y = load_digits(return_X_y=True)
    return sequential((64,), dense(), softmax(10)), (x.astype("float32"), y)


def digits_convolution():
    inner = [layers.Conv2D(8, 3, activation="relu"), layers.BatchNormalization(),
             layers.MaxPooling2D(), layers.Flatten(), softmax(10)]  # fmt: skip
    return sequential((8, 8, 1), *inner), digits(images=True)


def pixels_rescaled():
    x, y = digits(images=True)
    inner = [layers.Rescaling(1 / 255), layers.Conv2D(8, 3, activation="relu"),
             layers.Flatten(), softmax(10)]  # fmt: skip
    return sequential((8, 8, 1), *inner), (x * 255, y)


def cancer():
    model = sequential((30,), dense(16), layers.Dense(1, activation="sigmoid"),
                       loss="binary_crossentropy", metrics=["accuracy"])  # fmt: skip
    return model, scaled(load_breast_cancer), {"validation_split": 0.2}


def cancer_normalized():
    x, y = load_breast_cancer(return_X_y=True)
    x = x.astype("float32")
    normalize = layers.Normalization()
    normalize.adapt(x)
    inner = [normalize, dense(16), layers.Dense(1, activation="sigmoid")]
    return sequential((30,), *inner, loss="binary_crossentropy"), (x, y)


def iris_tanh():
    inner = [layers.Dense(8, activation="tanh"), layers.Dense(3)]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return sequential((4,), *inner, loss=loss), scaled(load_iris)


def wine_one_hot():
    x, y = scaled(load_wine)
    loss = "categorical_crossentropy"
    return sequential((13,), dense(), softmax(3), loss=loss), (x, np.eye(3)[y])


def numbers():
    x = draws.normal(size=(300, 8)).astype("float32")
    y = (x @ draws.normal(size=8) + draws.normal(size=300)).astype("float32")
    model = sequential((8,), dense(), layers.Dense(1), loss="mse", metrics=["mae"])
    return model, (x, y)


def one_feature():
    x = np.linspace(-1, 1, 200, dtype="float32")[:, None]
    optimizer = keras.optimizers.SGD(0.05)
    return sequential((1,), layers.Dense(1), loss="mse", optimizer=optimizer), (
        x, 3 * x + 1)  # fmt: skip


def several_labels():
    x = draws.normal(size=(300, 8)).astype("float32")
    y = (x[:, :4] + x[:, 4:] > 0).astype("float32")
    model = sequential((8,), dense(), layers.Dense(4, activation="sigmoid"),
                       loss="binary_crossentropy")  # fmt: skip
    return model, (x, y)


def text():
    y = draws.randint(0, 2, 200)
    x = draws.randint(1, 50, (200, 12)) + 50 * y[:, None] * draws.randint(
        0, 2, (200, 12)
    )
    inner = [layers.Embedding(101, 16, mask_zero=True), layers.LSTM(8),
             layers.Dense(1, activation="sigmoid")]  # fmt: skip
    return sequential((12,), *inner, loss="binary_crossentropy"), (x, y)


def time_series():
    wave = np.sin(np.arange(400) / 7).astype("float32")
    x = np.stack([wave[i : i + 20] for i in range(360)])[..., None]
    inner = [layers.GRU(12), layers.Dense(1)]
    return sequential((20, 1), *inner, loss="mse"), (x, wave[20:380])


def autoencoder():
    x, _ = digits()
    inner = [dense(16), layers.Dense(64, activation="sigmoid")]
    return sequential((64,), *inner, loss="binary_crossentropy"), (x, x)


def residual():
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(8, 3, padding="same")(inputs)
    for _ in range(3):
        y = layers.BatchNormalization()(x)
        y = layers.Conv2D(8, 3, padding="same")(layers.ReLU()(y))
        x = layers.Add()([x, y])
    model = keras.Model(inputs, softmax(10)(layers.GlobalAveragePooling2D()(x)))
    model.compile("adam", SPARSE)
    return model, digits(images=True)


def several_outputs():
    x, y = digits()
    inputs = keras.Input((64,))
    hidden = dense()(inputs)
    even = layers.Dense(1, activation="sigmoid", name="even")(hidden)
    digit = layers.Dense(10, activation="softmax", name="digit")(hidden)
    model = keras.Model(inputs, {"even": even, "digit": digit})
    model.compile("adam", {"even": "binary_crossentropy", "digit": SPARSE})
    return model, (x, {"even": (y % 2 == 0).astype("float32"), "digit": y})


def several_inputs():
    x, y = digits()
    left, right = keras.Input((32,), name="left"), keras.Input((32,), name="right")
    joined = layers.Concatenate()([dense()(left), dense()(right)])
    model = keras.Model([left, right], softmax(10)(joined))
    model.compile("adam", SPARSE)
    return model, ([x[:, :32], x[:, 32:]], y)


class Attends(keras.Model):
    def __init__(self):
        super().__init__()
        self.project = layers.Dense(16)
        self.attend = layers.MultiHeadAttention(2, 8)
        self.normalize = layers.LayerNormalization()
        self.out = layers.Dense(10, activation="softmax")

    def call(self, x):
        x = self.project(x)
        x = self.normalize(x + self.attend(x, x))
        return self.out(ops.mean(x, axis=1))


def subclassed():
    x, y = digits()
    model = Attends()
    model.compile("adam", SPARSE)
    return model, (x.reshape(-1, 8, 8), y)


class Adversaries(keras.Model):
    """A GAN: its step trains two networks, and it has no `call` and no loss."""

    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential([keras.Input((4,)), dense(16),
                                           layers.Dense(2)])  # fmt: skip
        self.critic = keras.Sequential([keras.Input((2,)), dense(16), layers.Dense(1)])
        self.other = keras.optimizers.Adam(1e-3)

    def train_step(self, real):
        noise = keras.random.normal((16, 4))
        loss_of = keras.losses.BinaryCrossentropy(from_logits=True)

        def critic_loss():
            scores = self.critic(ops.concatenate([real, self.generator(noise)]))
            ones, zeros = ops.ones((real.shape[0], 1)), ops.zeros((16, 1))
            return loss_of(ops.concatenate([ones, zeros]), scores)

        def generator_loss():
            return loss_of(ops.ones((16, 1)), self.critic(self.generator(noise)))

        for loss, network, optimizer in (
            (critic_loss, self.critic, self.optimizer),
            (generator_loss, self.generator, self.other),
        ):
            weights = network.trainable_variables
            value, gradients = keras.value_and_grad(loss, weights)
            optimizer.apply(gradients, weights)
        return {"generator": value}


def adversaries():
    model = Adversaries()
    model.compile("adam")
    return model, (draws.normal(size=(128, 2)).astype("float32"),)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 20

    def __getitem__(self, index):
        x, y = digits()
        return x[index * 32 : index * 32 + 32], y[index * 32 : index * 32 + 32]


def batches():
    return sequential((64,), dense(), softmax(10)), (Batches(),)


def mixed():
    inner = [dense(dtype="mixed_float16"), layers.Dense(10, activation="softmax")]
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())
    return sequential((64,), *inner, optimizer=optimizer), digits()


def trained():
    model, data = digits_dense()
    model.fit(*data, epochs=8, verbose=0)
    return model, data


PROGRAMS = [
    digits_dense, digits_raw, digits_convolution, pixels_rescaled, cancer,
    cancer_normalized, iris_tanh, wine_one_hot, numbers, one_feature, several_labels,
    text, time_series, autoencoder, residual, several_outputs, several_inputs,
    subclassed, adversaries, batches, mixed, trained,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_healthy(program):
    with backends.scope("torch"):
        model, data, options = (*program(), {})[:3]
        diagnosis = model.diagnose(*data, **options)
    assert diagnosis.healthy, str(diagnosis)


@pytest.mark.parametrize("program", [digits_dense, text, adversaries])
def test_healthy_on_every_engine(training_engine, program):
    model, data = program()
    diagnosis = model.diagnose(*data)
    assert diagnosis.healthy, str(diagnosis)
