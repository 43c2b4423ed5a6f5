"""Searches over two worker processes of Dask and of Ray find what one process finds."""

import contextlib
import os
import pathlib
import signal
import threading

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends, tuning
from hornbeam.training.concurrent.workers import groups_of, training_as, workers_of
from hornbeam.tuning.optuna_study import OptunaStudy
from hornbeam.tuning.trainer import Training
from tests import local_clusters
from tests.local_clusters import CLUSTERS
from tests.pickled_workers import PickledWorkers

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 4)).astype("float32")
Y = X[:, :1] * X[:, 1:2]
SPACE = {
    "rate": (0.0, 0.5),
    "learning_rate": tuning.Log(1e-3, 1e-1),
    "units": [4, 6],
}


def model_of(rate, learning_rate, units):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dropout(rate),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(learning_rate), "mse")
    return model


class Notes(keras.callbacks.Callback):
    """Leaves a file for each epoch; the first process to end epoch `deadly` dies."""

    def __init__(self, folder, deadly=None):
        super().__init__()
        self.folder, self.deadly = folder, deadly

    def on_epoch_end(self, epoch, logs=None):
        name = f"{os.getpid()}-{self.model.name}-{logs['loss']:.9f}"
        pathlib.Path(self.folder, name).touch()
        if epoch == self.deadly:
            with contextlib.suppress(FileExistsError):
                os.close(os.open(f"{self.folder}/died", os.O_CREAT | os.O_EXCL))
                os.kill(os.getpid(), signal.SIGKILL)


def search(workers=None, build=model_of, **arguments):
    given = {"budget": 12, "epochs": 9, "sampler": "random", "schedule": "halving"}
    given |= {"verbose": 0, "workers": workers}
    return tuning.search(build, SPACE, (X, Y), **(given | arguments))


def told(result):
    """Return what a search has found, without times."""
    found = []
    for candidate in result.candidates:
        plain = candidate.as_plain()
        del plain["seconds"]
        found.append((candidate.number, candidate.params, plain))
    weights = [weight.numpy().tolist() for weight in result.best_model.weights]
    return found, weights


@pytest.mark.slow
@local_clusters.in_turn
@local_clusters.quiet
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_workers_find_what_one_process_finds(cluster, tmp_path, monkeypatch):
    expected = search(seeds=2)
    folder = tmp_path / "notes"
    folder.mkdir()
    with CLUSTERS[cluster](__name__) as workers:
        # One process dies in the middle of the second rung.
        result = search(workers, callbacks=[Notes(str(folder), 2)], seeds=2)
        assert told(result) == told(expected)
        assert result.seeds.scores == expected.seeds.scores
        names = [path.name for path in folder.iterdir()]
        assert "died" in names
        places = {name.split("-")[0] for name in names} - {"died", str(os.getpid())}
        assert len(places) >= 2

        # A search in a folder, begun on workers and ended here.
        kept = {"directory": tmp_path / "kept", "budget": 6, "epochs": 3}
        keep, left = OptunaStudy.keep, iter(range(8))
        with monkeypatch.context() as patch:
            patch.setattr(
                OptunaStudy, "keep", lambda *given: (keep(*given), next(left))
            )
            with pytest.raises(StopIteration):
                search(workers, **kept)
    assert told(search(**kept)) == told(search(**kept | {"directory": None}))


def test_groups_are_of_one_structure():
    trainings = [
        Training(f"{i}-0", {"units": 4 + i % 3, "rate": i / 100}, 1) for i in range(90)
    ]
    groups = groups_of(trainings, lambda training: training.params, 2)
    assert sorted(t.name for g in groups for t in g) == sorted(
        t.name for t in trainings
    )
    for group in groups:
        assert len({training.params["units"] for training in group}) == 1
        assert len(group) <= 23
    assert len(groups) == 6


def test_a_group_that_was_lost_is_trained_one_by_one():
    workers = PickledWorkers(lambda number, *arguments: number == 2)
    result = search(workers)
    assert told(result) == told(search())
    groups = [[training.name for training in call[1]] for call in workers.submitted]
    assert len(groups[1]) > 1
    assert groups.count(groups[1][:1]) == 1
    assert len(workers.shared) == 2


def test_a_candidate_that_ends_workers_fails_alone():
    def has_candidate_5(number, shared, group, states):
        return any(training.name == "5-0" for training in group)

    workers = PickledWorkers(has_candidate_5)
    result = search(workers, schedule=None, epochs=2)
    expected = search(schedule=None, epochs=2)
    for found, alone in zip(result.candidates, expected.candidates, strict=True):
        if found.number == 5:
            assert (found.state, found.message) == (
                "failed",
                "OSError: The worker died",
            )
        else:
            assert (found.state, found.scores) == ("done", alone.scores)


def test_an_error_ends_the_search_and_its_calls():
    workers = PickledWorkers()
    # Callbacks may add to the logs: only a training shows what they have.
    wanted = {
        "objective": {"val_nothing": "max"},
        "callbacks": keras.callbacks.Callback(),
    }
    with pytest.raises(ValueError, match="'val_nothing' of search"):
        search(workers, **wanted)
    assert len(workers.cancelled) == len(workers.submitted) - 1 > 0


def test_ctrl_c_gives_what_is_there():
    def interrupts(number, shared, group, states):
        if states:  # of the first rung
            raise KeyboardInterrupt
        return False

    workers = PickledWorkers(interrupts)
    with pytest.warns(UserWarning, match="The search was interrupted"):
        result = search(workers)
    assert not result.is_complete
    assert [c.epochs for c in result.candidates] == [1] * 12
    assert result.best_score == min(search(epochs=1).history["val_loss"])
    assert len(result.best_model.predict(X, verbose=0)) == len(X)


def test_settings_of_this_process_hold_for_workers():
    workers = PickledWorkers(lambda number, *arguments: True)
    keras.config.set_floatx("float64")
    try:
        with backends.scope("torch"), pytest.raises(RuntimeError, match="worker died"):
            search(workers, budget=1)
    finally:
        keras.config.set_floatx("float32")
    with training_as(workers.shared[0][1]):
        try:
            assert keras.config.floatx() == "float64"
            assert keras.config.backend() == "torch"
        finally:
            keras.config.set_floatx("float32")


def test_what_cannot_be_sent_is_said():
    lock = threading.Lock()

    def build(**params):
        assert lock
        return model_of(**params)

    workers = PickledWorkers()
    with pytest.raises(TypeError, match="pickle") as caught:
        search(workers, build=build)
    assert "must be picklable" in caught.value.__notes__[0]
    with pytest.raises(TypeError, match=r"`workers` of search\(\) must be a Client"):
        workers_of("search()", 2)
