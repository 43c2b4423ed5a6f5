"""What a report says of predictions: of each output, of labels, of text."""

import numpy as np
import pytest
from sklearn import metrics

import hornbeam as keras
from hornbeam import backends, layers
from hornbeam.visualization.report_predictions import Classes
from tests.visualization.test_report import written

draws = np.random.RandomState(0)
X = draws.normal(size=(60, 4)).astype("float32")


@pytest.fixture(autouse=True)
def _engine():
    with backends.scope("torch"):
        yield


def test_labels_outside_and_predictions_that_are_not_finite_are_told():
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [np.nan, np.nan]])
    page = dict(Classes(np.array([0, 1, 5, 0]), scores, ["a", "b"]).sections())
    assert "50.00% of 4 rows are right" in page["Confusion"]
    assert "1 have a label outside of the classes" in page["Confusion"]
    assert "1 have a prediction that is not finite" in page["Confusion"]
    assert "Wrong examples" not in page


@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize("fitted", [True, False])
def test_each_output_has_its_sections(tmp_path, keys, fitted):
    inputs = keras.Input((4,))
    heads = {
        "kind": layers.Dense(3, activation="softmax", name="kind")(inputs),
        "price": layers.Dense(1, name="price")(inputs),
        "tags": layers.Dense(5, activation="sigmoid", name="tags")(inputs),
    }
    model = keras.Model(inputs, heads if keys else list(heads.values()))
    loss = {
        "kind": "sparse_categorical_crossentropy",
        "price": "mse",
        "tags": "binary_crossentropy",
    }
    model.compile("sgd", loss if keys else list(loss.values()))
    kind, price = draws.randint(0, 3, 60), draws.normal(size=(60, 1))
    tags = draws.randint(0, 2, (60, 5))
    y = {"kind": kind, "price": price, "tags": tags}
    y = y if keys else list(y.values())
    if fitted:
        model.fit(X, y, verbose=0)
    text = written(tmp_path, model, data=(X, y))
    predicted = model.predict(X, verbose=0)
    predicted = list(predicted.values() if keys else predicted)
    for title in ("Confusion: kind", "Predictions: price", "Labels: tags"):
        assert f"<h2>{title}</h2>" in text
    right = (predicted[0].argmax(1) == kind).mean()
    assert f"{right:.2%} of 60 rows are right" in text
    assert f"R² {metrics.r2_score(price, predicted[1]):.4f}" in text
    found = (predicted[2] > 0.5).astype(int)
    exact = metrics.accuracy_score(tags, found)
    assert f"{exact:.2%} of 60 rows have all labels right" in text
    assert f"{1 - metrics.hamming_loss(tags, found):.2%} of the labels" in text
    part = text[text.index("<h2>Labels: tags") :]
    for score in (metrics.precision_score, metrics.recall_score):
        for value in score(tags, found, average=None, zero_division=0):
            assert f'<td class="hb-number">{value:.3f}</td>' in part


def test_an_output_without_a_loss_is_left_out(tmp_path):
    inputs = keras.Input((4,))
    outputs = [layers.Dense(1, name=name)(inputs) for name in ("a", "b")]
    model = keras.Model(inputs, dict(zip("ab", outputs, strict=True)))
    model.compile("sgd", {"b": "mse"})
    y = {"b": draws.normal(size=60)}
    model.fit(X, y, verbose=0)
    text = written(tmp_path, model, data=(X, y))
    assert "<h2>Predictions: b</h2>" in text and "Predictions: a" not in text
    fit = metrics.r2_score(y["b"], model.predict(X, verbose=0)["b"])
    assert f"R² {fit:.4f}" in text


