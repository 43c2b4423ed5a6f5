"""`import keras` means hornbeam where it was asked for, and only there."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

import hornbeam


def run_python(code, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, *(arguments or ("-c", code))],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_names_are_hornbeams_and_undone_they_are_kerass():
    code = """
import json, sys
import hornbeam
before = dict(sys.modules), list(sys.meta_path)
import hornbeam.as_keras
import keras
import keras.layers as layers
from keras import ops, Sequential
from keras.callbacks import History
from keras.src.backend import get_keras_mask
from keras.src.saving import serialization_lib
from keras.src.saving.saving_lib import load_model
from keras.src.ops import *
same = [
    layers is hornbeam.layers, ops is hornbeam.ops, keras.Sequential is Sequential,
    Sequential is hornbeam.Sequential, History is hornbeam.callbacks.History,
    load_model is hornbeam.saving.load_model, matmul is ops.matmul,
    serialization_lib.serialize_keras_object is hornbeam.saving.serialize_keras_object,
    layers.__name__ == layers.__spec__.name == "hornbeam.layers",
    keras.__version__.startswith("3.") and keras.version() == keras.__version__,
]
hornbeam.as_keras.undo()
left = [name for name in sys.modules if name.partition(".")[0] == "keras"]
print(json.dumps([same, left, sys.meta_path == before[1]]))
"""
    same, left, path_is_same = run_python(code)
    assert all(same), same
    assert left == []
    assert path_is_same


@pytest.mark.parametrize(
    ("statement", "kind", "message"),
    [
        ("from keras.src.layers import Nonsense", "ImportError", "private part"),
        ("from keras.src.backend import nonsense", "ImportError", "private part"),
        ("import keras.src.nonsense", "ImportError", "Use a public name"),
        ("import keras.nonsense", "ModuleNotFoundError", "public API of Keras"),
        ("import keras.backends", "ModuleNotFoundError", "public API of Keras"),
        ("from keras.layers import Denze", "ImportError", "Did you mean 'Dense'"),
        ("import keras._tf_keras.keras", "ImportError", "install(tensorflow=True)"),
    ],
)
def test_what_is_not_there_says_so(statement, kind, message):
    code = f"""
import json
import hornbeam.as_keras
try:
    {statement}
except ImportError as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
    name, text = run_python(code)
    assert name == kind
    assert message in text


def test_keras_itself_was_imported_before():
    code = """
import json, sys, types
keras = sys.modules["keras"] = types.ModuleType("keras")
try:
    import hornbeam.as_keras
except ImportError as error:
    import keras as still
    print(json.dumps([str(error), still is keras, len(sys.meta_path)]))
"""
    text, is_same, _ = run_python(code)
    assert "before anything that imports keras" in text
    assert is_same


def test_tensorflow_has_hornbeam_if_asked():
    code = """
import json
import hornbeam.as_keras
hornbeam.as_keras.install(tensorflow=True)
import tensorflow as tf
layers = tf.keras.layers
print(json.dumps([layers is hornbeam.layers, tf.keras.Model is hornbeam.Model]))
"""
    assert run_python(code) == [True, True]


def test_a_program_is_run(tmp_path):
    (tmp_path / "helper.py").write_text("value = 3")
    program = tmp_path / "program.py"
    program.write_text(
        "import json, sys, keras, helper\n"
        "print(json.dumps([keras.Model.__module__, helper.value, sys.argv[1:]]))"
    )
    printed = run_python("", "-m", "hornbeam", "run", str(program), "--epochs", "3")
    assert printed == ["hornbeam.models.model", 3, ["--epochs", "3"]]


def test_nothing_does_it_by_itself():
    code = """
import json, sys
import hornbeam
found = [type(f).__module__ for f in sys.meta_path] + list(sys.modules)
print(json.dumps([name for name in found if "as_keras" in name]))
"""
    assert run_python(code, HORNBEAM_AS_KERAS="0") == []


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("0", False)])
def test_a_variable_of_the_environment(value, expected):
    """What stands in the folder of installed packages when Python starts."""
    folder = pathlib.Path(hornbeam.__file__).parent.parent
    code = f"""
import json, site, sys
site.addsitedir({str(folder)!r})
print(json.dumps("hornbeam.as_keras" in sys.modules))
"""
    assert run_python(code, HORNBEAM_AS_KERAS=value) is expected
