"""Population-based training: who takes over whom, with which numbers."""

import copy

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import tuning
from hornbeam.tuning.candidates import Candidate
from hornbeam.tuning.schedules import Plan

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 4)).astype("float32")
Y = X[:, :1] * X[:, 1:2]


def test_the_worst_take_over_the_best():
    plan = Plan(8, 8, 6, seed=5)
    schedule = tuning.Population(every=2, fraction=0.25, factors=(0.5, 2.0))
    assert len(schedule.next_steps([], plan)) == 8
    scores = [0.1, 0.9, 0.3, 0.8, 0.5, 0.6, 0.0, 0.4]
    population = [
        Candidate(i, {"rate": 0.1 * (i + 1), "units": 4}, scores={2: (s,)}, latest=(s,))
        for i, s in enumerate(scores)
    ]
    before = copy.deepcopy(population)
    steps = schedule.next_steps(population, plan)
    assert population == before
    assert [step.number for step in steps] == list(range(8))
    assert {step.epochs for step in steps} == {4}
    replaced = {step.number: step for step in steps if step.source is not None}
    assert set(replaced) == {0, 6}
    for step in replaced.values():
        assert step.source in (1, 3)
        rate = population[step.source].params["rate"]
        allowed = [min(max(rate * factor, 0.1), 0.8) for factor in (0.5, 2.0)]
        assert step.changes["rate"] in allowed and step.changes["units"] == 4
    assert schedule.next_steps(population, plan) == steps
    for candidate in population:
        candidate.scores[6] = candidate.latest
    assert schedule.next_steps(population, plan) == []
    assert schedule.steps_in_all(plan) == 8 * 3


def create_model(rate, momentum):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(6, activation="relu"),
            keras.layers.Dropout(rate),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.01, momentum=momentum), "mse")
    return model


def search(**arguments):
    given = {"budget": 4, "epochs": 6, "sampler": "random", "verbose": 0}
    space = {"rate": (0.0, 0.4), "momentum": (0.5, 0.9), "learning_rate": (1e-3, 0.1)}
    schedule = tuning.Population(every=2)
    return tuning.search(
        create_model, space, (X, Y), schedule=schedule, **(given | arguments)
    )


def test_a_copy_goes_on_from_its_source_with_other_rates(tmp_path):
    result = search()
    copies = [c for c in result.candidates if c.changes]
    assert copies
    for candidate in copies:
        sources = [
            other
            for other in result.candidates
            if other is not candidate and other.history["loss"][:2]
            == candidate.history["loss"][:2]
        ]  # fmt: skip
        assert len(sources) >= 1
        assert candidate.history["loss"] != sources[0].history["loss"]
        assert len(candidate.history["loss"]) == 6
    kept = search(directory=tmp_path)
    for a, b in zip(result.candidates, kept.candidates, strict=True):
        assert a.params == b.params and a.history == b.history
    again = search(directory=tmp_path)
    assert [c.history for c in again.candidates] == [c.history for c in kept.candidates]


def test_rates_of_a_copy_are_its_own():
    from hornbeam.tuning.states import Continuation, StatesInMemory

    states = StatesInMemory()
    first = create_model(0.1, 0.5)
    first.fit(X, Y, epochs=2, verbose=0, callbacks=[Continuation(states, "a")])
    states.copy("a", "b")
    for own, expected in ((True, (0.3, 0.7, 0.5)), (False, (0.1, 0.5, 0.01))):
        other = create_model(0.3, 0.7)
        other.optimizer.learning_rate = 0.5
        other.fit(X, Y, epochs=2, verbose=0, callbacks=[Continuation(states, "b", own)])
        optimizer = other.optimizer
        found = other.layers[1].rate, optimizer.momentum, optimizer.learning_rate
        assert [float(x) for x in found] == pytest.approx(expected)
        for weight, copied in zip(first.weights, other.weights, strict=True):
            np.testing.assert_array_equal(weight.numpy(), copied.numpy())
