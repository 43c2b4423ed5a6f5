"""Layers that keep statistics, and details of weights and masks."""

import numpy as np
import pytest

import hornbeam as keras

layers = keras.layers
X = np.random.default_rng(0).normal(3, 2, (20, 4, 3)).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def test_moving_statistics_follow_the_batch(engine):
    layer = layers.BatchNormalization(momentum=0.9)
    layer(X, training=True)
    np.testing.assert_allclose(
        numpy(layer.moving_mean), 0.1 * X.mean((0, 1)), rtol=1e-4
    )
    want = 0.9 + 0.1 * X.var((0, 1))
    np.testing.assert_allclose(numpy(layer.moving_variance), want, rtol=1e-4)


def test_frozen_layer_uses_moving_statistics(engine):
    layer = layers.BatchNormalization(epsilon=1e-7)
    layer.build(X.shape)
    layer.trainable = False
    np.testing.assert_allclose(numpy(layer(X, training=True)), X, rtol=1e-5)
    np.testing.assert_array_equal(numpy(layer.moving_mean), np.zeros(3))


def test_masked_steps_do_not_count(engine):
    mask = np.ones((20, 4), bool)
    mask[:, 2:] = False
    layer = layers.BatchNormalization(momentum=0.0)
    layer(X, training=True, mask=mask)
    part = X[:, :2]
    np.testing.assert_allclose(
        numpy(layer.moving_mean), part.mean((0, 1)), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        numpy(layer.moving_variance), part.var((0, 1)), rtol=1e-4
    )


def test_all_steps_masked_gives_zeros(engine):
    layer = layers.BatchNormalization(center=False, scale=False)
    outputs = layer(np.zeros((4, 5)), mask=np.zeros((4,), bool), training=True)
    np.testing.assert_array_equal(numpy(outputs), np.zeros((4, 5)))


def test_half_precision_sums_in_float32(engine):
    x = np.full((4, 3000), 40.0, "float16")
    outputs = layers.LayerNormalization(dtype="float16")(x)
    np.testing.assert_allclose(numpy(outputs), np.zeros((4, 3000)), atol=1e-3)


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), None])
@pytest.mark.parametrize("form", ["array", "batches", "pairs"])
def test_adapt(form, axis, engine):
    data = {
        "array": X,
        "batches": [X[:7], X[7:9], X[9:]],
        "pairs": ((X[i : i + 5], None) for i in range(0, 20, 5)),
    }[form]
    layer = layers.Normalization(axis=axis)
    layer.adapt(data)
    outputs = numpy(layer(X))
    kept = () if axis is None else tuple(np.atleast_1d(axis) % 3)
    axes = tuple(a for a in range(3) if a not in kept)
    np.testing.assert_allclose(outputs.mean(axes), 0, atol=1e-5)
    np.testing.assert_allclose(outputs.var(axes), 1, rtol=1e-4)
    assert len(layer.non_trainable_weights) == 3


def test_adapt_needs_values(engine):
    with pytest.raises(ValueError, match="empty iterable"):
        layers.Normalization().adapt([])
    with pytest.raises(TypeError, match="expects numbers"):
        layers.Normalization().adapt(["a", "b"])
    with pytest.raises(TypeError, match="expects an array"):
        layers.Normalization().adapt({"x": X})
    with pytest.raises(ValueError, match="incompatible shape"):
        layers.Normalization().adapt([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="made with `mean`"):
        layers.Normalization(mean=0.0, variance=1.0).adapt(X)


@pytest.mark.parametrize(
    ("mean", "variance", "message"),
    [
        (0.0, -1.0, "`variance` of Normalization must be finite numbers of at least 0"),
        (np.zeros(2), [1.0, np.nan], "Received: variance=\\[1.0, nan\\]"),
        (np.inf, 1.0, "`mean` of Normalization must be finite numbers. Rec.*mean=inf"),
        (
            "1",
            1.0,
            "`mean` of Normalization must be finite numbers. Received: mean='1'",
        ),
        ([0, 1, 2], [1, 2], "`mean` has the shape \\(3,\\).*axis=\\(-1,\\).*\\(2,\\)"),
    ],
)
def test_statistics_that_are_none(mean, variance, message):
    with pytest.raises(ValueError, match=message):
        layers.Normalization(mean=mean, variance=variance)(np.ones((2, 2)))


def test_statistics_that_are_given(engine):
    given = engine.convert(np.array([1, 3], "float32"))
    layer = layers.Normalization(mean=given, variance=[4, 0])
    outputs = numpy(layer(np.array([[3.0, 3.0]])))
    np.testing.assert_array_equal(outputs, [[1, 0]])
    assert layer.get_config()["mean"] == [1.0, 3.0]


def test_einsum_kernel_starts_as_wide_as_its_axes(engine):
    """Glorot's limit counts contracted axes as inputs, the others as outputs."""
    layer = layers.EinsumDense("abc,cde->abde", (None, 30, 40))
    layer.build((None, 10, 320))
    limit = np.sqrt(6 / (320 + 30 * 40))
    assert 0.99 * limit < np.abs(numpy(layer.kernel)).max() <= limit


def test_embedding_masks_and_takes_weights(engine):
    table = np.arange(6.0).reshape(3, 2)
    layer = layers.Embedding(3, 2, weights=table)
    np.testing.assert_array_equal(numpy(layer(np.array([2, 0]))), table[[2, 0]])


def test_softmax_leaves_masked_entries_out(engine):
    x = np.array([[1.0, 2.0, 5.0], [1.0, 1.0, 1.0]], "float32")
    mask = np.array([[True, True, False], [False, False, False]])
    outputs = numpy(layers.Softmax()(x, mask=mask))
    e = np.exp([1.0, 2.0])
    np.testing.assert_allclose(outputs, [[*e / e.sum(), 0], [0, 0, 0]], rtol=1e-5)


def test_global_average_leaves_masked_steps_out(engine):
    x = np.arange(12.0, dtype="float32").reshape(1, 4, 3)
    mask = np.array([[True, False, True, False]])
    outputs = layers.GlobalAveragePooling1D()(x, mask=mask)
    np.testing.assert_allclose(numpy(outputs), [[3, 4, 5]])


def test_lambda_is_not_loaded_from_a_file(engine):
    """Other than as a graph of ops: see `tests/saving/test_traced_functions.py`."""
    function = layers.Lambda(lambda x, training: x**2)
    model = keras.Sequential([keras.Input((2,)), function])
    with pytest.warns(UserWarning, match="lambda"):
        text = model.to_json()
    with pytest.raises(ValueError, match="Lambda|lambda"):
        keras.models.model_from_json(text)
