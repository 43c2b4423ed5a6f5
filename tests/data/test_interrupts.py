"""Ctrl-C while a worker hangs ends the program, with a traceback that says where."""

import os
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import os, signal, sys, time
import numpy as np
import hornbeam as keras

class Hung(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index == 2:
            print(os.getpid(), flush=True)
            time.sleep(600)
        return np.ones((2, 3), "float32"), np.ones(2)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may ignore it
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = Hung(workers=2, use_multiprocessing=sys.argv[1] == "processes")
    model.fit(data, shuffle=False, verbose=0)
"""


@pytest.mark.timeout(60)
@pytest.mark.parametrize("workers", ["threads", "processes"])
def test_an_interrupt_ends_fit_the_program_and_its_workers(workers, tmp_path):
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, str(file), workers],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HORNBEAM_BACKEND": "jax"},
    )
    try:
        worker = int(process.stdout.readline())
        time.sleep(1)  # until the training waits for this batch
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode in (-signal.SIGINT, 130)
    assert "KeyboardInterrupt" in error
    assert "waited for Hung[2]" in error
    if workers == "threads":
        assert "time.sleep(600)" in error
        return
    deadline = time.monotonic() + 10
    while _is_alive(worker):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
