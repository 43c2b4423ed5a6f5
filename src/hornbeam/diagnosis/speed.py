"""`explain_speed`: where the time of training goes."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hornbeam import backends, ops
from hornbeam.core import scopes, tree
from hornbeam.diagnosis.flops import operations
from hornbeam.diagnosis.memory import bytes_of, readable
from hornbeam.diagnosis.report import Report
from hornbeam.diagnosis.shapes import ShapeCall, shape_calls, symbols_of
from hornbeam.diagnosis.trial import one_step, rows_of, trial
from hornbeam.training.execution.programs import cache
from hornbeam.training.steps import unpack

# A measurement is the least of repetitions, for about so long.
_SECONDS = 0.05
_LEAST, _MOST = 3, 200
_BATCHES = 12
# What the machine can do is measured on a product and on a sum of such sizes.
_MATRIX, _VECTOR = 1024, 1 << 23


class Speed(Report):
    """Where the time goes; prints as a table of the layers with notes.

    Attributes:
        step: seconds of a training step on one batch.
        layers: `{path: (forward, backward)}` seconds, each layer measured alone.
        roads: `{path: text}`: how a layer computes, of several ways, and why.
        compilations: texts: why a program was compiled, in order.
        waiting: the share of the time in which steps waited for data.
        operations: additions and multiplications of a step, about three forward passes.
        peak: additions and multiplications that the machine can do in a second.
        bandwidth: bytes that the machine can read and write in a second.
    """

    def __init__(self, name: str, rows: list[tuple[str, ...]], **facts: Any):
        self.step: float = facts["step"]
        self.layers: dict[str, tuple[float, float]] = facts["layers"]
        self.roads: dict[str, str] = facts["roads"]
        self.compilations: list[str] = facts["compilations"]
        self.waiting: float = facts["waiting"]
        self.operations: int = facts["operations"]
        self.peak: float = facts["peak"]
        self.bandwidth: float = facts["bandwidth"]
        alone = sum(map(sum, self.layers.values()))
        rate = self.operations / max(self.step, 1e-12)
        notes = [
            f"Steps: {facts['road']}",
            *(f"  {path}: {road}." for path, road in self.roads.items()),
            f"Programs that were compiled: {len(self.compilations)}.",
            *(f"  {reason}" for reason in self.compilations),
            f"Steps waited for data {self.waiting:.0%} of the time.",
            f"The layers alone, one after the other, take {alone * 1e3:.3g} ms; a step "
            "has the loss, the metrics and the optimizer too, and a compiler joins "
            "layers.",
            f"A step does {readable(self.operations, 'op')}, which is "
            f"{readable(rate, 'op')}/s, {rate / self.peak:.0%} of what a product of "
            f"matrices reaches here ({readable(self.peak, 'op')}/s). Memory gives "
            f"{readable(self.bandwidth, 'B')}/s.",
        ]
        columns = (
            "layer",
            "forward ms",
            "backward ms",
            "share",
            "of peak",
            "activations",
        )
        super().__init__(
            f"A training step of model {name!r} takes {self.step * 1e3:.3g} ms",
            columns, rows, notes,
        )  # fmt: skip


def explain_speed(
    model: Any, x: Any, y: Any = None, batch_size: int | None = None
) -> Speed:
    """Measure where the time of training goes, and say why programs were compiled.

    Some steps are made on batches of the data, and each layer is run alone, forward and
    backward, on numbers of the shapes that it gets. Afterwards the model is as it was
    (see `Model.find_lr`); one that was not built is built.

    Args:
        model: a compiled model.
        x: inputs, as for `fit`.
        y: targets, unless `x` gives them.
        batch_size: rows per batch. Default: 32.

    Returns:
        `Speed`: `step`, `layers`, `compilations`, `waiting`, `operations`, `peak` and
        `bandwidth`, and a table that prints itself.

    >>> import numpy as np
    >>> import hornbeam as keras
    >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
    >>> model.compile("sgd", "mse")
    >>> speed = keras.utils.explain_speed(model, np.ones((40, 8)), np.ones((40, 4)))
    >>> list(speed.layers)
    ['sequential/dense']
    >>> 0 < speed.step < 1
    True
    """
    with trial(model, "explain_speed", x, y, batch_size) as data:
        batch = data.peek()
        compilations, waiting = _run(model, data)
        step = _least(lambda: one_step(model, batch))
        inputs, _, _ = unpack(batch)
        symbols = symbols_of(model, inputs, None, "explain_speed()")
        calls = [c for c in shape_calls(model, symbols, True) if c.is_leaf]
        every = shape_calls(model, symbols, True, everything=True)
        roads: dict[str, str] = {}
        measured = [(call, *_times(call, roads)) for call in calls]
        peak, bandwidth = _limits()
        # Beside other programs the product may be slower than a layer's.
        peak = max([peak, *(_rate(call, forward) for call, forward, _ in measured)])
        road = _road(model, data)
    layers: dict[str, tuple[float, float]] = {}
    for call, forward, backward in measured:
        before = layers.get(call.layer.path, (0.0, 0.0))
        layers[call.layer.path] = before[0] + forward, before[1] + backward
    return Speed(
        model.name, _rows(measured, peak), step=step, layers=layers, roads=roads,
        compilations=compilations, waiting=waiting, road=road, peak=peak,
        operations=3 * sum(map(operations, every)), bandwidth=bandwidth,
    )  # fmt: skip


def _rows(measured, peak):
    total = sum(forward + backward for _, forward, backward in measured)
    rows = []
    for call, forward, backward in measured:
        share = _rate(call, forward) / peak
        rows.append(
            (
                f"{call.layer.path} ({type(call.layer).__name__})",
                f"{forward * 1e3:.3g}",
                f"{backward * 1e3:.3g}",
                f"{(forward + backward) / max(total, 1e-12):.0%}",
                f"{share:.0%}" if share else "-",
                readable(sum(bytes_of(*form) for form in call.outputs)),
            )
        )
    return rows


def _rate(call, seconds):
    """Return additions and multiplications in a second."""
    return operations(call) / seconds if seconds else 0.0


def _run(model, data):
    """Make steps on batches; return why programs were compiled, and the wait."""
    reasons, waited, worked, before = [], 0.0, 0.0, None
    batches = _timed(itertools.islice(data, _BATCHES))
    last = _last_batch(data)
    for seconds, batch in itertools.chain(batches, last):
        form, count = _form(batch), cache.compilations
        started = time.perf_counter()
        one_step(model, batch)
        spent = time.perf_counter() - started
        if cache.compilations > count:
            reasons.append(f"{_why(form, before)}: {spent * 1e3:.0f} ms")
        elif before is not None:
            waited, worked = waited + seconds, worked + spent
        before = form
    return reasons, waited / max(waited + worked, 1e-12)


def _timed(batches) -> Iterator[tuple[float, Any]]:
    while True:
        started = time.perf_counter()
        batch = next(batches, None)
        if batch is None:
            return
        yield time.perf_counter() - started, batch


def _last_batch(data):
    """Return the last batch of data in memory, which may be smaller."""
    rest = data.rows % data.batch_size if data.in_memory else 0
    if not rest or data.steps <= _BATCHES:
        return []
    return [(0.0, data.take(slice(data.rows - rest, data.rows)))]


def _form(batch):
    leaves = [x for x in tree.flatten(batch) if x is not None]
    forms = [(tuple(x.shape[1:]), str(x.dtype)) for x in leaves]
    return rows_of(batch), forms


def _why(form, before):
    if before is None:
        return f"compiled for the first batch, of {form[0]} rows"
    if form[0] != before[0]:
        return f"recompiled because the batch had {form[0]} rows, after {before[0]}"
    for new, old in zip(form[1], before[1], strict=False):
        if new != old:
            return (
                f"recompiled because rows had the shape {new[0]} ({new[1]}), after "
                f"{old[0]} ({old[1]})"
            )
    return "recompiled for a batch of the same form"


def _road(model, data):
    engine = backends.current()
    own = ", with a `train_step()` of your own" if model._has_own_step("train") else ""
    where = "from the device's memory" if data.in_memory else "batch by batch"
    if model.run_eagerly:
        return f"one operation at a time, as run_eagerly=True says; data {where}{own}."
    if engine.compiles:
        return f"compiled on {engine.name!r}; data {where}{own}."
    plan = model._batch_runner("train").plan
    if plan.recorded and engine.record is not None:
        return f"repeated from a record on {engine.name!r}; data {where}{own}."
    return (
        f"one operation at a time on {engine.name!r}, as parts of the model are your "
        f"own code; data {where}{own}."
    )


def _least(run: Callable[[], Any]) -> float:
    """Return the least seconds of some runs, after one that may compile."""
    engine = backends.current()
    threads = engine.step_threads or contextlib.nullcontext
    run()
    # On as many threads as a step of so much work is run on.
    work = () if engine.work_of is None else (engine.work_of(run)[1],)
    times: list[float] = []
    with threads(*work):
        started = time.perf_counter()
        while len(times) < _LEAST or (
            time.perf_counter() - started < _SECONDS and len(times) < _MOST
        ):
            began = time.perf_counter()
            run()
            times.append(time.perf_counter() - began)
    return min(times)


def _times(call: ShapeCall, roads: dict[str, str]):
    """Return seconds forward and backward of a layer on numbers of its shapes.

    How it computes, of several ways, is added to `roads`.
    """
    layer, engine = call.layer, backends.current()
    inputs = [_numbers(shape, dtype) for shape, dtype in call.inputs]
    takes_list = len(inputs) > 1 and not hasattr(layer, "num_heads")
    arguments = [inputs] if takes_list else inputs
    trained = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]

    def forward(values, inputs):
        outputs, _ = layer.stateless_call(values, others, *inputs, training=True)
        return sum(
            (ops.sum(ops.cast(x, "float32")) for x in tree.flatten(outputs)),
            ops.zeros(()),
        )

    floats = [x for x in tree.flatten(arguments) if "float" in str(engine.dtype_of(x))]

    def both(values, inputs):
        own, given = values[: len(trained)], iter(values[len(trained) :])
        inputs = tree.map_structure(
            lambda x: next(given) if "float" in str(engine.dtype_of(x)) else x, inputs
        )
        return forward(own, inputs)

    try:
        run = engine.jit(forward)
        noted: dict[str, None] = {}
        with scopes.roads_scope(noted):
            alone = _least(lambda: engine.to_numpy(run(trained, arguments)))
        if noted:
            roads[layer.path] = ", ".join(noted)
        values = [*trained, *floats]
        if not values:
            return alone, 0.0
        grad = engine.jit(lambda *a: _small(engine.value_and_grad(both)(*a)))
        whole = _least(lambda: engine.to_numpy(grad(values, arguments)))
        return alone, max(0.0, whole - alone)
    except Exception:
        # A layer that cannot be called with its tensors alone has no time of its own.
        return 0.0, 0.0


def _small(result):
    """Return a number for which all gradients must be there."""
    value, gradients = result
    return sum((ops.sum(ops.cast(g, "float32")) for g in gradients), value)


def _numbers(shape, dtype):
    draws = np.random.Generator(np.random.PCG64(0))
    if "float" in dtype:
        return ops.convert_to_tensor(draws.random(shape, np.float32), dtype=dtype)
    return ops.zeros(shape, dtype=dtype)


def _limits():
    """Return operations and bytes that the machine does in a second."""
    engine = backends.current()
    matrix = _numbers((_MATRIX, _MATRIX), "float32")
    product = engine.jit(lambda x: ops.matmul(x, x))
    vector = _numbers((_VECTOR,), "float32")
    add = engine.jit(lambda x: x + 1.0)
    # One number is read, when all are there: XLA would compute nothing but that one.
    seconds = _least(lambda: engine.to_numpy(product(matrix)[0, 0]))
    moved = _least(lambda: engine.to_numpy(add(vector)[0]))
    return 2 * _MATRIX**3 / seconds, 2 * 4 * _VECTOR / moved
