"""Every law on every row of the table, on each engine."""

import functools

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.core.masking import get_keras_mask
from hornbeam.core.scopes import batch_mask_scope
from tests.compilation import forms, program
from tests.engine_exceptions import cannot
from tests.layers import image_rows, lookup_rows, table

ROWS = table.ROWS
FAMILIES = (
    "core",
    "activations",
    "normalization",
    "merging",
    "reshaping",
    "convolutional",
    "pooling",
    "rnn",
    "attention",
    "preprocessing",
)
# What only others can make: functions and bases, and names whose rows are elsewhere.
# TorchModuleWrapper, which one engine has: tests/backends/test_torch_interplay.py.
WITHOUT_ROW = {"Input", "InputLayer", "Wrapper", "InputSpec", "Layer"}
WITHOUT_ROW |= {"TorchModuleWrapper"}
# The engine JAX has them: tests/backends/test_jax_interplay.py.
WITHOUT_ROW |= {"JaxLayer", "FlaxLayer"}
# TensorFlow has it: tests/export/test_export.py.
WITHOUT_ROW |= {"TFSMLayer"}
# A pipeline takes its layers alone: test_image_layers.py.
WITHOUT_ROW |= {"Pipeline"}
# A cell's call takes states: test_recurrent.py.
WITHOUT_ROW |= {"SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells"}

every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def listed(x):
    return x if isinstance(x, list) else [x]


def like(x, values):
    return values if isinstance(x, list) else values[0]


def prepared(row, **extra):
    """Return the built layer with positive random weights, and float32 inputs."""
    x = like(row.shapes, [as_input(a) for a in listed(row.inputs())])
    layer = row.make(**extra)
    if backends.current().name == "jax":  # where a call would compile each op
        symbols = [keras.KerasTensor(a.shape, a.dtype) for a in listed(x)]
        layer(*row.given(like(x, symbols)))
    else:
        call(row, layer, x)
    return with_weights(layer), x


def with_weights(layer):
    rng = np.random.default_rng(1)
    layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return layer


def as_input(array):
    return array if array.dtype.kind == "i" else array.astype("float32")


def call(row, layer, x):
    training = {"training": True} if row.training else {}
    return layer(*row.given(x), **training, **row.call)


def pure(row, layer, x, **options):
    """Return the call's outputs, and the non-trainable variables' values after it."""
    values = [
        [v.value for v in variables]
        for variables in (layer.trainable_variables, layer.non_trainable_variables)
    ]
    training = {"training": True} if row.training else {}
    options = {**training, **row.call, **options}
    return layer.stateless_call(*values, *row.given(x), **options)


def expected(row, layer, x):
    weights = layer.get_weights()
    wide = [a if row.integers else np.asarray(a, "float64") for a in listed(x)]
    return row.oracle(*wide, *(np.asarray(w, "float64") for w in weights))


def numpy(x):
    return np.asarray(keras.ops.convert_to_numpy(x), dtype="float64")


@every_row
def test_value(row, engine):
    """The only law that calls the layer at once on JAX too, and builds it by that."""
    x = like(row.shapes, [as_input(a) for a in listed(row.inputs())])
    layer = row.make()
    call(row, layer, x)
    with_weights(layer)
    want = expected(row, layer, x)
    got = call(row, layer, x)
    assert tuple(got.shape) == want.shape
    np.testing.assert_allclose(numpy(got), want, rtol=2e-4, atol=2e-5)


SMOOTH = [row for row in ROWS if row.smooth]


