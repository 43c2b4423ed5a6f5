"""Learning curves of many fits in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.core.errors import did_you_mean, shown
from hornbeam.typing import Config, PathLike
from hornbeam.visualization.optional import optional
from hornbeam.visualization.panels import panels, written
from hornbeam.visualization.results import SearchResults, key, short, text

_MOST_NAMES = 12  # more curves than this get a colour bar


class HistoryRecorder:
    """A scorer that also keeps the history of each fitted estimator that it scores.

    Attributes:
        records: pairs `(parameters, curves)`, one for each fit.
    """

    def __init__(self, scoring: Any = None):
        self.scoring = scoring
        self.records: list[tuple[Config, Any]] = []

    def __call__(self, estimator: Any, *arguments: Any, **keywords: Any) -> Any:
        """Score the estimator as `scoring` says, and keep its history."""
        check_scoring = optional("sklearn.metrics", "sklearn").check_scoring

        curves = _curves(estimator)
        # With `return_train_score` the same fit comes twice.
        if all(curves is not other for _, other in self.records):
            self.records.append((estimator.get_params(), curves))
        scorer = check_scoring(estimator, self.scoring)
        return scorer(estimator, *arguments, **keywords)


def record_histories(scoring: Any = None) -> HistoryRecorder:
    """Return a scorer for a search that keeps every fit's history.

    A search keeps its scores and its best estimator only. With
    `GridSearchCV(estimator, grid, scoring=record_histories("accuracy"))` the learning
    curves of all fits can be drawn: `plot_learning_curves(search)`. The fits must run
    in this process (`n_jobs=1`, threads, or the "hornbeam" backend).

    Args:
        scoring: what the scorer returns, as in scikit-learn. Default: the estimator's
            own `score`.

    >>> import hornbeam as keras
    >>> keras.visualization.record_histories("accuracy").records
    []
    """
    return HistoryRecorder(scoring)


def plot_learning_curves(
    source: Any,
    metrics: str | Sequence[str] | None = None,
    path: PathLike | None = None,
    ax: Any = None,
) -> np.ndarray:
    """Draw the curves of many fits, one panel per metric, validation dashed.

    The folds of a search's candidate are thin lines and their mean a thick one. More
    than twelve candidates are coloured by their mean test score. Needs matplotlib
    (`pip install 'hornbeam[plot]'`).

    Args:
        source: a search whose `scoring` is `record_histories(...)`; what
            `cross_validate(..., return_estimator=True)` returned; a dict from a name to
            a history; or a list of histories. A history is what `fit` returned, its
            `history` dict, or a fitted estimator with `history_`.
        metrics: names to draw. Default: all, without their `val_` twins.
        path: where the picture is written (its ending names the format). Default: it
            is not written.
        ax: matplotlib's axes to draw on: as many as there are panels, or one, whose
            place is divided. Default: new ones.

    Returns:
        An array of matplotlib's axes, one for each panel.

    >>> import hornbeam as keras
    >>> curves = {"0.1": {"loss": [3, 2, 1]}, "0.5": {"loss": [3, 2.5, 2]}}
    >>> (axes,) = keras.visualization.plot_learning_curves(curves)
    >>> [line.get_label() for line in axes.get_lines()]
    ['0.1', '0.5']
    """
    groups, scores = _groups(source)
    recorded = dict.fromkeys(name for _, fits in groups for fit in fits for name in fit)
    if isinstance(metrics, str):
        metrics = [metrics]
    names = metrics or [name for name in recorded if not name.startswith("val_")]
    for name in names:
        if name not in recorded:
            raise ValueError(
                f"plot_learning_curves(): there is no {name!r} in the histories. They "
                f"have {sorted(recorded)}.{did_you_mean(name, recorded)}"
            )
    if not names:
        raise ValueError("plot_learning_curves(): the histories are empty.")
    size = (5.5 * len(names), 4.2)
    drawn = panels("plot_learning_curves", ax, size, path, len(names))
    colours, bar = _colours(len(groups), scores)
    for axes, name in zip(drawn, names, strict=True):
        for (label, fits), colour in zip(groups, colours, strict=True):
            _draw(axes, [fit.get(name) for fit in fits], color=colour, label=label)
            validation = [fit.get(f"val_{name}") for fit in fits]
            _draw(axes, validation, color=colour, linestyle="--")
        axes.set_xlabel("epoch")
        axes.set_title(name, fontsize="medium")
        axes.grid(alpha=0.3)
    if bar is not None:
        drawn[0].figure.colorbar(bar, ax=list(drawn), pad=0.02, label="mean test score")
    elif len(groups) <= _MOST_NAMES:
        drawn[-1].legend(fontsize="small", title=_title(source))
    return written(drawn, path)


def _draw(axes, fits, **style):
    """Draw the fits of one group: each thin, and the mean of several thick."""
    fits = [np.asarray(values, dtype=float) for values in fits if values is not None]
    if not fits:
        return
    if len(fits) > 1:
        for values in fits:
            epochs = np.arange(1, len(values) + 1)
            axes.plot(epochs, values, alpha=0.35, linewidth=0.7, color=style["color"])
    # Fits that stopped early have no mean with the others after their end.
    shortest = min(map(len, fits))
    mean = np.mean([values[:shortest] for values in fits], axis=0)
    marker = "o" * (shortest < 2)
    axes.plot(np.arange(1, shortest + 1), mean, marker=marker, **style)


def _colours(count, scores):
    """Return a colour for each group, and what a colour bar needs or None."""
    colormaps = optional("matplotlib").colormaps
    ScalarMappable = optional("matplotlib.cm").ScalarMappable
    Normalize = optional("matplotlib.colors").Normalize

    if count <= _MOST_NAMES or scores is None or np.isnan(scores).all():
        return colormaps["viridis"](np.linspace(0, 0.9, count)), None
    bar = ScalarMappable(Normalize(np.nanmin(scores), np.nanmax(scores)), "viridis")
    return bar.to_rgba(scores), bar


def _groups(source):
    """Return pairs `(label, curves of its fits)`, and the groups' scores or None."""
    recorder = getattr(source, "scoring", None)
    if isinstance(recorder, HistoryRecorder):
        results = SearchResults(source, "plot_learning_curves")
        return _groups_of_search(results, groups_of_search(results, recorder.records))
    if hasattr(source, "candidates"):
        results = SearchResults(source, "plot_learning_curves")
        histories = [candidate.histories for candidate in source.candidates]
        return _groups_of_search(results, results.of_candidates(histories))
    if hasattr(source, "cv_results_"):
        raise ValueError(
            "plot_learning_curves(): this search has kept no histories. Make it with "
            "scoring=hornbeam.visualization.record_histories(...)."
        )
    if isinstance(source, dict) and "estimator" in source:
        source = {f"fold {i + 1}": x for i, x in enumerate(source["estimator"])}
    if not isinstance(source, dict | list | tuple):
        raise TypeError(
            "plot_learning_curves() expects a search, a dict from names to histories, "
            f"or a list of histories. Received: {shown(source)} (of type "
            f"{type(source).__name__})"
        )
    if not isinstance(source, dict):
        source = {str(i + 1): x for i, x in enumerate(source)}
    return [(str(name), [_curves(x)]) for name, x in source.items()], None


