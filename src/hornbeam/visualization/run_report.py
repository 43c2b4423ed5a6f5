"""A page for a run: a trained model, or a search."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.callbacks.history import History
from hornbeam.core.errors import shown
from hornbeam.core.replacing import file_to_write
from hornbeam.core.version import version
from hornbeam.diagnosis.flops import count_flops
from hornbeam.diagnosis.speed import explain_speed
from hornbeam.graph.operation import type_name
from hornbeam.models.model import Model
from hornbeam.typing import PathLike
from hornbeam.utils import charts, html, seeds
from hornbeam.visualization.as_html import parts_of_history, parts_of_model
from hornbeam.visualization.report_data import rows_of, sections_of_data
from hornbeam.visualization.report_search import candidates_of, sections_of_search

Sections = list[tuple[str, str]]
_MOST_TIMED = 50  # more layers are not timed unless it is asked for


def report(
    model_or_search: Any,
    history: Any = None,
    data: Any = None,
    path: PathLike = "report.html",
    speed: bool | None = None,
) -> Path:
    """Write one HTML file that shows a run: a trained model, or a search.

    Of a model it has the drawing, the curves, the time per epoch and where it went, the
    confusion matrix or the errors, the worst examples, settings, versions and seeds. Of
    a search it has the ranking, which sorts and filters, parallel coordinates, the
    effect of each hyperparameter and learning curves, and then the best model. The file
    is whole in itself: nothing is loaded from elsewhere.

    Args:
        model_or_search: a model, a fitted estimator or search (anything with
            `cv_results_`), or a tuner whose `table()` lists candidates.
        history: what `fit` returned, or its `history` dict. Default: that of the last
            `fit`.
        data: what is predicted for the page: `(x, y)`, or what else `evaluate` takes.
            At most 10,000 rows, spread over arrays, or the first of a source of
            batches. Default: nothing is predicted.
        path: where the file is written. Default: "report.html".
        speed: whether the layers of a compiled model are timed on rows of `data`, as
            `keras.utils.explain_speed` does, which takes seconds. Default: for up to 50
            layers.

    Returns:
        The path.

    >>> import hornbeam as keras, tempfile
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> curves = {"loss": [3.0, 2.0, 1.0]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keras.visualization.report(model, curves, path=f"{folder}/run.html").name
    'run.html'
    """
    path = file_to_write("report()", "path", path)
    if isinstance(data, tuple | list) and len(data) == 0:
        raise ValueError("report() expects `data` to be (x, y). Received: data=()")
    candidates = candidates_of(model_or_search)
    estimator = _estimator_of(model_or_search)
    model = getattr(estimator, "model_", estimator)
    if not isinstance(model, Model):
        if candidates is None:
            raise TypeError(
                "report() writes a page of a model, a fitted estimator, a search with "
                f"`cv_results_`, or a tuner with `table()`. Received: "
                f"{shown(model_or_search)} (of type {type(model_or_search).__name__})"
            )
        model = estimator = None
    parts: Sections = []
    if candidates is not None:
        title = type(model_or_search).__name__
        head = html.head(title, "", *candidates.facts())
        parts += sections_of_search(candidates)
    if model is not None:
        if candidates is None:
            title, head = model.name, html.head(model.name, type_name(model))
        name = "Model" if candidates is None else "Best model"
        parts += sections_of_model(model, _history_of(estimator, history), name)
        if data is not None:
            rows = rows_of(estimator, data)
            parts += sections_of_data(estimator, rows)
            if estimator is model and _is_timed(model, rows, speed):
                parts.append(("Time by layer", _speed_of(model, rows)))
        parts.append(("Settings", settings_of(model)))
    parts.append(("Versions and seeds", versions_of(model)))
    page = html.page(title, f"<main>{head}{html.sections(parts)}</main>")
    path.write_text(page, "utf-8")
    return path


def _estimator_of(thing):
    """Return the model, or the estimator that holds one, of what a report is about."""
    best = getattr(thing, "best_estimator_", thing)
    if hasattr(best, "steps"):  # a pipeline
        return best.steps[-1][1] if best is thing else _Piped(best)
    if isinstance(getattr(type(thing), "best_model", None), property | cached_property):
        return thing.best_model
    if hasattr(thing, "get_best_models"):
        return next(iter(thing.get_best_models(1)), None)
    return best


class _Piped:
    """A fitted pipeline that ends with a network's estimator."""

    def __init__(self, pipeline):
        self._pipeline = pipeline
        self._last = pipeline.steps[-1][1]

    def __getattr__(self, name):
        found = getattr(self._last, name)
        return getattr(self._pipeline, name) if callable(found) else found


def _history_of(estimator, history):
    """Return a History or a dict of curves; None if there is none."""
    if history is None:
        model = getattr(estimator, "model_", estimator)
        history = getattr(model, "history", None)
        history = history or getattr(estimator, "history_", None)
    if history is None or isinstance(history, History):
        return history
    curves = getattr(history, "history", history)
    if not isinstance(curves, dict):
        raise TypeError(
            "report() expects as `history` what `fit` returned, or its `history` dict. "
            f"Received: {shown(history)} (of type {type(history).__name__})"
        )
    kept = History()
    kept.history = curves
    kept.epoch = list(range(max((len(v) for v in curves.values()), default=0)))
    return kept


def sections_of_model(
    model: Model, history: History | None, title: str = "Model"
) -> Sections:
    """Return the drawing, the curves and the times of a model."""
    parts = [(title, "".join(parts_of_model(model)))]
    if history is not None and history.epoch:
        parts.append(("Curves", "".join(parts_of_history(history))))
        if history.seconds:
            parts.append(("Time", time_of(history) + _work_of(model)))
    return parts


def time_of(history: History) -> str:
    """Return how long each epoch took, and where the time went."""
    seconds, time = history.seconds, history.time
    epochs = [epoch + 1 for epoch in history.epoch[-len(seconds) :]]
    picture = charts.line_chart("seconds per epoch", epochs, {"seconds": seconds})
    compiling, validation, callbacks = (
        time.get(what, 0.0) for what in ("compiling", "validation", "callbacks")
    )
    in_epochs = sum(seconds)
    total = max(time.get("total", in_epochs), in_epochs, 1e-9)
    spent = {
        "training steps": max(0.0, in_epochs - compiling - validation - callbacks),
        "compilation": compiling,
        "validation": validation,
        "callbacks, and between epochs": callbacks + total - in_epochs,
    }
    rows = [
        (what, f"{value:.3g} s", f"{value / total:.0%}", charts.bar(value / total))
        for what, value in spent.items()
    ]
    table = html.table(["where it went", "", "", ""], rows, numbers=[1, 2])
    facts = [f"{total:.3g} s for {len(seconds)} epochs"]
    steps = (history.params or {}).get("steps")
    if steps:
        # Half of the epochs are faster: compilation is in the slow ones.
        others = (validation + callbacks) / len(seconds)
        step = max(0.0, np.median(seconds) - others) / steps
        facts.append(f"{step * 1e3:.3g} ms a step")
    facts.append("keras.utils.explain_speed(model, x, y) says it for each layer")
    words = html.escape(" · ".join(facts))
    return (
        f'<div class="hb-row">{picture}<div>{table}</div></div>'
        f'<div class="hb-faint">{words}</div>'
    )


def _work_of(model):
    """Return the products that each layer computes for a row."""
    try:
        flops = count_flops(model)
    except Exception:
        # A model whose shapes are not known has no count; the page goes without.
        return ""
    most = max(flops.layers.values(), default=0)
    rows = [
        (path, f"{count:,}", charts.bar(count / most))
        for path, count in flops.layers.items()
        if count
    ]
    if not rows:
        return ""
    title = f"{flops.total:,} operations for one row"
    return html.folded(title, html.table(["layer", "operations", ""], rows, [1]))


def _is_timed(model, rows, speed):
    if not model.compiled or rows.y is None or speed is False:
        return False
    name = model._backend_name or backends.current().name
    layers = len(model._flatten_layers(include_self=False))
    return name in backends.TRAINING and (bool(speed) or layers <= _MOST_TIMED)


def _speed_of(model, rows):
    """Return how long each layer takes alone, forward and backward."""
    try:
        speed = explain_speed(model, rows.x, rows.y)
    except Exception as error:
        # The page does without what cannot be measured, such as eager steps that fail.
        return html.escape(f"The layers could not be timed: {error}")
    most = max(map(sum, speed.layers.values()), default=0.0) or 1.0
    lines = [
        (path, *(f"{x * 1e3:.3g} ms" for x in times), charts.bar(sum(times) / most))
        for path, times in speed.layers.items()
    ]
    table = html.table(["layer", "forward", "backward", ""], lines, numbers=[1, 2])
    notes = "".join(f"<div>{html.escape(note)}</div>" for note in speed.notes)
    return f"<div>{html.escape(speed.title)}</div>{html.scrolled(table)}" + (
        f'<div class="hb-faint">{notes}</div>'
    )


def settings_of(model: Model) -> str:
    """Return what the model was compiled with."""
    if not model.compiled:
        return "The model is not compiled."
    rows: list[tuple[str, Any]] = []
    if model.optimizer is not None:
        rows.append(("optimizer", type(model.optimizer).__name__))
        settings = model.optimizer.get_config()
        settings["learning_rate"] = _rate(model.optimizer, settings["learning_rate"])
        rows += [
            (f"optimizer: {name}", value if isinstance(value, str) else shown(value))
            for name, value in settings.items()
            if value is not None and name != "name"
        ]
    config = model.get_compile_config() or {}
    rows += [
        (name, _named(value))
        for name, value in config.items()
        if name != "optimizer" and value is not None
    ]
    return html.scrolled(html.table(["setting", "value"], rows))


def _rate(optimizer, configured):
    """Return the learning rate as it is now, or the name of its schedule."""
    if isinstance(configured, dict):
        return f"{configured.get('class_name')}({configured.get('config')})"
    return f"{float(optimizer.learning_rate.numpy()):.6g} at the end"


def _named(value):
    if isinstance(value, dict) and "class_name" in value:
        return str(value["class_name"])
    if isinstance(value, list | tuple):
        return ", ".join(map(_named, value))
    return str(value)


def versions_of(model: Any = None) -> str:
    """Return versions, seed, machine and date as a table."""
    name = getattr(model, "_backend_name", None) or backends.current().name
    rows = [("hornbeam", version()), ("backend", name)]
    for library in dict.fromkeys((name, "numpy", "scikit-learn")):
        found = _version(library)
        if found:
            rows.append((library, found))
    seed = seeds.last_seed
    rows += [
        ("Python", platform.python_version()),
        ("machine", f"{platform.system()} {platform.machine()}"),
        ("keras.utils.set_random_seed", "was not called" if seed is None else seed),
        ("program", Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "-"),
        ("written", f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S}"),
    ]
    return html.table(["what", "which"], rows)


def _version(library):
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None
