"""`import keras` means hornbeam, for libraries that are written for Keras.

    import hornbeam.as_keras  # before anything that imports keras
    import keras_tuner

The same without a change of the program: `python -m hornbeam run program.py`, or the
environment variable `HORNBEAM_AS_KERAS=1`. Nothing else ever does it.

`keras` and its public modules are hornbeam's own, so that a class is the same class by
both names. Of the private modules, `keras.src...`, libraries use names that are public
elsewhere: those are found, others raise an `ImportError` that says so.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import logging
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import hornbeam
from hornbeam.core import keras_names
from hornbeam.core.keras_names import KERAS_VERSION

# Names of private modules of Keras that libraries use: where they are here.
_PRIVATE = {
    "backend.get_keras_mask": "core.masking",
    "backend.is_tensor": "ops",
    "backend.set_keras_mask": "core.masking",
    "losses.LossFunctionWrapper": "losses.loss",
    "saving.H5IOStore": "saving.hdf5_store",
    "saving.in_safe_mode": "core.budget",
    "trainers.class_weight_to_sample_weights": "data.class_weight",
    "utils.in_grain_data_pipeline": "data.grain_pipeline",
}
# Public namespaces in which a private module has its names, besides that of its name.
_ALSO = {
    "backend": ("ops", "random", "config", ""),
    "trainers": ("utils", ""),
}
# Private modules that libraries name, in whatever namespace.
_MODULES = frozenset(
    """
    backend_utils callback common core data_adapter_utils data_adapters
    distribution_lib dtype_utils functional image_utils io_utils
    keras_tensor layer losses metric metrics model naming nn numerical_utils numpy
    object_registration operation optimizer saving_api saving_lib sequential
    serialization_lib tf_utils trainer tracking variables
    """.split()
)
_TENSORFLOW = "keras._tf_keras"

_log = logging.getLogger("hornbeam")


class _Keras(ModuleType):
    """The module `keras`: hornbeam's names, and the version of the API."""

    __version__ = KERAS_VERSION
    __path__: list[str] = []

    @staticmethod
    def version() -> str:
        return KERAS_VERSION

    def __getattr__(self, name: str) -> Any:
        return getattr(hornbeam, name)

    def __dir__(self) -> list[str]:
        return dir(hornbeam)


class _Private(ModuleType):
    """A module below `keras.src`: public names by their older or private places."""

    def __init__(self, name: str):
        super().__init__(name)
        self.__path__: list[str] = []
        space, *_ = name.split(".")[2:] or [""]
        self._spaces = (space, *_ALSO.get(space, ("",)))

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return list(keras_names.names().get(self._spaces[0], ()))
        if not name.startswith("__"):
            place = _PRIVATE.get(f"{self._spaces[0]}.{name}")
            if place is not None:
                return getattr(importlib.import_module(f"hornbeam.{place}"), name)
            for space in self._spaces:
                if name in keras_names.names().get(space, ()):
                    return getattr(_module(space), name)
            if name in _MODULES:
                return importlib.import_module(f"{self.__name__}.{name}")
        raise AttributeError(
            f"{self.__name__!r} is a private module of Keras, and hornbeam has no "
            f"{name!r} for it. Use a public name of `keras`."
        )


def _private(fullname):
    _, _, *parts = fullname.split(".")
    known = {*keras_names.names(), *_ALSO}
    if parts[:1] and parts[0] not in known or set(parts[1:]) - _MODULES:
        # Python would say nothing of a ModuleNotFoundError.
        raise ImportError(
            f"{fullname!r} is a private part of Keras, for which hornbeam has no "
            "counterpart. Use a public name of `keras`.",
            name=fullname,
        )
    return _Private(fullname)


def _module(space):
    return importlib.import_module(f"hornbeam.{space}".rstrip("."))


class _Loader(importlib.abc.Loader):
    """Gives a module that is there already, and leaves its `__spec__` alone."""

    def __init__(self, module: ModuleType):
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: Any) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec or module.__spec__


class _Finder:
    """Finds `keras` and what is below it."""

    def __init__(self, tensorflow: bool):
        self._tensorflow = tensorflow

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname.partition(".")[0] != "keras":
            return None
        module = self._find(fullname)
        is_package = hasattr(module, "__path__")
        return importlib.machinery.ModuleSpec(
            fullname, _Loader(module), is_package=is_package
        )

    def _find(self, fullname):
        space = fullname.partition(".")[2]
        if not space:
            return _Keras("keras", hornbeam.__doc__)
        if space.partition(".")[0] == "src":
            return _private(fullname)
        if fullname.startswith(_TENSORFLOW):
            if not self._tensorflow:
                raise ImportError(
                    "`tf.keras` is not hornbeam, since it was not asked for: "
                    "`hornbeam.as_keras.install(tensorflow=True)`, or "
                    "`python -m hornbeam run --tensorflow program.py`.",
                    name=fullname,
                )
            inner = fullname.removeprefix(_TENSORFLOW).removeprefix(".keras")
            return _module(inner.lstrip("."))
        if space in keras_names.names():
            # Where it is missing, the error says what to use instead.
            return _module(space)
        raise ModuleNotFoundError(
            f"No module named {fullname!r} in the public API of Keras, which is "
            "hornbeam's in this process.",
            name=fullname,
        )


_installed: list[_Finder] = []


def install(tensorflow: bool = False) -> None:
    """Let `import keras` mean hornbeam in this process, until `undo()`.

    Args:
        tensorflow: whether `tf.keras` means hornbeam too. Default: False

    Raises:
        ImportError: if Keras has been imported already.
    """
    keras = sys.modules.get("keras")
    if keras is not None and not isinstance(keras, _Keras):
        raise ImportError(
            "Keras itself has been imported already, so that libraries may hold parts "
            "of it. Import `hornbeam.as_keras` before anything that imports keras."
        )
    undo()
    _installed.append(_Finder(tensorflow))
    sys.meta_path.insert(0, _installed[0])  # type: ignore[arg-type]
    _log.info("`import keras` means hornbeam %s in this process", hornbeam.__version__)


def undo() -> None:
    """Let `import keras` mean Keras again; what was imported before stays as it is."""
    if not _installed:
        return
    sys.meta_path.remove(_installed.pop())  # type: ignore[arg-type]
    for name in [n for n in sys.modules if n.partition(".")[0] == "keras"]:
        del sys.modules[name]


def run(arguments: Sequence[str], tensorflow: bool = False) -> None:
    """Run a program in which `import keras` means hornbeam.

    Args:
        arguments: the program's path, and its arguments.
        tensorflow: whether `tf.keras` means hornbeam too. Default: False
    """
    install(tensorflow)
    sys.argv = list(arguments)
    sys.path[0] = str(Path(arguments[0]).parent)
    runpy.run_path(arguments[0], run_name="__main__")


install()
