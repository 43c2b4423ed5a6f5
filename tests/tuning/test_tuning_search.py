"""Searches: candidates train as alone, go on from their state, and fail alone."""

import functools
import pickle
import re
import subprocess
import sys

import numpy as np
import optuna
import pytest

import hornbeam as keras
from hornbeam import tuning
from hornbeam.core.naming import own_names
from hornbeam.core.random import seed_scope
from hornbeam.training.execution.programs import cache
from hornbeam.tuning.trainer import seed_of

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype("int32")
SPACE = {"rate": (0.0, 0.5), "learning_rate": tuning.Log(1e-3, 1e-1)}


def create_model(rate=0.2, units=6, learning_rate=0.01):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dropout(rate),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    optimizer = keras.optimizers.Adam(learning_rate)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


def search(space=SPACE, build=create_model, data=(X, Y), **arguments):
    given = {"budget": 6, "epochs": 4, "sampler": "random", "verbose": 0, "seed": 3}
    return tuning.search(build, space, data, **(given | arguments))


def by_hand(params, epochs, train, valid, seed, **arguments):
    """Train a model in one `fit`, and return it."""
    with seed_scope(seed), own_names():
        model = create_model(**params)
        stop = keras.callbacks.EarlyStopping(patience=99, restore_best_weights=True)
        model.fit(
            *train, validation_data=valid, epochs=epochs, callbacks=[stop], verbose=0,
            **arguments,
        )  # fmt: skip
    return model


def assert_equal_weights(model, other):
    for weight, expected in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), expected.numpy())


@pytest.mark.filterwarnings("ignore:These fits share no program")
def test_rungs_go_on_as_if_there_were_none(training_engine):
    valid = (X[:20], Y[:20])
    result = search(
        validation=valid, schedule="halving", budget=9, epochs=9, batch_size=8
    )
    assert sorted(c.epochs for c in result.candidates) == [1] * 6 + [3] * 2 + [9]
    assert [c.state for c in result.candidates].count("stopped") == 8
    expected = by_hand(
        result.best_params, 9, (X, Y), valid, seed_of(3, 0), batch_size=8
    )
    assert result.history == expected.history.history
    assert result.best_score == min(expected.history.history["val_loss"])
    assert_equal_weights(result.best_model, expected)


def test_folds_train_as_alone():
    result = search(validation=3, budget=2, epochs=3, schedule=None)
    held_out = []
    for candidate in result.candidates:
        scores = []
        for fold, (train, valid) in enumerate(result._run.trainer.splits):
            model = by_hand(candidate.params, 3, train[:2], valid[:2], seed_of(3, fold))
            scores.append(min(model.history.history["val_loss"]))
            assert candidate.histories[fold] == model.history.history
            held_out.append(valid[0])
        np.testing.assert_allclose(candidate.score, -np.mean(scores))
        assert np.shape(candidate.history["loss"]) == (3,)
    found = np.sort(np.concatenate(held_out[:3]), axis=0)
    np.testing.assert_array_equal(found, np.sort(X, axis=0))
    assert result.best_model.predict(X, verbose=0).shape == (60, 1)


def test_numbers_need_one_program():
    search(budget=1, epochs=2, batch_size=10)
    before = len(cache._programs)
    search(budget=8, epochs=3, batch_size=10, schedule="halving")
    assert len(cache._programs) == before


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize(
    "sampler", ["tpe", "cma", pytest.param("gp", marks=pytest.mark.slow)]
)
def test_candidates_are_those_that_optuna_asks_for(sampler):
    if sampler == "cma":
        pytest.importorskip("cmaes")
    result = search(
        sampler=sampler, budget=18, epochs=1, batch=3, schedule=None, seed=1
    )
    kinds = {
        "tpe": functools.partial(
            optuna.samplers.TPESampler,
            multivariate=True,
            group=True,
            constant_liar=True,
        ),
        "cma": optuna.samplers.CmaEsSampler,
        "gp": optuna.samplers.GPSampler,
    }
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    for first in range(0, 18, 3):
        for number in range(first, first + 3):
            study.sampler = kinds[sampler](seed=1_000_003 + number)
            trial = study.ask()
            params = {
                "rate": trial.suggest_float("rate", 0.0, 0.5),
                "learning_rate": trial.suggest_float(
                    "learning_rate", 1e-3, 1e-1, log=True
                ),
            }
            assert result.candidates[number].params == params
        for candidate in result.candidates[first : first + 3]:
            study.tell(candidate.number, candidate.score[0])


