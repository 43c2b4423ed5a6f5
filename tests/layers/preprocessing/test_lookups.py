"""Lookups, hashes and texts give what Keras gives, on every engine."""

import numpy as np
import pandas as pd
import pytest

import hornbeam as keras
from hornbeam.layers.preprocessing import fingerprints
from tests.layers.lookup_rows import ROWS

layers = keras.layers
WORDS = ["b", "a", "c", "a", "é", "Z", "zz", "", "a", "b"]


def numpy(x):
    return np.asarray(keras.ops.convert_to_numpy(x))


@pytest.mark.parametrize("name", list(ROWS))
def test_outputs(name, engine):
    make, inputs, expected = ROWS[name]
    layer = make()
    outputs = layer(inputs)
    np.testing.assert_allclose(numpy(outputs), expected, rtol=1e-6)
    # Several inputs are a tuple.
    several = isinstance(inputs, tuple)
    arrays = [np.asarray(x) for x in (inputs if several else (inputs,))]

    def given(of):
        parts = tuple(of(x) if x.dtype.kind == "U" else x for x in arrays)
        return parts if several else parts[0]

    for of in (np.asarray, lambda x: x.astype(object), lambda x: np.char.encode(x)):
        np.testing.assert_allclose(numpy(layer(given(of))), expected, rtol=1e-6)
    symbols = tuple(
        keras.Input(
            batch_shape=x.shape, dtype="int64" if x.dtype.kind == "i" else "string"
        )
        for x in arrays
    )
    symbol = layer(symbols if several else symbols[0])
    assert len(symbol.shape) == np.ndim(expected)
    pairs = zip(symbol.shape, np.shape(expected), strict=True)
    assert all(a in (None, b) for a, b in pairs)
    if name != "TextVectorization-functions":
        again = type(layer).from_config(layer.get_config())
        np.testing.assert_allclose(numpy(again(inputs)), expected, rtol=1e-6)


@pytest.mark.parametrize("form", ["list", "array", "series", "batches", "bytes"])
def test_adapt_orders_as_keras(form):
    data = {
        "list": WORDS,
        "array": np.array(WORDS),
        "series": pd.Series(WORDS),
        "batches": [np.array(WORDS[:3]), np.array(WORDS[3:])],
        "bytes": np.char.encode(np.array(WORDS), "utf-8"),
    }[form]
    layer = layers.StringLookup()
    layer.adapt(data)
    expected = ["[UNK]", "a", "b", "é", "zz", "c", "Z", ""]
    assert layer.get_vocabulary() == expected
    layer = layers.StringLookup(mask_token="", max_tokens=4)
    layer.adapt(data)
    assert layer.get_vocabulary() == ["", "[UNK]", "a", "b"]


def test_adapt_integers():
    layer = layers.IntegerLookup(mask_token=0)
    layer.adapt(np.array([1, 5, 5, 0, 2, 10, -7]))
    assert layer.get_vocabulary() == [0, -1, 5, 10, 2, 1, -7]
    layer.adapt([[4, 4], [3, 4]])
    assert layer.get_vocabulary() == [0, -1, 4, 3]


def test_adapt_texts():
    layer = layers.TextVectorization()
    layer.adapt(["Foo, bar!", "bar baz", "baz bada boom"])
    expected = ["", "[UNK]", "baz", "bar", "foo", "boom", "bada"]
    assert layer.get_vocabulary() == expected
    assert layer.get_vocabulary(include_special_tokens=False) == expected[2:]
    assert layer.vocabulary_size() == 7
    layer = layers.TextVectorization(output_mode="tf_idf", max_tokens=4)
    layer.adapt(["a b c a", "e"])
    assert layer.get_vocabulary() == ["[UNK]", "a", "e", "c"]
    outputs = numpy(layer(["a a e"]))
    np.testing.assert_allclose(outputs, [[0, 2 * np.log(2), np.log(2), 0]], rtol=1e-6)


def test_states_of_a_vocabulary(tmp_path):
    layer = layers.StringLookup()
    layer.update_state(["a", "b"])
    layer.update_state(["b"])
    layer.finalize_state()
    assert layer.get_vocabulary() == ["[UNK]", "b", "a"]
    layer.reset_state()
    assert layer.get_vocabulary() == ["[UNK]"]
    file = tmp_path / "vocabulary.txt"
    file.write_text("x\ny\n", "utf-8")
    layer = layers.StringLookup(vocabulary=str(file))
    assert layer.get_config()["vocabulary"] is None
    assert layer.get_vocabulary() == ["[UNK]", "x", "y"]
    file.unlink()
    inputs = keras.Input((1,), dtype="string")
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].get_vocabulary() == ["[UNK]", "x", "y"]
    assert layers.StringLookup(vocabulary=["[UNK]", "x"]).vocabulary_size() == 2
    inverse = layers.StringLookup(vocabulary=["x", "y"], invert=True)
    assert inverse([[2, 0, 9]]).tolist() == [["y", "[UNK]", "[UNK]"]]


