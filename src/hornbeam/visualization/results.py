"""The results of a scikit-learn search, read from its `cv_results_`."""

from __future__ import annotations

import inspect
import numbers
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.core.errors import did_you_mean
from hornbeam.typing import Config


class SearchResults:
    """The candidates of a search and their scores.

    A candidate that was measured several times (successive halving, a sampler that asks
    for it again) counts as it was measured with the most resources.

    Args:
        search: a fitted search, or its `cv_results_`.
        caller: the name of the public function, for errors.

    Attributes:
        params: a dict for each candidate.
        metrics: the names of the scores; of one nameless score `["score"]`.
        varying: the names of the parameters that differ among candidates.
    """

    def __init__(self, search: Any, caller: str):
        results = getattr(search, "cv_results_", search)
        if not hasattr(results, "keys") or "params" not in results:
            raise ValueError(
                f"{caller}(): expected a fitted search with `cv_results_`, such as "
                f"GridSearchCV, received {type(search).__name__}. Was its `fit` called?"
            )
        self._caller = caller
        self._rows = _one_of_each(results)
        self._results = results
        scoring = getattr(search, "scoring", None)
        self._scoring = getattr(scoring, "scoring", scoring)  # of a HistoryRecorder
        self._chosen = getattr(search, "best_index_", None)
        self.params: list[Config] = [results["params"][row] for row in self._rows]
        start = "mean_test_"
        names = [key[len(start) :] for key in results if key.startswith(start)]
        chosen = getattr(search, "refit", None)
        # The score by which the search chose comes first.
        self.metrics: list[str] = sorted(names, key=lambda name: name != chosen)
        names = dict.fromkeys(name for params in self.params for name in params)
        self.varying: list[str] = [
            name for name in names if len(self.distinct(name)) > 1
        ]

    def column(self, start: str, metric: str = "score") -> np.ndarray:
        """Return e.g. `column("mean_test", "accuracy")`, one number per candidate."""
        values = np.ma.filled(np.ma.asarray(self._results[f"{start}_{metric}"]), np.nan)
        return values.astype(float)[self._rows]

    def of_candidates(self, values: Sequence[Any]) -> list[Any]:
        """Return those values, one per row of the results, that candidates have."""
        return [values[row] for row in self._rows]

    @property
    def rungs(self) -> np.ndarray | None:
        """At which rung of a halving search, from 1, each candidate was measured last.

        None: there is one rung for all.
        """
        if "iter" not in self._results:
            return None
        rungs = 1 + np.asarray(self._results["iter"])[self._rows]
        return rungs if len(np.unique(rungs)) > 1 else None

    def state(self, candidate: int) -> str:
        """Return the word for a candidate that has no score."""
        states = self._results.get("state")
        return "failed" if states is None else states[self._rows[candidate]]

    def unscored(self, metric: str) -> str:
        """Return how many candidates have no score and why, in words, or ""."""
        rows = np.flatnonzero(np.isnan(self.column("mean_test", metric)))
        counts = Counter(map(self.state, rows.tolist()))
        return ", ".join(f"{count} {state}" for state, count in counts.items())

    def missing(self, metric: str) -> str:
        """Return how many candidates, or fits, have no score, in words, or ""."""
        if "state" in self._results:
            unscored = self.unscored(metric)
            return unscored and f"of {len(self._rows)} candidates {unscored}"
        folds = self.folds(metric)
        failed = np.isnan(folds).sum()
        return f"{failed} of {folds.size} fits failed" if failed else ""

    def states(self, candidates: np.ndarray) -> str:
        """Return the words for candidates that have no score, each once."""
        return " or ".join(dict.fromkeys(map(self.state, candidates.tolist())))

    def order(self, metrics: Sequence[str]) -> np.ndarray:
        """Return the candidates, the best first, ties by the next score, nan last."""
        columns = [-self.column("mean_test", metric) for metric in metrics]
        return np.lexsort(columns[::-1])

    def folds(self, metric: str) -> np.ndarray:
        """Return the scores of shape (candidates, folds)."""
        columns: list[np.ndarray] = []
        while f"split{len(columns)}_test_{metric}" in self._results:
            columns.append(self.column(f"split{len(columns)}_test", metric))
        return np.stack(columns, axis=1)

    def label(self, metric: str) -> str:
        """Return the score's name, or its scorer's if it has none."""
        if metric == "score" and isinstance(self._scoring, str):
            return self._scoring
        return metric

    def best(self, metric: str) -> int | None:
        """Return the index of the search's choice, or of the highest mean, or None."""
        if metric == self.metrics[0] and self._chosen in self._rows:
            return self._rows.index(self._chosen)
        means = self.column("mean_test", metric)
        return None if np.isnan(means).all() else int(np.nanargmax(means))

    def values(self, name: str) -> list[Any]:
        """Return the parameter of each candidate; None where it has none."""
        return [params.get(name) for params in self.params]

    def distinct(self, name: str) -> list[Any]:
        """Return the parameter's values, each once, numbers in order."""
        values = list({key(value): value for value in self.values(name)}.values())
        return sorted(values) if all(map(is_number, values)) else values

    def places(self, name: str) -> np.ndarray:
        """Return for each candidate where its value is in `distinct(name)`."""
        order = {key(value): i for i, value in enumerate(self.distinct(name))}
        return np.array([order[key(value)] for value in self.values(name)])

    def choose(self, parameters: str | Sequence[str] | None) -> list[str]:
        """Return the parameters to show: the requested ones, else those that vary."""
        names = list(dict.fromkeys(name for params in self.params for name in params))
        if not names:
            raise ValueError(
                f"{self._caller}(): the candidates of this search have no parameters."
            )
        if isinstance(parameters, str):
            parameters = [parameters]
        usual = self.varying or names[: 1 if len(self.params) > 1 else None]
        return [self._find("parameter", names, name) for name in parameters or usual]

    def choose_metrics(self, metrics: str | Sequence[str] | None) -> list[str]:
        """Return the scores to show: the requested ones, else all."""
        if isinstance(metrics, str):
            metrics = [metrics]
        return [
            self._find("score", self.metrics, name) for name in metrics or self.metrics
        ]

    def _find(self, what, names, name):
        """Return the name in full; `dropout_rate` also finds `model__dropout_rate`."""
        ends = [full for full in names if full.endswith(f"__{name}")]
        if name in names or len(ends) == 1:
            return name if name in names else ends[0]
        raise ValueError(
            f"{self._caller}(): there is no {what} {name!r} in the search. It has "
            f"{names}.{did_you_mean(name, names)}"
        )


