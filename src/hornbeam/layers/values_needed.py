"""What to write in place of code that needs the numbers of a tensor.

While a program is made, the tensors in it have no numbers yet. NumPy functions, `if`
and `float` fail on them, with an error of the engine. A note says what does work.
"""

from __future__ import annotations

import linecache
import re
from types import TracebackType
from typing import Any

from hornbeam import backends, ops

_MARK = "A tensor has no numbers here"
_FUNCTION = re.compile(r"\b(?:np|numpy|math)\.(?:linalg\.)?(\w+)\s*\(")
_CONVERSION = re.compile(r"\b(float|int|bool|range)\s*\(|\.(item|numpy|tolist)\s*\(")
_BRANCH = re.compile(r"\b(if|while|and|or|not|assert)\b")
_ASSIGNMENT = re.compile(r"\]\s*[-+*/]?=[^=]")


def explain(error: BaseException) -> None:
    """Add to an error of this kind what to write instead; once."""
    if _MARK in "".join(getattr(error, "__notes__", None) or ()):
        return
    line = _line_of_user(error.__traceback__)
    where = f", in `{line}`" if line else ""
    if isinstance(error, TypeError) and _is_of_numpy(error.__traceback__):
        error.add_note(f"{_MARK} that NumPy can use{where}. {_advice(line)}")
    elif backends.current().asks_for_values(error):
        error.add_note(
            f"{_MARK}{where}: the code becomes a program that runs later. "
            f"{_advice(line)} To run steps with numbers, one operation at a time, "
            "give `compile(..., run_eagerly=True)`."
        )


def _advice(line):
    function = _FUNCTION.search(line)
    if function is not None:
        name = function.group(1)
        known = hasattr(ops, name)
        instead = f"`keras.ops.{name}`" if known else "a function of `keras.ops`"
        return f"In place of `{function.group().rstrip('( ')}` use {instead}."
    conversion = _CONVERSION.search(line)
    if conversion is not None:
        name = conversion.group(1) or conversion.group(2)
        return (
            f"`{name}()` gives a Python number: keep the tensor, and change its dtype "
            "with `keras.ops.cast`."
        )
    if _BRANCH.search(line):
        return (
            "In place of `if` on a tensor use `keras.ops.where(condition, a, b)` or "
            "`keras.ops.cond`, in place of `and` and `or` "
            "`keras.ops.logical_and` and `logical_or`, in place of `while` "
            "`keras.ops.while_loop`."
        )
    if _ASSIGNMENT.search(line):
        return (
            "In place of an assignment to a part use `keras.ops.where`, "
            "`keras.ops.slice_update` or `keras.ops.scatter_update`."
        )
    return (
        "In place of NumPy use `keras.ops`, in place of `if` `keras.ops.where` or "
        "`keras.ops.cond`, in place of a boolean index `keras.ops.where`."
    )


def _is_of_numpy(traceback: TracebackType | None) -> bool:
    """Whether a function of NumPy, which tried a method of a tensor, has raised."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = traceback.tb_frame.f_globals.get("__name__", "") if traceback else ""
    return str(module).startswith("numpy.")


def _line_of_user(traceback: TracebackType | None) -> str:
    """Return the innermost line that is no library's, or ""."""
    found = ""
    while traceback is not None:
        code: Any = traceback.tb_frame.f_code
        is_library = any(part in code.co_filename for part in _LIBRARIES)
        if not is_library:
            found = linecache.getline(code.co_filename, traceback.tb_lineno).strip()
        traceback = traceback.tb_next
    return found


_LIBRARIES = ("site-packages", "dist-packages", __file__.rpartition("layers")[0], "<")