def test_logits_of_labels_and_the_surest_wrong_label_first(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
    model.set_weights([np.eye(2), np.zeros(2)])
    model.compile("sgd", keras.losses.BinaryCrossentropy(from_logits=True))
    x = np.array([[1, -1], [3, -1], [-1, -2], [0.5, 1]], "float32")
    y = np.array([[1, 0], [0, 0], [1, 1], [1, 1]])
    text = written(tmp_path, model, data=(x, y))
    assert "50.00% of 4 rows have all labels right" in text
    probability = 1 / (1 + np.exp(-x))
    assert f"predicted with 0 ({probability[1, 0]:.0%})" in text
    first, second = (text.index(f"predicted {word} 0") for word in ("with", "without"))
    assert first < second
    assert f"without 0 ({probability[2, 0]:.0%}), 1 ({probability[2, 1]:.0%})" in text


def test_an_output_of_more_axes_says_so(tmp_path):
    model = keras.Sequential([keras.Input((4, 2)), layers.Dense(3)])
    model.compile("sgd", "mse")
    data = np.ones((5, 4, 2)), np.ones((5, 4, 3))
    assert "pages show outputs of two axes" in written(tmp_path, model, data=data)


WORDS = np.array(["good film", "bad film", "good <b> plot", "bad plot"])


def text_model(vectorizer):
    first = [keras.Input((), dtype="string"), vectorizer]
    last = [layers.Embedding(9, 2), layers.GlobalAveragePooling1D()]
    return keras.Sequential([*first, *last, layers.Dense(1, activation="sigmoid")])


@pytest.mark.parametrize("as_list", [True, False])
def test_strings_are_shown_as_text(tmp_path, as_list):
    vectorizer = layers.TextVectorization(9, output_sequence_length=3)
    vectorizer.adapt(WORDS)
    model = text_model(vectorizer)
    model.compile("sgd", "binary_crossentropy")
    wrong = 1 - (model.predict(WORDS, verbose=0)[:, 0] > 0.5)
    data = WORDS.tolist() if as_list else WORDS, wrong
    text = written(tmp_path, model, data=data)
    part = text[text.index("<h2>Wrong examples") :]
    assert "<th>text</th>" in part and "<td>good &lt;b&gt; plot</td>" in part
    assert "Steps waited for data" in part


def test_integers_are_words_where_the_model_has_a_vocabulary(tmp_path):
    vectorizer = layers.TextVectorization(9, output_sequence_length=4)
    vectorizer.adapt(WORDS)
    numbers = np.asarray(keras.ops.convert_to_numpy(vectorizer(WORDS)))
    inputs = keras.Input((4,), dtype="int32")
    pooled = layers.GlobalAveragePooling1D()(layers.Embedding(9, 2)(inputs))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(pooled))
    model.compile("sgd", "binary_crossentropy")
    wrong = 1 - (model.predict(numbers, verbose=0)[:, 0] > 0.5)
    assert "feature 0" in written(tmp_path, model, data=(numbers, wrong))
    model.vectorizer = vectorizer
    text = written(tmp_path, model, data=(numbers, wrong))
    assert "<td>bad film</td>" in text and "<td>good b plot</td>" in text


def test_several_inputs_are_columns(tmp_path):
    inputs = {"age": keras.Input((1,), name="age"), "size": keras.Input((3,), name="s")}
    joined = layers.Concatenate()(list(inputs.values()))
    model = keras.Model(inputs, layers.Dense(1)(joined))
    model.compile("sgd", "mse")
    x = {"age": X[:, :1], "size": X[:, 1:]}
    text = written(tmp_path, model, data=(x, X[:, 0]))
    assert "<th>age</th>" in text and "<th>size</th>" in text
    errors = model.predict(x, verbose=0)[:, 0] - X[:, 0]
    worst = X[np.abs(errors).argmax(), 1:]
    assert ", ".join(f"{value:.4g}" for value in worst) in text


def test_the_time_of_each_layer(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, name="wide")])
    model.add(layers.Dense(1, name="last"))
    data = X, X[:, 0]
    assert "Time by layer" not in written(tmp_path, model, data=data)
    model.compile("adam", "mse")
    before = model.get_weights()
    text = written(tmp_path, model, data=data)
    part = text[text.index("<h2>Time by layer") :]
    assert "wide</td>" in part and "Steps waited for data" in part
    assert "Time by layer" not in written(tmp_path, model, data=data, speed=False)
    np.testing.assert_equal(model.get_weights(), before)


def test_inputs_of_a_list_have_the_names_of_the_model(tmp_path):
    first, second = keras.Input((2,), name="age"), keras.Input((3,), name="price")
    joined = keras.layers.Concatenate()([first, second])
    model = keras.Model([first, second], keras.layers.Dense(1)(joined))
    model.compile("sgd", "mse")
    x = [np.ones((4, 2), "float32"), np.ones((4, 3), "float32")]
    path = tmp_path / "page.html"
    keras.visualization.report(model, data=(x, np.ones(4)), path=path, speed=False)
    text = path.read_text()
    assert ">age</th>" in text and ">price</th>" in text and ">[0]</th>" not in text
