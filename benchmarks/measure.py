"""One workload in one library, in a process of its own; prints seconds as JSON.

    python benchmarks/measure.py WORKLOAD LIBRARY

The engine is that in KERAS_BACKEND; BENCHMARK_BATCH and BENCHMARK_POLICY stand in for
the batch size of the workload and the library's policy of dtypes. LIBRARY is hornbeam,
keras, hand (the engine's own code), scan (JAX: all steps of an epoch in one call),
flax, skorch or lightning.
"""

import dataclasses
import importlib
import json
import os
import pathlib
import statistics
import sys
import time

import generation
from workloads import WORKLOADS

_ONE_ROW_CALLS = 100
_BATCHES = (1, 32, 1024, 4096)


def seconds_of(function, times=1):
    """Return the median of the seconds of some calls."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        function()
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def of_library(library, workload):
    """Return the figures of `fit`, `evaluate` and `predict`."""
    imported = seconds_of(lambda: importlib.import_module(library))
    keras = importlib.import_module(library)
    if policy := os.environ.get("BENCHMARK_POLICY"):
        keras.config.set_dtype_policy(policy)
    x, y = workload.data()
    batch, quiet = workload.batch, {"verbose": 0}

    def first_step():
        model = workload.model(keras)
        model.train_on_batch(x[:batch], y[:batch])
        return model

    # Some libraries import their engine at the first use.
    found = {"import": imported, "first step": imported + seconds_of(first_step)}
    found["second model"] = seconds_of(first_step)
    model = first_step()
    ends = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ends.append(time.perf_counter())

    model.fit(
        x,
        y,
        batch_size=batch,
        epochs=1 + workload.epochs,
        callbacks=[Clock()],
        **quiet,
    )
    pairs = zip(ends, ends[1:], strict=False)
    found["epoch"] = statistics.median(b - a for a, b in pairs)
    model.evaluate(x, y, batch_size=batch, **quiet)
    found["evaluate"] = seconds_of(
        lambda: model.evaluate(x, y, batch_size=batch, **quiet), 3
    )
    model.predict(x, **quiet)
    found["predict"] = seconds_of(lambda: model.predict(x, **quiet), 3)
    for size in _BATCHES:
        rows = x[: min(len(x), 32 * size)]
        model.predict(rows, batch_size=size, **quiet)
        found[f"predict, batch {size}"] = seconds_of(
            lambda rows=rows, size=size: model.predict(rows, batch_size=size, **quiet),
            3,
        )
    model.predict(x[:1], **quiet)
    found["predict a row"] = seconds_of(
        lambda: model.predict(x[:1], **quiet), _ONE_ROW_CALLS
    )
    return found


def by_hand(written_in, name, workload, scanned):
    """Return the figures of code by hand."""
    code = importlib.import_module(f"by_hand.{written_in}_code")
    if name not in code.NETWORKS:
        return {}
    loop = code.Loop(name, workload, scanned)
    loop.epoch()
    rows = workload.rows
    found = {"epoch": seconds_of(loop.epoch, workload.epochs)}
    loop.predict(rows, workload.batch)
    found["predict"] = seconds_of(lambda: loop.predict(rows, workload.batch), 3)
    loop.predict(1, 1)
    found["predict a row"] = seconds_of(lambda: loop.predict(1, 1), _ONE_ROW_CALLS)
    return found


def main(name, library):
    """Measure and print."""
    workload = WORKLOADS.get(name)
    batch = os.environ.get("BENCHMARK_BATCH")
    if workload and batch:
        workload = dataclasses.replace(workload, batch=int(batch))
    if workload is None:
        found = generation.figures(library)
    elif library in ("hornbeam", "keras"):
        found = of_library(library, workload)
    else:
        own = library in ("hand", "scan")
        written_in = os.environ["KERAS_BACKEND"] if own else library
        found = by_hand(written_in, name, workload, library == "scan")
    print(json.dumps({**found, "peak MB": peak_megabytes()} if found else found))


def peak_megabytes():
    """Return the largest memory that this process had since it started."""
    status = pathlib.Path("/proc/self/status").read_text()
    (line,) = (x for x in status.splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
