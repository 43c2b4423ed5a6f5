"""FeatureSpace prepares tables as Keras's does, and goes into models and files."""

import warnings

import numpy as np
import pandas as pd
import pytest

import hornbeam as keras

FeatureSpace = keras.utils.FeatureSpace
DATA = {
    "age": [20.0, 30.0, 40.0, 60.0],
    "color": ["red", "blue", "red", "green"],
    "size": [1, 2, 2, 3],
    "price": [0.1, 0.2, 0.3, 0.4],
    "city": ["a", "b", "c", "d"],
    "code": [7, 8, 9, 7],
    "plain": [1.0, 2.0, 3.0, 4.0],
    "scaled": [1.0, 2.0, 3.0, 4.0],
}


def space(module=keras, **kwargs):
    kinds = module.utils.FeatureSpace
    return kinds(
        features={
            "age": "float_normalized",
            "color": "string_categorical",
            "size": kinds.integer_categorical(num_oov_indices=2),
            "price": kinds.float_discretized(3),
            "city": kinds.string_hashed(4),
            "code": "integer_hashed",
            "plain": "float",
            "scaled": kinds.float_rescaled(2.0, 1.0),
        },
        crosses=[("color", "size"), kinds.cross(("size", "price"), 5)],
        hashing_dim=6,
        **kwargs,
    )


def numpy(x):
    return np.asarray(keras.ops.convert_to_numpy(x))


def adapted(**kwargs):
    features = space(**kwargs)
    features.adapt(DATA)
    return features


def test_vectors(engine):
    features = adapted(output_mode="dict")
    outputs = {name: numpy(x) for name, x in features(DATA).items()}
    ages = np.array(DATA["age"])
    np.testing.assert_allclose(
        outputs["age"][:, 0], (ages - ages.mean()) / ages.std(), rtol=1e-5
    )
    assert outputs["color"].argmax(-1).tolist() == [1, 3, 1, 2]
    assert outputs["size"].argmax(-1).tolist() == [4, 2, 2, 3]
    np.testing.assert_allclose(outputs["scaled"][:, 0], [3, 5, 7, 9])
    shapes = {name: x.shape[1] for name, x in outputs.items()}
    assert shapes == {
        "age": 1, "city": 4, "code": 6, "color": 4, "plain": 1, "price": 3,
        "scaled": 1, "size": 5, "color_X_size": 32, "size_X_price": 5,
    }  # fmt: skip
    joined = adapted()
    expected = np.concatenate(list(outputs.values()), axis=-1)
    np.testing.assert_allclose(numpy(joined(DATA)), expected, rtol=1e-6)
    row = {name: values[1] for name, values in DATA.items()}
    np.testing.assert_allclose(numpy(joined(row)), expected[1], rtol=1e-6)
    np.testing.assert_allclose(numpy(joined(pd.DataFrame(DATA))), expected, rtol=1e-6)


def test_data_of_every_kind():
    expected = numpy(adapted()(DATA))
    frame = pd.DataFrame(DATA)
    batches = ({k: v[i : i + 2] for k, v in DATA.items()} for i in (0, 2))
    pairs = [({k: v[i : i + 3] for k, v in DATA.items()}, [0]) for i in (0, 3)]
    rows = [{k: v[i] for k, v in DATA.items()} for i in range(4)]
    tables = [pytest.importorskip("polars").DataFrame(DATA)]
    tables.append(tables[0].to_arrow())
    for data in (frame, batches, pairs, rows, *tables):
        features = space()
        features.adapt(data)
        np.testing.assert_allclose(numpy(features(DATA)), expected, rtol=1e-5)
    for table in tables:
        np.testing.assert_allclose(numpy(features(table)), expected, rtol=1e-5)


def test_in_tf_data():
    tf = pytest.importorskip("tensorflow")
    features, data = space(), tf.data.Dataset.from_tensor_slices(DATA)
    features.adapt(data)
    expected = numpy(features(DATA))
    for mapped in (data.batch(3).map(features), data.map(features).batch(3)):
        outputs = np.concatenate([x.numpy() for x in mapped])
        np.testing.assert_allclose(outputs, expected, rtol=1e-5)


def test_a_model_of_a_table(training_engine, tmp_path):
    features = adapted()
    outputs = keras.layers.Dense(1)(features.get_encoded_features())
    model = keras.Model(features.get_inputs(), outputs)
    model.compile(keras.optimizers.Adam(0.1), "mse")
    columns = {name: np.array(values) for name, values in DATA.items()}
    target = np.array([1.0, 0.0, 1.0, 2.0])
    losses = model.fit(columns, target, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    predicted = model.predict(columns, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(columns, verbose=0), predicted, rtol=1e-5)


def test_files_go_both_ways(tmp_path):
    real = pytest.importorskip("keras")
    features = adapted()
    expected = numpy(features(DATA))
    features.save(tmp_path / "ours.keras")
    loaded = keras.saving.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(numpy(loaded(DATA)), expected, rtol=1e-6)
    theirs = real.saving.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(np.asarray(theirs(DATA)), expected, rtol=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Keras itself
        theirs.save(tmp_path / "theirs.keras")
    again = keras.saving.load_model(tmp_path / "theirs.keras")
    np.testing.assert_allclose(numpy(again(DATA)), expected, rtol=1e-6)


def test_a_layer_of_ones_own():
    layer = keras.layers.TextVectorization(output_mode="tf_idf")
    feature = FeatureSpace.feature("string", layer, "float")
    features = FeatureSpace({"text": feature})
    features.adapt({"text": ["1st string", "2nd string", "3rd string"]})
    outputs = numpy(features({"text": ["1st string"]}))
    np.testing.assert_allclose(outputs, [[0, 0.5596158, 0, 0, 0.9162907]], rtol=1e-5)


WRONG = [
    (lambda: FeatureSpace({}), "cannot be None or empty"),
    (lambda: FeatureSpace({"a": "flaot"}), "did you mean 'float'"),
    (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]), r"\['b'\]"),
    (lambda: FeatureSpace({"a": "float"}, output_mode="list"), "concat"),
    (lambda: space()(DATA), "You need to call"),
    (lambda: space().get_inputs(), "You need to call"),
    (lambda: adapted()({"age": [1.0]}), "no feature 'color'"),
    (lambda: adapted()([1.0]), "dict of columns"),
    (lambda: space().adapt([]), "no values"),
    (lambda: space().adapt({**DATA, "age": [1.0]}), "rows.*'age': 1"),
    (lambda: adapted()({**DATA, "age": [1.0]}), "rows.*'age': 1"),
    (
        lambda: FeatureSpace({"a": FeatureSpace.integer_hashed(3, "int")})({"a": [1]}),
        "cannot concatenate",
    ),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_bad_input(number):
    wrong, words = WRONG[number]
    with pytest.raises(ValueError, match=f"(?i){words}"):
        wrong()
