"""Models that begin with strings: tables of every library, functions, new states."""

import numpy as np
import pandas as pd
import pytest

import hornbeam as keras

layers = keras.layers
TOKENS = ["a", "b"] * 4
LABELS = np.array([0, 1] * 4)


def swap(texts):
    """Swap the letters."""
    return np.char.translate(texts, str.maketrans("ab", "ba"))


def letters(texts):
    return [list(text) for text in texts]


def texts_model():
    vectorize = layers.TextVectorization(
        standardize=swap, split=letters, output_sequence_length=3, vocabulary=["a"]
    )
    return keras.Sequential([keras.Input((1,), dtype="string"), vectorize])


def lookup_model(units=1):
    lookup = layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            lookup,
            layers.Dense(units),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy")
    return model


def test_functions_of_texts_come_back(tmp_path, python_only):
    model, texts = texts_model(), np.array([["abc"], ["b"]], object)
    wanted = [[1, 2, 1], [2, 0, 0]]
    assert model.predict(texts, verbose=0).tolist() == wanted
    with pytest.warns(UserWarning, match="swap"):
        model.save(tmp_path / "model.keras")
    with pytest.raises(Exception, match="swap.*must be known"):
        keras.models.load_model(tmp_path / "model.keras")
    known = {"swap": swap, "letters": letters}
    made = [keras.models.load_model(tmp_path / "model.keras", custom_objects=known)]
    with keras.saving.custom_object_scope(known):
        made.append(keras.models.load_model(tmp_path / "model.keras"))
        made.append(keras.Sequential.from_config(model.get_config()))
        made.append(keras.models.clone_model(model))
        layer = model.layers[0]
        made.append(type(layer).from_config(layer.get_config()))
    for copy in made:
        assert np.asarray(copy(texts)).tolist() == wanted


def test_registered_functions_of_texts(tmp_path, python_only):
    registered = keras.saving.register_keras_serializable("texts")(swap)
    try:
        layer = layers.TextVectorization(standardize=registered, vocabulary=["a"])
        model = keras.Sequential([keras.Input((1,), dtype="string"), layer])
        model.save(tmp_path / "model.keras")
        made = keras.models.load_model(tmp_path / "model.keras")
        assert made.layers[0].standardize is swap
        assert type(layer).from_config(layer.get_config()).standardize is swap
        assert keras.models.clone_model(model).layers[0].standardize is swap
    finally:
        keras.saving.get_custom_objects().pop("texts>swap")


def tables(tmp_path):
    frame = pd.DataFrame({"t": TOKENS})
    yield from (frame, frame.astype("string"), frame.astype("category"))
    polars = pytest.importorskip("polars")
    yield from (polars.Series(TOKENS), polars.DataFrame({"t": TOKENS}))
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = arrow.table({"t": TOKENS})
    column = table["t"].combine_chunks()
    yield from (table, table["t"], column, column.dictionary_encode())
    parquet.write_table(table, tmp_path / "table.parquet")
    yield parquet.ParquetFile(tmp_path / "table.parquet")


def test_tables_of_strings(tmp_path, python_only):
    model = lookup_model()
    wanted = model.predict(np.array(TOKENS, object), verbose=0)
    for table in tables(tmp_path):
        np.testing.assert_array_equal(model.predict(table, verbose=0), wanted)