def test_structures_and_conditions_are_searched_together():
    def space(trial):
        params = {"units": trial.suggest_categorical("units", [3, 5])}
        if params["units"] == 5:
            params["rate"] = trial.suggest_float("rate", 0.1, 0.2)
        return params | {"batch_size": trial.suggest_int("batch_size", 10, 20, step=10)}

    result = search(space, sampler="tpe", budget=10, epochs=2)
    assert {c.params["units"] for c in result.candidates} == {3, 5}
    assert all(("rate" in c.params) == (c.params["units"] == 5) for c in result.front)
    assert result.best_model.layers[0].units == result.best_params["units"]


def test_a_candidate_that_fails_is_recorded():
    def build(rate, kind):
        if kind == "error":
            raise OSError("no such thing")
        model = create_model(rate)
        if kind == "nan":
            model.layers[-1].bias.assign([float("nan")])
        return model

    space = {"rate": (0.0, 0.5), "kind": ["good", "error", "nan"]}
    result = search(space, build, budget=20, epochs=2, objective={"val_loss": "min"})
    for candidate in result.candidates:
        kind = candidate.params["kind"]
        assert candidate.state == ("done" if kind == "good" else "failed")
        expected = {
            "good": "None",
            "error": "OSError: no such thing",
            "nan": "The loss became nan in epoch 1.",
        }
        assert re.match(expected[kind], str(candidate.message))
    assert result.best_params["kind"] == "good"
    table = result.table()
    assert table["state"].tolist()[0] == "done" and len(table) == 20
    with pytest.raises(RuntimeError, match="(?s)No candidate of 2 .*OSError: no such"):
        search({"rate": (0.0, 0.1), "kind": "error"}, build_late(build), budget=2)


def build_late(build):
    """Return `build`, which works the first time, when the search tries it."""
    calls = []

    def build_of(rate, kind):
        calls.append(kind)
        return create_model(rate) if len(calls) == 1 else build(rate, kind)

    return build_of


def test_several_objectives_give_a_front():
    result = search(
        objective={"val_loss": "min", "loss": "min"},
        budget=6,
        epochs=2,
    )
    points = [
        (c.history["val_loss"][i], c.history["loss"][i])
        for c in result.candidates
        for i in [int(np.argmin(c.history["val_loss"]))]
    ]
    expected = {
        i
        for i, p in enumerate(points)
        if not any(q[0] <= p[0] and q[1] <= p[1] and q != p for q in points)
    }
    assert {c.number for c in result.front} == expected
    for candidate in result.front:
        loss = result.model(candidate).evaluate(
            *result._run.trainer.splits[0][1][:2], verbose=0
        )[0]
        assert loss == pytest.approx(-candidate.score[0], rel=1e-5)
    beaten = set(range(6)) - expected
    if beaten:
        with pytest.raises(ValueError, match="was dropped"):
            result.model(result.candidates[beaten.pop()])


def test_the_best_of_several_objectives_is_on_the_front():
    # The first objective ties for all; the last candidate is the best by the second.
    result = search(
        {"learning_rate": [0.1, 1e-4, 1e-30]},
        objective={"val_constant": "max", "val_loss": "min"},
        build=with_a_constant,
        epochs=1,
    )
    best = min(result.candidates, key=lambda c: c.history["val_loss"][0])
    assert result.best_params == best.params and best in result.front
    losses = result.table()["val_loss"].tolist()
    assert losses == sorted(losses) and len(set(losses)) > 1
    assert result.best_model.evaluate(X, Y, verbose=0)[1] == 1.0
    first = repr(result).splitlines()[2]
    assert f"{-losses[0]:.4f}" in first


def with_a_constant(learning_rate):
    def constant(y_true, y_pred):
        return 0 * keras.ops.mean(y_pred) + 1

    model = create_model(learning_rate=learning_rate)
    model.compile(model.optimizer, "binary_crossentropy", metrics=[constant])
    return model


