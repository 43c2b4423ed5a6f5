"""A search as sections of a page: ranking, parallel coordinates, effects, curves."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.utils import charts, html
from hornbeam.visualization.curves import HistoryRecorder, groups_of_search
from hornbeam.visualization.results import (
    SearchResults,
    is_number,
    key,
    scale_of,
    short,
    text,
)

_MOST_ROWS = 1000
_MOST_AXES = 12
_MOST_PLACES = 8
_MOST_CURVES = 200
# Columns of a `table()` that are no hyperparameters.
_SCORES = ("score", "mean_score", "mean_test_score", "value", "mean")
_SPREADS = ("std", "spread", "std_score", "std_test_score")
_SECONDS = ("seconds", "fit_time", "mean_fit_time", "duration")
_OTHERS = (
    *("rank", "number", "id", "trial", "trial_id", "status", "state", "message"),
    *(
        "epochs",
        "steps",
        "best_step",
        "history",
        "curves",
        "best",
        "low",
        "high",
        "seeds",
    ),
)


@dataclasses.dataclass
class Candidates:
    """The candidates of a search.

    Attributes:
        params: a dict of hyperparameters for each.
        scores: their scores; NaN of one that has none.
        spread: over the folds; NaN where there is none.
        seconds: of a fit; NaN where it is not known.
        score_name: what the score is.
        direction: 1 where the greatest score is the best, else -1.
        curves: for each the curves of its fits: `{name: values}`.
        best: the row of the best, or None.
        other_scores: `{name: scores}` to show beside the first.
        states: what is said of one without a score. Default: "failed" of each.
    """

    params: list[dict[str, Any]]
    scores: np.ndarray
    spread: np.ndarray
    seconds: np.ndarray
    score_name: str = "score"
    direction: int = 1
    curves: list[list[dict[str, Any]]] = dataclasses.field(default_factory=list)
    best: int | None = None
    other_scores: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    states: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.states = self.states or ["failed"] * len(self.params)
        if self.best is None and not np.isnan(self.scores).all():
            self.best = int(np.nanargmax(self.direction * self.scores))

    def facts(self) -> list[str]:
        """Return what stands at the head of the page."""
        unscored = Counter(self.states[row] for row in np.flatnonzero(self.is_unscored))
        facts = [f"{len(self.params)} candidates"]
        facts += [f"{count} {state}" for state, count in unscored.items()]
        if self.best is not None:
            facts.append(f"best {self.score_name} {self.scores[self.best]:.4f}")
        return facts

    @property
    def is_unscored(self) -> np.ndarray:
        """Which have no score."""
        return np.isnan(self.scores)

    def varying(self) -> list[str]:
        """Return the names of the hyperparameters that differ; all, if none does."""
        names = list(dict.fromkeys(name for p in self.params for name in p))
        differ = [
            name for name in names if len({key(p.get(name)) for p in self.params}) > 1
        ]
        return differ or names

    def strengths(self) -> np.ndarray:
        """Return for each how good it is among them, from 0 to 1; NaN without score."""
        good = self.direction * self.scores
        if np.isnan(good).all():
            return good
        low, high = np.nanmin(good), np.nanmax(good)
        return (good - low) / (high - low) if high > low else good * 0 + 1.0

    def label(self, row: int) -> str:
        """Return a candidate in words."""
        params = self.params[row]
        parts = [f"{short(n)} {text(params.get(n))}" for n in self.varying()]
        words = self.states[row]
        if not self.is_unscored[row]:
            words = f"{self.score_name} {self.scores[row]:.4f}"
        return f"{', '.join(parts)}: {words}"


def candidates_of(thing: Any) -> Candidates | None:
    """Return the candidates of a search or of what has a `table()`, or None."""
    if hasattr(thing, "cv_results_"):
        return _of_search(thing)
    if callable(getattr(thing, "table", None)):
        return _of_table(thing)
    return None


def _of_search(search):
    results = SearchResults(search, "report")
    metric = results.metrics[0]
    curves: list[list[Any]] = []
    scoring = getattr(search, "scoring", None)
    if isinstance(scoring, HistoryRecorder) and scoring.records:
        curves = groups_of_search(results, scoring.records)
    return Candidates(
        results.params,
        results.column("mean_test", metric),
        results.column("std_test", metric),
        results.column("mean_fit", "time"),
        results.label(metric),
        curves=curves,
        best=results.best(metric),
        other_scores={
            name: results.column("mean_test", name) for name in results.metrics[1:]
        },
        states=[results.state(row) for row in range(len(results.params))],
    )


def _of_table(thing):
    table = thing.table()
    rows = table.to_dict("records") if hasattr(table, "to_dict") else list(table)
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError(
            "report(): `table()` is expected to give a dict, or a row of a frame, for "
            f"each candidate. Received: {type(table).__name__} of {len(rows)} rows."
        )
    found = list(dict.fromkeys(name for row in rows for name in row))
    # What was asked for, in the order of importance, with "min" or "max".
    asked = getattr(thing, "directions", None) or {}
    score = next((name for name in (*asked, *_SCORES) if name in found), None)
    if score is None:
        raise ValueError(
            f"report(): `table()` has no column of scores ({', '.join(_SCORES)}). "
            f"Received the columns {found}."
        )
    taken = {score, *asked, *_SPREADS, *_SECONDS, *_OTHERS}
    column = lambda names: np.array(  # noqa: E731
        [_number(next((row[n] for n in names if n in row), None)) for row in rows]
    )
    return Candidates(
        [{n: v for n, v in row.items() if n not in taken} for row in rows],
        column([score]),
        column(_SPREADS),
        column(_SECONDS),
        score,
        _direction(thing, asked.get(score), rows, column([score])),
        [_curves(row, getattr(thing, "candidates", ())) for row in rows],
        other_scores={name: column([name]) for name in asked if name != score},
        states=[_state(row) for row in rows],
    )


def _number(value):
    return float(value) if is_number(value) else np.nan


def _state(row):
    """Return what a row says of its candidate, in lower case: Optuna has FAIL."""
    state = row.get("state", row.get("status")) or "failed"
    return str(getattr(state, "name", state)).lower()


def _direction(thing, asked, rows, scores):
    """Return -1 where the least score is the best: as is said, or as the ranks say."""
    asked = asked or getattr(thing, "direction", None)
    if asked in ("min", "max"):
        return 1 if asked == "max" else -1
    ranks = np.array([_number(row.get("rank")) for row in rows])
    known = ~np.isnan(ranks) & ~np.isnan(scores)
    if known.sum() < 2:
        return 1
    order = scores[known][np.argsort(ranks[known], kind="stable")]
    return -1 if order[0] < order[-1] else 1


def _curves(row, candidates):
    curves = row.get("curves", row.get("history"))
    if curves is None and row.get("number") in range(len(candidates)):
        curves = getattr(candidates[row["number"]], "history", None)
    curves = getattr(curves, "history", curves)
    return [curves] if isinstance(curves, dict) and curves else []


def sections_of_search(found: Candidates) -> list[tuple[str, str]]:
    """Return the ranking, parallel coordinates, effects and learning curves."""
    names = found.varying()
    sections = [("Ranking", _ranking(found, names))]
    if len(found.params) > 1 and names:
        sections.append(("Parallel coordinates", _parallel(found, names)))
        sections.append(("Effects", _effects(found, names)))
    sections.append(("Learning curves", _learning_curves(found)))
    return sections


def _ranking(found, names):
    strengths = found.strengths()
    order = np.argsort(-np.nan_to_num(strengths, nan=-1.0), kind="stable")
    rows = []
    shows_spread = not np.isnan(found.spread).all()
    shows_seconds = not np.isnan(found.seconds).all()
    for rank, row in enumerate(order, 1):
        cells = [int(row), rank, *(text(found.params[row].get(n)) for n in names)]
        is_unscored = found.is_unscored[row]
        score = found.states[row] if is_unscored else f"{found.scores[row]:.4f}"
        cells.append(score)
        cells += [f"± {found.spread[row]:.4f}"] * shows_spread
        cells += [f"{scores[row]:.4f}" for scores in found.other_scores.values()]
        cells += [f"{found.seconds[row]:.3g}"] * shows_seconds
        rows.append([*cells, charts.bar(0.05 + 0.95 * strengths[row])])
    headings = ["candidate", "rank", *map(short, names), found.score_name]
    headings += ["spread"] * shows_spread + [*found.other_scores]
    headings += ["seconds"] * shows_seconds + [""]
    right = [0, 1, *range(2 + len(names), len(headings) - 1)]
    table = html.table(headings, rows, right, _MOST_ROWS, "ranking")
    example = f"words, or {short(names[0]) if names else 'rank'}<…"
    return html.filter_of("ranking", example) + html.scrolled(table)


def _parallel(found, names):
    strengths = found.strengths()
    axes = [(short(n), *_places(found.params, n)) for n in names[:_MOST_AXES]]
    heights = strengths if found.direction == 1 else 1 - strengths
    known = found.scores[~np.isnan(found.scores)]
    ends = [(0.0, f"{known.min():.4g}"), (1.0, f"{known.max():.4g}")] * bool(len(known))
    axes.append((found.score_name, heights, ends))
    tips = [found.label(row) for row in range(len(found.params))]
    picture = charts.parallel("parallel coordinates", axes, strengths, tips)
    note = (
        "A line for each candidate: the stronger, the better. Those without a score "
        "are dotted."
    )
    return f'<div class="hb-faint">{note}</div>{html.scrolled(picture)}'


def _places(params, name):
    """Return where values stand on an axis from 0 to 1, and its ticks."""
    values = [p.get(name) for p in params]
    distinct = list({key(value): value for value in values}.values())
    if all(map(is_number, distinct)):
        distinct = sorted(distinct)
        numbers = np.array(values, float)
        if len(distinct) > _MOST_PLACES and np.ptp(numbers) > 0:
            is_log = scale_of(np.array(distinct, float)) == "log"
            low, high = distinct[0], distinct[-1]
            forward = np.log if is_log else np.asarray
            middle = np.sqrt(low * high) if is_log else (low + high) / 2
            ends = forward(np.array([low, high], float))
            place = lambda x: (forward(x) - ends[0]) / (ends[1] - ends[0])  # noqa: E731
            ticks = [(float(place(x)), text(float(x))) for x in (low, middle, high)]
            return place(numbers), ticks
    of_value = {
        key(value): (number + 0.5) / len(distinct)
        for number, value in enumerate(distinct)
    }
    ticks = [(of_value[key(value)], text(value)) for value in distinct[:40]]
    return np.array([of_value[key(value)] for value in values]), ticks


def _effects(found, names):
    shares = {name: explained(found.params, name, found.scores) for name in names}
    pictures = []
    for name in sorted(names, key=lambda name: -shares[name]):
        places, ticks = _places(found.params, name)
        title = f"{short(name)}: {shares[name]:.0%}"
        pictures.append(
            charts.points(
                title, places, found.scores, ticks, _means(places, found.scores),
                range(len(places)), [found.label(row) for row in range(len(places))],
            )
        )  # fmt: skip
    note = (
        f"{found.score_name} against each hyperparameter. The dashed line is the mean; "
        "the percentage is how much of the variance of the scores the hyperparameter "
        "explains alone (epsilon squared, numbers in at most five groups)."
    )
    row = f'<div class="hb-row">{"".join(pictures)}</div>'
    return f'<div class="hb-faint">{html.escape(note)}</div>{row}'


def _groups(places):
    """Return for each place its group: its value, or one of five of equal size."""
    values = np.unique(places)
    if len(values) <= _MOST_PLACES:
        return np.searchsorted(values, places)
    edges = np.quantile(places, [0.2, 0.4, 0.6, 0.8])
    return np.searchsorted(edges, places)


def _means(places, scores):
    known = ~np.isnan(scores)
    groups = _groups(places)[known]
    places, scores = places[known], scores[known]
    return [
        (float(places[groups == g].mean()), float(scores[groups == g].mean()))
        for g in np.unique(groups)
    ]


def explained(params: Sequence[dict[str, Any]], name: str, scores: np.ndarray) -> float:
    """Return the share of the scores' variance that one hyperparameter explains.

    Epsilon squared of a one-way analysis of variance: (SSB - (k - 1) MSW) / SST for k
    groups (T. L. Kelley, 1935), which does not grow with the number of groups as
    SSB / SST does. At least 0.

    Args:
        params: the hyperparameters of each candidate.
        name: of one of them.
        scores: of the candidates; those that are NaN are left out.
    """
    known = ~np.isnan(scores)
    groups, scores = _groups(_places(params, name)[0])[known], scores[known]
    kinds = np.unique(groups)
    free = len(scores) - len(kinds)
    total = ((scores - scores.mean()) ** 2).sum() if len(scores) else 0.0
    if free <= 0 or len(kinds) < 2 or total == 0:
        return 0.0
    within = sum(
        ((scores[groups == g] - scores[groups == g].mean()) ** 2).sum() for g in kinds
    )
    between = total - within
    return float(max(0.0, (between - (len(kinds) - 1) * within / free) / total))


def _learning_curves(found):
    kept = [row for row, fits in enumerate(found.curves) if fits]
    if not kept:
        return (
            "<div>No curves were kept. A search keeps them with "
            "<code>scoring=keras.visualization.record_histories(...)</code>.</div>"
        )
    strengths = found.strengths()
    kept.sort(key=lambda row: np.nan_to_num(strengths[row], nan=-1.0))
    kept = kept[-_MOST_CURVES:]
    names = dict.fromkeys(n for row in kept for fit in found.curves[row] for n in fit)
    pictures = []
    for name in names:
        lines = [
            (row, found.label(row), mean)
            for row in kept
            if (mean := _mean([fit.get(name) for fit in found.curves[row]])) is not None
        ]
        if lines:
            parts = dict(enumerate(strengths))
            pictures.append(charts.bundle(name, lines, parts))
    return f'<div class="hb-row">{"".join(pictures)}</div>'


def _mean(fits):
    """Return the mean curve of fits, up to the end of the shortest."""
    numbers = [x for x in map(charts.numbers_of, fits) if x is not None]
    if not numbers:
        return None
    shortest = min(map(len, numbers))
    return np.mean([x[:shortest] for x in numbers], axis=0)