def test_training_on_a_frame():
    model = lookup_model()
    frame = pd.DataFrame({"t": TOKENS})
    losses = model.fit(frame, LABELS, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model(frame).shape == (8, 1)
    mixed = pd.DataFrame({"t": TOKENS, "n": LABELS})
    with pytest.raises(TypeError, match=r"expects strings.*numbers, in.*\['n'\]"):
        model.predict(mixed, verbose=0)


def test_long_strings_in_storage(tmp_path, monkeypatch, python_only):
    from hornbeam.data import stored

    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    texts = ["a", "b" * 50, "a", "b"]
    parquet.write_table(arrow.table({"t": texts}), tmp_path / "t.parquet")
    monkeypatch.setattr(stored, "_SMALL_BYTES", 0)
    rows = stored.stored_rows(parquet.ParquetFile(tmp_path / "t.parquet"))
    assert rows.take(np.arange(4)).tolist() == texts
    source = parquet.ParquetFile(tmp_path / "t.parquet")
    assert lookup_model().predict(source, verbose=0).shape == (4, 1)


def test_estimators_of_a_frame():
    from sklearn.model_selection import GridSearchCV

    frame = pd.DataFrame({"t": TOKENS})
    classifier = keras.wrappers.KerasClassifier(
        lookup_model, epochs=20, verbose=0, units=2
    )
    search = GridSearchCV(classifier, {"units": [2]}, cv=2).fit(frame, LABELS)
    assert (search.predict(frame) == LABELS).all()


def test_tensors_of_tensorflow(training_engine):
    tensorflow = pytest.importorskip("tensorflow")
    model = lookup_model()
    outputs = model.predict(tensorflow.constant([["a"], ["b"]]), verbose=0)
    wanted = model.predict(np.array([["a"], ["b"]], object), verbose=0)
    np.testing.assert_array_equal(outputs, wanted)


def test_a_model_follows_what_its_layers_learn(training_engine):
    lookup = layers.IntegerLookup()
    lookup.adapt([[0], [2]])
    model = keras.Sequential([keras.Input((1,), dtype="int64"), lookup])
    data = np.array([[5]])
    assert model.predict(data, verbose=0).tolist() == [[0]]
    lookup.adapt([[5], [7]])
    assert model.predict(data, verbose=0).tolist() == [[2]]
    assert model.predict_on_batch(data).tolist() == [[2]]
    lookup.set_vocabulary([5, 7])
    assert model.predict(data, verbose=0).tolist() == [[1]]
    bins = layers.Discretization(num_bins=2)
    bins.adapt(np.arange(9.0))
    model = keras.Sequential([keras.Input((1,)), bins])
    assert model.predict(np.array([[6.0]]), verbose=0).tolist() == [[1]]
    bins.adapt(np.arange(9.0) + 10)
    assert model.predict(np.array([[6.0]]), verbose=0).tolist() == [[0]]
    bins.bin_boundaries = [5.0]
    assert model.predict(np.array([[6.0]]), verbose=0).tolist() == [[1]]


def test_weights_that_change_alone(training_engine):
    lookup = layers.IntegerLookup(
        vocabulary=[1, 2], idf_weights=[1.0, 2.0], output_mode="tf_idf"
    )
    model = keras.Sequential([keras.Input((1,), dtype="int64"), lookup])
    data = np.array([[2]])
    assert model.predict(data, verbose=0)[0, -1] == 2
    lookup.set_vocabulary([1, 2], idf_weights=[1.0, 3.0])
    assert model.predict(data, verbose=0)[0, -1] == 3


def test_arrays_of_arrow(python_only):
    arrow = pytest.importorskip("pyarrow")
    layer = layers.TextVectorization()
    layer.adapt(arrow.array(["a"]))
    assert layer.get_vocabulary() == ["", "[UNK]", "a"]
    numbers = layers.IntegerLookup()
    numbers.adapt(arrow.chunked_array([[3], [3]]))
    assert numbers.get_vocabulary() == [-1, 3]


def test_strings_for_numbers(python_only):
    with pytest.raises(TypeError, match="Discretization.*Received strings"):
        layers.Discretization(bin_boundaries=[0.0])(np.array(["a"]))
    for kind in ("float", "float_normalized", "float_discretized"):
        space = keras.utils.FeatureSpace({"age": kind, "c": "string_categorical"})
        with pytest.raises(TypeError, match="'age'.*expects numbers"):
            space.adapt({"age": ["x"], "c": ["a"]}) or space({"age": ["x"], "c": ["a"]})


def test_columns_of_a_table_are_several_inputs(training_engine):
    word = keras.Input((1,), dtype="string", name="word")
    size, place = keras.Input((1,), name="size"), keras.Input((1,), name="place")
    lookup = layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")
    for inputs in ([place, size], {"size": size, "place": place}, [size, word]):
        parts = list(inputs.values() if isinstance(inputs, dict) else inputs)
        joined = layers.Concatenate()([lookup(x) if x is word else x for x in parts])
        model = keras.Model(inputs, layers.Dense(1)(joined))
        model.compile("sgd", "mse")
        frame = pd.DataFrame(
            {
                "place": [0.0] * 7 + [9.0],
                "price": LABELS,
                "word": TOKENS,
                "size": LABELS,
            }
        )
        expected = {x.name: frame[x.name].to_numpy() for x in parts}
        wanted = model.predict(expected, verbose=0)
        tables = [frame, pytest.importorskip("polars").DataFrame(frame.to_dict("list"))]
        for table in (*tables, tables[1].to_arrow()):
            np.testing.assert_array_equal(model.predict(table, verbose=0), wanted)
        losses = model.evaluate(frame, "price", verbose=0)
        assert losses == model.evaluate(expected, LABELS, verbose=0)
        model.fit(frame, "price", validation_split=0.5, verbose=0)
        with pytest.raises(ValueError, match="missing data for input 'size'"):
            model.predict(frame.drop(columns="size"), verbose=0)
