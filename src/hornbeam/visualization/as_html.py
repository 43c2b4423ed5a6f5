"""Models, layers, histories, searches and files as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from hornbeam.callbacks.history import History
from hornbeam.core.errors import shown
from hornbeam.core.replacing import file_to_write
from hornbeam.graph.operation import type_name
from hornbeam.layers.layer import Layer
from hornbeam.models.model import Model
from hornbeam.saving.inspection import FileReport
from hornbeam.typing import PathLike
from hornbeam.utils import charts, html, summary_utils
from hornbeam.visualization import drawing
from hornbeam.visualization.model_graph import (
    Shows,
    graph_of,
    nested_models,
)
from hornbeam.visualization.results import SearchResults, short, text

# A drawing of more layers is folded, and made only where it is asked for.
_MOST_BOXES = 1000
_SHOWS = Shows(shapes=True)


def to_html(thing: Any, path: PathLike | None = None) -> str:
    """Return HTML that shows a model, a layer, a history, a search or a file's report.

    It is what notebooks show of them. It is whole in itself (nothing is loaded from
    elsewhere), follows the light or dark theme, and nested models can be folded.

    Args:
        thing: a model (its drawing, shapes, parameters and layers), a layer (its
            settings and weights), what `fit` returned (its curves), a search with
            `cv_results_` (its ranking), or what `keras.saving.inspect` returned.
        path: where it is written, as a page. Default: it is not written.

    >>> import hornbeam as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> "(None, 3) → (None, 2)" in keras.visualization.to_html(model)
    True
    """
    for kind, name_of, parts_of in _KINDS:
        if isinstance(thing, kind):
            content = html.block(*parts_of(thing))
            if path is not None:
                page = html.page(str(name_of(thing)), content)
                file_to_write("to_html()", "path", path).write_text(page, "utf-8")
            return content
    raise TypeError(
        "to_html() shows a model, a layer, a History, a fitted search or a FileReport. "
        f"Received: {shown(thing)} (of type {type(thing).__name__})"
    )


def _of_model(model):
    facts = [_parameters(model)]
    if model.compiled:
        facts.append(_compiled(model))
    yield html.head(model.name, type_name(model), *facts)
    yield from _parts_of_model(model, set())


def parts_of_model(model: Model) -> Iterator[str]:
    """Yield facts, the drawing, the models inside and the table of the layers."""
    yield f"<div>{html.escape(_parameters(model))}</div>"
    yield from _parts_of_model(model, set())


def _parts_of_model(model, seen):
    seen.add(id(model))
    graph = graph_of(model, _SHOWS)
    if any(box.operation is not model for box in graph.boxes):
        drawn = f"{len(graph.boxes)} boxes are too many to be drawn here."
        if len(graph.boxes) <= _MOST_BOXES:
            placed = drawing.place(graph)
            label = f"{graph.name} ({graph.kind})"
            drawn = html.scrolled(drawing.to_svg(placed, label, theme=None))
        yield html.folded("Graph", drawn, is_open=True)
    for inner in nested_models(model):
        if id(inner) not in seen:
            title = f"{inner.name} ({type_name(inner)}), {_parameters(inner)}"
            yield html.folded(title, "".join(_parts_of_model(inner, seen)))
    headings, rows = summary_utils.summary_table(model, show_trainable=True)
    table = html.table(headings, rows, numbers=[2])
    yield html.folded(f"{len(model.layers)} layers", html.scrolled(table))


def _compiled(model):
    """Return what the model was compiled with."""
    parts = []
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        parts.append(type(optimizer).__name__)
    loss = getattr(model, "loss", None)
    if loss is not None:
        parts.append(str(getattr(loss, "__name__", getattr(loss, "name", loss))))
    return f"compiled with {', '.join(parts)}" if parts else "compiled"


def _parameters(layer):
    if not layer.built:
        return "not built"
    total = layer.count_params()
    trained = sum(int(np.prod(v.shape)) for v in layer.trainable_weights)
    frozen = f", {total - trained:,} not trained" if trained != total else ""
    return f"{total:,} parameters{frozen}"


def _of_layer(layer):
    yield html.head(layer.name, type_name(layer), _parameters(layer))
    settings = [
        (name, shown(value))
        for name, value in _config_of(layer).items()
        if name not in ("name", "trainable", "dtype")
    ]
    shapes = [("output shape", summary_utils.output_shape(layer))]
    rows = [*shapes, ("dtype", layer.dtype_policy.name), *settings]
    yield html.table(["setting", "value"], rows)
    if layer.weights:
        weights = [
            (v.path, str(tuple(v.shape)), v.dtype, "yes" if v.trainable else "no")
            for v in layer.weights
        ]
        headings = ["weight", "shape", "dtype", "trained"]
        yield html.folded(f"{len(weights)} weights", html.table(headings, weights))


def _config_of(layer):
    """Return the layer's config with names for objects; {} if it has none."""
    try:
        config = layer.get_config()
    except Exception:
        # A user's layer without a config must not make the picture fail.
        return {}
    return {name: _setting(value) for name, value in config.items()}


