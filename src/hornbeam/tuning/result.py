"""What a search has found."""

from __future__ import annotations

import functools
import importlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.models.model import Model
from hornbeam.tuning.candidates import Candidate
from hornbeam.tuning.ensembles import Seeds
from hornbeam.tuning.schedules import dominators
from hornbeam.typing import Config, PathLike
from hornbeam.visualization.as_html import to_html
from hornbeam.visualization.optional import optional
from hornbeam.visualization.search import plot_search
from hornbeam.visualization.table import search_table


class SearchResult:
    """What `keras.tuning.search` has found.

    A pickle of it holds the candidates and the models that it can give, without the
    data and the function that made the models.

    Attributes:
        candidates: all candidates, in the order in which they were asked for. Each has
            `params`, `history`, `scores`, `state` and `message`.
        directions: `{objective: "max" or "min"}`.
        is_complete: whether the search came to its end.
        seeds: the winner trained with other seeds, `keras.tuning.Seeds`; None if that
            was not asked for.
        refit: the name of the first objective.
    """

    def __init__(self, run: Any, whole: Any, seeds: int) -> None:
        self.candidates: list[Candidate] = run.candidates
        self.directions: dict[str, str] = run.trainer.directions
        self.is_complete: bool = run.is_complete
        self.refit: str = _label(*next(iter(self.directions.items())))
        self._run = run
        self._whole = whole
        self._folds = len(run.trainer.splits)
        self._models: dict[int, Model] = {}
        if not self._ranking():
            raise RuntimeError(_why_none(self.candidates))
        self.seeds: Seeds | None = None
        if seeds and self.is_complete:
            training = run.training(self._winner, self._winner.epochs)
            self.seeds = Seeds(run.trainer, run.place, training, seeds, run.plan.seed)

    def __getstate__(self) -> dict[str, Any]:
        """Return all but what trains: models that were not asked for are made."""
        if self._run is not None:
            self.best_model  # noqa: B018 - it is kept as an attribute
            for candidate in self.front:
                self.model(candidate)
        return self.__dict__ | {"_run": None, "_whole": None}

    def _ranking(self):
        """Return the candidates with scores, the best first."""
        scored = [c for c in self.candidates if c.score and c.state != "failed"]
        return sorted(scored, key=lambda c: c.rank, reverse=True)

    @property
    def _winner(self):
        return self._ranking()[0]

    @property
    def best_index_(self) -> int:
        """The number of the best candidate, by the first objective, then the next."""
        return self._winner.number

    @property
    def best_params(self) -> Config:
        """The hyperparameters of the best candidate."""
        return self._winner.params

    @property
    def best_score(self) -> float:
        """The first objective of the best candidate at its best epoch."""
        return self._values(self._winner)[0]

    @property
    def history(self) -> dict[str, list[float]]:
        """The logs of the best candidate's epochs."""
        return self._winner.history

    @functools.cached_property
    def best_model(self) -> Model:
        """The best candidate's model, with the weights of its best epoch.

        With several folds a model that is trained on all rows, for as many epochs as
        the folds had at their best.
        """
        if self._folds == 1:
            return self.model(self._winner)
        run = self._run
        return run.trainer.trained_on(self._whole, self._winner, run.plan.seed)

    @property
    def front(self) -> list[Candidate]:
        """The candidates that no other dominates; of one objective the best."""
        ranking = self._ranking()
        if len(self.directions) == 1:
            return ranking[:1]
        is_beaten = dominators(np.array([c.rank[0] for c in ranking]))
        return [c for c, beaten in zip(ranking, is_beaten, strict=True) if not beaten]

    def model(self, candidate: Candidate) -> Model:
        """Return the model of a candidate of the front, with its best weights."""
        if candidate not in self.front:
            raise ValueError(
                f"The model of candidate {candidate.number} was dropped: others are "
                f"better. Those kept: {[c.number for c in self.front]}"
            )
        if candidate.number not in self._models:
            training = self._run.training(candidate, candidate.epochs)
            self._models[candidate.number] = self._run.trainer.model(training)
        return self._models[candidate.number]

    @property
    def ensemble(self) -> Model:
        """The winner's models of several seeds as one, which gives their mean."""
        if self.seeds is None:
            raise ValueError("There is no ensemble: pass `seeds=20` to search().")
        return self.seeds.ensemble

    def table(self) -> Any:
        """Return a row for each candidate, the best first: a DataFrame.

        Without pandas a list of dicts.
        """
        rows = [self._row(c) for c in self._ranking()]
        ranked = {row["number"] for row in rows}
        rows += [self._row(c) for c in self.candidates if c.number not in ranked]
        try:
            pandas = optional("pandas")
        except ImportError:
            return rows
        return pandas.DataFrame(rows)

    def _row(self, candidate):
        values = dict.fromkeys(self.directions, float("nan"))
        if candidate.score:
            values = dict(zip(values, self._values(candidate), strict=True))
        return {
            "number": candidate.number,
            **candidate.params,
            **values,
            "epochs": candidate.epochs,
            "seconds": candidate.seconds,
            "state": candidate.state,
            "message": candidate.message,
        }

    def _values(self, candidate):
        signs = [1 if one == "max" else -1 for one in self.directions.values()]
        return [sign * x for sign, x in zip(signs, candidate.score, strict=True)]

    def importance(self) -> dict[str, float]:
        """Return how much of the score's variance each hyperparameter explains.

        By Optuna (functional ANOVA, Hutter et al. 2014), from the scores at the first
        rung, which all candidates have reached.
        """
        optional("optuna", "tuning", "importance()")
        with_optuna = importlib.import_module("hornbeam.tuning.optuna_study")
        scored = [c for c in self.candidates if c.scores and c.state != "failed"]
        points = [(c.params, c.scores[min(c.scores)][0]) for c in scored]
        found = with_optuna.importances(points)
        return {name: float(part) for name, part in found.items()}

    @property
    def cv_results_(self) -> dict[str, Any]:
        """The candidates in scikit-learn's form, which the drawings of searches read.

        An objective of which little is good has the opposite sign, as `neg_val_loss`.
        """
        results: dict[str, Any] = {
            "params": [c.params for c in self.candidates],
            "state": [c.state for c in self.candidates],
            "iter": np.array([max(0, len(c.scores) - 1) for c in self.candidates]),
        }
        for place, (name, direction) in enumerate(self.directions.items()):
            label = _label(name, direction)
            folds = [_folds_of(c, place, self._folds) for c in self.candidates]
            table = np.array(folds)
            for fold in range(self._folds):
                results[f"split{fold}_test_{label}"] = table[:, fold]
            results[f"mean_test_{label}"] = table.mean(axis=1)
            results[f"std_test_{label}"] = table.std(axis=1)
        seconds = np.array([c.seconds for c in self.candidates])
        return results | {"mean_fit_time": seconds / self._folds}

    def plot(
        self,
        parameters: str | Sequence[str] | None = None,
        path: PathLike | None = None,
        ax: Any = None,
    ) -> np.ndarray:
        """Draw the scores against hyperparameters; see `plot_search`."""
        return plot_search(self, parameters, path=path, ax=ax)

    def __repr__(self) -> str:
        failures = Counter(c.message for c in self.candidates if c.message)
        lines = [f" {count} failed: {why}" for why, count in failures.most_common(5)]
        return "\n".join([search_table(self), *lines])

    def _repr_html_(self) -> str:
        return to_html(self)


def _label(name, direction):
    return name if direction == "max" else f"neg_{name}"


def _folds_of(candidate, place, folds):
    if not candidate.folds or candidate.state == "failed":
        return [float("nan")] * folds
    return [scores[place] for scores in candidate.folds]


def _why_none(candidates):
    messages = dict.fromkeys(c.message for c in candidates if c.message)
    listed = "\n".join(f"* {message}" for message in list(messages)[:5])
    return f"No candidate of {len(candidates)} was trained. They failed:\n{listed}"
