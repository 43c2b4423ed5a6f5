"""The programs of tests/programs with hornbeam and with Keras, on JAX, in one run.

    python benchmarks/programs.py [--rounds 3] [--only image] [--engine jax]

Each program runs twice in a fresh process: the first time holds compilation, the
second is another model of the same program. The figures are seconds of processor time,
the imports left out; the rounds alternate between the libraries.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

PROGRAMS = pathlib.Path(__file__).resolve().parent.parent / "tests" / "programs"
FIRST, SECOND = 1.0, 0.7


def load():
    """Return the programs by name."""
    sys.path.insert(0, str(PROGRAMS))
    import catalogue

    return catalogue.load()


def case(name, library):
    """Run a program twice in this process; print the seconds of each as JSON."""
    program = load()[name]
    engine = os.environ["KERAS_BACKEND"]
    __import__(engine)
    if library == "keras":
        import keras
    else:
        import hornbeam as keras
    seconds = []
    for _ in range(2):
        started = time.process_time()
        program(keras)
        seconds.append(time.process_time() - started)
    print(json.dumps(seconds))


def measure(name, library, engine):
    """Return the seconds of a program's two runs in a fresh process, or the error."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": engine,
        "HORNBEAM_BACKEND": engine,
        "JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS", "cpu"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    with tempfile.TemporaryDirectory() as folder:  # where no program is kept yet
        environment["HORNBEAM_COMPILATION_CACHE"] = folder
        done = run(name, library, environment)
    if done.returncode:
        return done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def run(name, library, environment):
    """Run this file for one program in a process of its own."""
    return subprocess.run(
        [sys.executable, __file__, "--case", name, "--library", library],
        env=environment,
        capture_output=True,
        text=True,
    )


def compare(program, engine, rounds):
    """Print a program's line; return whether it meets the targets."""
    peer = program.name if program.beside is None else program.beside
    pairs = []
    for _ in range(rounds):
        ours = measure(program.name, "hornbeam", engine)
        theirs = measure(peer, "keras", engine) if peer else [float("nan")] * 2
        for library, found in (("hornbeam", ours), ("Keras", theirs)):
            if isinstance(found, str):
                print(f"{program.name:28} {library} failed: {found[-600:]}", flush=True)
                return False
        pairs.append((ours, theirs))
    medians = [
        statistics.median(pair[which][run] for pair in pairs)
        for run in (0, 1)
        for which in (0, 1)
    ]
    ratios = [
        statistics.median(ours[run] / theirs[run] for ours, theirs in pairs)
        for run in (0, 1)
    ]
    met = not (ratios[0] > FIRST or ratios[1] > SECOND)
    print(
        f"{program.name:28} {medians[0]:8.2f} {medians[1]:8.2f} {ratios[0]:7.2f}   "
        f"{medians[2]:8.2f} {medians[3]:8.2f} {ratios[1]:7.2f}  "
        f"{'' if met else 'missed'}",
        flush=True,
    )
    return met


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="a part of programs' names")
    parser.add_argument("--engine", default="jax")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--library", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        return case(options.case, options.library)
    programs = [
        program
        for program in load().values()
        if options.only in program.name and options.engine in program.engines
    ]
    print(f"{'':28} {'first fit':>17} {'ratio':>7}   {'second fit':>17} {'ratio':>7}")
    print(f"{'program':28} {'hornbeam':>8} {'Keras':>8} {'':7}   {'hornbeam':>8} Keras")
    met = [compare(program, options.engine, options.rounds) for program in programs]
    print(f"{sum(met)} of {len(met)} programs meet the targets")


if __name__ == "__main__":
    main()
