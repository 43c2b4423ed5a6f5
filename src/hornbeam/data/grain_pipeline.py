"""Whether code runs in a pipeline of Grain."""

from __future__ import annotations

import sys


def in_grain_data_pipeline() -> bool:
    """Return whether Grain calls what runs here, to make an element of a data set.

    Its elements go between processes, so that they should be NumPy arrays.
    """
    if "grain" not in sys.modules:
        return False
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] == "grain":
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False