def test_hashes_are_those_of_tensorflow():
    tf = pytest.importorskip("tensorflow")
    rng = np.random.default_rng(0)
    sizes = [*range(80), 127, 128, 129, 192, 300, 1000]
    texts = [bytes(rng.integers(0, 256, n, dtype=np.uint8)) for n in sizes]
    array, count = np.array(texts, object), (1 << 62) + 57
    fast = tf.strings.to_hash_bucket_fast(texts, count).numpy()
    np.testing.assert_array_equal(fingerprints.buckets(array, count), fast)
    strong = tf.strings.to_hash_bucket_strong(texts, count, [7, 9]).numpy()
    np.testing.assert_array_equal(fingerprints.buckets(array, count, [7, 9]), strong)


def test_crossing(engine):
    names = np.array(["A", "B", "A", "B", "A"])
    numbers = np.array([101, 101, 101, 102, 102])
    layer = layers.HashedCrossing(5)
    assert numpy(layer((names, numbers))).tolist() == [1, 4, 1, 1, 3]
    columns = [names[:, None], numbers[:, None]]
    assert numpy(layer(columns)).tolist() == [[1], [4], [1], [1], [3]]
    wide = layers.HashedCrossing(500)((names, numbers, names))
    assert numpy(wide).tolist() == [295, 364, 295, 161, 279]
    one_hot = layers.HashedCrossing(5, output_mode="one_hot")(columns)
    assert numpy(one_hot).argmax(-1).tolist() == [1, 4, 1, 1, 3]
    with pytest.raises(ValueError, match="at least two"):
        layer((names,))
    with pytest.raises(ValueError, match="equal shape"):
        layer((names[:, None], numbers))


def test_sparse_vectors(engine):
    layer = layers.StringLookup(vocabulary=["a", "b"], output_mode="count", sparse=True)
    outputs = layer([["a", "a"], ["z", "b"]])
    np.testing.assert_array_equal(numpy(outputs), [[0, 2, 0], [1, 0, 1]])


WRONG = [
    (lambda: layers.StringLookup(vocabulary=["a", "b", "a"]), ValueError, r"\['a'\]"),
    (
        lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["z", "q"]),
        ValueError,
        r"\['z', 'q'\]",
    ),
    (
        lambda: layers.IntegerLookup(vocabulary=[1], num_oov_indices=0)([1, 9]),
        ValueError,
        r"\[9\]",
    ),
    (lambda: layers.StringLookup(vocabulary=["a"])([1, 2]), TypeError, "strings"),
    (lambda: layers.IntegerLookup(vocabulary=[1])(["a"]), TypeError, "integers"),
    (
        lambda: layers.TextVectorization(vocabulary=["a"])([1.5]),
        TypeError,
        "expects strings",
    ),
    (
        lambda: layers.StringLookup(vocabulary=["a"])(np.array(["a", None])),
        TypeError,
        "None",
    ),
    (lambda: layers.Hashing(3)([1.5]), TypeError, "Discretization"),
    (lambda: layers.StringLookup()(["a"]), RuntimeError, "no vocabulary"),
    (lambda: layers.TextVectorization()(["a"]), RuntimeError, "TextVectorization"),
    (lambda: layers.StringLookup().adapt([]), ValueError, "no values"),
    (lambda: layers.TextVectorization().adapt([]), ValueError, "no values"),
    (
        lambda: layers.StringLookup(vocabulary=["a"]).adapt(["a"]),
        ValueError,
        "static vocabulary",
    ),
    (lambda: layers.StringLookup(vocabulary=[]), ValueError, "empty vocabulary"),
    (lambda: layers.StringLookup(vocabulary="no.txt"), ValueError, r"'no\.txt'"),
    (lambda: layers.StringLookup(vocabulary=["a", 1]), TypeError, "expects strings"),
    (lambda: layers.IntegerLookup(vocabulary=[1.5]), ValueError, "of integers"),
    (lambda: layers.StringLookup(max_tokens=1), ValueError, "greater than 1"),
    (lambda: layers.StringLookup(output_mode="on_hot"), ValueError, "one_hot"),
    (
        lambda: layers.StringLookup(vocabulary=["a", "b"], max_tokens=2),
        ValueError,
        "larger than",
    ),
    (
        lambda: layers.StringLookup(vocabulary=["a"])(keras.Input((1,))),
        TypeError,
        "dtype float32",
    ),
    (
        lambda: layers.TextVectorization(vocabulary=["a"])([["a", "b"]]),
        ValueError,
        "rank 1",
    ),
    (lambda: layers.TextVectorization(split="white"), ValueError, "whitespace"),
    (lambda: layers.TextVectorization(ngrams="2"), ValueError, "`ngrams`"),
    (lambda: layers.Hashing(0), ValueError, "`num_bins`"),
    (lambda: layers.Hashing(3, salt=[1]), ValueError, "`salt`"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_bad_input(number):
    wrong, error, words = WRONG[number]
    with pytest.raises(error, match=words):
        wrong()


def test_a_config_that_names_a_file_is_refused(tmp_path):
    """CVE-2025-12058: the file would be read when the model is loaded."""
    file = tmp_path / "secret.txt"
    file.write_text("secret\n", "utf-8")
    for layer in (
        layers.StringLookup(vocabulary=["a"]),
        layers.IntegerLookup(vocabulary=[1]),
        layers.TextVectorization(vocabulary=["a"]),
    ):
        config = {**layer.get_config(), "vocabulary": str(file)}
        with pytest.raises(keras.saving.UnsafeFileError, match="names a file"):
            type(layer).from_config(config)