def is_number(value: Any) -> bool:
    """Whether a parameter's value has a place on an axis of numbers."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def scale_of(places: np.ndarray) -> str:
    """Return "log" for numbers over decades, "symlog" if zero is among them."""
    positive = np.sort(places[places > 0])
    if (places < 0).any() or not len(positive) or positive[-1] < 100 * positive[0]:
        return "linear"
    # Half of the numbers lie in the lowest part: of evenly spread ones half do not.
    if positive[(len(positive) - 1) // 2] > positive[-1] / 4:
        return "linear"
    return "log" if len(positive) == len(places) else "symlog"


def text(value: Any) -> str:
    """Return a short text for a parameter's value."""
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    shown = getattr(value, "__name__", None) or str(value)
    if hasattr(value, "get_config") and not isinstance(value, type):
        shown = _call(value)
    elif shown.startswith("<") and type(value).__repr__ is object.__repr__:
        shown = type(value).__name__
    return shown if len(shown) <= 24 else shown[:23] + "…"


def _call(value):
    """Return an object's class and its arguments that differ from the defaults."""
    parameters = inspect.signature(type(value)).parameters.values()
    config = value.get_config()
    parts = [
        text(config[p.name]) if place == 0 else f"{p.name}={text(config[p.name])}"
        for place, p in enumerate(parameters)
        if p.name not in ("name", "dtype")
        and p.name in config
        and repr(config[p.name]) != repr(p.default)
    ]
    return (
        f"{type(value).__name__}({', '.join(parts)})" if parts else type(value).__name__
    )


def short(name: str) -> str:
    """Return a parameter's name without the `step__` prefixes."""
    return name.rsplit("__", 1)[-1]


def key(value: Any) -> Any:
    """Return what is equal for equal values: 1 and 1.0 are, 1 and True are not."""
    if is_number(value):
        return "number", "nan" if value != value else value
    try:
        hash(value)
    except TypeError:
        return type(value).__name__, repr(value)
    if hasattr(value, "get_config") and not isinstance(value, type):
        return type(value).__name__, repr(value.get_config())
    return type(value).__name__, value


def _one_of_each(results):
    """Return a row of each candidate, in order of their first rows.

    That of the last rung; of several of this rung the best, as a search chose. Where
    rungs are unknown that is the last row.
    """
    params = list(results["params"])
    order = np.arange(len(params))
    if "iter" in results:
        name = next(name for name in results if name.startswith("mean_test_"))
        means = np.nan_to_num(np.ma.filled(results[name], np.nan), nan=-np.inf)
        order = np.lexsort([means, results["iter"]]).argsort()
    rows: dict[Any, int] = {}
    for row, candidate in enumerate(params):
        candidate_key = tuple(
            (name, key(candidate[name])) for name in sorted(candidate)
        )
        known = rows.setdefault(candidate_key, row)
        rows[candidate_key] = max(known, row, key=order.item)
    return list(rows.values())
