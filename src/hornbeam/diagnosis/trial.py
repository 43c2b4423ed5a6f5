"""Training for a look: steps that are taken back."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.core.errors import shown
from hornbeam.data import make_data
from hornbeam.diagnosis.unchanged import unchanged
from hornbeam.training.binding import checks
from hornbeam.training.execution.passes import as_numbers


@contextlib.contextmanager
def trial(
    model: Any,
    method: str,
    x: Any,
    y: Any = None,
    batch_size: int | None = None,
    class_weight: Any = None,
    sample_weight: Any = None,
) -> Iterator[Any]:
    """A block with the data, in which the model, built as by `fit`, may be trained.

    After it the model is bit for bit what it was when the block began.
    """
    if not hasattr(model, "compiled"):
        raise TypeError(
            f"{method}() expects a compiled model. Received: {shown(model)} (of type "
            f"{type(model).__name__})"
        )
    checks.compiled(model, method)
    checks.counts(model, method, batch_size=batch_size)
    with model._turn(method) as engine:
        checks.engine_trains(model, engine)
        data = make_data(
            x, y, sample_weight, batch_size=batch_size, class_weight=class_weight,
            output_names=model._output_names(), on_host=model._on_host,
        )  # fmt: skip
        try:
            model._prepare(data, "train")
            with unchanged(model), warnings.catch_warnings():
                # A generator that ends before the steps do is no fault here.
                warnings.filterwarnings("ignore", ".*ran out of data")
                yield data
        finally:
            data.close()


def batches_of(data: Any) -> Iterator[Any]:
    """Yield batches without end, of equal size if the data is in memory."""
    if not data.in_memory:
        number = 0
        while True:
            data.on_epoch_begin(number)
            count = 0
            for batch in data:
                count += 1
                yield batch
            data.on_epoch_end()
            number += 1
            if not count:
                return
    draws = np.random.Generator(np.random.PCG64(0))
    size = min(data.batch_size, data.rows)
    while True:
        rows = draws.permutation(data.rows)
        for start in range(0, data.rows - size + 1, size):
            yield data.take(rows[start : start + size])


def one_step(model: Any, batch: Any, mode: str = "train") -> dict[str, Any]:
    """Run one step, as `train_on_batch` does; return its logs as numbers."""
    runner = model._batch_runner(mode)
    model.reset_metrics()
    with model._running_steps():
        outputs, _ = runner.run_batch(batch)
    return as_numbers(runner.logs(outputs))


def loss_of(model: Any, logs: dict[str, Any], method: str) -> float:
    """Return the loss of a step."""
    loss = logs.get("loss")
    if loss is None:
        raise ValueError(
            f"{method}() of model {model.name!r} needs the loss of each step. Let "
            f"`train_step()` return it as 'loss'. Received: {sorted(logs)}"
        )
    return float(loss)


def rows_of(batch: Any) -> int:
    """Return the number of rows of a batch."""
    return len(next(x for x in tree.flatten(batch) if x is not None))
