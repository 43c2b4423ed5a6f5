"""Schedules, by hand: which candidates go on, and up to which epoch."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from hornbeam import tuning
from hornbeam.tuning import schedules
from hornbeam.tuning.schedules import Plan, Step


def candidates(*scores, closed=()):
    """Return candidates with `{epochs: score}`."""
    return [
        SimpleNamespace(
            number=i,
            params={},
            scores={e: (s,) for e, s in one.items()},
            is_open=i not in closed,
        )
        for i, one in enumerate(scores)
    ]


def simulate(schedule, plan, score):
    """Run a schedule as a search does; return the waves and the candidates."""
    found, waves = [], []
    while steps := schedule.next_steps(found, plan):
        going = {step.number for step in steps}
        for one in found:
            one.is_open = one.is_open and one.number in going
        wave = []
        for step in steps:
            number = step.number
            if number is None:
                number = len(found)
                found += candidates({})
                found[-1].number = number
            assert found[number].is_open
            found[number].scores[step.epochs] = (score(number, step.epochs),)
            wave.append((number, step.epochs))
        waves.append(wave)
    return waves, found


@pytest.mark.parametrize(
    ("least", "most", "factor", "expected"),
    [
        (1, 27, 3, [1, 3, 9, 27]),
        (1, 10, 3, [1, 3, 10]),
        (2, 16, 2, [2, 4, 8, 16]),
        (5, 5, 3, [5]),
        (1, 100, 4, [2, 6, 25, 100]),
    ],
)
def test_rungs(least, most, factor, expected):
    assert schedules.rungs(least, most, factor) == expected


def test_a_rung_keeps_the_best_third():
    members = candidates(*({1: s} for s in (0.1, 0.9, 0.5, 0.8, 0.2, 0.7, 0, 0.3, 0.4)))
    steps = schedules.next_rung(members, [1, 3, 9], 3)
    assert steps == [Step(1, 3), Step(3, 3), Step(5, 3)]
    for step, score in zip(steps, (0.91, 0.95, 0.7), strict=True):
        members[step.number].scores[3] = (score,)
    assert schedules.next_rung(members, [1, 3, 9], 3) == [Step(3, 9)]
    members[3].scores[9] = (0.96,)
    assert schedules.next_rung(members, [1, 3, 9], 3) == []


def test_failed_candidates_leave_their_places_to_others():
    members = candidates({1: 0.1}, {}, {1: 0.3}, {}, closed=(1, 3))
    assert schedules.next_rung(members, [1, 2], 2) == [Step(0, 2), Step(2, 2)]
    assert schedules.next_rung(candidates({}, {}, closed=(0, 1)), [1, 2], 2) == []


def test_halving_of_27():
    waves, found = simulate(
        tuning.Halving(factor=3), Plan(27, 8, 9), lambda number, epochs: number
    )
    assert [len(wave) for wave in waves] == [27, 9, 3]
    assert waves[1] == [(i, 3) for i in range(18, 27)]
    assert waves[2] == [(i, 9) for i in (24, 25, 26)]
    assert tuning.Halving().steps_in_all(Plan(27, 8, 9)) == sum(map(len, waves))


def test_hyperband_has_the_brackets_of_its_paper():
    # Li et al. 2018, table 1: R = 81, eta = 3.
    plan = Plan(81 + 34 + 15 + 8 + 5, 8, 81)
    brackets = tuning.Hyperband(factor=3).brackets(plan)
    assert [size for size, _ in brackets] == [81, 34, 15, 8, 5]
    assert [epochs[0] for _, epochs in brackets] == [1, 3, 9, 27, 81]
    waves, found = simulate(tuning.Hyperband(), plan, lambda n, e: -n)
    assert [len(wave) for wave in waves[:5]] == [81, 27, 9, 3, 1]
    assert len(found) == plan.budget


@pytest.mark.parametrize("budget", [1, 7, 40])
def test_asynchronous_halving_promotes_the_best_so_far(budget):
    random = np.random.default_rng(0).random((budget, 10))
    plan = Plan(budget, 6, 9)
    waves, found = simulate(
        tuning.AsynchronousHalving(factor=3), plan, lambda n, e: random[n, e]
    )
    assert len(found) == budget
    assert all(len(wave) <= 6 for wave in waves)
    scores: dict[int, dict[int, float]] = {1: {}, 3: {}, 9: {}}
    for wave, following in zip(waves, [*waves[1:], []], strict=True):
        for number, epochs in wave:
            scores[epochs][number] = random[number, epochs]
        for here, after in ((1, 3), (3, 9)):
            reached = sorted(scores[here], key=scores[here].get, reverse=True)
            best = set(reached[: max(1, len(reached) // 3)])
            expected = {n for n, e in wave if e == here} & best
            assert {n for n, e in following if e == after} == expected


def test_every_candidate_trains_to_the_end():
    waves, _ = simulate(schedules.EachToTheEnd(), Plan(7, 3, 5), lambda n, e: 0)
    assert waves == [
        [(0, 5), (1, 5), (2, 5)],
        [(3, 5), (4, 5), (5, 5)],
        [(6, 5)],
    ]


def test_several_objectives_are_ranked_by_who_dominates_them():
    points = [(0.0, 3.0), (2.0, 2.0), (1.0, 1.0), (3.0, 0.0), (2.0, 1.0)]
    order = schedules.best_first(points)
    by_hand = [
        sum(all(a >= b for a, b in zip(p, q, strict=True)) and p != q for p in points)
        for q in points
    ]
    assert [by_hand[i] for i in order] == sorted(by_hand)
    assert order[0] == 1  # of the three that none dominates, the one in the middle
    assert schedules.dominators(np.array(points)).tolist() == by_hand


def test_wrong_schedules_are_refused():
    with pytest.raises(ValueError, match="Did you mean 'halving'"):
        schedules.schedule_of("halvin")
    with pytest.raises(ValueError, match="`factor` of Halving must be above 1"):
        tuning.Halving(factor=1)
    with pytest.raises(TypeError, match="keras.tuning.Halving"):
        schedules.schedule_of(3)
    assert math.isclose(tuning.Hyperband(factor=2.5).factor, 2.5)
