"""A search over two worker processes: each schedules its part of the fits."""

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

import hornbeam as keras
from hornbeam.training.concurrent.scheduler import Scheduler
from hornbeam.wrappers import KerasClassifier, RendezvousPlugin
from tests.local_clusters import dask, in_turn


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


def place_and_loss(estimator, X, y):
    """Return minus the loss; the network remembers where it was scored."""
    import os

    from sklearn.metrics import log_loss

    assert Scheduler.current() is not None
    return {"loss": -log_loss(y, estimator.predict_proba(X)), "place": os.getpid()}


# What distributed leaves open when its event loop ends is not ours.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
@in_turn
def test_two_workers_find_what_one_process_finds():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    y = (X[:, 0] > 0).astype(int)
    network = KerasClassifier(create_model, epochs=2, random_state=1, verbose=0)
    grid = {"dropout_rate": [0.0, 0.2, 0.4, 0.6]}
    with dask(__name__, threads=2) as client:
        client.register_plugin(RendezvousPlugin())
        with joblib.parallel_config(backend="dask"):
            found = GridSearchCV(
                network, grid, cv=2, refit=False, scoring=place_and_loss
            ).fit(X, y)
    alone = GridSearchCV(network, grid, cv=2, refit=False, scoring="neg_log_loss")
    results = found.cv_results_
    np.testing.assert_allclose(
        results["mean_test_loss"],
        alone.fit(X, y).cv_results_["mean_test_score"],
        atol=1e-5,
    )
    places = np.concatenate([results[f"split{i}_test_place"] for i in range(2)])
    assert len(np.unique(places)) == 2
