"""Libraries that are written for Keras run unchanged: each program is one of them."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).parent
PROGRAMS = sorted(p.stem for p in FOLDER.glob("*.py") if not p.stem.startswith("test"))
# On engines other than the default one these take minutes.
LONG = ("keras_hub_models", "keras_hub_tasks", "keras_tuner_search")
CASES = [
    pytest.param(program, engine, marks=[pytest.mark.long] if is_long else [])
    for program in PROGRAMS
    for engine in ("jax", "torch", "tensorflow")
    for is_long in [program in LONG and engine != "jax"]
]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("program", "engine"), CASES)
def test_library(program, engine):
    # `make test-all` installs it: pip alone would take a second TensorFlow with it.
    if "keras_hub" in program and importlib.util.find_spec("keras_hub") is None:
        pytest.skip("needs keras-hub, which the Makefile installs")
    command = [sys.executable, "-m", "hornbeam", "run"]
    # With TensorFlow KerasTuner asks TensorBoard, whose hparams name tf.keras.
    command += ["--tensorflow"] * (engine == "tensorflow")
    command.append(str(FOLDER / f"{program}.py"))
    environment = {**os.environ, "HORNBEAM_BACKEND": engine}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
