"""A search that was ended at any moment goes on, to the result it would have had."""

import pathlib
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import tuning
from hornbeam.tuning.optuna_study import Journal, OptunaStudy
from hornbeam.tuning.trainer import Trainer

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 4)).astype("float32")
Y = X[:, :1] * X[:, 1:2]
SPACE = {"rate": (0.0, 0.5), "learning_rate": tuning.Log(1e-3, 1e-1)}


def create_model(rate, learning_rate):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6, activation="relu"),
            keras.layers.Dropout(rate),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(learning_rate), "mse")
    return model


def search(directory=None, build=create_model, **arguments):
    given = {"budget": 12, "epochs": 4, "sampler": "tpe", "schedule": "asha"}
    given |= {"batch": 4, "verbose": 0, "directory": directory}
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


class Killed(BaseException):
    """Ends a search as a kill does: nothing is caught, nothing is finished."""


@pytest.mark.parametrize(
    ("sampler", "schedule"),
    [
        ("tpe", "asha"),
        pytest.param("random", "halving", marks=pytest.mark.slow),
        pytest.param("sobol", "hyperband", marks=pytest.mark.slow),
    ],
)
def test_a_search_goes_on_from_any_step(tmp_path, monkeypatch, sampler, schedule):
    arguments = {"sampler": sampler, "schedule": schedule}
    expected = told(search(**arguments))
    trained = []
    train, keep, assign = Trainer.train, OptunaStudy.keep, OptunaStudy.assign
    calls = iter(random.Random(1).choices(range(3, 12), k=100))
    left = [next(calls)]

    def dying(method):
        def call(self, *given):
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return method(self, *given)

        return call

    def noted(self, training):
        logs = train(self, training)
        trained.append((training.name, training.epochs, len(logs.history["loss"])))
        return logs

    monkeypatch.setattr(Trainer, "train", noted)
    monkeypatch.setattr(OptunaStudy, "keep", dying(keep))
    monkeypatch.setattr(OptunaStudy, "assign", dying(assign))
    kills = 0
    for _ in range(100):
        try:
            result = search(tmp_path, **arguments)
            break
        except Killed:
            kills += 1
            left[0] = next(calls)
    assert kills > 3
    assert told(result) == expected
    assert not any(name.endswith(".tmp") for name in map(str, tmp_path.iterdir()))


def test_a_search_that_has_ended_trains_nothing(tmp_path, monkeypatch):
    expected = told(search(tmp_path, seeds=2))
    monkeypatch.setattr(Trainer, "train", None)
    assert told(search(tmp_path)) == expected


def test_states_of_those_that_are_out_are_removed(tmp_path):
    result = search(tmp_path)
    names = [path.name for path in (tmp_path / "states").iterdir()]
    assert names == [f"{result.best_index_}-0.npz"]


def test_optuna_reads_the_journal(tmp_path):
    import optuna

    result = search(tmp_path)
    backend = optuna.storages.journal.JournalFileBackend(
        str(tmp_path / "trials.journal")
    )
    study = optuna.load_study(
        study_name="search", storage=optuna.storages.JournalStorage(backend)
    )
    assert [trial.params for trial in study.trials] == [
        candidate.params for candidate in result.candidates
    ]
    done = [c for c in result.candidates if c.state == "done"]
    assert study.best_value == max(c.score[0] for c in done)


def test_a_line_that_was_cut_is_left_out(tmp_path):
    path = tmp_path / "a.journal"
    journal = Journal(path)
    journal.append_logs([{"a": 1}, {"b": 2}])
    with pytest.raises(RuntimeError, match="Another process runs the search"):
        Journal(path)
    journal.close()
    path.write_bytes(path.read_bytes() + b'{"c": ')
    journal = Journal(path)
    journal.append_logs([{"d": 4}])
    assert list(journal.read_logs(1)) == [{"b": 2}, {"d": 4}]
    journal.close()
    assert path.read_bytes() == b'{"a":1}\n{"b":2}\n{"d":4}\n'


