"""Compiled programs kept in files."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import hornbeam as keras
from hornbeam.backends import program_files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(program_files, "_folder", tmp_path / "programs")
    monkeypatch.setattr(program_files, "_is_set", True)
    return tmp_path / "programs"


def test_what_was_written_is_read(folder):
    assert program_files.read("a") is None
    program_files.write("a", b"one")
    program_files.write("b", b"")
    assert program_files.read("a") == b"one"
    assert program_files.read("b") is None
    assert [path.name for path in folder.iterdir()] == ["a.program"]


def test_a_damaged_file_counts_as_missing_and_is_replaced(folder):
    program_files.write("a", b"one" * 1000)
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    assert program_files.read("a") is None
    program_files.write("a", b"two")
    assert program_files.read("a") == b"two"


def test_the_least_recently_used_go_first(folder, monkeypatch):
    noise = [os.urandom(1000) for _ in range(4)]
    monkeypatch.setattr(program_files, "LARGEST_BYTES", 3500)
    for number in range(3):
        program_files.write(str(number), noise[number])
        os.utime(folder / f"{number}.program", (number, number))
    program_files.read("0")
    program_files.write("3", noise[3])
    assert [program_files.read(str(i)) is not None for i in range(4)] == [
        True,
        False,
        True,
        True,
    ]


def test_many_write_and_read_at_the_same_time(folder):
    data = {str(i): bytes([i]) * 5000 for i in range(4)}

    def work(number):
        key = str(number % 4)
        program_files.write(key, data[key])
        return program_files.read(key) == data[key]

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(200)))
    assert len(list(folder.iterdir())) == 4


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners of files")
def test_a_folder_in_which_others_write_is_not_used(folder):
    program_files.write("a", b"one")
    folder.chmod(0o777)
    assert program_files.read("a") is None
    program_files.write("b", b"two")
    folder.chmod(0o700)
    assert program_files.read("a") == b"one"
    assert program_files.read("b") is None


def test_a_path_that_is_no_folder_keeps_nothing(folder):
    folder.write_text("a file")
    program_files.write("a", b"one")
    assert program_files.read("a") is None


FIT = """
import json, os, sys
import numpy as np
import hornbeam as keras
import jax
compiled = []
jax.monitoring.register_event_duration_secs_listener(
    lambda name, *a, **k: compiled.append(name) if "backend_compile" in name else None
)
keras.utils.set_random_seed(0)
x = np.arange(40, dtype="float32").reshape(10, 4) / 40
constant = np.arange(float(sys.argv[1]), float(sys.argv[1]) + 600, dtype="float32")
model = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Lambda(lambda x: x + keras.ops.sum(keras.ops.array(constant))),
    keras.layers.Dense(2),
])
model.compile("adam", "mse")
compiled.clear()
history = model.fit(x, x[:, :2], epochs=2, verbose=0, shuffle=False).history
print(json.dumps([history["loss"], len(compiled)]))
"""


def fit(folder, number, **environment):
    done = subprocess.run(
        [sys.executable, "-c", FIT, str(number)],
        capture_output=True,
        text=True,
        env={**os.environ, "HORNBEAM_COMPILATION_CACHE": str(folder), **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_later_process_compiles_nothing_and_gets_the_same(tmp_path):
    """A program that differs by a long constant alone is another program."""
    first, compilations = fit(tmp_path, 0)
    again, later_compilations = fit(tmp_path, 0)
    other, other_compilations = fit(tmp_path, 1)
    assert first == again != other
    assert later_compilations == 0 < compilations == other_compilations


def test_a_second_model_with_a_user_s_layer_compiles_nothing(monkeypatch):
    jax = pytest.importorskip("jax")
    monkeypatch.setattr(program_files, "_folder", None)
    monkeypatch.setattr(program_files, "_is_set", True)
    compiled = []
    whole = jax.stages.Lowered.compile

    def counted(lowered, *arguments, **options):
        compiled.append(lowered)
        return whole(lowered, *arguments, **options)

    class Scaled(keras.layers.Layer):
        def __init__(self, scale):
            super().__init__()
            self.scale = scale
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.scale * self.dense(x)

    def losses(scale):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3,)), Scaled(scale)])
        model.compile("sgd", "mse")
        x = np.ones((8, 3), "float32")
        return model.fit(x, x[:, :2], epochs=2, verbose=0).history["loss"]

    monkeypatch.setattr(jax.stages.Lowered, "compile", counted)
    first = losses(2.0)
    assert compiled
    compiled.clear()
    assert losses(2.0) == first
    assert not compiled
    assert losses(3.0) != first
    assert compiled


def test_a_folder_that_the_user_gave_jax_comes_first(tmp_path):
    """What JAX has read from a file of its own could not be written again."""
    jax_folder = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    runs = [fit(tmp_path / "ours", 0, **jax_folder)[0] for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]
    assert list((tmp_path / "jax").iterdir())
    assert not (tmp_path / "ours").exists()
