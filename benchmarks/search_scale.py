"""How a search grows: with its candidates, and with the workers of a cluster.

    python benchmarks/search_scale.py [--sizes 50 500 5000]
    python benchmarks/search_scale.py --cluster dask    # or ray: one worker, then two

Each measurement is a process of its own. Of sizes it gives the seconds on the clock and
of the processor, and the peak of memory. Of workers it gives the seconds on the clock
with one worker on one core and with two on two cores, and the processor's seconds of
the busiest worker: their ratio is what the seconds on the clock would be on machines
that do nothing else.
"""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

MOST_MIB = 1536
LEAST_SPEEDUP = 1.5
ROWS, EPOCHS = 768, 9


def data(columns):
    """Return rows with labels of which about three quarters can be told."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS if columns == 8 else 6000, columns))
    z = x @ rng.standard_normal(columns) + rng.standard_normal(len(x))
    return x.astype("float32"), (z > 0).astype("int32")


def builder(columns, hidden):
    """Return `create_model` of a perceptron."""

    def create_model(dropout_rate=0.2, learning_rate=0.001):
        import hornbeam as keras

        model = keras.Sequential(
            [
                keras.Input((columns,)),
                *[keras.layers.Dense(units, activation="relu") for units in hidden],
                keras.layers.Dropout(dropout_rate),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        optimizer = keras.optimizers.Adam(learning_rate)
        model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
        return model

    return create_model


def search(columns, hidden, budget, **arguments):
    """Search by random candidates; return the result."""
    import hornbeam as keras

    space = {
        "dropout_rate": (0.0, 0.5),
        "learning_rate": keras.tuning.Log(1e-4, 1e-1),
    }
    return keras.tuning.search(
        builder(columns, hidden), space, data(columns), budget=budget, sampler="random",
        verbose=0, **arguments,
    )  # fmt: skip


def measure_size(budget):
    """Search among so many candidates of an 8-12-1 network; return the figures."""
    started = time.perf_counter()
    result = search(8, [12], budget, epochs=EPOCHS)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": time.perf_counter() - started,
        "processor": used.ru_utime + used.ru_stime,
        "peak_MiB": used.ru_maxrss / 1024,
        "epochs": sum(candidate.epochs for candidate in result.candidates),
        "best": result.best_score,
    }


@contextlib.contextmanager
def cluster(kind, count):
    """A block with a cluster of so many workers on this machine, as `workers`."""
    if kind == "ray":
        import ray

        ray.init(num_cpus=count, include_dashboard=False, log_to_driver=False)
        yield "ray"
        ray.shutdown()
        return
    from distributed import Client, LocalCluster

    workers = LocalCluster(
        n_workers=count, threads_per_worker=1, dashboard_address=None
    )
    with workers, Client(workers) as client:
        client.wait_for_workers(count)
        yield client


def processor_seconds():
    """Return the processor's seconds of each process below this one."""
    import psutil

    found = {}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            found[process.pid] = times.user + times.system
    return found


def measure_workers(kind, count):
    """Search on so many workers and cores; return the figures."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    with cluster(kind, count) as workers:
        search(784, [256, 256], 4 * count, epochs=1, schedule=None, workers=workers)
        before, started = processor_seconds(), time.perf_counter()
        result = search(784, [256, 256], 16, epochs=4, schedule=None, workers=workers)
        seconds = time.perf_counter() - started
        used = [s - before.get(pid, 0.0) for pid, s in processor_seconds().items()]
    return {
        "seconds": seconds,
        "busiest": max(used),
        "processor": sum(used),
        "scores": [candidate.score for candidate in result.candidates],
    }


def measure(*arguments):
    """Return the figures of a process of its own."""
    environment = {
        "JAX_PLATFORMS": "cpu",
        "HORNBEAM_COMPILATION_CACHE": "off",  # figures with compilation hold it
        **os.environ,
        "KERAS_BACKEND": "jax",
    }
    command = [sys.executable, str(pathlib.Path(__file__).resolve()), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[50, 500, 5000])
    parser.add_argument("--cluster", choices=["dask", "ray"])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--one", nargs="+", help="measure in this process")
    options = parser.parse_args()
    if options.one:
        kind, *rest = options.one
        known = {"size": measure_size, "dask": measure_workers, "ray": measure_workers}
        given = [int(rest[0])] if kind == "size" else [kind, int(rest[0])]
        print(json.dumps(known[kind](*given)))
    elif options.cluster:
        report_workers(options.cluster, options.rounds)
    else:
        report_sizes(options.sizes)


def report_sizes(sizes):
    """Print the figures of searches with so many candidates."""
    for size in sizes:
        found = measure("--one", "size", str(size))
        print(
            f"{size:6} candidates {found['seconds']:8.1f} s   processor "
            f"{found['processor']:8.1f} s   peak {found['peak_MiB']:6.0f} MiB of "
            f"{MOST_MIB} at most   {found['epochs']} epochs, best {found['best']:.4f}",
            flush=True,
        )


def report_workers(kind, rounds):
    """Print the figures of one worker and of two, in turns."""
    found = {1: [], 2: []}
    for _ in range(rounds):
        for count, of_count in found.items():
            of_count.append(measure("--one", kind, str(count)))
    for figure in ("seconds", "busiest", "processor"):
        one, two = ([one[figure] for one in found[count]] for count in (1, 2))
        ratio = statistics.median(a / b for a, b in zip(one, two, strict=True))
        print(
            f"{kind} {figure:10} one worker {statistics.median(one):7.1f} s   two "
            f"{statistics.median(two):7.1f} s   ratio {ratio:.2f}"
            + (f", target {LEAST_SPEEDUP}" if figure == "seconds" else ""),
            flush=True,
        )
    # XLA divides a product among the cores that there are, which changes its rounding.
    one, two = (np.array(found[count][0]["scores"]) for count in (1, 2))
    print(f"{kind} scores differ by at most {np.abs(one - two).max():.1e}")


if __name__ == "__main__":
    main()