def test_objects_are_not_shared_by_candidates():
    metric = keras.metrics.BinaryAccuracy(name="right")
    outside = keras.optimizers.Adam(0.05)
    units = keras.layers.Dense(3, "relu")
    units.build((None, 4))
    weights = units.kernel.numpy()

    def build(optimizer=outside, layer=None, learning_rate=None):
        model = create_model()
        if layer is not None:
            last = keras.layers.Dense(1, activation="sigmoid")
            model = keras.Sequential([keras.Input((4,)), layer, last])
        model.compile(optimizer, "binary_crossentropy", metrics=[metric])
        return model

    objects = [keras.optimizers.Adam(0.05), keras.optimizers.SGD(0.05)]
    layers = [keras.layers.Dropout(0.1), units, None]
    for space, distinct in (
        ({"optimizer": objects}, 2),
        ({"optimizer": objects, "layer": layers}, 6),
        ({"other": [1, 2]}, 1),
    ):
        made = build if "other" not in space else lambda other: build()
        result = search(space, made, budget=8, epochs=2, schedule=None)
        assert {c.state for c in result.candidates} == {"done"}
        found = {}
        for c in result.candidates:
            key = str(sorted((k, id(v)) for k, v in c.params.items() if k != "other"))
            assert found.setdefault(key, c.history["val_loss"]) == c.history["val_loss"]
        assert 1 <= len(found) <= distinct
        if len(space) == 1 and distinct == 2:
            assert len({tuple(losses) for losses in found.values()}) == 2
        model = result.best_model
        valid = result._run.trainer.splits[0][1]
        loss = model.evaluate(*valid[:2], verbose=0)[0]
        assert loss == pytest.approx(result.best_score, rel=1e-5)
    assert not outside.built and not any(one.built for one in objects)
    np.testing.assert_array_equal(units.kernel.numpy(), weights)


def outside_of_functions():
    """Return layers as programs make them once: adapted, trained, frozen."""
    scale = keras.layers.Normalization()
    scale.adapt(X)
    body = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(5, "relu"), keras.layers.Dropout(0.2)]
    )
    frozen = keras.layers.Dense(5, "tanh", trainable=False)
    frozen.build((None, 4))
    return [scale, body, frozen]


@pytest.mark.filterwarnings("ignore:These fits share no program")
def test_layers_made_outside_are_not_shared_by_candidates():
    outside = outside_of_functions()
    weights = [[w.numpy() for w in layer.weights] for layer in outside]

    def build(place, learning_rate, layers=outside):
        last = keras.layers.Dense(1, activation="sigmoid")
        model = keras.Sequential([keras.Input((4,)), layers[place], last])
        model.compile(keras.optimizers.Adam(learning_rate), "binary_crossentropy")
        return model

    def build_own(place, learning_rate):
        with seed_scope(1), own_names():
            layers = outside_of_functions()
        for layer, values in zip(layers, weights, strict=True):
            layer.set_weights(values)
        return build(place, learning_rate, layers)

    for place in range(3):
        space = {"place": place, "learning_rate": [0.1, 0.01]}
        arguments = {"budget": 6, "epochs": 3, "schedule": "halving"}
        found, own = (search(space, one, **arguments) for one in (build, build_own))
        assert [c.state for c in found.candidates].count("failed") == 0
        for a, b in zip(found.candidates, own.candidates, strict=True):
            assert a.params == b.params
            if place != 1:  # Dropout draws by a seed that is another one in each.
                assert a.history == b.history
        valid = found._run.trainer.splits[0][1]
        loss = found.best_model.evaluate(*valid[:2], verbose=0)
        assert loss == pytest.approx(found.best_score, rel=1e-5)
    for layer, values in zip(outside, weights, strict=True):
        for weight, value in zip(layer.weights, values, strict=True):
            np.testing.assert_array_equal(weight.numpy(), value)