@pytest.mark.parametrize("row", SMOOTH, ids=[row.name for row in SMOOTH])
def test_gradient(row, training_engine):
    """The derivative along a random direction equals the oracle's difference."""
    engine = training_engine
    layer, x = prepared(row)
    weights = [v.numpy() for v in layer.trainable_variables]
    fixed = [v.value for v in layer.non_trainable_variables]
    inputs = [] if row.integers else listed(x)
    values = [np.asarray(v, "float64") for v in (*inputs, *weights)]
    if not values:
        return
    rng = np.random.default_rng(2)
    cotangent = rng.uniform(0.5, 1.5, expected(row, layer, x).shape)
    directions = [rng.uniform(-1, 1, v.shape) for v in values]

    def loss(tensors):
        own = tensors[: len(inputs)] or [keras.ops.convert_to_tensor(x)]
        training = {"training": True} if row.training else {}
        own = row.given(like(x, own))
        outputs, _ = layer.stateless_call(
            tensors[len(inputs) :], fixed, *own, **training, **row.call
        )
        weight = keras.ops.convert_to_tensor(cotangent, dtype="float32")
        return keras.ops.sum(outputs * weight)

    tensors = [keras.ops.convert_to_tensor(v, dtype="float32") for v in values]
    _, gradients = program(engine, engine.value_and_grad(loss))(tensors)
    got = sum((numpy(g) * d).sum() for g, d in zip(gradients, directions, strict=True))

    def at(h):
        moved = [v + h * d for v, d in zip(values, directions, strict=True)]
        own = moved[: len(inputs)] or [x]
        rest = [np.asarray(v.numpy(), "float64") for v in layer.non_trainable_variables]
        outputs = row.oracle(*own, *in_order(layer, moved[len(inputs) :], rest))
        return (outputs * cotangent).sum()

    h = 1e-4
    want = (at(h) - at(-h)) / (2 * h)
    np.testing.assert_allclose(got, want, rtol=2e-3, atol=2e-3)


def in_order(layer, trainable, fixed):
    """Return values in the order of `layer.weights`."""
    trainable, fixed = iter(trainable), iter(fixed)
    return [next(trainable if w.trainable else fixed) for w in layer.weights]


@every_row
def test_declared_shape(row, engine):
    layer, x = prepared(row)
    shapes = [a.shape for a in listed(x)]
    ((real, _),) = forms(engine, lambda: pure(row, layer, x)[0])
    known = row.given(like(x, shapes))
    assert tuple(layer.compute_output_shape(*known, **row.call)) == real
    unknown = row.given(like(x, [(None, *shape[1:]) for shape in shapes]))
    assert tuple(layer.compute_output_shape(*unknown, **row.call)) == (None, *real[1:])


@every_row
def test_symbolic_call(row, engine):
    layer, x = prepared(row)
    dtype = "int32" if row.integers else "float32"
    symbols = [keras.KerasTensor((None, *a.shape[1:]), dtype) for a in listed(x)]
    symbol = layer(*row.given(like(x, symbols)), **row.call)
    ((shape, dtype),) = forms(engine, lambda: pure(row, layer, x, training=False)[0])
    assert symbol.shape == (None, *shape[1:])
    assert symbol.dtype == dtype


@every_row
def test_dtype(row, engine):
    """Under each policy; the values of float32 are those of `test_value`."""
    policies = ["float16"]
    if not cannot(engine, "bfloat16 beside a number"):
        policies.append("mixed_bfloat16")
    full, x = prepared(row, dtype="float32")
    short = [prepared(row, dtype=policy)[0] for policy in policies]
    ((_, dtype),) = forms(engine, lambda: pure(row, full, x)[0])
    assert dtype == "float32"
    for layer in (full, *short):
        if not callable(row.kwargs):  # a layer inside has a policy of its own
            floats = [w for w in layer.weights if "float" in w.dtype]
            assert all(w.dtype == layer.variable_dtype for w in floats)

    def outputs(x):
        return [pure(row, layer, x)[0] for layer in short]

    for layer, y in zip(short, program(engine, outputs)(x), strict=True):
        assert engine.dtype_of(y) == layer.compute_dtype
        assert np.isfinite(numpy(y)).all()
        want = expected(row, layer, x)
        if not row.training:
            scale = np.abs(want).max()
            np.testing.assert_allclose(numpy(y), want, rtol=0.1, atol=0.05 * scale)


@every_row
def test_config_makes_an_equal_layer(row, python_only):
    layer, x = prepared(row)
    scope = {"square": table.square}
    config = keras.layers.serialize(layer)
    again = keras.layers.deserialize(config, custom_objects=scope)
    assert type(again) is type(layer)
    assert keras.layers.serialize(again) == config
    if not again.built:
        call(row, again, x)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(
        numpy(call(row, layer, x)), numpy(call(row, again, x))
    )


@every_row
def test_weights(row, python_only):
    layer, _ = prepared(row)
    counts = len(layer.trainable_weights), len(layer.non_trainable_weights)
    assert counts == row.weights
    layer.trainable = False
    assert not layer.trainable_weights
    assert len(layer.weights) == sum(row.weights)


