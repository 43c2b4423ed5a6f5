"""Counts of operations and bytes against known figures and XLA's own analysis."""

import math

import jax
import numpy as np
import pytest

import hornbeam as keras
from hornbeam import layers, ops


def model_of(shape, *inner):
    return keras.Sequential([keras.Input(shape), *inner])


def plain(layer, *args, **options):
    return layer(*args, use_bias=False, **options)


# layer, shape of a row, operations for one row by the textbook
KNOWN = {
    "dense": (lambda: layers.Dense(7), (5,), 2 * 5 * 7),
    "dense of sequences": (lambda: layers.Dense(7), (3, 5), 3 * 2 * 5 * 7),
    "einsum": (
        lambda: layers.EinsumDense("abc,cde->abde", (None, 4, 6)), (3, 5),
        2 * 3 * 5 * 4 * 6),
    "einsum with dots": (
        lambda: layers.EinsumDense("...x,xy->...y", 4), (3, 2, 5), 2 * 3 * 2 * 5 * 4),
    "convolution": (
        lambda: layers.Conv2D(8, 3), (10, 9, 4), 2 * 3 * 3 * 4 * 8 * 8 * 7),
    "groups": (
        lambda: layers.Conv2D(8, 3, groups=2), (10, 9, 4), 3 * 3 * 4 * 8 * 8 * 7),
    "strides": (lambda: layers.Conv1D(8, 3, strides=2), (9, 4), 2 * 3 * 4 * 8 * 4),
    "transposed": (
        lambda: layers.Conv2DTranspose(8, 3, strides=2), (5, 5, 4),
        2 * 3 * 3 * 4 * 8 * 25),
    "depthwise": (lambda: layers.DepthwiseConv2D(3), (6, 6, 4), 2 * 9 * 4 * 16),
    "separable": (
        lambda: layers.SeparableConv2D(8, 3), (6, 6, 4), 2 * (9 * 4 + 4 * 8) * 16),
    "lstm": (lambda: layers.LSTM(6), (5, 4), 5 * 4 * 2 * (4 * 6 + 6 * 6)),
    "both ways": (
        lambda: layers.Bidirectional(layers.GRU(6)), (5, 4),
        2 * 5 * 3 * 2 * (4 * 6 + 6 * 6)),
    "nothing": (lambda: layers.BatchNormalization(), (5,), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_layers(engine, name):
    make, shape, expected = KNOWN[name]
    assert keras.utils.count_flops(model_of(shape, make())).total == expected
    counted = keras.utils.count_flops(model_of(shape, make()), batch_size=3)
    assert int(counted) == 3 * expected


def test_attention(engine):
    inputs = keras.Input((5, 8))
    model = keras.Model(inputs, layers.MultiHeadAttention(2, 3)(inputs, inputs))
    projections = 4 * 2 * 5 * 8 * 2 * 3
    products = 2 * 2 * (2 * 5 * 5 * 3)
    assert keras.utils.count_flops(model).total == projections + products


@pytest.mark.parametrize("name", ["dense", "convolution", "strides"])
def test_as_xla_counts(name):
    make, shape, _ = KNOWN[name]
    model = model_of(shape, make())
    model.layers[0].use_bias = False
    kernel = model.layers[0].kernel.value

    def call(kernel, x):
        return model.stateless_call([kernel, *rest], [], x)[0]

    rest = [v.value for v in model.trainable_variables[1:]]
    x = np.ones((2, *shape), "float32")
    cost = jax.jit(call).lower(kernel, x).cost_analysis()
    counted = keras.utils.count_flops(model, batch_size=2).total
    biases = math.prod(model.compute_output_shape((2, *shape)))
    assert counted <= cost["flops"] <= counted + 2 * biases


def resnet_50():
    """He et al. 2015, with the strides in the 3 x 3 convolutions."""
    inputs = keras.Input((224, 224, 3))
    x = plain(layers.Conv2D, 64, 7, strides=2, padding="same")(inputs)
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            strides = stride if block == 0 else 1
            y = plain(layers.Conv2D, width, 1)(x)
            y = plain(layers.Conv2D, width, 3, strides=strides, padding="same")(y)
            y = plain(layers.Conv2D, 4 * width, 1)(y)
            if block == 0:
                x = plain(layers.Conv2D, 4 * width, 1, strides=strides)(x)
            x = layers.Add()([x, y])
    x = layers.Dense(1000)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, x)


def test_resnet_50(python_only):
    """4.09 billion multiply-adds, as torchvision says of its ResNet-50."""
    counted = keras.utils.count_flops(resnet_50()).total
    assert counted / 2 == pytest.approx(4.09e9, rel=0.01)


class Two(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(4), layers.Dense(2)

    def call(self, x):
        return self.second(ops.relu(self.first(x)))


def test_a_subclassed_model(engine):
    model = Two()
    model.build((None, 3))
    with pytest.raises(ValueError, match="shape of the inputs"):
        keras.utils.count_flops(model)
    counted = keras.utils.count_flops(model, (5, 3))
    assert counted.total == 5 * 2 * (3 * 4 + 4 * 2)
    assert len(counted.layers) == 2 and "operations" in str(counted)
    assert keras.utils.count_flops(model, np.ones((5, 3), "float32")).total == int(
        counted
    )


def test_memory(training_engine):
    model = model_of((10,), layers.Dense(20, activation="relu"), layers.Dense(3))
    model.compile("adam", "mse")
    plan = model.memory_plan(batch_size=8)
    weights = 4 * (10 * 20 + 20 + 20 * 3 + 3)
    assert plan.weights == plan.gradients == weights
    assert 2 * weights <= plan.optimizer <= 2 * weights + 16  # two moments, two numbers
    assert plan.activations == 4 * 8 * (20 + 3)
    assert plan.training == 2 * weights + plan.optimizer + plan.activations
    assert plan.prediction == weights + 4 * 8 * (10 + 20)
    assert "training" in str(plan) and "training" in plan._repr_html_()


def test_memory_grows_with_the_batch(training_engine):
    model = model_of((8, 8, 3), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2))
    model.compile("sgd", "mse")
    one, two = (model.memory_plan(batch_size=n) for n in (8, 16))
    assert two.activations == 2 * one.activations and two.weights == one.weights


def test_the_rows_of_the_inputs_count():
    model = model_of((4,), layers.Dense(2))
    assert model.memory_plan(inputs=(7, 4)).activations == 4 * 7 * 2
    assert "batches of 7" in str(model.memory_plan(inputs=(7, 4)))
    assert model.memory_plan().activations == 4 * 32 * 2


@pytest.mark.parametrize("size", [0, -1, "a"])
def test_a_number_of_rows_is_positive(size):
    model = model_of((4,), layers.Dense(2))
    for count in (model.memory_plan, lambda **k: keras.utils.count_flops(model, **k)):
        with pytest.raises(ValueError, match="`batch_size`.*>= 1"):
            count(batch_size=size)


def test_what_runs_on_the_host_is_left_out(training_engine):
    words = keras.Input((1,), dtype="string", name="words")
    number = keras.Input((3,), name="number")
    hashed = layers.Hashing(5, output_mode="one_hot")(words)
    outputs = layers.Dense(2)(layers.Concatenate()([hashed, number]))
    model = keras.Model({"words": words, "number": number}, outputs)
    counted = keras.utils.count_flops(model, batch_size=3)
    assert counted.total == 3 * 2 * (5 + 3) * 2
    given = {"words": np.array([["a"], ["b"]]), "number": np.ones((2, 3), "float32")}
    assert keras.utils.count_flops(model, given).total == 2 * 2 * (5 + 3) * 2
    plan = model.memory_plan(batch_size=3)
    assert plan.activations == 4 * 3 * (8 + 2)

    lookup = layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")
    chain = keras.Sequential(
        [keras.Input((1,), dtype="string"), lookup, layers.Dense(4)]
    )
    assert keras.utils.count_flops(chain, (6, 1)).total == 6 * 2 * 3 * 4
