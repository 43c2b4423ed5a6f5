"""Population-based training: the best are copied, with other numbers."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hornbeam.core.errors import check_number
from hornbeam.tuning.schedules import Plan, Scored, Step, best_first


class Population:
    """Population-based training: the worst take over the best, and change their rates.

    All candidates of the budget train together. After every few epochs, each of the
    worst fraction takes over weights, slots of the optimizer and hyperparameters of one
    of the best fraction (exploit), and multiplies its numbers by one of two factors
    (explore), within the limits of the population's first values. Integers and choices
    of other things than decimal numbers stay: the weights must fit.

    Source: Jaderberg et al. 2017, "Population based training of neural networks"
    (truncation selection, perturbation).

    Args:
        every: the number of epochs between two exchanges. Default: 1
        fraction: the fraction of candidates that is replaced. Default: 0.25
        factors: the factors by which numbers are changed. Default: (0.8, 1.25)

    >>> import hornbeam as keras
    >>> schedule = keras.tuning.Population(every=2)
    """

    def __init__(
        self,
        every: int = 1,
        fraction: float = 0.25,
        factors: Sequence[float] = (0.8, 1.25),
    ):
        check_number("Population", "every", every, 1, integer=True)
        check_number("Population", "fraction", fraction, above=0, high=0.5)
        self.every = every
        self.fraction = fraction
        self.factors: list[float] = [float(factor) for factor in factors]

    def next_steps(self, candidates: Sequence[Scored], plan: Plan) -> list[Step]:
        """Return a step for each candidate, up to the next exchange."""
        if not candidates or not any(c.scores for c in candidates):
            return [Step(None, min(self.every, plan.epochs))] * plan.budget
        going = [c for c in candidates if c.is_open and c.scores]
        reached = max((max(c.scores) for c in going), default=plan.epochs)
        if reached >= plan.epochs:
            return []
        following = min(reached + self.every, plan.epochs)
        order = best_first([c.latest for c in going])
        count = int(len(going) * self.fraction)
        best, worst = order[:count], set(order[len(order) - count :])
        draws = random.Random(f"{plan.seed} {reached}")
        limits = _limits(candidates)
        steps = []
        for place, candidate in enumerate(going):
            if place in worst:
                source = going[draws.choice(best)]
                changes = self._changed(source.params, limits, draws)
                steps.append(Step(candidate.number, following, source.number, changes))
            else:
                steps.append(Step(candidate.number, following))
        return steps

    def _changed(self, params, limits, draws):
        changed = dict(params)
        for name, (low, high) in limits.items():
            if name in changed:
                number = changed[name] * draws.choice(self.factors)
                changed[name] = min(max(number, low), high)
        return changed

    def steps_in_all(self, plan: Plan) -> int:
        """Return the number of steps of the whole search."""
        return plan.budget * -(-plan.epochs // self.every)


def _limits(candidates):
    """Return `{name: (least, largest)}` of the numbers that were asked for."""
    names = dict.fromkeys(name for c in candidates for name in c.asked)
    values = {n: [c.asked[n] for c in candidates if n in c.asked] for n in names}
    return {
        name: (min(numbers), max(numbers))
        for name, numbers in values.items()
        if all(isinstance(number, float) for number in numbers)
    }
