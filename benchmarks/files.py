"""Saving and loading a model of 500 MB, hornbeam and Keras in turn.

    python benchmarks/files.py [--rounds 3] [--engine jax] [--only weights.h5]

Each figure is taken in a fresh process, after the same call with a small model; the
libraries take turns in each round. Seconds are those of the call, with the file in the
system's cache. Extra memory is what the
process needed at most during the call, beyond what it had before; of loading a whole
model, beyond the model itself too. `read` is a read of the bytes into new memory. Keras
has no safetensors: there the peer is its `.weights.h5`.
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

SUFFIXES = (".keras", ".weights.h5", ".safetensors", ".h5")
LIBRARIES = ("hornbeam", "keras")
UNITS, LAYERS = 4096, 7


def network(keras, units):
    """A model of 470 MB, or one with fewer units in a layer."""
    layers = [keras.layers.Dense(units) for _ in range(LAYERS)]
    model = keras.Sequential([keras.Input((units,)), *layers])
    model(keras.ops.zeros((1, units)))
    return model


def memory(key):
    """Return a figure of this process in MB, such as VmRSS, or VmHWM, the maximum."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1000
    raise KeyError(key)


def measured(call):
    """Return seconds, extra MB, and what the call returned."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    return seconds, memory("VmHWM") - before, result


def save(keras, path, units=UNITS):
    model = network(keras, units)
    whole = path.name.endswith((".keras", "model.h5"))
    write = model.save if whole else model.save_weights
    seconds, extra, _ = measured(lambda: write(path))
    return seconds, extra


def load(keras, path, units=UNITS):
    if path.name.endswith((".keras", "model.h5")):
        seconds, extra, model = measured(
            lambda: keras.models.load_model(path, compile=False)
        )
        size = sum(w.numpy().nbytes for w in model.weights) / 1e6
        return seconds, extra - size
    model = network(keras, units)
    seconds, extra, _ = measured(lambda: model.load_weights(path))
    return seconds, extra


def read(path):
    def call():
        data = bytearray(path.stat().st_size)
        with path.open("rb", buffering=0) as file:
            view = memoryview(data)
            while len(view):
                view = view[file.readinto(view) :]
        return data

    seconds, extra, _ = measured(call)
    return seconds, extra


def one(action, library, path):
    """Print the figures of one measurement."""
    if action == "read":
        print(json.dumps(read(path)))
        return
    if library == "hornbeam":
        import hornbeam as keras
    else:
        import keras
    with tempfile.TemporaryDirectory() as folder:
        small = pathlib.Path(folder) / path.name
        save(keras, small, 8)
        load(keras, small, 8)
    print(json.dumps({"save": save, "load": load}[action](keras, path)))


def run(action, library, path, engine):
    """Return the figures of a measurement in a process of its own."""
    environment = {**os.environ, "KERAS_BACKEND": engine, "HORNBEAM_BACKEND": engine}
    command = [sys.executable, __file__, "--one", action, library, str(path)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def compare(suffix, rounds, engine):
    """Print the lines of a format."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for library in LIBRARIES:
                peer = library == "keras" and suffix == ".safetensors"
                suffix_of = ".weights.h5" if peer else suffix
                path = pathlib.Path(folder) / f"{library}-model{suffix_of}"
                for action in ("save", "load"):
                    figure = run(action, library, path, engine)
                    figures.setdefault((action, library), []).append(figure)
            figures.setdefault("read", []).append(run("read", library, path, engine))
    reading = statistics.median(seconds for seconds, _ in figures["read"])
    for action in ("save", "load"):
        cells = [f"{suffix:13} {action}"]
        ours, theirs = (figures[action, library] for library in LIBRARIES)
        for i, unit in enumerate(("s", "MB")):
            pair = [statistics.median(f[i] for f in x) for x in (ours, theirs)]
            cells.append(f"{pair[0]:8.2f} {pair[1]:8.2f} {unit:2}")
            ratios = [a[i] / max(b[i], 1e-3) for a, b in zip(ours, theirs, strict=True)]
            cells.append(f"{statistics.median(ratios):5.2f}")
        if action == "load":
            by_reading = statistics.median(f[0] for f in ours) / reading
            cells.append(f"read {reading:.2f} s, {by_reading:.2f} times")
        print(" | ".join(cells), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", default="jax")
    parser.add_argument("--only", default="")
    parser.add_argument("--one", nargs=3)
    arguments = parser.parse_args()
    if arguments.one:
        action, library, path = arguments.one
        one(action, library, pathlib.Path(path))
        return
    print("format        what | hornbeam, Keras  | ratio | extra memory    | ratio")
    for suffix in SUFFIXES:
        if arguments.only in suffix:
            compare(suffix, arguments.rounds, arguments.engine)


if __name__ == "__main__":
    main()