def test_a_model_made_outside_is_refused():
    model, layer = create_model(), keras.layers.Dense(1, activation="sigmoid")

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = layer

        def call(self, x):
            return self.last(x)

    def own(rate):
        made = Own()
        made.compile("adam", "binary_crossentropy")
        return made

    for build, name in ((lambda rate: model, "sequential"), (own, "dense")):
        with pytest.raises(ValueError, match=f"'{name}.*' was made outside"):
            search(build=build)


def test_seeds_of_the_winner_and_their_ensemble():
    result = search(objective="val_accuracy", seeds=4, budget=3)
    scores = result.seeds.scores
    assert len(scores) == 4 and len(set(scores)) > 1
    assert result.seeds.mean == pytest.approx(np.mean(scores))
    assert result.seeds.std == pytest.approx(np.std(scores, ddof=1))
    members = [m.predict(X, verbose=0) for m in result.seeds.models]
    np.testing.assert_allclose(
        result.ensemble.predict(X, verbose=0), np.mean(members, axis=0), rtol=1e-5
    )
    assert result.ensemble.evaluate(X, Y, verbose=0, return_dict=True)["accuracy"] > 0
    valid = result._run.trainer.splits[0][1]
    for model, score in zip(result.seeds.models, scores, strict=True):
        logs = model.evaluate(*valid[:2], verbose=0, return_dict=True)
        assert logs["accuracy"] == pytest.approx(score)
    with pytest.raises(ValueError, match="pass `seeds=20`"):
        _ = search(budget=1).ensemble


def test_patience_ends_a_training_and_keeps_its_best_epoch():
    result = search({"learning_rate": [3.0]}, budget=1, epochs=50, patience=2)
    losses = result.history["val_loss"]
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 50
    valid = result._run.trainer.splits[0][1]
    loss = result.best_model.evaluate(*valid[:2], verbose=0)[0]
    assert loss == pytest.approx(losses[best], rel=1e-5)


def test_a_result_shows_itself():
    result = search(sampler="tpe", budget=12, epochs=1)
    importance = result.importance()
    assert set(importance) == set(SPACE)
    assert sum(importance.values()) == pytest.approx(1)
    assert "learning_rate" in repr(result) and "<table" in result._repr_html_()
    assert result.plot("rate")[0].get_xlabel() == "rate"
    scores = result.cv_results_["mean_test_neg_val_loss"]
    assert result.best_score == -max(scores)
    assert result.table()["val_loss"][0] == result.best_score
    same = search({"rate": (0.1, 0.2), "learning_rate": 1e-30}, budget=2, epochs=1)
    assert same.importance() == {"rate": 0, "learning_rate": 0}


def test_progress_is_shown(capsys, monkeypatch):
    from hornbeam.training.concurrent import progress

    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    result = search(budget=4, epochs=3, schedule="halving", verbose=1)
    lines = [x for x in capsys.readouterr().out.split("\n") if x.startswith("Search")]
    assert lines[-1].startswith("Search 5/5")
    assert lines[-1].endswith(f"best score {result.best_score:.4g}")


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="Did you mean 'learning_rate'"):
        search({"learning_rat": (0.1, 0.2)})
    with pytest.raises(ValueError, match="'val_acc' .*not in the logs.*'val_accuracy'"):
        search(objective={"val_acc": "max"})
    with pytest.raises(ValueError, match="Expected one of 'random', 'sobol', 'tpe'"):
        search(sampler="grid")
    with pytest.raises(ValueError, match="know whether small or large is good"):
        search({"learning_rate": 0.1}, with_a_constant, objective="val_constant")
    with pytest.raises(ValueError, match="is not compiled"):
        search(build=lambda rate: keras.Sequential([keras.layers.Dense(1)]))
    with pytest.raises(TypeError, match="lack a `return`"):
        search(build=lambda rate: None)
    with pytest.raises(ValueError, match="leaves no rows"):
        search(validation=0.001)
    for name in ("validation_split", "validation_data"):
        with pytest.raises(TypeError, match=f"`{name}` itself. Pass `validation="):
            search(**{name: 0.5})
    with pytest.raises(TypeError, match=r"Pass `data=\(x, y, sample_weight\)`"):
        search(sample_weight=np.ones(60))


def batches():
    for i in range(3):
        yield X[i::3], Y[i::3]


