"""Learning curves of many fits, read back from the Figure."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import hornbeam as keras
from hornbeam.visualization import plot_learning_curves, record_histories

X = np.arange(24.0).reshape(12, 2)
Y = np.array([0, 1] * 6)


class Fake(ClassifierMixin, BaseEstimator):
    """An estimator whose history says how it was made."""

    def __init__(self, rate=0.1):
        self.rate = rate

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.history_ = {"loss": [self.rate, self.rate / 2], "accuracy": [0.5, 0.6]}
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


def labels(axes):
    return [x.get_label() for x in axes.get_lines() if x.get_label()[0] != "_"]


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("return_train_score", [False, True])
def test_search(n_jobs, return_train_score):
    import joblib

    rates = [0.1, 0.4, 0.2]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Fake()),
        {"fake__rate": rates},
        cv=3,
        scoring=record_histories("accuracy"),
        n_jobs=n_jobs,
        return_train_score=return_train_score,
    )
    with joblib.parallel_config(backend="threading"):
        search.fit(X, Y)
    assert len(search.scoring.records) == 3 * 3
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], 0.5)
    loss, accuracy = plot_learning_curves(search)
    assert (loss.get_title(), accuracy.get_title()) == ("loss", "accuracy")
    assert labels(loss) == ["0.1", "0.4", "0.2"]
    assert accuracy.get_legend().get_title().get_text() == "rate"
    for line, rate in zip(
        (x for x in loss.get_lines() if x.get_label()[0] != "_"), rates, strict=True
    ):
        np.testing.assert_allclose(line.get_xydata(), [[1, rate], [2, rate / 2]])


def test_many_candidates_get_a_colour_bar():
    rates = list(np.linspace(0, 1, 14))
    search = GridSearchCV(Fake(), {"rate": rates}, cv=2, scoring=record_histories())
    (axes,) = plot_learning_curves(search.fit(X, Y), "loss")
    figure = axes.figure
    assert len(figure.axes) == 2
    assert figure.axes[0].get_legend() is None
    assert figure.axes[1].get_ylabel() == "mean test score"


def test_cross_validate(tmp_path):
    found = cross_validate(Fake(), X, Y, cv=3, return_estimator=True)
    path = tmp_path / "curves.svg"
    loss, _ = plot_learning_curves(found, path=path)
    assert labels(loss) == ["fold 1", "fold 2", "fold 3"]
    assert "<svg" in path.read_text()


def test_validation_is_dashed():
    curves = {"a": {"loss": [2, 1], "val_loss": [3, 2]}, "b": {"loss": [4]}}
    (axes,) = plot_learning_curves(curves)
    styles = [(x.get_linestyle(), list(x.get_ydata())) for x in axes.get_lines()]
    assert styles == [("-", [2, 1]), ("--", [3, 2]), ("-", [4])]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"a": {"loss": [1]}}, "Did you mean 'loss'"),
        ({"loss": [3, 2, 1]}, "expected a history"),
        (object, "expected a history"),
    ],
)
def test_errors(source, message):
    source = [source] if source is object else source
    with pytest.raises(ValueError, match=message):
        plot_learning_curves(source, ["los"])


def test_search_without_histories():
    search = GridSearchCV(Fake(), {"rate": [0.1]}, cv=2).fit(X, Y)
    with pytest.raises(ValueError, match="record_histories"):
        plot_learning_curves(search)
    search.scoring = record_histories()
    with pytest.raises(ValueError, match="in this process"):
        plot_learning_curves(search)


def test_the_search_without_a_history():
    scorer = record_histories()
    with pytest.raises(ValueError, match="history_"):
        scorer(StandardScaler().fit(X), X, Y)


def test_a_search_of_hornbeam():
    def create_model(rate=0.1, units=2):
        model = keras.Sequential(
            [
                keras.layers.Dense(units),
                keras.layers.Dropout(rate),
                keras.layers.Dense(1),
            ]
        )
        model.compile("sgd", "mse")
        return model

    def space(trial):
        units = trial.suggest_categorical("units", [2, 3])
        rate = {"rate": trial.suggest_float("rate", 0.1, 0.5)} if units == 3 else {}
        return {"units": units} | rate

    found = keras.tuning.search(
        create_model, space, (X, Y), budget=5, epochs=2, sampler="random", verbose=0,
        validation=2, schedule=None,
    )  # fmt: skip
    (axes,) = plot_learning_curves(found, "loss")
    drawn = [line.get_ydata().tolist() for line in axes.get_lines()]
    for candidate in found.candidates:
        for history in candidate.histories:
            assert history["loss"] in drawn
            assert history["val_loss"] in drawn
