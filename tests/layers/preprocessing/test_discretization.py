"""Bins and categories: CategoryEncoding, Discretization and its quantiles."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.layers.preprocessing import quantiles

layers = keras.layers


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def vectors(x, size, mode):
    """Return what the modes mean, index by index."""
    eye = np.vstack([np.eye(size), np.zeros((1, size))])
    each = eye[np.where((x >= 0) & (x < size), x, size)]
    if mode == "one_hot":
        return each[..., 0, :] if x.shape[-1] == 1 else each
    return each.max(-2) if mode == "multi_hot" else each.sum(-2)


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("size", [5, 300])
def test_category_encoding(mode, size, engine):
    rng = np.random.default_rng(0)
    for shape in [(4,), (3, 1), (3, 4)]:
        x = rng.integers(-1, size + 1, shape).astype("int32")
        layer = layers.CategoryEncoding(size, mode)
        got = layer(x)
        np.testing.assert_array_equal(numpy(got), vectors(x, size, mode))
        assert layer.compute_output_shape(shape) == tuple(got.shape)
    x = rng.integers(0, size, (2, 3, 4))
    got = numpy(layers.CategoryEncoding(size, mode)(x))
    np.testing.assert_array_equal(got, vectors(x, size, mode))


@pytest.mark.parametrize("size", [5, 300])
def test_weights_of_counts(size, engine):
    x, w = np.array([[1, 1, 2], [0, 4, 9999]]), np.float32([[1, 2, 4], [8, 16, 32]])
    want = np.zeros((2, size))
    want[0, [1, 2]], want[1, [0, 4]] = [3, 4], [8, 16]
    got = layers.CategoryEncoding(size, "count")(x, count_weights=w)
    np.testing.assert_array_equal(numpy(got), want)


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_sparse_vectors(mode, engine):
    x = np.random.default_rng(0).integers(0, 5, (3, 4))
    layer = layers.CategoryEncoding(5, mode, sparse=True)
    got = layer(x)
    np.testing.assert_array_equal(numpy(got), vectors(x, 5, mode))
    assert engine.is_sparse(got)
    assert layer(keras.Input((4,), dtype="int32")).sparse


def test_wrong_arguments_of_category_encoding(python_only):
    with pytest.raises(ValueError, match="num_tokens"):
        layers.CategoryEncoding()
    with pytest.raises(ValueError, match="output_mode"):
        layers.CategoryEncoding(3, "int")
    with pytest.raises(ValueError, match="output_mode='count' only"):
        layers.CategoryEncoding(3)(np.ones((1, 2), int), count_weights=np.ones((1, 2)))
    with pytest.raises(ValueError, match="shape of the inputs"):
        layers.CategoryEncoding(3, "count")(
            np.ones((1, 2), int), count_weights=np.ones((1, 3))
        )


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_discretization(mode, engine):
    x = np.float32([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, np.nan]])
    layer = layers.Discretization([0.0, 1.0, 2.0], output_mode=mode)
    index = np.array([[0, 2, 3, 1], [1, 3, 2, 3]])
    got = layer(x)
    want = index if mode == "int" else vectors(index, 4, mode)
    np.testing.assert_array_equal(numpy(got), want)
    assert engine.dtype_of(got) == ("int32" if mode == "int" else "float32")
    symbol = layer(keras.Input((4,)))
    assert symbol.shape == (None, *want.shape[1:])
    assert symbol.dtype == layer.output_dtype


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 1000])
def test_adapt_is_exact(count, python_only):
    x = np.random.default_rng(count).normal(size=count).astype("float32")
    layer = layers.Discretization(num_bins=4)
    layer.adapt(x)
    bins = min(4, count)
    want = np.quantile(x, np.arange(1, bins) / bins, method="interpolated_inverted_cdf")
    np.testing.assert_allclose(layer.bin_boundaries, want, rtol=1e-5, atol=1e-6)


def test_adapt_reads_batches(python_only):
    x = np.random.default_rng(0).normal(size=(100, 3))
    whole = layers.Discretization(num_bins=5)
    whole.adapt(x)
    parts = layers.Discretization(num_bins=5)
    parts.adapt((part, None) for part in np.array_split(x, 7))
    assert parts.bin_boundaries == whole.bin_boundaries
    parts.adapt(np.where(x > 0, x, np.nan))
    assert min(parts.bin_boundaries) > 0


def test_quantiles_of_a_long_stream(monkeypatch, python_only):
    """Ranks are right within epsilon, and what is kept stays small."""
    monkeypatch.setattr(quantiles, "_KEPT", 1000)
    summary, rng, seen = quantiles.QuantileSummary(0.05), np.random.default_rng(0), []
    for step in range(300):
        part = rng.normal(loc=step % 7 + step / 100, size=rng.integers(1, 999))
        summary.add(part)
        seen.append(part)
    values, weights = summary.points
    everything = np.sort(np.concatenate(seen))
    assert len(values) < 6000 and np.isclose(weights.sum(), len(everything))
    ranks = np.searchsorted(everything, summary.boundaries(20)) / len(everything)
    np.testing.assert_allclose(ranks, np.arange(1, 20) / 20, atol=0.05)


def test_boundaries_are_in_the_config(python_only):
    layer = layers.Discretization(num_bins=3)
    layer.adapt(np.arange(9.0))
    config = layers.serialize(layer)
    again = layers.deserialize(config)
    assert again.bin_boundaries == layer.bin_boundaries == [2.0, 5.0]
    assert layers.serialize(again) == config
    again.adapt(np.arange(18.0))
    assert again.bin_boundaries == [5.0, 11.0]


def test_state_in_steps(python_only):
    layer = layers.Discretization(num_bins=2)
    for part in ([1.0, 5.0], [3.0, 7.0]):
        layer.update_state(np.array(part))
    layer.finalize_state()
    assert layer.bin_boundaries == [3.0]
    np.testing.assert_array_equal(layer.summary, [[1, 3, 5, 7], [1, 1, 1, 1]])
    layer.reset_state()
    layer.finalize_state()
    assert layer.bin_boundaries == [3.0] and layer.summary.shape == (2, 0)


def test_wrong_uses_of_discretization(python_only):
    make = layers.Discretization
    for arguments, message in [
        ({}, "needs `num_bins`"),
        ({"num_bins": 2, "bin_boundaries": [1.0]}, "exclude"),
        ({"num_bins": -1}, "num_bins=-1"),
        ({"num_bins": 2, "epsilon": 0}, "epsilon"),
        ({"num_bins": 2, "output_mode": "hot"}, "output_mode"),
        ({"num_bins": 2, "sparse": True}, "sparse"),
        ({"bin_boundaries": [2.0, 1.0]}, "rising"),
    ]:
        with pytest.raises(ValueError, match=message):
            make(**arguments)
    with pytest.raises(ValueError, match="has no boundaries yet"):
        make(num_bins=2)(np.ones((1, 2)))
    with pytest.raises(ValueError, match="cannot `adapt`"):
        make([1.0]).adapt(np.ones(3))
    with pytest.raises(ValueError, match="no values"):
        make(num_bins=2).adapt(np.ones(0))
    with pytest.raises(TypeError, match="expects numbers"):
        make(num_bins=2).adapt(np.array(["a", "b"]))
