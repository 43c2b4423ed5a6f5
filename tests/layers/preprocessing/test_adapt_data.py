"""What `adapt` reads gives the same rows, whatever it is."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import hornbeam as keras
from hornbeam.layers.preprocessing import adapt_data

X = np.arange(40.0).reshape(20, 2)
WORDS = [f"w{i % 7}" for i in range(20)]


class _Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[index * 5 : index * 5 + 5], np.zeros(5)


def _sources():
    torch = pytest.importorskip("torch")
    data = torch.utils.data
    rows = data.TensorDataset(torch.from_numpy(X), torch.zeros(20))
    return {
        "array": X,
        "list": X.tolist(),
        "frame": pd.DataFrame(X),
        "sparse": scipy.sparse.csr_array(X),
        "torch tensor": torch.from_numpy(X),
        "list of batches": [X[:7], X[7:]],
        "pairs": ((X[i : i + 5], np.ones(5)) for i in range(0, 20, 5)),
        "PyDataset": _Batches(),
        "PyDataset with workers": _Batches(workers=2),
        "DataLoader": data.DataLoader(rows, batch_size=3),
        "dataset of torch": rows,
    }


@pytest.mark.parametrize("kind", list(_sources()))
def test_rows(kind):
    layer = keras.layers.Normalization()
    parts = [adapt_data.host(p) for p in adapt_data.batches(layer, _sources()[kind])]
    np.testing.assert_array_equal(np.concatenate(parts), X)


def test_rows_of_tf_data():
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices((X, np.ones(20))).batch(6)
    layer = keras.layers.Normalization()
    parts = [adapt_data.host(p) for p in adapt_data.batches(layer, data)]
    np.testing.assert_array_equal(np.concatenate(parts), X)
    assert len(list(adapt_data.batches(layer, data.repeat(), steps=2))) == 2
    with pytest.raises(ValueError, match="without an end"):
        list(adapt_data.batches(layer, data.repeat()))


def test_batches_of_strings():
    torch = pytest.importorskip("torch")
    rows = list(zip(WORDS, range(20), strict=True))
    loader = torch.utils.data.DataLoader(rows, batch_size=6)
    layer = keras.layers.Normalization()
    for data in (WORDS, np.array(WORDS), pd.Series(WORDS), loader, [(WORDS, [1] * 20)]):
        parts = [adapt_data.host(p) for p in adapt_data.batches(layer, data)]
        assert np.concatenate(parts).tolist() == WORDS


def test_what_is_large_is_read_in_slices(monkeypatch):
    monkeypatch.setattr(adapt_data, "_ROWS", 8)
    layer = keras.layers.Normalization()
    assert [len(p) for p in adapt_data.batches(layer, X)] == [8, 8, 4]
    layer.adapt(X)
    np.testing.assert_allclose(np.asarray(layer.mean)[0], X.mean(0), rtol=1e-6)


def test_no_data():
    layer = keras.layers.Normalization()
    for data in ([], np.ones((0, 2)), iter([])):
        with pytest.raises(ValueError, match="received no values"):
            list(adapt_data.batches(layer, data))
    with pytest.raises(ValueError, match="`steps`"):
        list(adapt_data.batches(layer, X, steps=0))
    for data in ({"a": X}, object()):
        with pytest.raises(TypeError, match="expects an array"):
            list(adapt_data.batches(layer, data))


def test_statistics_of_last_axes_serve_inputs_of_more_axes(engine):
    """Batches of a PyDataset may be single images: the channels are the same."""
    images = np.random.default_rng(0).random((6, 5, 3)).astype("float32")
    layer = keras.layers.Normalization()
    layer.adapt(images)
    got = keras.ops.convert_to_numpy(layer(images[None]))
    want = (images - images.mean((0, 1))) / images.std((0, 1))
    np.testing.assert_allclose(got, want[None], rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="at least 3"):
        layer(images[0])
    layer = keras.layers.Normalization(axis=2)
    layer.adapt(images)
    with pytest.raises(ValueError, match="rank"):
        layer(images[None])
    with pytest.raises(TypeError, match="expects batches of rows.*42"):
        keras.layers.Normalization().adapt(iter([42]))


def _with_gaps():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    masked = np.ma.masked_greater(np.array([1.0, 2.0, 9.0]), 5)
    return {
        "NaN": np.array([1.0, np.nan]),
        "None": [1.0, None],
        "masked": masked,
        "nullable": pd.Series([1, None], dtype="Int64"),
        "of polars": pl.Series([1, None]),
        "of Arrow": pa.array([1, None]),
        "in the second batch": iter([np.array([1.0]), np.array([np.nan])]),
    }


@pytest.mark.parametrize("kind", _with_gaps())
def test_missing_values_are_no_numbers(kind):
    for layer in (keras.layers.Normalization(axis=None), keras.layers.IntegerLookup()):
        with pytest.raises((ValueError, TypeError), match="missing values|expects int"):
            layer.adapt(_with_gaps()[kind])


def test_statistics_stay_where_data_hold_no_numbers():
    layer = keras.layers.Normalization()
    layer.adapt(np.array([[1.0, 2.0], [3.0, 2.0]]))
    with pytest.raises(ValueError, match=r"features \[\[1\]\]"):
        layer.adapt(np.array([[1.0, np.inf], [3.0, np.nan]]))
    assert np.asarray(layer.mean).tolist() == [[2.0, 2.0]]
    with pytest.raises(TypeError, match="strings or dates"):
        layer.adapt(np.array([["2020-01-01", "2020-01-02"]], "datetime64"))
    with pytest.raises(ValueError, match=r"Received: 1\.5"):
        keras.layers.IntegerLookup(vocabulary=[1])(np.array([1.5]))
    words = np.ma.array(["a", "b"], mask=[False, True])
    with pytest.raises(TypeError, match="expects strings. Received: None"):
        keras.layers.StringLookup().adapt(words)
