"""Texts and strings, hornbeam and Keras in turn, each in processes of its own.

    python benchmarks/text.py [--rounds 3] [--only lookup]

Seconds are those of the call, by the clock and (CPU) of all processors together, the
medians of the rounds; the ratios are of both. `MB` is what the process needed at most
during the call beyond what it had before. Other work on the machine shows in the clock.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

HERE = pathlib.Path(__file__).parent
LIBRARIES = ("hornbeam", "keras")


def memory(key):
    """Return a figure of this process in MB, such as VmRSS, or VmHWM, the maximum."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1000
    raise KeyError(key)


def emails():
    sys.path.insert(0, str(HERE.parent / "examples"))
    from data import emails

    return emails()[0]


def words(count, distinct=50_000):
    """Return so many strings, few of them often and many seldom."""
    draws = np.random.default_rng(0).zipf(1.3, count) % distinct
    return np.array([f"token_{i}" for i in range(distinct)])[draws]


def adapt_emails(layers):
    texts = emails()
    layer = layers.TextVectorization(max_tokens=20_000)
    return lambda: layer.adapt(texts)


def call_emails(layers):
    texts = emails()
    layer = layers.TextVectorization(max_tokens=20_000, output_sequence_length=500)
    layer.adapt(texts[:1000])
    return lambda: np.asarray(layer(texts))


def count_emails(layers):
    texts = emails()
    layer = layers.TextVectorization(max_tokens=5_000, output_mode="tf_idf")
    layer.adapt(texts[:1000])
    return lambda: np.asarray(layer(texts))


def lookup(layers):
    strings = words(1_000_000)
    vocabulary = [f"token_{i}" for i in range(40_000)]
    layer = layers.StringLookup(vocabulary=vocabulary)
    return lambda: np.asarray(layer(strings))


def hash_strings(layers):
    strings, layer = words(1_000_000), layers.Hashing(1000)
    return lambda: np.asarray(layer(strings))


def adapt_strings(layers):
    strings, layer = words(2_000_000), layers.StringLookup()
    return lambda: layer.adapt(strings)


CASES = {
    "TextVectorization.adapt of 6,046 e-mails": adapt_emails,
    "TextVectorization of them, rows of 500": call_emails,
    "TextVectorization of them, tf_idf of 5,000": count_emails,
    "StringLookup of 1,000,000 strings": lookup,
    "Hashing of 1,000,000 strings": hash_strings,
    "StringLookup.adapt of 2,000,000 strings": adapt_strings,
}


def measure(library, case):
    """Print seconds and extra MB of a case in this process, as JSON."""
    if library == "hornbeam":
        import hornbeam as keras
    else:
        import keras
    call = CASES[case](keras.layers)
    warm = keras.layers.StringLookup(vocabulary=["a"])
    np.asarray(warm(np.array(["a"])))
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before, start, used = memory("VmRSS"), time.perf_counter(), time.process_time()
    call()
    seconds, used = time.perf_counter() - start, time.process_time() - used
    print(json.dumps([seconds, used, memory("VmHWM") - before]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--engine", default="jax")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(*options.measure)
    environment = {
        **os.environ,
        "KERAS_BACKEND": options.engine,
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    print(f"{'':43}{'hornbeam':>26}{'Keras':>26}  ratios")
    for case in CASES:
        if options.only not in case:
            continue
        found = {library: [] for library in LIBRARIES}
        for _ in range(options.rounds):
            for library in LIBRARIES:
                command = [sys.executable, __file__, "--measure", library, case]
                done = subprocess.run(
                    command, env=environment, capture_output=True, text=True, check=True
                )
                found[library].append(json.loads(done.stdout.splitlines()[-1]))
        medians = [
            [statistics.median(x) for x in zip(*found[library], strict=True)]
            for library in LIBRARIES
        ]
        shown = "".join(f"{s:6.2f} s {c:5.2f} CPU {mb:4.0f} MB" for s, c, mb in medians)
        ours, theirs = medians
        ratios = f"{ours[0] / theirs[0]:.2f} {ours[1] / theirs[1]:.2f}"
        print(f"{case:43}{shown}  {ratios}", flush=True)
    return None


if __name__ == "__main__":
    main()