class Batches:
    """A source that begins anew."""

    def __iter__(self):
        return batches()


@pytest.mark.filterwarnings("ignore:These fits share no program")
def test_iterators_are_refused_and_sources_that_begin_anew_are_not():
    for given in ({"data": batches()}, {"validation": batches()}):
        name = next(iter(given))
        with pytest.raises(ValueError, match=f"`{name}` .* Received: a generator"):
            search(**given)
    result = search(data=Batches(), validation=Batches(), budget=2, epochs=2)
    for candidate in result.candidates:
        model = by_hand_on(Batches(), candidate.params)
        assert candidate.history == model.history.history


def by_hand_on(source, params):
    with seed_scope(seed_of(3, 0)), own_names():
        model = create_model(**params)
        model.fit(source, validation_data=source, epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("at", [1, 2])
def test_ctrl_c_shows_what_was_found(monkeypatch, tmp_path, at):
    from hornbeam.tuning import searching

    note, calls = searching.Run._note, []

    def interrupted(self, *given):
        calls.append(1)
        if len(calls) == at:
            raise KeyboardInterrupt
        note(self, *given)

    monkeypatch.setattr(searching.Run, "_note", interrupted)
    if at == 1:
        with pytest.raises(KeyboardInterrupt, match="before a candidate had a score"):
            search()
        return
    with pytest.warns(UserWarning, match="was interrupted"):
        result = search()
    assert not result.is_complete and result.best_score > 0
    assert repr(result).count(" open ") == 5 and "failed" not in repr(result)
    assert " open" in keras.visualization.to_html(result)
    assert "of 6 candidates 5 open" in np.ravel(result.plot())[0].get_title()
    legend = np.ravel(result.plot("rate"))[0].get_legend()
    assert "open" in [part.get_text() for part in legend.get_texts()]
    page = keras.visualization.report(result, path=tmp_path / "page.html").read_text()
    assert "5 open" in page and "failed" not in page


def legend_of(figure):
    return figure.axes[0].get_legend().get_texts()


def test_a_pickle_has_the_models_and_no_data(tmp_path):
    result = search(
        budget=4, seeds=2, schedule="halving", objective=["val_loss", "loss"]
    )
    (tmp_path / "result.pickle").write_bytes(pickle.dumps(result))
    code = """
import pickle, sys
import numpy as np
result = pickle.load(open("result.pickle", "rb"))
model = result.best_model
assert result.model(result.front[0]) is model
X, expected = np.load("x.npy"), np.load("expected.npy")
np.testing.assert_array_equal(model.predict(X, verbose=0), expected)
assert len(result.ensemble.predict(X, verbose=0)) == len(X)
assert not hasattr(result._run, "trainer")
print(result, result.seeds, result.best_params, result.history, result.table(), sep="#")
"""
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "expected.npy", result.best_model.predict(X, verbose=0))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    parts = result, result.seeds, result.best_params, result.history, result.table()
    assert done.stdout.strip() == "#".join(map(str, parts)).strip()


def test_the_table_of_halving_says_the_rung():
    result = search(budget=9, epochs=9, schedule="halving")
    lines = [line.split() for line in str(result).splitlines()]
    assert lines[0][-3:] == ["rung", "fit", "time"]
    assert sorted(line[-3] for line in lines[2:]) == ["1"] * 6 + ["2"] * 2 + ["3"]
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(result))))
    assert str(again) == str(result)


@pytest.mark.parametrize("sampler", ["random", "sobol"])
def test_no_point_is_asked_for_twice(sampler, tmp_path):
    space = {"units": [2, 4, 6], "rate": [0.0, 0.25]}
    for directory in (None, tmp_path):
        found = search(space, budget=20, epochs=1, sampler=sampler, directory=directory)
        asked = {(c.params["units"], c.params["rate"]) for c in found.candidates}
        assert asked == {(u, r) for u in space["units"] for r in space["rate"]}
        assert len(found.candidates) == len(asked)
    # Members of a population that begin as equals become different.
    population = tuning.Population()
    found = search({"rate": [0.0, 0.25]}, budget=4, epochs=1, schedule=population)
    assert len(found.candidates) == 4