def _groups_of_search(results, groups):
    """Return candidates with the curves of their fits, the worst candidate first."""
    if not any(groups):
        raise ValueError(
            "plot_learning_curves(): no history was recorded. The fits must run in "
            'this process: n_jobs=1, threads, or joblib\'s backend "hornbeam".'
        )
    names = results.choose(None)
    labels = [
        ", ".join(text(params.get(name)) for name in names) for params in results.params
    ]
    scores = results.column("mean_test", results.metrics[0])
    keep = [row for row in range(len(groups)) if groups[row]]
    if len(keep) > _MOST_NAMES:
        keep.sort(key=lambda row: np.nan_to_num(scores[row], nan=-np.inf))
    return [(labels[row], groups[row]) for row in keep], scores[keep]


def groups_of_search(
    results: SearchResults, records: Sequence[tuple[Config, Any]]
) -> list[list[Any]]:
    """Return for each candidate of a search the curves that were recorded of it."""
    groups: list[list[Any]] = [[] for _ in results.params]
    for params, curves in records:
        for fits, candidate in zip(groups, results.params, strict=True):
            if all(key(params[name]) == key(x) for name, x in candidate.items()):
                fits.append(curves)
    return groups


def _title(source):
    """Return what heads the legend: the parameters of a search."""
    if not hasattr(source, "cv_results_"):
        return None
    names = SearchResults(source, "plot_learning_curves").choose(None)
    return ", ".join(map(short, names))


def _curves(source):
    """Return the dict of curves of a history, an estimator or a pipeline of it."""
    if hasattr(source, "steps"):
        source = source.steps[-1][1]
    history = getattr(source, "history_", source)
    curves = getattr(history, "history", history)
    if not isinstance(curves, dict):
        raise ValueError(
            "plot_learning_curves(): expected a history (of `fit`, or an estimator's "
            f"`history_`), received {type(source).__name__}."
        )
    return curves
