"""scikit-learn's tools under the joblib backend "hornbeam" find the same as alone."""

import inspect
import pickle
import re
import threading
import warnings

import joblib
import numpy as np
import pytest
from scipy import stats
from sklearn import model_selection as stock
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import hornbeam as keras
from hornbeam import wrappers
from hornbeam.training.concurrent.progress import SearchProgress
from hornbeam.training.execution.programs import cache
from hornbeam.wrappers import KerasClassifier

RATES = [0.0, 0.2, 0.4, 0.6]
FOLDS = StratifiedKFold(3)
TIMES = re.compile("(fit|score)_times?$")


def create_model(dropout_rate=0.2, units=6):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dropout(dropout_rate),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam")
    return model


def network(model=create_model, **parameters):
    given = {"epochs": 2, "batch_size": 10, "random_state": 3, "verbose": 0}
    return KerasClassifier(model, **(given | parameters))


def in_pipeline(**parameters):
    return make_pipeline(StandardScaler(), network(**parameters))


@pytest.fixture(params=[network, in_pipeline], ids=["bare", "pipeline"])
def estimator(request):
    return request.param()


@pytest.fixture(scope="module")
def data():
    """36 rows of one class and 30 of the other: folds of one size are one program."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(66, 4)) * [1, 2, 3, 4] + 1
    score = X @ [1.0, -1.0, 1.0, 0.5] + generator.normal(size=66)
    return X, (score > np.sort(score)[35]).astype(int)


@pytest.fixture(autouse=True)
def no_thread_left():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def rates(estimator):
    name = "dropout_rate"
    return (
        name if isinstance(estimator, KerasClassifier) else f"kerasclassifier__{name}"
    )


def grid(estimator, **arguments):
    given = {"cv": FOLDS, "scoring": "neg_log_loss"} | arguments
    return GridSearchCV(estimator, {rates(estimator): RATES}, **given)


def together(function):
    with joblib.parallel_config(backend="hornbeam"):
        return function()


def assert_same(found, expected):
    """Equal keys, types, order and (but for times) values."""
    assert list(found) == list(expected)
    for name in expected:
        assert np.asarray(found[name]).dtype == np.asarray(expected[name]).dtype, name
        if TIMES.search(str(name)):
            assert np.all(np.asarray(found[name]) >= 0)
        elif np.asarray(expected[name]).dtype.kind == "f":
            np.testing.assert_allclose(found[name], expected[name], atol=1e-5)
        else:
            assert np.array_equal(found[name], expected[name]), name


SEARCHES = {
    "grid": lambda e: grid(e, return_train_score=True),
    "several metrics": lambda e: grid(
        e,
        scoring={"loss": "neg_log_loss", "own": make_scorer(log_loss)},
        refit="loss",
    ),
    "refit by a function": lambda e: grid(e, refit=lambda results: 1),
    "own scorer": lambda e: grid(
        e, scoring=lambda e, X, y: -log_loss(y, e.predict_proba(X)), refit=False
    ),
    "randomized": lambda e: stock.RandomizedSearchCV(
        e, {rates(e): stats.uniform(0, 0.8)}, n_iter=3, cv=2, random_state=0
    ),
    "halving": lambda e: stock.HalvingGridSearchCV(
        e, {rates(e): RATES}, cv=2, factor=2, min_resources=20, random_state=0
    ),
    "halving, randomized": lambda e: stock.HalvingRandomSearchCV(
        e,
        {rates(e): stats.uniform(0, 0.8)},
        n_candidates=3,
        cv=2,
        min_resources=20,
        random_state=0,
    ),
}


IN_PIPELINES = ("grid", "randomized", "halving")


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        *(pytest.param(network, kind, id=f"bare-{kind}") for kind in SEARCHES),
        *(pytest.param(in_pipeline, k, id=f"pipeline-{k}") for k in IN_PIPELINES),
    ],
)
def test_searches_find_what_they_find_alone(data, make, kind):
    search = SEARCHES[kind](make())
    alone = clone(search).set_params(n_jobs=1).fit(*data)
    found = together(lambda: clone(search).fit(*data))
    assert_same(found.cv_results_, alone.cv_results_)
    assert found.best_index_ == alone.best_index_
    if hasattr(alone, "best_estimator_"):
        X = data[0]
        expected = alone.best_estimator_.predict_proba(X)
        np.testing.assert_allclose(
            found.best_estimator_.predict_proba(X), expected, atol=1e-5
        )


def test_a_search_on_every_engine(data, training_engine):
    """Together or, where an engine cannot do that, one by one: the scores are those."""
    search = GridSearchCV(
        network(epochs=1), {"dropout_rate": RATES[:2]}, cv=2, refit=False
    )
    alone = clone(search).set_params(n_jobs=1).fit(*data)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*runs one operation after")
        found = together(lambda: search.fit(*data))
    assert_same(found.cv_results_, alone.cv_results_)


VALIDATIONS = {
    "cross_val_score": lambda e, X, y: stock.cross_val_score(e, X, y, cv=3),
    "cross_validate": lambda e, X, y: stock.cross_validate(
        e, X, y, cv=3, scoring=["accuracy", "roc_auc"], return_train_score=True
    ),
    "cross_val_predict": lambda e, X, y: stock.cross_val_predict(
        e, X, y, cv=3, method="predict_proba"
    ),
    "learning_curve": lambda e, X, y: stock.learning_curve(
        e, X, y, cv=2, train_sizes=[0.5, 1.0]
    ),
    "validation_curve": lambda e, X, y: stock.validation_curve(
        e, X, y, param_name=rates(e), param_range=RATES[:2], cv=2
    ),
    "permutation_test_score": lambda e, X, y: stock.permutation_test_score(
        e, X, y, n_permutations=2, cv=2, random_state=0
    ),
    "groups": lambda e, X, y: stock.cross_val_score(
        e, X, y, groups=np.arange(len(y)) // 10, cv=stock.GroupKFold(3)
    ),
    "voting": lambda e, X, y: (
        VotingClassifier([("a", e), ("b", clone(e)), ("c", SVC())]).fit(X, y).predict(X)
    ),
    "bagging": lambda e, X, y: (
        BaggingClassifier(e, 3, random_state=0).fit(X, y).predict_proba(X)
    ),
    "one against the rest": lambda e, X, y: (
        OneVsRestClassifier(e).fit(X, y + (X[:, 0] > 1)).predict_proba(X)
    ),
    "stacking": lambda e, X, y: (
        StackingClassifier([("a", e), ("b", LogisticRegression())], cv=2)
        .fit(X, y)
        .predict_proba(X)
    ),
    "search in validation": lambda e, X, y: stock.cross_val_score(
        stock.GridSearchCV(e, {rates(e): RATES[:2]}, cv=2), X, y, cv=2
    ),
    "bagging in search": lambda e, X, y: (
        GridSearchCV(
            BaggingClassifier(e, random_state=0), {"n_estimators": [1, 2]}, cv=2
        )
        .fit(X, y)
        .cv_results_["mean_test_score"]
    ),
}


@pytest.mark.parametrize("kind", VALIDATIONS)
def test_tools_give_what_they_give_alone(data, estimator, kind):
    def run():
        return VALIDATIONS[kind](estimator, *data)

    alone, found = run(), together(run)
    if not isinstance(alone, dict):
        alone, found = (
            dict(enumerate(x if isinstance(x, tuple) else (x,))) for x in (alone, found)
        )
    assert_same(found, alone)


def test_a_candidate_does_not_depend_on_the_others(data):
    estimator = in_pipeline()

    def scores(given):
        search = grid(estimator, refit=False).set_params(
            param_grid={rates(estimator): given}
        )
        return together(lambda: search.fit(*data)).cv_results_["mean_test_score"]

    whole = scores(RATES)
    halves = np.concatenate([scores(RATES[:2]), scores(RATES[2:])])
    single = np.concatenate([scores([rate]) for rate in RATES])
    assert len(np.unique(whole)) == len(RATES)
    np.testing.assert_allclose(halves, whole, atol=1e-5)
    np.testing.assert_allclose(single, whole, atol=1e-5)
    assert np.array_equal(np.argsort(whole), np.argsort(single))


def test_candidates_of_several_structures(data):
    parameters = {"units": [3, 5], "epochs": [1, 3], "batch_size": [10, 30]}
    search = GridSearchCV(network(), parameters, cv=2, refit=False)
    alone = clone(search).set_params(n_jobs=1).fit(*data)
    found = together(lambda: search.fit(*data))
    assert_same(found.cv_results_, alone.cv_results_)


def failing_model(dropout_rate=0.2):
    if dropout_rate == 0.2:
        raise RuntimeError("no network for you")
    return create_model(dropout_rate)


def test_a_candidate_that_raises_harms_no_other(data):
    search = GridSearchCV(
        network(model=failing_model), {"dropout_rate": RATES}, cv=FOLDS, refit=False
    )
    with pytest.warns(FitFailedWarning, match="no network for you"):
        with pytest.warns(UserWarning, match="non-finite"):
            found = together(lambda: search.fit(*data))
    scores = found.cv_results_["mean_test_score"]
    assert np.isnan(scores).tolist() == [False, True, False, False]
    alone = clone(search).set_params(param_grid={"dropout_rate": [0.6]}).fit(*data)
    np.testing.assert_allclose(scores[3], alone.cv_results_["mean_test_score"][0])


def test_error_score_raise_ends_the_search(data):
    search = grid(network(model=failing_model), error_score="raise")
    with pytest.raises(RuntimeError, match="no network for you"):
        together(lambda: search.fit(*data))


@pytest.mark.filterwarnings("ignore:The loss of model", "ignore:One or more")
def test_a_candidate_that_turns_nan_harms_no_other(data):
    """Its score is the error score, and the warning names it."""
    parameters = {"optimizer__learning_rate": [1e-3, 1e38, 1e-2]}
    search = GridSearchCV(
        network(), parameters, cv=2, refit=False, scoring=lambda e, X, y: weights_of(e)
    )
    named = r"became NaN or infinite(.|\n)*optimizer__learning_rate=1e\+38"
    with pytest.warns(FitFailedWarning, match=named):
        found = together(lambda: search.fit(*data))
    with pytest.warns(FitFailedWarning, match=named):
        alone = clone(search).set_params(n_jobs=1).fit(*data)
    with pytest.raises(ValueError, match=named):
        network(optimizer__learning_rate=1e38).fit(*data)
    scores = found.cv_results_["mean_test_score"]
    np.testing.assert_allclose(scores, alone.cv_results_["mean_test_score"], rtol=1e-5)
    assert np.all(np.abs(scores[[0, 2]]) < 100)
    assert np.isnan(scores[1])


def weights_of(estimator):
    weight = float(np.sum(estimator.model_.get_weights()[0]))
    return weight if np.isfinite(weight) else 1e9


def test_weights_of_rows_reach_the_fits(data):
    X, y = data
    weight = np.where(y == 1, 5.0, 0.1)

    def scores(**arguments):
        search = GridSearchCV(network(), {"dropout_rate": [0.0]}, cv=2, refit=False)
        return search.fit(X, y, **arguments).cv_results_["mean_test_score"]

    alone = scores(sample_weight=weight)
    np.testing.assert_allclose(together(lambda: scores(sample_weight=weight)), alone)


class EveryBatch(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


def own_step_model(dropout_rate=0.2):
    class OwnStep(keras.Sequential):
        def train_step(self, data):
            return super().train_step(data)

    model = OwnStep(create_model(dropout_rate).layers)
    model.compile(loss="binary_crossentropy", optimizer="adam")
    return model


ALONE = {
    "one operation after the other": ("torch", {}),
    "run_eagerly": ("jax", {"run_eagerly": True, "optimizer": "sgd"}),
    "called at every batch": ("jax", {"callbacks": [EveryBatch()]}),
    "code of its own": ("jax", {"model": own_step_model}),
}


@pytest.mark.parametrize("reason", ALONE)
def test_what_cannot_share_runs_one_by_one_and_says_why_once(data, reason):
    engine, parameters = ALONE[reason]
    parameters = {"epochs": 1, "batch_size": 33} | parameters
    values = {"dropout_rate": RATES[1:2]}
    search = GridSearchCV(network(**parameters), values, cv=2, refit=False)
    with keras.config.backend_scope(engine):
        alone = clone(search).set_params(n_jobs=1).fit(*data)
        with pytest.warns(UserWarning, match=reason) as told:
            found = together(lambda: search.fit(*data))
    assert len(told) == 1
    assert_same(found.cv_results_, alone.cv_results_)


OURS = {
    "GridSearchCV": ({"dropout_rate": RATES}, {}),
    "RandomizedSearchCV": ({"dropout_rate": RATES}, {"n_iter": 3, "random_state": 1}),
    "HalvingGridSearchCV": (
        {"dropout_rate": RATES},
        {"factor": 2, "min_resources": 20, "random_state": 1},
    ),
    "HalvingRandomSearchCV": (
        {"dropout_rate": RATES},
        {"n_candidates": 3, "min_resources": 20, "random_state": 1},
    ),
}


@pytest.mark.parametrize("name", OURS)
def test_our_searches_are_those_of_scikit_learn(data, name):
    parameters, arguments = OURS[name]
    ours, theirs = getattr(wrappers, name), getattr(stock, name)
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    arguments = arguments | {"cv": 2}
    search = ours(network(), parameters, **arguments)
    expected = theirs(network(), parameters, **arguments, n_jobs=1)
    assert repr(clone(search).set_params(n_jobs=1)) == repr(expected)
    search.fit(*data)
    assert_same(search.cv_results_, expected.fit(*data).cv_results_)
    again = pickle.loads(pickle.dumps(search))
    X = data[0]
    np.testing.assert_allclose(again.predict_proba(X), search.predict_proba(X))


def test_our_search_starts_all_fits_at_once(data):
    barrier = threading.Barrier(12)

    class Waits(LogisticRegression):
        def fit(self, X, y):
            barrier.wait(20)
            return super().fit(X, y)

    search = wrappers.GridSearchCV(
        Waits(), {"C": [1.0, 2.0, 3.0, 4.0]}, cv=3, refit=False
    )
    search.fit(*data)
    assert not barrier.broken
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_our_search_joins_the_tasks_around_it(data):
    search = wrappers.GridSearchCV(network(), {"dropout_rate": RATES[:2]}, cv=2)
    alone = stock.cross_val_score(
        GridSearchCV(network(), {"dropout_rate": RATES[:2]}, cv=2), *data, cv=2
    )
    found = together(lambda: stock.cross_val_score(search, *data, cv=2))
    np.testing.assert_allclose(found, alone, atol=1e-5)


def test_progress_without_a_terminal(data, capsys, monkeypatch):
    from hornbeam.training.concurrent import progress

    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    keras.config.enable_interactive_logging()
    search = wrappers.GridSearchCV(
        network(), {"dropout_rate": RATES}, cv=FOLDS, refit=False, verbose=1
    ).fit(*data)
    lines = [x for x in capsys.readouterr().out.splitlines() if x.startswith("Search")]
    best = search.cv_results_["mean_test_score"].max()
    assert re.match(r"Search 1/12 - \d+ running - \S+/s - [\dhm ]+s left", lines[0])
    assert lines[-1].startswith("Search 12/12 ")
    assert lines[-1].endswith(f"best score {best:.4g}")


def test_short_searches_and_silent_ones_print_nothing(data, capsys):
    search = wrappers.GridSearchCV(network(), {"dropout_rate": [0.1]}, cv=2)
    search.fit(*data)
    with joblib.parallel_config(backend="hornbeam", progress=True):
        GridSearchCV(network(), {"dropout_rate": [0.1]}, cv=2).fit(*data)
    assert "Search" not in capsys.readouterr().out


@pytest.mark.parametrize("verbose", [0, 1])
def test_a_search_shows_what_it_compiles(data, capsys, verbose):
    keras.config.enable_interactive_logging()
    cache.clear()
    wrappers.GridSearchCV(
        network(), {"dropout_rate": RATES[:2]}, cv=2, refit=False, verbose=verbose
    ).fit(*data)
    text = capsys.readouterr().out
    assert bool(re.search(r"compiling \.\.\. \d+\.\ds\n", text)) == bool(verbose)


def test_progress_in_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    keras.config.enable_interactive_logging()
    progress = SearchProgress(splits=2)
    progress.begin()
    for score in [0.5, 0.7, 0.9, 0.1]:
        progress.done(progress.start(), [{"test_scores": {"a": score}}])
    progress.end()
    shown = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", capsys.readouterr().out)
    assert "Search" in shown
    assert "4/4" in shown
    assert "best score 0.6" in shown
