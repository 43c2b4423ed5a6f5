"""Pages of runs: what is in them, read back; they are whole and escaped."""

import base64
import io
import re
import time
import types

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

import hornbeam as keras
from hornbeam import backends, layers
from hornbeam.visualization import report
from hornbeam.visualization.report_examples import as_png
from hornbeam.visualization.report_search import candidates_of, explained
from hornbeam.visualization.run_report import time_of
from tests.visualization.test_as_html import ATTACK, Reader
from tests.visualization.test_search import grid, results_of

pytestmark = pytest.mark.usefixtures("python_only")
draws = np.random.RandomState(0)


def classifier(name="net", units=3):
    output = layers.Dense(units, activation="softmax", name=name)
    model = keras.Sequential([keras.Input((4,)), output])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def written(tmp_path, *args, **kwargs):
    """Return the text of a page, which is whole in itself."""
    path = report(*args, path=tmp_path / "page.html", **kwargs)
    text = path.read_text("utf-8")
    links = set(re.findall(r"https?://[^\"' ]*", text))
    assert links <= {"http://www.w3.org/2000/svg"}
    reader = Reader(text)
    assert not {x for x, _ in reader.attributes if x.startswith("on")}
    return text


def search(params, scores, **attributes):
    found = {"cv_results_": results_of(params, scores), **attributes}
    return types.SimpleNamespace(**found)


def test_what_a_page_of_a_model_has(tmp_path):
    model, history = classifier(), keras.callbacks.History()
    history.on_train_begin()
    for epoch in range(3):
        history.on_epoch_begin(epoch)
        history.on_epoch_end(epoch, {"loss": 1.0 - epoch / 4, "val_loss": 1.25})
    history.on_train_end()
    x, y = draws.normal(size=(50, 4)).astype("float32"), draws.randint(0, 3, 50)
    keras.utils.set_random_seed(77)
    text = written(tmp_path, model, history=history, data=(x, y))
    for title in ("Model", "Curves", "Time", "Confusion", "Wrong examples", "Settings"):
        assert f"<h2>{title}</h2>" in text
    predicted = model.predict(x, verbose=0).argmax(1)
    matrix = metrics.confusion_matrix(y, predicted, labels=range(3))
    for (true, other), count in np.ndenumerate(matrix):
        assert f"<title>true {true}, predicted {other}: {count}</title>" in text
    assert f"{(predicted == y).mean():.2%} of 50 rows" in text
    recall = metrics.recall_score(y, predicted, average=None)
    assert all(f'<td class="hb-number">{value:.3f}</td>' in text for value in recall)
    assert "<td>keras.utils.set_random_seed</td><td>77</td>" in text
    assert "callbacks, and between epochs" in text
    wrong = int((predicted != y).sum())
    assert f"{wrong:,} rows; these" in text


def test_the_surest_wrong_example_comes_first(tmp_path):
    model = classifier()
    kernel = np.zeros((4, 3))
    kernel[0, 0] = 1.0
    model.set_weights([kernel, np.zeros(3)])
    x = np.zeros((3, 4), "float32")
    x[:, 0] = [1, 9, 5]
    text = written(tmp_path, model, data=(x, np.array([1, 1, 1])))
    table = text[text.index("<h2>Wrong examples") :]
    assert re.findall(r"<td class=\"hb-number\">(\d)</td><td>1, not 0", table) == [
        *("1", "2", "0")
    ]


def test_names_are_escaped(tmp_path):
    model = classifier()
    model.name = ATTACK
    history = {ATTACK: [1.0, 2.0]}
    text = written(tmp_path, model, history=history)
    assert ATTACK not in text and "&lt;script&gt;alert" in text
    candidates = [{ATTACK: ATTACK}, {ATTACK: "y"}]
    text = written(tmp_path, search(candidates, [[0.1], [0.2]]))
    assert ATTACK not in text and "&lt;script&gt;alert" in text


def test_images_are_pictures(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy")
    x = draws.uniform(size=(6, 8, 8, 1)).astype("float32")
    text = written(tmp_path, model, data=(x, 1 - model.predict(x, verbose=0).argmax(1)))
    pictures = re.findall(r'alt="row (\d)" src="data:image/png;base64,([^"]*)"', text)
    assert len(pictures) == 6
    image = pytest.importorskip("PIL.Image")
    row, code = pictures[0]
    found = np.asarray(image.open(io.BytesIO(base64.b64decode(code))), float)
    assert np.abs(found / 255 - x[int(row), ..., 0]).max() < 1 / 254


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_is_read_by_pillow(channels):
    image = pytest.importorskip("PIL.Image")
    pixels = draws.randint(0, 256, (5, 7, channels), "uint8")
    found = np.asarray(image.open(io.BytesIO(as_png(pixels))))
    assert np.array_equal(found.reshape(pixels.shape), pixels)


def test_numbers(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = draws.normal(size=(40, 4)).astype("float32"), draws.normal(size=40)
    text = written(tmp_path, model, data=(x, y))
    fit = metrics.r2_score(y, model.predict(x, verbose=0).reshape(-1))
    assert f"R² {fit:.4f}" in text
    assert "<h2>Largest errors</h2>" in text


@pytest.mark.parametrize("loss", ["binary_crossentropy", "hinge", "logits"])
def test_two_classes(tmp_path, loss):
    activation = "sigmoid" if loss == "binary_crossentropy" else None
    if loss == "logits":
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(1, activation=activation)]
    )
    model.compile("sgd", loss)
    x = draws.normal(size=(40, 4)).astype("float32")
    scores = model.predict(x, verbose=0).reshape(-1)
    y = draws.randint(0, 2, 40)
    text = written(tmp_path, model, data=(x, 2 * y - 1 if loss == "hinge" else y))
    right = (scores > (0.5 if activation else 0)) == y
    assert f"{right.mean():.2%} of 40 rows" in text


