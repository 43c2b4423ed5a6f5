"""Libraries that are written for Keras run unchanged: each program is one of them."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).parent
PROGRAMS = sorted(p.stem for p in FOLDER.glob("*.py") if not p.stem.startswith("test"))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", ["jax", "torch", "tensorflow"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_library(program, engine):
    # `make test-all` installs it: pip alone would take a second TensorFlow with it.
    if "keras_hub" in program and importlib.util.find_spec("keras_hub") is None:
        pytest.skip("needs keras-hub, which the Makefile installs")
    command = [sys.executable, "-m", "hornbeam", "run", str(FOLDER / f"{program}.py")]
    environment = {**os.environ, "HORNBEAM_BACKEND": engine}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
