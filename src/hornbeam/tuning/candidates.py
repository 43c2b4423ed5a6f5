"""The candidates of a search, and the study that asks for them, without Optuna."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hornbeam.tuning.points import PointTrial, Unit
from hornbeam.tuning.schedules import Step


@dataclass
class Candidate:
    """A candidate: its hyperparameters and what its training has shown.

    Attributes:
        number: its number, from 0.
        asked: the hyperparameters that were asked for.
        changes: those that it has instead since it took over the state of another.
        scores: for each epoch at which it was measured its objectives, at the best
            epoch up to then; greater is better.
        latest: the same at its last epoch.
        folds: the same for each fold, at the last epoch at which it was measured.
        histories: the logs of its epochs, for each fold.
        state: "open", "done" (it has trained to the end), "stopped" (others were
            better) or "failed".
        message: why it has failed.
        seconds: how long its trainings took.
    """

    number: int
    asked: dict[str, Any]
    changes: dict[str, Any] = field(default_factory=dict)
    scores: dict[int, tuple[float, ...]] = field(default_factory=dict)
    latest: tuple[float, ...] = ()
    folds: list[tuple[float, ...]] = field(default_factory=list)
    histories: list[dict[str, list[float]]] = field(default_factory=list)
    state: str = "open"
    message: str | None = None
    seconds: float = 0.0

    @property
    def params(self) -> dict[str, Any]:
        """Its hyperparameters."""
        return self.asked | self.changes

    @property
    def is_open(self) -> bool:
        """Whether it may go on."""
        return self.state == "open"

    @property
    def epochs(self) -> int:
        """For how many epochs it was trained."""
        return max(self.scores, default=0)

    @property
    def score(self) -> tuple[float, ...] | None:
        """Its objectives, greater is better; None if there are none."""
        return self.scores[self.epochs] if self.scores else None

    @property
    def rank(self) -> tuple[tuple[float, ...], int]:
        """What is greater for better ones that have a score: by each objective."""
        numbers = (-np.inf if np.isnan(one) else one for one in self.score or ())
        return tuple(numbers), -self.number

    @property
    def history(self) -> dict[str, list[float]]:
        """The logs of its epochs; of several folds their means."""
        if len(self.histories) < 2:
            return self.histories[0] if self.histories else {}
        return {
            name: [
                float(np.mean(values))
                for values in zip(*(h[name] for h in self.histories), strict=False)
            ]
            for name in self.histories[0]
        }

    def as_plain(self) -> dict[str, Any]:
        """Return what was learnt of it, for a file of JSON."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        del plain["number"], plain["asked"]
        return plain | {"scores": [[e, list(s)] for e, s in self.scores.items()]}

    def learn(self, plain: dict[str, Any]) -> None:
        """Take over what `as_plain` returned."""
        for name, value in plain.items():
            setattr(self, name, value)
        self.scores = {int(e): tuple(s) for e, s in plain["scores"]}
        self.latest = tuple(plain["latest"])
        self.folds = [tuple(s) for s in plain["folds"]]


class PlainStudy:
    """Asks for candidates at points that follow from their numbers; keeps nothing.

    Args:
        space: a function from a trial to hyperparameters.
        unit: the points.
    """

    def __init__(self, space: Callable[[Any], dict[str, Any]], unit: Unit) -> None:
        self._space = space
        self._unit = unit
        self._asked = 0

    def ask(self) -> Candidate:
        """Return a new candidate."""
        number = self._asked
        self._asked += 1
        return Candidate(number, self._space(PointTrial(number, self._unit)))

    def keep(self, candidate: Candidate) -> None:
        """Keep what is new of a candidate."""

    def assign(self, steps: Sequence[Step]) -> None:
        """Keep the wave that begins."""

    def restore(self) -> tuple[list[Candidate], list[Step]]:
        """Return the candidates of an interrupted search, and the wave it was in."""
        return [], []

    def close(self) -> None:
        """Close the files."""