def test_a_generator_of_batches(tmp_path):
    x, y = draws.normal(size=(50, 4)).astype("float32"), draws.randint(0, 3, 50)
    batches = [(x[i : i + 10], y[i : i + 10]) for i in range(0, 50, 10)]
    text = written(tmp_path, classifier(), data=(batch for batch in batches))
    assert "of 50 rows" in text


def test_what_a_page_of_a_search_has(tmp_path):
    params = grid(model__rate=[0.1, 0.2, 0.3], optimizer=["sgd", "adam"])
    scores = draws.uniform(size=(6, 2))
    scores[4] = np.nan
    text = written(tmp_path, search(params, scores))
    for title in ("Ranking", "Parallel coordinates", "Effects", "Learning curves"):
        assert f"<h2>{title}</h2>" in text
    ranked = [int(n) for n in re.findall(r'<tr data-row="(\d)">', text)]
    assert ranked == [*np.argsort(-scores.mean(1))[:5], 4]
    assert text.count('<path class="hb-many') == 6 and "1 failed" in text


def test_curves_that_were_recorded(tmp_path):
    recorder = keras.visualization.record_histories("accuracy")
    params = grid(rate=[0.1, 0.2])
    for p in params * 2:
        recorder.records.append((p, {"loss": [2.0, 1.0 + p["rate"]]}))
    found = search(params, [[0.5], [0.6]], scoring=recorder)
    text = written(tmp_path, found)
    curves = text[text.index("<h2>Learning curves") :]
    assert len(re.findall(r'<g data-row="[01]">', curves)) == 2
    assert candidates_of(found).curves[1][0]["loss"] == [2.0, 1.2]


def test_a_table_of_candidates(tmp_path):
    rows = [
        {"rank": 2, "units": 8, "score": 0.5, "history": {"loss": [3.0, 2.0]}},
        {"rank": 1, "units": 16, "score": 0.25, "history": {"loss": [2.0, 1.0]}},
    ]
    tuner = types.SimpleNamespace(table=lambda: rows)
    found = candidates_of(tuner)
    assert (found.direction, found.best, found.varying()) == (-1, 1, ["units"])
    assert "best score 0.2500" in written(tmp_path, tuner)


def test_a_table_that_says_what_was_asked_for(tmp_path):
    frame = pytest.importorskip("pandas").DataFrame(
        [
            {"number": 1, "units": 8, "val_loss": 0.5, "size": 3.0, "seconds": 1.0},
            {"number": 0, "units": 4, "val_loss": 0.7, "size": 2.0, "seconds": 1.0},
        ]
    )
    curves = [{"val_loss": [1.0, 0.7]}, {"val_loss": [0.9, 0.5]}]
    result = types.SimpleNamespace(
        table=lambda: frame,
        directions={"val_loss": "min", "size": "min"},
        candidates=[types.SimpleNamespace(history=c) for c in curves],
    )
    found = candidates_of(result)
    assert (found.score_name, found.direction, found.best) == ("val_loss", -1, 0)
    assert found.varying() == ["units"] and list(found.other_scores) == ["size"]
    assert found.curves == [[curves[1]], [curves[0]]]
    assert "best val_loss 0.5000" in written(tmp_path, result)


def test_the_share_that_a_hyperparameter_explains():
    """By the F of SciPy: with k groups of n, F = (SSB / (k - 1)) / (SSW / (n - k))."""
    groups = np.repeat([1, 2, 3], 6)
    scores = groups + draws.normal(size=18)
    f, _ = stats.f_oneway(*(scores[groups == g] for g in (1, 2, 3)))
    ratio = f * 2 / 15  # SSB / SSW
    expected = (ratio - 2 / 15) / (ratio + 1)
    params = [{"units": int(g)} for g in groups]
    assert explained(params, "units", scores) == pytest.approx(expected)
    noise = [{"other": int(n)} for n in draws.permutation(np.repeat([1, 2, 3], 6))]
    assert explained(noise, "other", scores) < expected


def test_what_it_refuses(tmp_path):
    with pytest.raises(TypeError, match="a model, a fitted estimator, a search"):
        report(3, path=tmp_path / "x.html")
    with pytest.raises(TypeError, match="what `fit` returned"):
        report(classifier(), history=3, path=tmp_path / "x.html")
    tuner = types.SimpleNamespace(table=lambda: [{"units": 3}])
    with pytest.raises(ValueError, match="no column of scores"):
        report(tuner, path=tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


class Slow(keras.callbacks.Callback):
    """Sleeps 0.2 s at the end of each epoch, and as long at its steps."""

    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.2)

    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.05)


def test_the_time_of_callbacks_is_theirs():
    x = np.zeros((8, 2), "float32")
    with backends.scope("torch"):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        history = model.fit(
            x, x[:, 0], batch_size=2, epochs=3, verbose=0, callbacks=[Slow()]
        )
    assert 1.2 <= history.time["callbacks"] < 2
    page = time_of(history)
    share = history.time["callbacks"] / history.time["total"]
    (row,) = re.findall(r"callbacks, and between epochs.*?(\d+)%", page, re.DOTALL)
    assert int(row) / 100 == pytest.approx(share, abs=0.05)
    (step,) = re.findall(r"([\d.]+) ms a step", page)
    assert float(step) < 40
