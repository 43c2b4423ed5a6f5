"""What `LivePage` costs a training: fits with and without it, one after the other.

    python benchmarks/live_page.py [--engine jax] [--rounds 5] [--seconds 10]

Each round trains the same network for about so many seconds of the processor without a
page, with one that nobody looks at, and with one that another process asks for news as
a browser does. Seconds are of this process, with all its threads, and of the clock.
Such fits differ by more than a page costs: `own` is what the page's own code takes of
the processor's seconds, in its threads and in that of the training.
"""

import argparse
import contextlib
import functools
import io
import os
import statistics
import subprocess
import sys
import threading
import time

_LOOK = """
import json, sys, time, urllib.request
version = 0
while True:
    address = f"{sys.argv[1]}state?since={version}"
    try:
        with urllib.request.urlopen(address) as answer:
            news = json.load(answer)
    except OSError:
        break
    if news["ended"]:
        break
    version = news["version"]
    time.sleep(news["wait"] / 1000)
"""


def make():
    """Return a network, and the arguments of its `fit`."""
    import numpy as np

    import hornbeam as keras
    from hornbeam import layers

    draws = np.random.default_rng(0)
    x = draws.normal(size=(20_000, 64)).astype("float32")
    y = draws.integers(0, 10, 20_000)
    hidden = [layers.Dense(256, activation="relu"), layers.Dropout(0.2)]
    last = layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), *hidden, last])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, {"x": x, "y": y, "batch_size": 128, "validation_split": 0.1}


class OwnSeconds:
    """The processor's seconds in some methods, those that they call among them."""

    def __init__(self, *methods):
        self.total = 0.0
        self._inside = threading.local()
        for owner, name in methods:
            setattr(owner, name, self._counting(getattr(owner, name)))

    def _counting(self, method):
        @functools.wraps(method)
        def counted(*args, **kwargs):
            if getattr(self._inside, "entered", False):
                return method(*args, **kwargs)
            self._inside.entered, started = True, time.thread_time()
            try:
                return method(*args, **kwargs)
            finally:
                self._inside.entered = False
                self.total += time.thread_time() - started

        return counted


def fit(epochs, kind):
    """Return the processor's seconds and the clock's of a training."""
    import hornbeam as keras

    model, options = make()

    class Looked(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            viewers.append(subprocess.Popen([sys.executable, "-c", _LOOK, page.url]))

    page, viewers, callbacks = keras.callbacks.LivePage(), [], []
    if kind != "none":
        callbacks.append(page)
    if kind == "watched":
        callbacks.append(Looked())
    started = time.process_time(), time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        model.fit(epochs=epochs, verbose=0, callbacks=callbacks, **options)
    spent = time.process_time() - started[0], time.perf_counter() - started[1]
    for viewer in viewers:
        viewer.wait()
    return spent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="jax")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    os.environ["HORNBEAM_BACKEND"] = options.engine
    from hornbeam.callbacks import LivePage
    from hornbeam.visualization.live_server import _Server

    training = ("on_train_begin", "progress", "on_train_end", "pass_ended")
    serving = ("serve", "process_request_thread")
    own = OwnSeconds(
        *((LivePage, name) for name in training), *((_Server, name) for name in serving)
    )
    fit(2, "none")  # compiles
    epochs = max(1, round(options.seconds / (fit(10, "none")[0] / 10)))
    kinds = ("none", "unwatched", "watched")
    ratios = {kind: [] for kind in kinds[1:]}
    shares = {kind: [] for kind in kinds}
    for number in range(options.rounds):
        order = kinds[number % 3 :] + kinds[: number % 3]
        times = {}
        for kind in order:
            before = own.total
            times[kind] = fit(epochs, kind)
            shares[kind].append((own.total - before) / times[kind][0])
        for kind, found in ratios.items():
            pairs = zip(times[kind], times["none"], strict=True)
            found.append([with_page / without for with_page, without in pairs])
        shown = "  ".join(f"{k} {t[0]:.2f}/{t[1]:.2f} s" for k, t in times.items())
        print(f"{epochs} epochs, processor/clock: {shown}", flush=True)
    for kind, found in ratios.items():
        processor, clock = (statistics.median(c) for c in zip(*found, strict=True))
        share = 100 * statistics.median(shares[kind])
        print(
            f"{kind}: own {share:.2f}%, processor x{processor:.4f}, clock x{clock:.4f} "
            "(medians)"
        )


if __name__ == "__main__":
    main()