def _setting(value):
    is_object = isinstance(value, dict) and "class_name" in value
    return value["class_name"] if is_object else value


def _of_history(history):
    epochs = len(history.epoch)
    yield html.head("History", f"{epochs} epoch{'s' * (epochs != 1)}")
    yield from parts_of_history(history)


def parts_of_history(history: History) -> Iterator[str]:
    """Yield the curves and their numbers."""
    curves = history.history
    yield charts.history_charts(history.epoch, curves)
    numbers = {name: charts.numbers_of(values) for name, values in curves.items()}
    rows = [
        (name, *(f"{x:.4g}" for x in _ends(values)))
        for name, values in numbers.items()
        if values is not None
    ]
    headings = ["", "first", "last", "least", "greatest"]
    yield html.folded("Numbers", html.table(headings, rows, numbers=[1, 2, 3, 4]))


def _ends(numbers):
    finite = numbers[np.isfinite(numbers)]
    finite = finite if len(finite) else np.array([np.nan])
    return numbers[0], numbers[-1], finite.min(), finite.max()


def _of_search(search):
    results = SearchResults(search, "to_html")
    metric = results.metrics[0]
    means = results.column("mean_test", metric)
    spread = results.column("std_test", metric)
    names = results.choose(None)
    order = results.order(results.metrics)
    unscored = results.unscored(metric)
    facts = [f"{len(means)} candidates", *([unscored] if unscored else [])]
    best = results.best(metric)
    if best is not None:
        facts.append(f"best {results.label(metric)} {means[best]:.4f}")
    yield html.head(type(search).__name__, "", *facts)
    low, high = np.nanmin(means, initial=np.inf), np.nanmax(means, initial=-np.inf)
    rows = []
    for rank, row in enumerate(order):
        score = results.state(row) if np.isnan(means[row]) else f"{means[row]:.4f}"
        part = (means[row] - low) / (high - low) if high > low else 1.0
        values = [text(results.params[row].get(name)) for name in names]
        bar = charts.bar(0.05 + 0.95 * part)
        rows.append([rank + 1, *values, score, f"± {spread[row]:.4f}", bar])
    headings = ["rank", *map(short, names), results.label(metric), "over folds", ""]
    count = len(names)
    table = html.table(headings, rows, numbers=[0, count + 1, count + 2], most=50)
    yield html.scrolled(table)


def _of_file(report):
    version = f"version {report.keras_version} of Keras" * bool(report.keras_version)
    yield html.head(Path(report.path).name, report.format, version)
    for warning in report.warnings:
        yield f'<div class="hb-warning">warning: {html.escape(warning)}</div>'
    if report.custom_objects:
        needed = ", ".join(report.custom_objects)
        yield f"<div>custom_objects needed: {html.escape(needed)}</div>"
    if report.layers:
        table = html.table(["layer", "class"], report.layers)
        yield html.folded(f"{len(report.layers)} layers", html.scrolled(table), True)
    if report.arrays:
        numbers = sum(int(np.prod(shape)) for _, shape, _ in report.arrays)
        rows = [(name, str(shape), dtype) for name, shape, dtype in report.arrays]
        table = html.table(["array", "shape", "dtype"], rows)
        title = f"{len(rows)} arrays, {numbers:,} numbers"
        yield html.folded(title, html.scrolled(table))


@runtime_checkable
class _Search(Protocol):
    cv_results_: Any


_KINDS: list[tuple[Any, Any, Any]] = [
    (Model, lambda model: model.name, _of_model),
    (Layer, lambda layer: layer.name, _of_layer),
    (History, lambda history: "History", _of_history),
    (FileReport, lambda report: report.path, _of_file),
    (_Search, lambda search: type(search).__name__, _of_search),
]
