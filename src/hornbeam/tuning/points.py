"""Points of a space that follow from their numbers: random, or of a Sobol sequence.

A point is a number in [0, 1) for each hyperparameter, of which its value is a quantile.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hornbeam.visualization.optional import optional

_MOST_DIMENSIONS = 64
# After so many points that were there already a space counts as finite and used up.
_MOST_DRAWS = 1000

Unit = Callable[[int, str], float]


def random_points(seed: int) -> Unit:
    """Return a function from a candidate's number and a name to a random number."""

    def unit(number, name):
        digest = hashlib.blake2b(f"{seed} {number} {name}".encode(), digest_size=8)
        return (int.from_bytes(digest.digest(), "little") >> 11) / 2.0**53

    return unit


def sobol_points(seed: int) -> Unit:
    """Return the same for the scrambled Sobol sequence of SciPy (Owen 1998).

    The dimensions are taken in the order in which names are first asked for.
    """
    stats = optional("scipy.stats", "tuning", "A Sobol sequence")
    columns: dict[str, int] = {}
    rows = np.empty((0, _MOST_DIMENSIONS))

    def unit(number, name):
        nonlocal rows
        if number >= len(rows):
            bits = max(6, (number + 1).bit_length())
            sequence = stats.qmc.Sobol(_MOST_DIMENSIONS, scramble=True, rng=seed)
            rows = sequence.random_base2(bits)
        column = columns.setdefault(name, len(columns)) % _MOST_DIMENSIONS
        return float(rows[number, column])

    return unit


def distinct_points(
    space: Callable[[Any], Any], unit: Unit, count: int
) -> tuple[Unit, int]:
    """Return the points without those that give what an earlier one gave.

    Args:
        space: a function that asks a trial for values.
        unit: the points.
        count: how many points are needed.

    Returns:
        The points, and how many of them differ: fewer than `count` where the space has
        no more. The points after them are as they were.
    """
    rows: list[int] = []
    seen: set[str] = set()
    row = repeated = 0
    while len(rows) < count and repeated < _MOST_DRAWS:
        trial = _trial_of_row(len(rows), unit, row)
        space(trial)
        point = repr(sorted(trial.params.items()))
        repeated = repeated + 1 if point in seen else 0
        if point not in seen:
            seen.add(point)
            rows.append(row)
        row += 1

    def distinct(number, name):
        return unit(rows[number] if number < len(rows) else number, name)

    return distinct, len(rows)


def _trial_of_row(number, unit, row):
    return PointTrial(number, lambda _, name: unit(row, name))


def check_limits(what: str, low: Any, high: Any, log: bool = False) -> None:
    """Raise unless two ends are finite numbers, the least first, above 0 if of logs.

    Args:
        what: of what they are the ends, for the error.
        low: the least number.
        high: the largest number.
        log: whether logarithms are taken of them. Default: False
    """
    expected = "finite numbers, the least first"
    try:
        is_good = -math.inf < low <= high < math.inf
    except TypeError:
        is_good = False
    if is_good and log:
        expected = "numbers above 0, because their logarithms are taken"
        is_good = low > 0
    if not is_good:
        fix = ""
        if isinstance(low, int | float) and isinstance(high, int | float):
            fix = f" Write ({high!r}, {low!r})." if low > high else ""
        raise ValueError(
            f"{what} must lie between {expected}. Received: low={low!r}, "
            f"high={high!r}.{fix}"
        )


def number_at(
    unit: float, low: float, high: float, step: float | None, log: bool, is_int: bool
) -> float:
    """Return the quantile `unit` of the numbers between `low` and `high`.

    Args:
        unit: a number in [0, 1).
        low: the least number.
        high: the largest number.
        step: the distance of neighbours. Default: None, every number between.
        log: whether their logarithms are evenly spread.
        is_int: whether they are integers.
    """
    if is_int and log:
        # Each integer has the part of the axis that rounds to it.
        number = number_at(unit, low - 0.5, high + 0.5, None, True, False)
        return int(min(max(round(number), low), high))
    if step is not None:
        count = int(math.floor((high - low) / step + 1e-9)) + 1
        number = low + step * min(int(unit * count), count - 1)
        return int(number) if is_int else min(number, high)
    if log:
        return math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
    return low + unit * (high - low)


def choice_at(unit: float, choices: Sequence[Any]) -> Any:
    """Return the choice at the quantile `unit`."""
    return choices[min(int(unit * len(choices)), len(choices) - 1)]


class PointTrial:
    """A trial that a space asks for the coordinates of a point, without Optuna.

    Attributes:
        number: the candidate's number.
        params: the values that were asked for.
    """

    def __init__(self, number: int, unit: Unit) -> None:
        self.number = number
        self.params: dict[str, Any] = {}
        self._unit = unit

    def suggest_float(
        self,
        name: str,
        low: float,
        high: float,
        *,
        step: float | None = None,
        log: bool = False,
    ) -> float:
        """Return a number between `low` and `high`."""
        return self._noted(name, low, high, step, log, False)

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Return an integer between `low` and `high`."""
        return int(self._noted(name, low, high, step, log, True))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Return one of the choices."""
        if not len(choices):
            raise ValueError(f"The choices of {name!r} are empty: {choices!r}")
        if name not in self.params:
            self.params[name] = choice_at(self._unit(self.number, name), choices)
        return self.params[name]

    def _noted(self, name, low, high, step, log, is_int):
        check_limits(f"The range of {name!r}", low, high, log)
        if name not in self.params:
            unit = self._unit(self.number, name)
            self.params[name] = number_at(unit, low, high, step, log, is_int)
        return self.params[name]
