"""Schedules: which candidates train next, and up to which epoch.

A schedule is a pure function of the candidates and their scores. `next_steps` returns
a wave of steps that train together. A candidate that was trained and is not in the next
wave is out, and its model is dropped. An empty wave ends the search.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from hornbeam.core.errors import check_choice, check_number


class Step(NamedTuple):
    """A candidate trains up to an epoch.

    Attributes:
        number: the candidate; None: a new one.
        epochs: the epoch, counted from the start of its training.
        source: the candidate whose state it takes over first. Default: None
        changes: the hyperparameters that it has from then on. Default: None
    """

    number: int | None
    epochs: int
    source: int | None = None
    changes: dict[str, Any] | None = None


class Scored(Protocol):
    """What a schedule knows of a candidate.

    Attributes:
        number: its number, from 0 in the order in which candidates were asked for.
        asked: the hyperparameters that were asked for.
        params: those that it has.
        latest: its objectives at its last epoch; greater is better.
        scores: for each epoch at which it was measured a tuple of objectives; greater
            is better.
        is_open: whether it may go on: it is neither out nor failed.
    """

    number: int
    asked: dict[str, Any]
    params: dict[str, Any]
    latest: tuple[float, ...]
    scores: dict[int, tuple[float, ...]]
    is_open: bool


class Plan(NamedTuple):
    """What the caller of a search has asked for.

    Attributes:
        budget: how many candidates there are.
        batch: how many are asked for and trained together.
        epochs: the most epochs of a candidate.
        seed: the seed of the search.
    """

    budget: int
    batch: int
    epochs: int
    seed: int = 0


def best_first(scores: Sequence[tuple[float, ...]]) -> list[int]:
    """Return the places of the scores, the best first, equal ones in their order.

    Of several objectives, those come first that fewer others dominate (Fonseca and
    Fleming 1993); among these, those with the least sum of ranks.
    """
    if not scores:
        return []
    table = np.array(scores, float)
    if table.shape[1] == 1:
        return np.argsort(-table[:, 0], kind="stable").tolist()
    ranks = np.array([[(c > x).sum() for x in c] for c in table.T]).sum(axis=0)
    return np.lexsort((ranks, dominators(table))).tolist()


def dominators(table: np.ndarray) -> np.ndarray:
    """Return for each row how many others are nowhere less and somewhere greater."""
    return np.array(
        [
            ((table >= row).all(axis=1) & (table > row).any(axis=1)).sum()
            for row in table
        ]
    )


def rungs(least: int, most: int, factor: float) -> list[int]:
    """Return the epochs of the rungs: `most`, and parts of it down to `least`.

    >>> rungs(1, 27, 3)
    [1, 3, 9, 27]
    >>> rungs(2, 10, 3)
    [3, 10]
    """
    count = 1 + int(math.log(most / least, factor) + 1e-9)
    return sorted({max(least, round(most / factor**k)) for k in range(count)})


class EachToTheEnd:
    """Every candidate trains for all epochs."""

    def next_steps(self, candidates: Sequence[Scored], plan: Plan) -> list[Step]:
        """Return a batch of new candidates."""
        new = min(plan.batch, plan.budget - len(candidates))
        return [Step(None, plan.epochs)] * new

    def steps_in_all(self, plan: Plan) -> int:
        """Return the number of steps of the whole search."""
        return plan.budget


class Halving:
    """Successive halving: at each rung the best `1 / factor` of the candidates go on.

    Source: Jamieson and Talwalkar 2016, "Non-stochastic best arm identification and
    hyperparameter optimization".

    Args:
        factor: of how many candidates one goes on. Default: 3
        min_epochs: the fewest epochs of a candidate. Default: 1

    >>> import hornbeam as keras
    >>> schedule = keras.tuning.Halving(factor=2)
    """

    def __init__(self, factor: float = 3, min_epochs: int = 1):
        check_number(type(self).__name__, "factor", factor)
        check_number(type(self).__name__, "min_epochs", min_epochs, 1, integer=True)
        if factor <= 1:
            raise ValueError(
                f"Argument `factor` of {type(self).__name__} must be above 1. "
                f"Received: factor={factor!r}"
            )
        self.factor = factor
        self.min_epochs = min_epochs

    def brackets(self, plan: Plan) -> list[tuple[int, list[int]]]:
        """Return `(candidates, epochs of the rungs)` of each bracket."""
        return [(plan.budget, self._rungs(plan))]

    def _rungs(self, plan):
        return rungs(min(self.min_epochs, plan.epochs), plan.epochs, self.factor)

    def next_steps(self, candidates: Sequence[Scored], plan: Plan) -> list[Step]:
        """Return the next rung of the first bracket that has not ended."""
        first = 0
        for size, epochs in self.brackets(plan):
            members = candidates[first : first + size]
            if len(members) < size:
                return [Step(None, epochs[0])] * (size - len(members))
            steps = next_rung(members, epochs, self.factor)
            if steps:
                return steps
            first += size
        return []

    def steps_in_all(self, plan: Plan) -> int:
        """Return the number of steps of the whole search."""
        return sum(
            _kept(size, self.factor, k)
            for size, epochs in self.brackets(plan)
            for k in range(len(epochs))
        )


class Hyperband(Halving):
    """Hyperband: brackets of successive halving, from many short to few long trainings.

    Where the budget is more than one round of brackets the round is repeated, so a
    sampler such as TPE learns from the brackets before (BOHB).

    Sources: Li et al. 2018, "Hyperband: a novel bandit-based approach to hyperparameter
    optimization"; Falkner et al. 2018, "BOHB: robust and efficient hyperparameter
    optimization at scale".

    Args:
        factor: of how many candidates one goes on. Default: 3
        min_epochs: the fewest epochs of a candidate. Default: 1
    """

    def brackets(self, plan: Plan) -> list[tuple[int, list[int]]]:
        """Return `(candidates, epochs of the rungs)` of each bracket."""
        epochs = self._rungs(plan)
        last = len(epochs) - 1
        sizes = [
            (math.ceil((last + 1) / (s + 1) * self.factor**s), epochs[last - s :])
            for s in range(last, -1, -1)
        ]
        found: list[tuple[int, list[int]]] = []
        left = plan.budget
        while left > 0:
            size, of_bracket = sizes[len(found) % len(sizes)]
            found.append((min(size, left), of_bracket))
            left -= found[-1][0]
        return found


class AsynchronousHalving(Halving):
    """Successive halving that waits for no rung to be full (ASHA).

    A candidate goes on if it is among the best `1 / factor` of all that have reached
    its rung so far, and is out otherwise; new candidates take the free places of a
    batch. So a sampler such as TPE learns from batch to batch.

    Source: Li et al. 2020, "A system for massively parallel hyperparameter tuning", in
    the form that stops candidates instead of pausing them.

    Args:
        factor: of how many candidates one goes on. Default: 3
        min_epochs: the fewest epochs of a candidate. Default: 1
    """

    def next_steps(self, candidates: Sequence[Scored], plan: Plan) -> list[Step]:
        """Return those that go on, and new ones in the places that are free."""
        epochs = self._rungs(plan)
        steps = []
        for here, following in zip(epochs[:-1], epochs[1:], strict=True):
            reached = [c for c in candidates if here in c.scores]
            best = best_first([c.scores[here] for c in reached])
            kept = best[: max(1, int(len(reached) / self.factor))]
            steps += [
                Step(reached[i].number, following)
                for i in sorted(kept)
                if reached[i].is_open and max(reached[i].scores) == here
            ]
        new = min(max(0, plan.batch - len(steps)), plan.budget - len(candidates))
        return steps + [Step(None, epochs[0])] * new


def next_rung(
    members: Sequence[Scored], epochs: Sequence[int], factor: float
) -> list[Step]:
    """Return the steps of the next rung of a bracket; none: it has ended.

    Args:
        members: the candidates that began in the bracket.
        epochs: the epochs of its rungs.
        factor: of how many candidates one goes on.
    """
    for k in range(len(epochs) - 1, -1, -1):
        reached = [c for c in members if epochs[k] in c.scores]
        if reached:
            break
    else:
        return []
    if k == len(epochs) - 1:
        return []
    going = [c for c in reached if c.is_open]
    best = best_first([c.scores[epochs[k]] for c in going])
    kept = sorted(best[: _kept(len(members), factor, k + 1)])
    return [Step(going[i].number, epochs[k + 1]) for i in kept]


def _kept(size, factor, rung):
    """Return how many of `size` candidates are in a rung."""
    return max(1, int(size / factor**rung + 1e-9))


_NAMES: dict[str, Any] = {
    "halving": Halving,
    "hyperband": Hyperband,
    "asha": AsynchronousHalving,
}


def schedule_of(schedule: Any) -> Any:
    """Return a schedule: one itself, by its name, or that of None."""
    if schedule is None:
        return EachToTheEnd()
    if isinstance(schedule, str):
        return _NAMES[check_choice("search()", "schedule", schedule, _NAMES)]()
    if hasattr(schedule, "next_steps") and not isinstance(schedule, type):
        return schedule
    raise TypeError(
        f"Argument `schedule` of search() must be one of {sorted(_NAMES)}, an object "
        f"such as `keras.tuning.Halving(factor=3)`, or None. Received: {schedule!r}"
    )
