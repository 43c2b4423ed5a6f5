"""Fits that joblib gives to its own processes: one warning, in the user's process."""

import warnings

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from hornbeam import backends
from hornbeam.wrappers import KerasClassifier
from tests import local_clusters

X = np.random.default_rng(0).normal(size=(20, 2))
Y = (X[:, 0] > 0).astype(int)
NETWORK = KerasClassifier(epochs=1, hidden_layer_sizes=(2,), random_state=0)


def told(function):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function()
    return [w for w in found if "parallel_config" in str(w.message)]


def clones(estimator, **arguments):
    """Give clones to tasks, as scikit-learn does; the tasks need no network."""
    parallel = Parallel(**arguments)
    for _ in range(2):
        parallel(delayed(len)(str(clone(estimator))) for _ in range(3))


@pytest.mark.parametrize(
    ("estimator", "n_jobs"),
    [(NETWORK, 2), (make_pipeline(NETWORK), -1)],
    ids=["network", "pipeline"],
)
def test_other_processes(estimator, n_jobs):
    (warning,) = told(lambda: clones(estimator, n_jobs=n_jobs))
    assert f"n_jobs={n_jobs} " in str(warning.message)
    assert 'joblib.parallel_config(backend="hornbeam")' in str(warning.message)
    assert warning.filename == __file__


@pytest.mark.slow
@local_clusters.in_turn
@local_clusters.quiet
def test_processes_of_ray():
    with local_clusters.ray(__name__):
        from ray.util.joblib import register_ray

        register_ray()
        with joblib.parallel_config(backend="ray"):
            (warning,) = told(lambda: clones(NETWORK, n_jobs=2))
    advice = 'joblib.parallel_config(backend="hornbeam", workers="ray")'
    assert advice in str(warning.message)


def test_a_search_on_one_core(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    with backends.scope("torch"):
        search = GridSearchCV(NETWORK, {"epochs": [0, 1]}, cv=2, n_jobs=-1)
        (warning,) = told(lambda: search.fit(X, Y))
        assert warning.filename == __file__
        assert not told(lambda: search.set_params(n_jobs=None).fit(X, Y))


def in_our_backend(n_jobs):
    with joblib.parallel_config(backend="hornbeam"):
        clones(NETWORK, n_jobs=n_jobs)


QUIET = {
    "n_jobs=None": lambda: clones(NETWORK),
    "n_jobs=1": lambda: clones(NETWORK, n_jobs=1),
    "our backend": lambda: in_our_backend(-1),
    "threads": lambda: clones(NETWORK, n_jobs=2, backend="threading"),
    "no network": lambda: clones(LogisticRegression(), n_jobs=2),
    "a clone alone": lambda: clone(NETWORK),
}


@pytest.mark.parametrize("kind", QUIET)
def test_quiet(kind):
    assert not told(QUIET[kind])
