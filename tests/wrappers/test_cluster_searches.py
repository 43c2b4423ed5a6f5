"""Searches of scikit-learn on two processes of Dask and of Ray, of which one dies."""

import contextlib
import os
import pathlib
import signal

import joblib
import numpy as np
import pytest

import hornbeam as keras
from hornbeam.wrappers import GridSearchCV, HalvingGridSearchCV, KerasClassifier
from tests import local_clusters
from tests.local_clusters import CLUSTERS
from tests.pickled_workers import PickledWorkers

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(400, 4))
Y = (X[:, 0] > 0).astype(int)


def create_model(dropout_rate=0.2):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6, activation="relu"),
            keras.layers.Dropout(dropout_rate),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam")
    return model


class Loss:
    """Minus the loss, noted with the process; the third note is followed by a kill."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, estimator, X, y):
        from sklearn.metrics import log_loss

        loss = -log_loss(y, estimator.predict_proba(X))
        folder = pathlib.Path(self.folder)
        (folder / f"{os.getpid()}-{loss:.9f}").touch()
        if len(list(folder.iterdir())) > 2:
            with contextlib.suppress(FileExistsError):
                os.close(os.open(f"{folder}/died", os.O_CREAT | os.O_EXCL))
                os.kill(os.getpid(), signal.SIGKILL)
        return loss


@pytest.mark.slow
@local_clusters.in_turn
@local_clusters.quiet
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_halving_search_finds_what_one_process_finds(cluster, tmp_path):
    network = KerasClassifier(create_model, random_state=1, verbose=0)
    grid = {"dropout_rate": [0.0, 0.2, 0.4, 0.6]}
    arguments = {
        "cv": 2, "refit": False, "resource": "epochs", "factor": 2, "max_resources": 4,
        "min_resources": 1, "error_score": "raise",
    }  # fmt: skip
    with (
        CLUSTERS[cluster](__name__) as workers,
        joblib.parallel_config(backend="hornbeam", workers=workers),
    ):
        search = HalvingGridSearchCV(
            network, grid, scoring=Loss(str(tmp_path)), **arguments
        )
        found = search.fit(X, Y).cv_results_
    alone = HalvingGridSearchCV(network, grid, scoring="neg_log_loss", **arguments)
    expected = alone.fit(X, Y).cv_results_
    assert found["params"] == expected["params"]
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5)
    places = {path.name.split("-")[0] for path in tmp_path.iterdir()}
    assert "died" in places
    assert str(os.getpid()) not in places
    assert len(places) > 2


def test_tasks_in_groups_are_tasks():
    network = KerasClassifier(create_model, random_state=1, verbose=0, epochs=1)
    grid = {"dropout_rate": [0.0, 0.2, 0.4], "batch_size": [20, 50]}
    expected = GridSearchCV(network, grid, cv=2, pre_dispatch=5).fit(X, Y)
    workers = PickledWorkers(lambda number, *arguments: number == 1)
    with joblib.parallel_config(backend="hornbeam", workers=workers):
        found = GridSearchCV(network, grid, cv=2, pre_dispatch=5).fit(X, Y)
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(
            found.cv_results_[name], expected.cv_results_[name]
        )
    # X was shared once, and once more after a group was lost.
    assert sum(np.shape(value) == np.shape(X) for value in workers.shared) == 2
    sizes = [len(arguments[1]) for arguments in workers.submitted]
    assert sum(sizes) - sizes[0] == 12
    for _, tasks, *_ in workers.submitted:
        rates = {call[2]["parameters"]["batch_size"] for task in tasks for call in task}
        assert len(rates) == 1


def test_errors_of_tasks_are_raised():
    network = KerasClassifier(create_model, optimizer="no such", verbose=0)
    search = GridSearchCV(network, {"epochs": [1, 2]}, cv=2, error_score="raise")
    with joblib.parallel_config(backend="hornbeam", workers=PickledWorkers()):
        with pytest.raises(ValueError, match="no such"):
            search.fit(X, Y)
    with pytest.raises(TypeError, match="`workers` of the joblib backend"):
        joblib.parallel_config(backend="hornbeam", workers=3)
