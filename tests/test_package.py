"""The package as a whole: what an import costs, the names, the docstrings' examples."""

import doctest
import importlib
import inspect
import json
import os
import pkgutil
import statistics
import subprocess
import sys

import pytest

import hornbeam
from hornbeam import backends
from hornbeam.core import lazy

HEAVY = ["jax", "torch", "tensorflow", "h5py", "sklearn", "pandas", "matplotlib"]


def run_python(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_import_is_light():
    code = f"""
import json, sys, time
started = time.perf_counter()
import hornbeam
seconds = time.perf_counter() - started
loaded = [name for name in {HEAVY} if name in sys.modules]
engines = [name for name in sys.modules if name.startswith("hornbeam.backends.")]
print(json.dumps([seconds, loaded, engines]))
"""
    runs = [run_python(code) for _ in range(5)]
    assert statistics.median(seconds for seconds, _, _ in runs) < 0.15
    assert runs[0][1] == []
    assert runs[0][2] == []


@pytest.mark.parametrize("name", backends.NAMES)
def test_an_engine_imports_no_other(name):
    others = [f"hornbeam.backends.{n}" for n in backends.NAMES if n != name]
    others += [n for n in ("jax", "torch", "tensorflow") if n != name]
    if name == "tensorflow":
        others.remove("jax")  # which TensorFlow itself imports where it can
    code = f"""
import json, sys
import hornbeam as keras
keras.config.set_backend({name!r})
keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
print(json.dumps([name for name in {others} if name in sys.modules]))
"""
    assert run_python(code) == []


@pytest.mark.parametrize("variable", ["HORNBEAM_BACKEND", "KERAS_BACKEND"])
def test_environment_names_the_engine(variable):
    code = f"""
import json, os
os.environ[{variable!r}] = "numpy"
import hornbeam as keras
print(json.dumps([keras.config.backend(), type(keras.ops.ones(2)).__module__]))
"""
    assert run_python(code) == ["numpy", "numpy"]


def packages():
    """Return the packages that list public names."""
    return [
        name
        for name in modules()
        if hasattr(importlib.import_module(name), "__path__")
        and _has_list(importlib.import_module(name))
    ]


def modules():
    found = pkgutil.walk_packages(hornbeam.__path__, "hornbeam.")
    # That module acts when it is imported.
    names = (module.name for module in found)
    return ["hornbeam", *(name for name in names if name != "hornbeam.as_keras")]


def _has_list(module):
    import pathlib

    return pathlib.Path(module.__file__).with_suffix(".pyi").exists()


def test_every_listed_name_is_there():
    for package in packages():
        module = importlib.import_module(package)
        for name in lazy.names_of(package):
            assert getattr(module, name) is not None
            assert name in dir(module)


def test_public_names_have_docstrings():
    bare = []
    for package in packages():
        for name in lazy.names_of(package):
            value = getattr(importlib.import_module(package), name)
            if inspect.isclass(value) or inspect.isfunction(value):
                if not (value.__doc__ or "").strip():
                    bare.append(f"{package}.{name}")
    assert bare == []


def test_unknown_names_get_a_suggestion():
    with pytest.raises(AttributeError, match="Did you mean 'layers'"):
        _ = hornbeam.layer
    with pytest.raises(AttributeError, match="Did you mean 'Dense'"):
        _ = hornbeam.layers.Denze


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (".applications." in name))
        for name in modules()
    ],
)
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in finder.find(module, name, module=module):
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_no_engine_is_named_outside_backends():
    """A real difference between engines is a capability flag of the contract."""
    import pathlib
    import re

    root = pathlib.Path(hornbeam.__file__).parent
    compared = re.compile(r"""(==|!=|\bin\b)\s*[(\[]?["'](jax|torch|tensorflow)["']""")
    found = [
        f"{path.relative_to(root)}:{number}"
        for path in root.rglob("*.py")
        if path.relative_to(root).parts[0] != "backends"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if compared.search(line)
    ]
    assert found == []


@pytest.mark.xdist_group("of one")
def test_groups_of_tests_stay_together(request):
    """Where tests run in several processes; a new pytest may break it silently."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        assert request.node.nodeid.endswith("@of one")
