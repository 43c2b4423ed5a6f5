"""Libraries that pictures need, and that are not installed with the library."""

from __future__ import annotations

import importlib
from typing import Any


def optional(module: str, extra: str = "plot", what: str = "This picture") -> Any:
    """Import a module; where its library is missing, say what to install.

    Args:
        module: such as "matplotlib.figure".
        extra: the extra of hornbeam that installs it.
        what: what needs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if str(error.name).partition(".")[0] != library:
            raise
        raise ImportError(
            f"{what} needs the library {library!r}, which is not installed: "
            f"`pip install 'hornbeam[{extra}]'`."
        ) from error
