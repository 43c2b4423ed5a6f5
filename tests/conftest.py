"""Fixtures that all tests share."""

import gc
import importlib.util
import os
import pathlib
import random
import sys

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# What an earlier run compiled is not looked at.
os.environ["HORNBEAM_COMPILATION_CACHE"] = "off"
# Thousands of small programs are compiled here, and most run once: compiling them
# without optimisation halves the time of the suite. (The last flag: TensorFlow's own
# setting loses NaN in the older emitters.)
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false "
    "--xla_llvm_disable_expensive_passes=true --xla_cpu_enable_fast_min_max=false",
)

import numpy as np
import pytest

from hornbeam import backends
from hornbeam.core import naming


def pytest_addoption(parser):
    parser.addoption(
        "--wheel", help="the folder from which hornbeam must have been imported"
    )


def pytest_configure(config):
    import hornbeam

    folder = config.getoption("--wheel")
    imported = pathlib.Path(hornbeam.__file__).resolve()
    if folder and pathlib.Path(folder).resolve() not in imported.parents:
        raise pytest.UsageError(f"hornbeam was imported from {imported}, not {folder}")


ENGINES = [
    name
    for name in backends.NAMES
    if importlib.util.find_spec("jax" if name == "jax" else name) is not None
]
TRAINING_ENGINES = [name for name in ENGINES if name != "numpy"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """All laws of a row run in one process, where its programs are compiled already."""
    for item in items:
        row = item.callspec.params.get("row") if hasattr(item, "callspec") else None
        name = getattr(row, "op", None) or getattr(row, "name", None)
        if name and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem} {name}"))


@pytest.fixture(autouse=True)
def _fresh_start():
    """Every test starts from the same seeds and names."""
    random.seed(0)
    np.random.seed(0)
    naming.reset()
    from hornbeam.core.random import reset_global_seed_generator

    reset_global_seed_generator(0)
    yield


# JAX keeps every program that it compiles: 8 GB of them by the end of the suite.
_MORE_BYTES = 2 << 30
_bytes_after_clearing = 0


@pytest.fixture(autouse=True, scope="module")
def _few_programs():
    """The programs of JAX are forgotten each time that they have grown by 2 GiB."""
    yield
    global _bytes_after_clearing
    if "jax" in sys.modules and _resident() > _bytes_after_clearing + _MORE_BYTES:
        sys.modules["jax"].clear_caches()
        gc.collect()
        _bytes_after_clearing = _resident()


def _resident():
    """Return the bytes of memory that the process uses; 0 where it cannot be told."""
    statm = pathlib.Path("/proc/self/statm")
    pages = statm.read_text().split()[1] if statm.exists() else 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(params=ENGINES)
def engine(request):
    """Each installed engine in turn, in force during the test."""
    with backends.scope(request.param) as current:
        yield current


@pytest.fixture(params=TRAINING_ENGINES)
def training_engine(request):
    """Each installed engine that trains in turn, in force during the test."""
    with backends.scope(request.param) as current:
        yield current


@pytest.fixture
def python_only():
    """A law about Python objects alone: on NumPy, which compiles nothing."""
    with backends.scope("numpy") as current:
        yield current
