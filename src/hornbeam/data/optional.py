"""Libraries that are needed for some kinds of data alone."""

from __future__ import annotations

import functools
import importlib
from typing import Any

_NEEDED = {
    "PIL.Image": ("Pillow", "pip install 'hornbeam[image]'"),
    "tensorflow": ("TensorFlow", "pip install 'hornbeam[tensorflow]'"),
    "torch.utils.data": ("PyTorch", "pip install 'hornbeam[torch]'"),
    "grain": ("Grain", "pip install grain"),
    "scipy.signal": ("SciPy", "pip install scipy"),
}


@functools.cache
def library(module: str, what: str) -> Any:
    """Return a module, or raise an ImportError that says what to install.

    Args:
        module: the name of the module.
        what: what needs it, for the error.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name, command = _NEEDED[module]
        raise ImportError(f"{what} needs {name}: `{command}`.") from error


@functools.cache
def if_installed(module: str) -> Any:
    """Return a module that makes something faster, or None."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None
