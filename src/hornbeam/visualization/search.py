"""Pictures of a hyperparameter search."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from hornbeam.typing import PathLike
from hornbeam.visualization.optional import optional
from hornbeam.visualization.panels import panels, written
from hornbeam.visualization.results import (
    SearchResults,
    is_number,
    scale_of,
    short,
    text,
)

_BEST = {"color": "tab:red", "zorder": 5}
_LINE = "tab:blue"
_COLOURS = "viridis"


def plot_search(
    search: Any,
    parameters: str | Sequence[str] | None = None,
    metrics: str | Sequence[str] | None = None,
    path: PathLike | None = None,
    ax: Any = None,
) -> np.ndarray:
    """Draw the scores of a search against its parameters, one panel per score.

    One parameter gives a line with the spread over the folds (numbers) or a point with
    a bar per value; two give a heat map, or points in a plane where the values form no
    grid; more give parallel coordinates coloured by the mean score. Where parameters
    that are not shown vary too, the best over them is shown. Failed fits (nan) are gaps
    and counted in the title. Needs matplotlib (`pip install 'hornbeam[plot]'`).

    Args:
        search: a fitted `GridSearchCV`, `RandomizedSearchCV` (anything with
            `cv_results_`), or its `cv_results_`.
        parameters: names to show; `"rate"` also finds `"model__rate"`. Default: those
            that vary.
        metrics: names of the scores to draw. Default: all, the one of `refit` first.
        path: where the picture is written (its ending names the format). Default: it
            is not written.
        ax: matplotlib's axes to draw on: as many as there are panels, or one, whose
            place is divided. Default: new ones.

    Returns:
        An array of matplotlib's axes, one for each panel.

    >>> import hornbeam as keras
    >>> results = {
    ...     "params": [{"rate": 0.1}, {"rate": 0.3}],
    ...     "split0_test_score": [0.78, 0.91],
    ...     "split1_test_score": [0.82, 0.89],
    ...     "mean_test_score": [0.8, 0.9],
    ...     "std_test_score": [0.02, 0.01],
    ... }
    >>> (axes,) = keras.visualization.plot_search(results)
    >>> axes.get_xlabel()
    'rate'
    """
    results = SearchResults(search, "plot_search")
    names = results.choose(parameters)
    metrics = results.choose_metrics(metrics)
    draw = {1: _against_one, 2: _against_two}.get(len(names), _parallel_coordinates)
    width = max(5.5, 1.6 * (len(names) + 1))
    size = (width * len(metrics), 4.2)
    drawn = panels("plot_search", ax, size, path, len(metrics))
    for axes, metric in zip(drawn, metrics, strict=True):
        draw(axes, results, names, metric)
        axes.set_title(_title(results, names, metric), fontsize="medium")
    return written(drawn, path)


def _title(results, names, metric):
    """Title the panel: the score, its best value, how many have none."""
    best = results.best(metric)
    lines = [results.label(metric)]
    if best is not None:
        mean = results.column("mean_test", metric)[best]
        spread = results.column("std_test", metric)[best]
        lines[0] += f": best {mean:.4f} ± {spread:.4f}"
    hidden = [short(name) for name in results.varying if name not in names]
    if hidden:
        lines.append(f"the best over {', '.join(hidden)}")
    missing = results.missing(metric)
    return "\n".join([*lines, missing] if missing else lines)


def _against_one(axes, results, names, metric):
    """Draw the mean with the spread over the folds, and each fold as a dot."""
    (name,) = names
    means = results.column("mean_test", metric)
    values, across = results.distinct(name), results.places(name)
    places = _scale_axis(axes.xaxis, values)
    shown = _best_of_each(across, means)
    mean, spread = means[shown], results.column("std_test", metric)[shown]
    axes.plot(places, results.folds(metric)[shown], ".", color="0.65", zorder=1)
    others = np.setdiff1d(np.arange(len(means)), shown)
    axes.plot(places[across[others]], means[others], "_", color=_LINE)
    style = {"color": _LINE, "label": "mean ± std over the folds"}
    if all(map(is_number, values)):
        axes.fill_between(
            places, mean - spread, mean + spread, alpha=0.2, linewidth=0, color=_LINE
        )
        axes.plot(places, mean, "o-", **style)
    else:
        axes.errorbar(places, mean, spread, fmt="o", capsize=4, **style)
        axes.margins(x=0.15)
    unscored = np.isnan(mean)
    if unscored.any():
        # They have a place on the parameter's axis, but not on the scores' axis.
        at_bottom = {"transform": axes.get_xaxis_transform(), "clip_on": False}
        at_bottom |= {"label": results.states(shown[unscored]), "color": "0.4"}
        axes.plot(places[unscored], 0 * places[unscored], "x", **at_bottom)
    best = results.best(metric)
    if best is not None:
        label = f"best: {text(values[across[best]])}"
        place = places[across[best]]
        axes.plot(place, means[best], "*", markersize=14, label=label, **_BEST)
    axes.set_xlabel(short(name))
    axes.set_ylabel(results.label(metric))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")


def _best_of_each(groups, means):
    """Return for each group the candidate with the highest mean."""
    best = np.zeros(groups.max() + 1, int)
    for row in np.argsort(np.where(np.isnan(means), -np.inf, means), kind="stable"):
        best[groups[row]] = row
    return best


def _scale_axis(axis, values):
    """Set scale and ticks of an axis for parameter values; return their places."""
    labels = [text(value) for value in values]
    if not all(map(is_number, values)):
        _name_ticks(axis, labels)
        return np.arange(len(values))
    places = np.array(values, dtype=float)
    scale = scale_of(places)
    if scale != "linear":
        linear = {"linthresh": places[places > 0].min()} if scale == "symlog" else {}
        getattr(axis.axes, f"set_{axis.axis_name}scale")(scale, **linear)
    if len(places) <= 10:
        axis.set_ticks(places, labels)
        axis.set_ticks([], minor=True)
    return places


def _name_ticks(axis, labels):
    """Set a tick for each label; many letters side by side are slanted."""
    axis.set_ticks(range(len(labels)), labels)
    if axis.axis_name == "x" and sum(map(len, labels)) > 50:
        axis.set_tick_params(labelrotation=30)


def _against_two(axes, results, names, metric):
    """Draw a heat map; where fewer than half of the cells have scores, points."""
    across, up = (results.places(name) for name in names)
    grid = np.full((up.max() + 1, across.max() + 1), np.nan)
    np.fmax.at(grid, (up, across), results.column("mean_test", metric))
    cells = zip(up.tolist(), across.tolist(), strict=True)
    states = {cell: results.state(row) for row, cell in enumerate(cells)}
    best = results.best(metric)
    if 2 * len(states) >= grid.size:
        picture = _heat_map(axes, grid, states)
        for axis, name in zip((axes.xaxis, axes.yaxis), names, strict=True):
            values = results.distinct(name)
            _name_ticks(axis, [text(value) for value in values])
        if best is not None:
            _frame(axes, across[best], up[best])
    else:
        picture = _points(axes, results, names, metric, best)
    axes.set_xlabel(short(names[0]))
    axes.set_ylabel(short(names[1]))
    _colour_bar(axes, picture, results.label(metric))


def _heat_map(axes, grid, states):
    """Draw the cells, and their numbers or states if they are not too many."""
    picture = axes.imshow(grid, aspect="auto", origin="lower", cmap=_COLOURS)
    axes.set_facecolor("0.93")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    if max(grid.shape) > 15:
        return picture
    for (y, x), mean in np.ndenumerate(grid):
        unscored = np.isnan(mean)
        note = states.get((y, x), "") if unscored else f"{mean:.3f}"
        # The upper end of the colours is light.
        colour = "black" if unscored or picture.norm(mean) > 0.6 else "white"
        axes.text(x, y, note, ha="center", va="center", color=colour, fontsize=8)
    return picture


def _frame(axes, x, y):
    """Draw a frame around a cell."""
    Rectangle = optional("matplotlib.patches").Rectangle

    frame = Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, clip_on=False)
    frame.set(linewidth=2.5, edgecolor=_BEST["color"])
    axes.add_patch(frame)


def _points(axes, results, names, metric, best):
    """Draw each candidate as a point in the plane of two parameters."""
    x, y = (
        _scale_axis(axis, results.distinct(name))[results.places(name)]
        for axis, name in zip((axes.xaxis, axes.yaxis), names, strict=True)
    )
    means = results.column("mean_test", metric)
    failed = np.isnan(means)
    order = np.argsort(means, kind="stable")[: (~failed).sum()]
    if failed.any():
        label = results.states(np.flatnonzero(failed))
        axes.plot(x[failed], y[failed], "x", color="0.6", label=label)
    style = {"cmap": _COLOURS, "s": 45, "edgecolor": "white", "zorder": 3}
    picture = axes.scatter(x[order], y[order], c=means[order], **style)
    if best is not None:
        axes.plot(x[best], y[best], "*", markersize=16, label="best", **_BEST)
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    return picture


def _colour_bar(axes, picture, label):
    bar = axes.figure.colorbar(picture, ax=axes, pad=0.02, label=f"mean {label}")
    bar.outline.set_visible(False)


def _parallel_coordinates(axes, results, names, metric):
    """Draw each candidate as a curve through its values, up to its score."""
    LineCollection = optional("matplotlib.collections").LineCollection

    means = results.column("mean_test", metric)
    failed = np.isnan(means)
    low, high = (0.0, 1.0) if failed.all() else (np.nanmin(means), np.nanmax(means))
    scores = (means - low) / (high - low or 1.0)
    columns = [
        _column_of_values(axes, x, results, name, scores)
        for x, name in enumerate(names)
    ]
    order = np.argsort(means, kind="stable")[: (~failed).sum()]
    heights = np.stack([*columns, scores], axis=1)
    lines = LineCollection(
        [_curve(row) for row in heights[order]], cmap=_COLOURS, linewidth=1.2
    )
    lines.set_array(means[order])
    lines.set_clim(low, high)
    axes.add_collection(lines)
    for row in heights[failed]:
        axes.plot(*_curve(row[:-1]).T, ":", color="0.6", zorder=1)
    best = results.best(metric)
    if best is not None:
        curve = _curve(heights[best])
        label = _best_in_words(results, names, metric, best)
        axes.plot(*curve.T, linewidth=2.5, label=label, **_BEST)
        axes.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.1))
    axes.vlines(range(len(names) + 1), 0, 1, color="0.3", linewidth=1, zorder=4)
    headings = [*map(short, names), results.label(metric)]
    axes.set_xticks(range(len(headings)), map(_in_lines, headings))
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlim(-0.05, len(names) + 0.02)
    axes.set_ylim(0, 1)
    _colour_bar(axes, lines, results.label(metric))


def _best_in_words(results, names, metric, best):
    """Name the metric, its best value and the parameters, in lines as wide as fits."""
    mean = results.column("mean_test", metric)[best]
    params = results.params[best]
    parts = [f"{short(name)} {text(params.get(name))}" for name in names]
    words = f"best {results.label(metric)} {mean:.4f}: {', '.join(parts)}"
    return textwrap.fill(words, width=20 * (len(names) + 1))


def _in_lines(name):
    """Break a long name at an underscore near its middle."""
    places = [i for i, letter in enumerate(name) if letter == "_"]
    if len(name) <= 18 or not places:
        return name
    place = min(places, key=lambda i: abs(2 * i - len(name)))
    return f"{name[: place + 1]}\n{name[place + 1 :]}"


def _column_of_values(axes, x, results, name, scores):
    """Write the values beside an axis of parallel coordinates; return the heights."""
    values, places = results.distinct(name), results.places(name)
    if len(values) <= 8 or not all(map(is_number, values)):
        ticks = (np.arange(len(values)) + 0.5) / len(values)
        labels = values
        # Curves through one value lie beside each other in order of their scores.
        width = min(0.5 / len(values), 0.1)
        heights = ticks[places] + width * (np.nan_to_num(scores) - 0.5)
    else:
        numbers = np.array(values, dtype=float)
        labels, forward = _round_numbers(numbers)
        low, high = forward(numbers[[0, -1]])
        ticks = (forward(labels) - low) / (high - low)
        heights = ((forward(numbers) - low) / (high - low))[places]
    for tick, label in zip(ticks, labels, strict=True):
        axes.annotate(
            text(label),
            (x, tick),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            zorder=6,
            bbox={"boxstyle": "round,pad=0.15", "color": "white", "alpha": 0.8},
        )
    return heights


def _round_numbers(numbers):
    """Return ticks for an axis of sorted numbers, and the function of its scale."""
    LogLocator = optional("matplotlib.ticker").LogLocator
    MaxNLocator = optional("matplotlib.ticker").MaxNLocator

    ends = numbers[0], numbers[-1]
    is_log = scale_of(numbers) == "log"
    locator = LogLocator(numticks=7) if is_log else MaxNLocator(5)
    ticks = locator.tick_values(*ends)
    inside = ticks[(ticks >= ends[0]) & (ticks <= ends[1])]
    return inside, np.log if is_log else np.asarray


def _curve(heights):
    """Return the points (x, y) of a smooth curve through one height per column."""
    x = np.linspace(0, len(heights) - 1, 24 * (len(heights) - 1) + 1)
    left = np.minimum(x.astype(int), len(heights) - 2)
    part = (1 - np.cos(np.pi * (x - left))) / 2
    y = heights[left] * (1 - part) + heights[left + 1] * part
    return np.stack([x, y], axis=1)