def test_another_search_needs_another_folder(tmp_path):
    search(tmp_path, budget=2, epochs=1)
    with pytest.raises(ValueError, match=r"holds another search: epochs=1 \(now 2\)"):
        search(tmp_path, budget=2, epochs=2)


def test_other_arguments_are_another_search(tmp_path):
    from scipy import stats

    def build(rate, learning_rate):
        return create_model(rate / 2, learning_rate)

    held_out = (X[:10], Y[:10])
    given = {
        "build": create_model, "space": SPACE | {"batch_size": stats.randint(2, 9)},
        "data": (X, Y), "validation": held_out, "budget": 1, "epochs": 1,
        "sampler": "random", "verbose": 0, "patience": 3,
        "directory": tmp_path,
    }  # fmt: skip
    best = tuning.search(**given).best_score
    same = {"data": (X.copy(), Y.copy()), "space": dict(given["space"])}
    assert tuning.search(**(given | same)).best_score == best
    for name, other in {
        "data": (X, Y + 1),
        "validation": (X[:11], Y[:11]),
        "space": given["space"] | {"rate": (0.0, 0.4)},
        "build": build,
        "patience": 4,
        "budget": 2,
    }.items():
        with pytest.raises(ValueError, match=f"holds another search: {name}=") as error:
            tuning.search(**(given | {name: other}))
        assert not any(f", {one}=" in str(error.value) for one in given)
    with pytest.raises(ValueError, match="another search: fit_arguments={} .now {'shu"):
        tuning.search(**given, shuffle=False)
    with pytest.raises(ValueError, match="'randint', .*now .*'randint'"):
        space = given["space"] | {"batch_size": stats.randint(3, 9)}
        tuning.search(**(given | {"space": space}))


def test_interrupt_gives_what_is_there(monkeypatch):
    keep = OptunaStudy.keep
    calls = []

    def interrupted(self, candidate):
        keep(self, candidate)
        calls.append(candidate.number)
        if len(calls) == 9:
            raise KeyboardInterrupt

    monkeypatch.setattr(OptunaStudy, "keep", interrupted)
    before = threading.active_count()
    with pytest.warns(UserWarning, match="was interrupted"):
        result = search()
    assert not result.is_complete and len(result.candidates) < 12
    losses = result.best_model.evaluate(X, Y, verbose=0)
    assert np.isfinite(losses) and np.isfinite(result.best_score)
    assert threading.active_count() <= before


PROGRAM = """
    import json, sys
    sys.path.insert(0, {folder!r})
    import test_resumed_searches as here
    import hornbeam as keras

    def create_model(rate, learning_rate):
        print("made", flush=True)
        return here.create_model(rate, learning_rate)

    result = here.search(sys.argv[1] or None, create_model, epochs=9, batch=6,
                         budget=18)
    with open(sys.argv[2], "w") as file:
        json.dump(here.told(result), file)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kill_at_random_moments(tmp_path):
    program = textwrap.dedent(PROGRAM.format(folder=str(pathlib.Path(__file__).parent)))

    def start(directory, output):
        command = [sys.executable, "-c", program, directory, str(output)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    alone = start("", tmp_path / "expected.json")
    models = alone.communicate()[0].count("made")
    assert alone.returncode == 0
    generator = random.Random(0)
    killed = 0
    for _ in range(10):
        process = start(str(tmp_path / "search"), tmp_path / "found.json")
        for _ in range(generator.randrange(1, max(2, models // 4))):
            process.stdout.readline()
        time.sleep(generator.random() * 0.05)
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    last = start(str(tmp_path / "search"), tmp_path / "found.json")
    last.communicate()
    assert last.returncode == 0 and killed > 5
    expected = (tmp_path / "expected.json").read_text()
    assert (tmp_path / "found.json").read_text() == expected


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "trials.journal"
    path.write_bytes(b'{"a": 1}\nnonsense\n{"b": 1}\n')
    with pytest.raises(ValueError, match="Line 2 of .*trials.journal.* is damaged"):
        Journal(path)
    path.write_bytes(b'{"a": 1}\n')
    journal = Journal(path)  # nobody holds the file
    journal.close()
