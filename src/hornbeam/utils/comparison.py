"""compare_backends: one model on every engine, with outputs and times."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import importlib.util
import io
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam import backends as engines
from hornbeam.core import tree
from hornbeam.core.errors import check_number
from hornbeam.core.naming import own_names
from hornbeam.core.random import seed_scope
from hornbeam.data import make_data
from hornbeam.training.steps import Steps, unpack
from hornbeam.utils.printing import print_message

if TYPE_CHECKING:
    from hornbeam.models.model import Model

# Shorter calls are repeated until a measurement takes this long.
_SECONDS = 0.05
_MOST_CALLS = 128
# Steps before a training step is timed: an engine may record some before it is at its
# fastest. A slow step does not need them.
_STEPS_BEFORE, _SLOW_STEP = 16, 0.5
# A copy follows a graph from layer to layer, some calls for each.
_RECURSION_LIMIT = 100_000


@dataclasses.dataclass
class BackendFigures:
    """The results of `compare_backends` on one engine; times in seconds.

    Attributes:
        backend: the engine's name.
        difference: the largest absolute difference of its outputs from those of the
            engine that the model belongs to.
        forward: seconds of a forward pass, from arrays to arrays.
        training_step: seconds of a step inside `fit`, or None where the engine does not
            train.
        compilation: seconds that the first pass and the first step took longer than
            later ones.
        error: what went wrong on this engine, or None.
    """

    backend: str
    difference: float | None = None
    forward: float | None = None
    training_step: float | None = None
    compilation: float | None = None
    error: str | None = None


def compare_backends(
    model: Model,
    x: Any,
    y: Any = None,
    backends: list[str] | None = None,
    repeats: int = 5,
    verbose: int = 1,
) -> list[BackendFigures]:
    """Run a model on each engine; print and return its outputs' differences and times.

    Everything is done on copies: the model keeps its weights, its optimizer's state,
    its engine and its metrics, and the global seed does not move. All rows of `x` make
    one batch, so pass as many as your batches have. NumPy does not train: it has a
    forward pass only.

    Args:
        model: a model, compiled or not, built or not.
        x: inputs as for `fit`; of a dataset or generator, the first batch is taken.
        y: targets, for a compiled model. Without them a training step minimises the
            mean square of the outputs, with the model's optimizer (Adam for a model
            that is not compiled): it takes about as long. A model with its own
            `train_step` or `compute_loss` is always trained as it says.
        backends: names of engines. Default: all that are installed.
        repeats: how often each time is measured; the median is reported. Default: 5.
        verbose: 0 prints nothing. Default: 1.

    Returns:
        A list of `BackendFigures`, one per engine, the model's own first. A failure on
        an engine is in its `error` and does not stop the others.

    >>> import hornbeam as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> figures = keras.utils.compare_backends(
    ...     model, keras.ops.ones((8, 4)), backends=["jax", "numpy"], verbose=0
    ... )
    >>> [f.backend for f in figures], round(figures[1].difference, 4)
    (['jax', 'numpy'], 0.0)
    """
    check_number("compare_backends()", "repeats", repeats, low=1, integer=True)
    if y is not None and not model.compiled:
        raise ValueError(
            f"Argument `y` of compare_backends() was given, but model {model.name!r} "
            "is not compiled: it does not know its loss. Call `compile()` before, or "
            "leave `y` out."
        )
    reference = model.backend or engines.current().name
    names = list(dict.fromkeys(_installed() if backends is None else backends))
    names.sort(key=lambda name: name != reference)
    for name in names:
        engines.get(name)  # raises for one that is unknown or not installed
    with engines.scope(reference), seed_scope(0), own_names():
        x, y, sample_weight = unpack(make_data(x, y, batch_size=2**30).peek())
        original = _copy(model)
        expected = original.predict_on_batch(x)
        # A model that was not built is built now: its copies share the weights.
        original = _copy(model if model.built else original)
    figures = []
    for name in names:
        with engines.scope(name), seed_scope(0), own_names():
            result = BackendFigures(name)
            figures.append(result)
            try:
                candidate = _copy(original).to_backend(name)
                _run_forward(candidate, x, expected, result, repeats)
                if engines.get(name).trains:
                    data = (x, y, sample_weight)
                    _run_training(candidate, data, expected, result, repeats)
            except Exception as error:
                # What an engine cannot do is part of the comparison's result.
                result.error = f"{type(error).__name__}: {error}"
    if verbose:
        print_message(_report(model, reference, figures))
    return figures


def _installed():
    return [name for name in engines.NAMES if importlib.util.find_spec(name)]


def _copy(model):
    """Return a copy with the same state, whose programs are compiled again."""
    with _deep_recursion():
        copied = copy.deepcopy(model)
    copied._shares_programs = False
    return copied


@contextlib.contextmanager
def _deep_recursion():
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _run_forward(model, x, expected, result, repeats):
    def forward():
        return model.predict_on_batch(x)

    first, outputs = _timed(forward)
    result.difference = _difference(expected, outputs)
    result.forward = _median_seconds(
        lambda calls: [forward() for _ in range(calls)], repeats
    )
    result.compilation = max(0.0, first - result.forward)


def _run_training(model, data, expected, result, repeats):
    arrays = _training_arrays(model, data, expected)

    def steps(count):
        # An epoch is one step: all rows are one batch.
        model.fit(
            *arrays[:2],
            sample_weight=arrays[2],
            batch_size=2**30,
            epochs=count,
            shuffle=False,
            verbose=0,
        )

    first, _ = _timed(lambda: steps(1))
    second, _ = _timed(lambda: steps(1))
    if second < _SLOW_STEP:
        steps(_STEPS_BEFORE)
    result.training_step = _median_seconds(steps, repeats)
    result.compilation += max(0.0, first - second)


def _training_arrays(model, data, expected):
    """Return what fit() takes; compile the model where targets are missing."""
    x, y, sample_weight = data
    cls = type(model)
    own_step = cls.train_step is not Steps.train_step
    own_step |= cls.compute_loss is not Steps.compute_loss
    if y is not None or (model.compiled and (own_step or model.loss is None)):
        return x, y, sample_weight
    model.compile(
        optimizer=getattr(model, "optimizer", None) or "adam",
        loss=tree.map_structure(lambda _: "mean_squared_error", expected),
        auto_scale_loss=not model.compiled,
    )
    return x, tree.map_structure(np.zeros_like, expected), None


def _timed(run):
    started = time.perf_counter()
    result = run()
    return time.perf_counter() - started, result


def _median_seconds(run, repeats):
    """Return the median seconds of one call, where `run(calls)` makes several."""
    once, _ = _timed(lambda: run(1))
    calls = int(min(max(1, _SECONDS // max(once, 1e-9)), _MOST_CALLS))
    return statistics.median(
        _timed(lambda: run(calls))[0] / calls for _ in range(repeats)
    )


def _difference(expected, outputs):
    """Return the largest absolute difference of two nests of arrays."""
    pairs = zip(tree.flatten(expected), tree.flatten(outputs), strict=True)
    return max(float(_distance(a, b)) for a, b in pairs)


def _distance(a, b):
    if a.shape != b.shape:
        raise ValueError(f"The output has shape {b.shape}, expected {a.shape}.")
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    equal = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        return np.where(equal, 0.0, np.abs(a - b)).max(initial=0.0)


def _report(model, reference, figures):
    import rich.box
    import rich.console
    import rich.markup
    import rich.table

    table = rich.table.Table(box=rich.box.SIMPLE_HEAD)
    table.add_column("backend", no_wrap=True)
    for heading in ("difference", "forward", "training step", "compilation"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in figures:
        table.add_row(
            result.backend,
            "reference"
            if result.backend == reference
            else _text(result.difference, "{:.1e}"),
            _text(result.forward, "{:.3f} ms", 1e3),
            _text(result.training_step, "{:.3f} ms", 1e3),
            _text(result.compilation, "{:.2f} s"),
        )
    file = io.StringIO()
    console = rich.console.Console(file=file, width=100, color_system=None)
    console.print(f"Model {model.name!r} on each engine", highlight=False, markup=False)
    console.print(table)
    for line in _verdicts(figures):
        console.print(line, highlight=False, markup=False)
    return "\n".join(
        line.rstrip() for line in file.getvalue().splitlines() if line.strip()
    )


def _text(value, form, factor=1):
    return "-" if value is None else form.format(value * factor)


def _verdicts(figures):
    for name, title in (
        ("forward", "forward pass"),
        ("training_step", "training step"),
    ):
        timed = [f for f in figures if getattr(f, name) is not None]
        timed.sort(key=lambda f: getattr(f, name))
        if len(timed) > 1:
            best, next_best = (getattr(f, name) for f in timed[:2])
            yield (
                f"Fastest {title} here: {timed[0].backend}, "
                f"{next_best / best:.1f} times as fast as {timed[1].backend}."
            )
    for result in figures:
        if result.error is not None:
            yield f"{result.backend} failed: {result.error}"
