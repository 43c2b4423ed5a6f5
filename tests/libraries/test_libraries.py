"""Libraries that are written for Keras run unchanged: each program is one of them."""

import os
import pathlib
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).parent
PROGRAMS = sorted(p.stem for p in FOLDER.glob("*.py") if not p.stem.startswith("test"))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["jax", "torch", "tensorflow"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_library(program, engine):
    command = [sys.executable, "-m", "hornbeam", "run", str(FOLDER / f"{program}.py")]
    environment = {**os.environ, "HORNBEAM_BACKEND": engine}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
