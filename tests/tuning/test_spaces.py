"""Spaces: what is written, and the values that are asked for."""

from typing import Annotated, Literal

import numpy as np
import optuna
import pytest
from scipy import stats

from hornbeam import tuning
from hornbeam.tuning.points import PointTrial, random_points, sobol_points
from hornbeam.tuning.space import space_of

RATES = tuning.Log(1e-3, 1e-1)


def build(**hyperparameters):
    return hyperparameters


def values(space, count=400, points=random_points, function=build):
    """Return the values of many candidates, by name."""
    ask, unit = space_of(function, space), points(0)
    rows = [ask(PointTrial(number, unit)) for number in range(count)]
    return {name: [row[name] for row in rows] for name in rows[0]}


def test_ranges_give_their_values():
    found = values(
        {
            "uniform": (0.1, 0.5),
            "integers": (1, 4),
            "log": tuning.Log(1e-4, 1e-1),
            "log_integers": tuning.Log(1, 100),
            "steps": range(16, 65, 16),
            "choices": ["relu", None, (3, 3)],
            "normal": stats.norm(1.0, 2.0),
            "of_scipy": stats.randint(2, 5),
            "float": optuna.distributions.FloatDistribution(0, 1, step=0.25),
            "int": optuna.distributions.IntDistribution(2, 8, step=3),
            "category": optuna.distributions.CategoricalDistribution(["a", "b"]),
            "constant": "adam",
        }
    )
    uniform = np.array(found["uniform"])
    assert stats.kstest((uniform - 0.1) / 0.4, "uniform").pvalue > 0.01
    logs = (np.log10(found["log"]) + 4) / 3
    assert stats.kstest(logs, "uniform").pvalue > 0.01
    assert stats.kstest(found["normal"], stats.norm(1.0, 2.0).cdf).pvalue > 0.01
    assert set(found["integers"]) == {1, 2, 3, 4}
    assert set(found["steps"]) == {16, 32, 48, 64}
    assert set(found["choices"]) == {"relu", None, (3, 3)}
    assert set(found["of_scipy"]) == {2, 3, 4}
    assert set(found["float"]) == {0, 0.25, 0.5, 0.75, 1}
    assert set(found["int"]) == {2, 5, 8}
    assert set(found["category"]) == {"a", "b"}
    assert set(found["constant"]) == {"adam"}
    assert {min(found["log_integers"]), max(found["log_integers"])} <= set(range(101))
    assert all(type(x) is int for x in found["log_integers"] + found["integers"])


def test_sobol_points_are_those_of_scipy():
    found = values({"a": (0.0, 1.0), "b": (0.0, 1.0)}, 64, sobol_points)
    expected = stats.qmc.Sobol(64, scramble=True, rng=0).random_base2(6)[:, :2]
    np.testing.assert_allclose(np.stack([found["a"], found["b"]], 1), expected)


def test_a_space_is_read_from_annotations_and_defaults():
    def create_model(
        rate: (0.0, 0.5) = 0.2,
        units: Annotated[int, range(8, 33, 8)] = 16,
        activation: Literal["relu", "tanh"] = "relu",
        bias: bool = True,
        learning_rate=RATES,
        name: str = "a name",
    ):
        return None

    found = values(None, 100, function=create_model)
    assert list(found) == ["rate", "units", "activation", "bias", "learning_rate"]
    assert set(found["units"]) == {8, 16, 24, 32}
    assert set(found["activation"]) == {"relu", "tanh"}
    assert set(found["bias"]) == {True, False}


def test_a_function_of_a_trial_gives_conditional_spaces():
    def space(trial):
        optimizer = trial.suggest_categorical("optimizer", ["sgd", "adam"])
        if optimizer == "sgd":
            return {"optimizer": optimizer, "momentum": trial.suggest_float("m", 0, 1)}
        return None

    ask, unit = space_of(build, space), random_points(1)
    found = [ask(PointTrial(number, unit)) for number in range(20)]
    assert {tuple(one) for one in found} == {("optimizer", "momentum"), ("optimizer",)}


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"rate": (0.5, 0.1)}, "'rate' must lie between .*Received: low=0.5"),
        ({"rate": ("a", "b")}, "choices go into a list"),
        ({"rate": []}, "'rate' is empty"),
        (3, "must be a dict of ranges"),
        (None, "has no ranges in its annotations"),
        (lambda trial: 3, "must return a dict"),
    ],
)
def test_wrong_spaces_are_refused(space, message):
    with pytest.raises((ValueError, TypeError), match=message):
        values(space, 1)
    with pytest.raises(ValueError, match="must lie between numbers above 0"):
        tuning.Log(0, 1)


def test_discrete_distributions_give_integers():
    space = {"a": stats.randint(2, 9), "b": stats.poisson(3), "c": stats.norm()}
    sample = space_of(None, space)
    drawn = [sample(PointTrial(i, random_points(0))) for i in range(200)]
    assert all(type(one["a"]) is type(one["b"]) is int for one in drawn)
    assert {one["a"] for one in drawn} == set(range(2, 9))
    assert all(type(one["c"]) is float for one in drawn)
