"""hornbeam beside Keras and beside loops written by hand, in one run on one machine.

    python benchmarks/run.py [--rounds 5] [--only mlp]

Each measurement is a process of its own; the rounds alternate between the libraries,
and the table gives the median seconds and the median of the ratios round by round.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# case, engine: our peers
PEERS = {
    ("mlp", "jax"): ["keras"],
    ("digits", "jax"): ["keras"],
    **{
        (case, engine): ["hand"] if case in ("cnn", "lstm", "transformer") else both
        for both in [["hand", "keras"]]
        for engine in ("torch", "tensorflow")
        for case in ("mlp", "digits", "cnn", "lstm", "transformer")
    },
    **{("predict", engine): ["keras"] for engine in ("jax", "torch", "tensorflow")},
}


def measure(case, engine, library):
    """Return the seconds of one case in a fresh process."""
    environment = {
        "HORNBEAM_COMPILATION_CACHE": "off",  # figures with compilation hold it
        **os.environ,
        "KERAS_BACKEND": engine,
        "JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS", "cpu"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "case.py"), case, library],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{case} {library} on {engine} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def import_seconds(module):
    """Return the seconds that a fresh Python needs to import `module`."""
    code = f"import time; t = time.perf_counter(); import {module}"
    code += "; print(time.perf_counter() - t)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=True,
    )
    return {"import": float(done.stdout.splitlines()[-1])}


def report(title, ours, theirs):
    """Print a line for each figure that both have."""
    for name in ours[0]:
        if name not in theirs[0]:
            continue
        mine = [round_[name] for round_ in ours]
        peer = [round_[name] for round_ in theirs]
        ratio = statistics.median(a / b for a, b in zip(mine, peer, strict=True))
        print(
            f"{title:34} {name:24} {statistics.median(mine):10.4f} s "
            f"{statistics.median(peer):10.4f} s   ratio {ratio:6.3f}",
            flush=True,
        )


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    print(f"{'case':34} {'figure':24} {'hornbeam':>12} {'peer':>12}")
    if options.only in ("", "import"):
        ours = [import_seconds("hornbeam") for _ in range(options.rounds)]
        theirs = [import_seconds("keras") for _ in range(options.rounds)]
        report("import, beside keras", ours, theirs)
    for (case, engine), peers in PEERS.items():
        if options.only and options.only not in (case, engine, f"{case}-{engine}"):
            continue
        rounds = [
            [measure(case, engine, library) for library in ("hornbeam", *peers)]
            for _ in range(options.rounds)
        ]
        ours, *others = zip(*rounds, strict=True)
        for peer, theirs in zip(peers, others, strict=True):
            report(f"{case} on {engine}, beside {peer}", ours, theirs)


if __name__ == "__main__":
    main()