@every_row
def test_training_flag(row, engine):
    found = of_batches(row.name, engine.name)
    training, inference = numpy(found["training"]), numpy(found["inference"])
    if row.training:
        assert not np.allclose(inference, training, atol=1e-4)
    elif row.weights[1] == 0:
        np.testing.assert_array_equal(inference, training)


# Masks of merging layers have tests of their own.
MASKED = [
    row
    for row in ROWS
    if callable(row.mask) or not isinstance(row.shapes, list) and len(row.shapes) > 2
]


@pytest.mark.parametrize("row", MASKED, ids=[row.name for row in MASKED])
def test_mask(row, engine):
    layer, x = prepared(row)
    if callable(row.mask):
        mask = program(engine, lambda x: get_keras_mask(layer(x)))(
            keras.ops.convert_to_tensor(x)
        )
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(mask), row.mask(x))
        return
    assert layer.supports_masking is (row.mask is not False)
    given = np.reshape(np.arange(np.prod(x.shape[:2])) % 2 == 0, x.shape[:2])
    if type(layer) is keras.layers.Softmax:
        given = given[:, :, None]

    def law(x, given):
        outputs, _ = pure(row, layer, masked(x, given))
        mask = get_keras_mask(outputs)
        if row.mask is False and mask is not None:
            # What the ops inside make of it: `tests/ops/test_masks_of_ops.py`.
            assert mask.shape == outputs.shape[: len(mask.shape)]
        return mask

    mask = program(engine, law)(x, keras.ops.convert_to_tensor(given))
    if row.mask is not False:
        assert (mask is not None) == bool(row.mask)
    if row.mask:
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(mask), given)


def masked(x, mask):
    class Masks(keras.layers.Layer):
        def call(self, inputs):
            return inputs + 0

        def compute_mask(self, inputs, mask_=None):
            return mask

    return Masks()(x)


@functools.cache
def of_batches(name, engine_name):
    """Outputs of a row on plain and padded batches, which are one program on JAX."""
    (row,) = (row for row in ROWS if row.name == name)
    layer, x = prepared(row)
    rows = listed(x)[0].shape[0]
    padded = like(
        x,
        [
            np.concatenate([a, np.full_like(a[:1], 1), np.full_like(a[:1], 3)])
            for a in listed(x)
        ],
    )

    def outputs(x, padded, mask):
        with batch_mask_scope(mask):
            together = pure(row, layer, padded)
        return {
            "alone": pure(row, layer, x),
            "together": together,
            "whole": pure(row, layer, padded)[0],
            "training": pure(row, layer, x, training=True)[0],
            "inference": pure(row, layer, x, training=False)[0],
        }

    mask = keras.ops.convert_to_tensor([1.0] * rows + [0.0] * 2)
    return program(backends.current(), outputs)(x, padded, mask)


@every_row
def test_padded_rows_change_nothing(row, engine):
    """Rows that the batch mask leaves out do not change the others."""
    found = of_batches(row.name, engine.name)
    (alone, state), (together, new) = found["alone"], found["together"]
    alone = numpy(alone)
    rows = len(alone)
    np.testing.assert_allclose(numpy(together)[:rows], alone, rtol=1e-4, atol=1e-5)
    for a, b in zip(state, new, strict=True):
        np.testing.assert_allclose(numpy(b), numpy(a), rtol=1e-4, atol=1e-5)
    if not row.mixes:
        whole = numpy(found["whole"])
        np.testing.assert_allclose(whole[:rows], alone, rtol=1e-4, atol=1e-5)


@every_row
def test_inputs_stay_as_they_are(row, engine):
    layer, x = prepared(row)
    before = [a.copy() for a in listed(x)]
    forms(engine, lambda: pure(row, layer, x)[0])
    for a, b in zip(listed(x), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_layer_has_a_row():
    """Laws of `image_rows` are in test_image_layers.py, of lookups in test_lookups."""
    rows = {row.layer for row in [*ROWS, *image_rows.ROWS]}
    rows |= {type(make()) for make, _, _ in lookup_rows.ROWS.values()}
    missing = []
    for name in dir(keras.layers):
        layer = getattr(keras.layers, name)
        module = getattr(layer, "__module__", "")
        family = module.removeprefix("hornbeam.layers.").partition(".")[0]
        known = isinstance(layer, type) and family in FAMILIES
        if known and layer.__name__ not in WITHOUT_ROW and layer not in rows:
            missing.append(name)
    assert not missing
