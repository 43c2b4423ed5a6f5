"""The ranking of a search as text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.visualization.results import SearchResults, short, text


def search_table(
    search: Any,
    parameters: str | Sequence[str] | None = None,
    metrics: str | Sequence[str] | None = None,
    rows: int | None = 20,
) -> str:
    """Return the candidates of a search as a table, the best first.

    Args:
        search: a fitted `GridSearchCV` (or another search with `cv_results_`).
        parameters: names to show. Default: those that vary.
        metrics: names of the scores to show; the first one ranks. Default: all, the one
            of `refit` first.
        rows: the number of candidates to show. Default: 20.

    Returns:
        A string: rank, parameters, scores as mean ± standard deviation over the folds,
        the last rung of a halving search, counted from 1, and the seconds of a fit (of
        fits that were trained together, with the joblib backend "hornbeam", without
        compilation).

    >>> import hornbeam as keras
    >>> results = {
    ...     "params": [{"rate": 0.1}, {"rate": 0.3}],
    ...     "mean_test_score": [0.8, 0.9],
    ...     "std_test_score": [0.02, 0.01],
    ...     "mean_fit_time": [0.5, 0.4],
    ... }
    >>> print(keras.visualization.search_table(results))
      rank   rate             score   fit time
     ──────────────────────────────────────────
         1    0.3   0.9000 ± 0.0100    0.400 s
         2    0.1   0.8000 ± 0.0200    0.500 s
    """
    import rich.box
    import rich.console
    import rich.table

    results = SearchResults(search, "search_table")
    names = results.choose(parameters)
    scores = results.choose_metrics(metrics)
    means = results.column("mean_test", scores[0])
    order = results.order(scores)
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD)
    rungs = results.rungs
    last = ["fit time"] if rungs is None else ["rung", "fit time"]
    for heading in ("rank", *map(short, names), *scores, *last):
        table.add_column(heading, justify="right", no_wrap=True)
    seconds = results.column("mean_fit", "time")
    for row in order[:rows]:
        rank = "-" if np.isnan(means[row]) else str(1 + (means > means[row]).sum())
        parts = [text(results.params[row].get(name)) for name in names]
        parts += [_mean_and_spread(results, row, metric) for metric in scores]
        if rungs is not None:
            parts.append(str(rungs[row]))
        table.add_row(rank, *parts, f"{seconds[row]:.3f} s")
    return _rendered(table, 0 if rows is None else len(order) - rows)


def _mean_and_spread(results, row, metric):
    mean = results.column("mean_test", metric)[row]
    if np.isnan(mean):
        return results.state(row)
    return f"{mean:.4f} ± {results.column('std_test', metric)[row]:.4f}"


def _rendered(table, left_out):
    """Return the table as plain text, however wide it is."""
    import rich.console

    file = io.StringIO()
    console = rich.console.Console(file=file, width=10_000, color_system=None)
    console.print(table)
    lines = [line.rstrip() for line in file.getvalue().splitlines() if line.strip()]
    if left_out > 0:
        lines.append(f" ... and {left_out} more")
    return "\n".join(lines)
