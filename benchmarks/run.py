"""hornbeam beside Keras and beside code by hand, in one run on one machine.

    python benchmarks/run.py [mlp 'plain*' ...] [--engines jax,torch] [--rounds 3]
                             [--json results.json] [--picture results.png]
                             [--batch 1024] [--policy mixed_bfloat16]

`--batch` stands in for the workloads' batch sizes. `--policy` sets hornbeam's and
Keras's policy of dtypes, and leaves code by hand out, which is in float32.

Each measurement is a process of its own; the rounds alternate between the libraries.
The table gives medians, the spread of ours, and the medians of the ratios taken round
by round. `make bench` runs all.
"""

import argparse
import fnmatch
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import limits
from workloads import WORKLOADS

HERE = pathlib.Path(__file__).resolve().parent
ENGINES = ("jax", "torch", "tensorflow")
# What runs on one engine alone.
PEERS = {"jax": ("scan", "flax"), "torch": ("skorch", "lightning")}
PACKAGES = (
    *("hornbeam", "keras", "jax", "torch", "tensorflow-cpu", "numpy"),
    *("flax", "skorch", "pytorch-lightning"),
)


def measure(name, library, engine, cache="off"):
    """Return the figures of one process."""
    environment = {
        **os.environ,
        "HORNBEAM_COMPILATION_CACHE": cache,
        "KERAS_BACKEND": engine,
        "HORNBEAM_BACKEND": engine,
        "JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS", "cpu"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # As what `pip install` brings, our source has its bytecode beside it.
        "PYTHONDONTWRITEBYTECODE": "",
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "measure.py"), name, library],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        print(f"{name}, {library} on {engine}: {done.stderr[-500:]}", file=sys.stderr)
        return {}
    return json.loads(done.stdout.splitlines()[-1])


def libraries_of(engine):
    """Return ours, and those beside it on an engine."""
    if os.environ.get("BENCHMARK_POLICY"):
        return ("hornbeam", "keras")
    return ("hornbeam", "keras", "hand", *PEERS.get(engine, ()))


def rounds_of(name, engine, rounds):
    """Return `{library: [figures of each round]}`."""
    found = {library: [] for library in libraries_of(engine)}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for library, figures in found.items():
                figures.append(measure(name, library, engine))
            if engine == "jax":
                if number == 0:
                    measure(name, "hornbeam", engine, folder)
                again = measure(name, "hornbeam", engine, folder)
                seconds = again.get("first step")
                found["hornbeam"][-1]["first step, programs kept"] = seconds
                keras = found["keras"][-1].get("first step")
                found["keras"][-1]["first step, programs kept"] = keras
    return {k: v for k, v in found.items() if any(v)}


def compared(found):
    """Yield the figure, ours, its spread, and `{library: (median, ratio)}`."""
    ours = found.pop("hornbeam", [])
    for figure in ours[0] if ours else ():
        mine = [r[figure] for r in ours if r.get(figure) is not None]
        peers = {}
        for library, rounds in found.items():
            pairs = [
                (mine_, theirs[figure])
                for mine_, theirs in zip(mine, rounds, strict=False)
                if theirs.get(figure)
            ]
            if pairs:
                ratio = statistics.median(a / b for a, b in pairs)
                peers[library] = (statistics.median(b for _, b in pairs), ratio)
        if mine:
            spread = max(mine) / max(min(mine), 1e-12)
            yield figure, statistics.median(mine), spread, peers


def print_table(name, engine, rows, least):
    """Print the figures of a workload on an engine."""
    print(f"\n{name} on {engine}")
    for figure, mine, spread, peers in rows:
        line = f"  {figure:26} {mine:10.4f} (x{spread:4.2f})"
        for library, (theirs, ratio) in peers.items():
            line += f"   {library} {theirs:10.4f} {ratio:6.3f}"
        if least.get(figure):
            line += f"   limit {least[figure]:8.4f} {mine / least[figure]:6.2f}"
        print(line, flush=True)


def draw(results, path):
    """Draw the ratios to Keras of all workloads and engines."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figures = ("epoch", "evaluate", "predict", "predict a row")
    names = [f"{r['workload']}, {r['engine']}" for r in results]
    _, axes = pyplot.subplots(figsize=(8, 1 + 0.35 * len(names)), layout="tight")
    for place, figure in enumerate(figures):
        ratios = [r["figures"].get(figure, {}).get("keras") for r in results]
        heights = [i + 0.18 * (place - 1.5) for i in range(len(names))]
        points = [(a, b) for a, b in zip(ratios, heights, strict=True) if a]
        if points:
            axes.plot(*zip(*points, strict=True), "o", label=figure)
    axes.axvline(1, color="grey", linewidth=1)
    axes.set(xscale="log", xlabel="our seconds divided by Keras's: left of 1 is faster")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.legend()
    axes.figure.savefig(path)


def versions():
    """Return what was measured, and where."""
    found = {"python": platform.python_version(), "machine": platform.processor()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return {**found, "cores": os.cpu_count()}


def main():
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "workloads", nargs="*", default=["*"], help="Names or patterns. Default: all"
    )
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    parser.add_argument("--picture")
    parser.add_argument("--batch", default="")
    parser.add_argument("--policy", default="")
    options = parser.parse_args()
    os.environ["BENCHMARK_BATCH"] = options.batch
    os.environ["BENCHMARK_POLICY"] = options.policy
    about = versions()
    print(json.dumps(about))
    print(
        f"best matrix product {limits.flops_per_second() / 1e9:.0f} GFLOP/s, "
        f"copy {limits.bytes_per_second() / 1e9:.1f} GB/s"
    )
    results = []
    asked_for = (
        name
        for name in (*WORKLOADS, "generation")
        if any(fnmatch.fnmatch(name, pattern) for pattern in options.workloads)
    )
    for name in asked_for:
        least = limits.of_workload(name, WORKLOADS.get(name))
        for engine in options.engines.split(","):
            rows = list(compared(rounds_of(name, engine, options.rounds)))
            print_table(name, engine, rows, least)
            figures = {
                figure: {"hornbeam": mine, **{k: r for k, (_, r) in peers.items()}}
                for figure, mine, _, peers in rows
            }
            result = {"workload": name, "engine": engine, "figures": figures}
            results.append({**result, "limit": least})
            if options.json:
                text = json.dumps({"versions": about, "results": results}, indent=1)
                pathlib.Path(options.json).write_text(text)
    if options.picture:
        draw(results, options.picture)


if __name__ == "__main__":
    main()
