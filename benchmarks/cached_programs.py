"""The memory that the programs of many different structures take.

    python benchmarks/cached_programs.py [--structures 200] [--engine jax]

Trains networks of as many widths, one after the other, each for an epoch, and prints
how the process has grown, beyond what the first ones took; then what is left after
`clear_session()`.
"""

import argparse
import ctypes
import gc
import os
import pathlib
import time

FIRST = 5


def resident():
    """Return the MiB of memory that the process uses once free memory is given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def train(keras, width):
    model = keras.Sequential([keras.Input((20,)), keras.layers.Dense(width)])
    model.add(keras.layers.Dropout(0.1))
    model.add(keras.layers.Dense(3, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = keras.ops.convert_to_numpy(keras.random.normal((64, 20), seed=0))
    model.fit(x, [0, 1] * 32, verbose=0)
    model.predict(x, verbose=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--structures", type=int, default=200)
    parser.add_argument("--engine", default="jax")
    arguments = parser.parse_args()
    os.environ["HORNBEAM_BACKEND"] = arguments.engine
    os.environ.setdefault("HORNBEAM_COMPILATION_CACHE", "off")
    import hornbeam as keras

    for width in range(8, 8 + FIRST):
        train(keras, width)
    start, began = resident(), time.process_time()
    for number in range(1, arguments.structures + 1):
        train(keras, 8 + FIRST + number)
        if number % 20 == 0 or number == arguments.structures:
            print(f"{number:4} structures: {resident() - start:+.0f} MiB", flush=True)
    print(f"{time.process_time() - began:.0f} s of processor time")
    keras.utils.clear_session()
    print(f"after clear_session(): {resident() - start:+.0f} MiB")


if __name__ == "__main__":
    main()
