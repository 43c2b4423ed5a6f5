"""The engines, and which of them is in force.

An engine is a module with the names of `contract`. It is imported when it is first
asked for. The engine in force is the one of the innermost `scope` of this thread, else
the default, which `HORNBEAM_BACKEND` or `KERAS_BACKEND` may name. `HORNBEAM_DEVICE`
names the device on which engines make tensors.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from hornbeam.backends import contract
from hornbeam.backends.scipy_sparse import is_scipy_sparse, scipy_coordinates
from hornbeam.core.errors import BackendMismatchError

__all__ = [
    "NAMES",
    "TRAINING",
    "check_same",
    "current",
    "default_name",
    "get",
    "is_scipy_sparse",
    "is_sparse",
    "of",
    "scipy_coordinates",
    "scope",
    "set_default",
]
NAMES = ("jax", "torch", "numpy", "tensorflow")
# Those with gradients: an error names them without importing them.
TRAINING = ("jax", "torch", "tensorflow")
_INSTALL = {
    "jax": "pip install jax",
    "torch": "pip install 'hornbeam[torch]'",
    "numpy": "pip install numpy",
    "tensorflow": "pip install 'hornbeam[tensorflow]'",
}

_loaded: dict[str, ModuleType] = {}
_lock = threading.RLock()
_scope: ContextVar[Any] = ContextVar("hornbeam_backend", default=None)
_default = None


def get(name: Any) -> Any:
    """Return the engine `name` as a module, imported on first use."""
    try:
        return _loaded[name]
    except KeyError:
        pass
    if name not in NAMES:
        raise ValueError(
            f"Unknown backend {name!r}. Available backends: {', '.join(NAMES)}."
        )
    with _lock:
        try:
            engine = importlib.import_module(f"hornbeam.backends.{name}")
        except ModuleNotFoundError as error:
            if error.name and error.name.startswith("hornbeam"):
                raise
            raise ImportError(
                f"The backend {name!r} needs the package {error.name!r}, which is not "
                f"installed. Install it with: {_INSTALL[name]}"
            ) from error
        device = os.environ.get("HORNBEAM_DEVICE")
        if device and name != "numpy":  # which has the CPU alone
            engine.set_default_device(device)
        for missing in contract.OPTIONAL - vars(engine).keys():
            setattr(engine, missing, None)
        _loaded[name] = engine
    return engine


def current() -> Any:
    """Return the engine in force here."""
    return _scope.get() or _default or _first_default()


def _first_default():
    name = os.environ.get("HORNBEAM_BACKEND") or os.environ.get("KERAS_BACKEND")
    set_default(name or "jax")
    return _default


def set_default(name: Any) -> Any:
    """Make `name` the engine of every thread that is in no `scope`."""
    global _default
    _default = get(name)


@contextlib.contextmanager
def scope(name: Any) -> Any:
    """Use the engine `name` (or the engine given) inside the block, in this thread."""
    engine = get(name) if isinstance(name, str) else name
    token = _scope.set(engine)
    try:
        yield engine
    finally:
        _scope.reset(token)


def default_name() -> Any:
    """Return the name of the engine in force without importing it."""
    engine = _scope.get() or _default
    if engine is not None:
        return engine.name
    return (
        os.environ.get("HORNBEAM_BACKEND") or os.environ.get("KERAS_BACKEND") or "jax"
    )


def of(x: Any) -> Any:
    """Return the loaded engine whose tensor `x` is, or None.

    NumPy arrays and scalars belong to no engine: every engine takes them.
    """
    for name, engine in list(_loaded.items()):
        if name != "numpy" and engine.is_tensor(x):
            return engine
    for name in ("jax", "torch", "tensorflow"):
        if name not in _loaded and name in sys.modules:
            module = type(x).__module__
            if module == name or module.startswith((name + ".", name + "lib")):
                engine = get(name)
                return engine if engine.is_tensor(x) else None
    return None


def is_sparse(x: Any) -> Any:
    """Whether `x` is sparse by its class: a tensor of an engine, or one of SciPy."""
    if is_scipy_sparse(x):
        return True
    engine = of(x)
    return engine is not None and engine.sparse_has_class and engine.is_sparse(x)


def check_same(owner: Any, other: Any, what: Any) -> Any:
    """Raise if `owner` and `other` are different engines; `what` names the object."""
    if other is not owner:
        raise BackendMismatchError(
            f"{what} belongs to the backend {other.name!r}, but the backend in use is "
            f"{owner.name!r}. Convert it with `keras.ops.convert_to_numpy(x)`, or move "
            f"the model with `model.to_backend({owner.name!r})`."
        )
