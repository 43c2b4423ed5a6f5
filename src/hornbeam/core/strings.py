"""Strings on the host: arrays of Python's `str` and `bytes`, whatever they come in.

Fixed-width arrays are not used: one long text would make each of them as long.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.errors import shown

_KINDS = ("U", "S", "T")


def is_string_dtype(dtype: Any) -> bool:
    """Whether a NumPy dtype is one of strings; object may hold them or not."""
    return getattr(dtype, "kind", "") in _KINDS


def holds_strings(x: Any) -> bool:
    """Whether `x` is strings: one, a list of them, an array, a series, a tensor.

    A list of arrays is none of these: it is several inputs.
    """
    if isinstance(x, str | bytes):
        return True
    if isinstance(x, list | tuple):
        first = x[0] if x else None
        return isinstance(first, str | bytes | list | tuple) and holds_strings(first)
    dtype = getattr(x, "dtype", None)
    if dtype is None:
        return False
    if getattr(dtype, "kind", "") == "O" and not isinstance(dtype, np.dtype):
        # Of pandas: categories and objects have values of any kind.
        x = x.to_numpy() if hasattr(x, "to_numpy") else np.asarray(x)
        dtype = x.dtype
    if getattr(dtype, "kind", "") == "O":
        values = np.asarray(x, dtype=object)
        first = next((v for v in values.flat if v is not None and v == v), None)
        return isinstance(first, str | bytes)
    return is_string_dtype(dtype) or _name(dtype) in ("string", "str")


def _name(dtype):
    return dtype if isinstance(dtype, str) else getattr(dtype, "name", "")


def string_array(x: Any, owner: str) -> np.ndarray[Any, Any]:
    """Return strings of any kind as an array of `str` or `bytes` objects.

    Args:
        x: a string, a list of strings, an array, series or tensor of them.
        owner: who takes them, for errors.
    """
    for method in ("to_numpy", "numpy"):
        if hasattr(x, method):
            x = getattr(x, method)()
            break
    array = np.array(x, dtype=object) if isinstance(x, list | tuple) else np.asarray(x)
    if array.dtype.kind in _KINDS:
        return array.astype(object)
    if array.dtype.kind != "O":
        raise TypeError(
            f"{owner} expects strings. Received: dtype {array.dtype}, {shown(x)}. For "
            "integers use `keras.layers.IntegerLookup`, or turn them into strings with "
            "`x.astype(str)`."
        )
    if array.size and isinstance(array.flat[0], list | tuple | np.ndarray):
        raise ValueError(
            f"{owner} expects rows of equal length. Received lists of different "
            f"lengths: {shown(x)}"
        )
    return array


def check_strings(values: Any, owner: str) -> None:
    """Raise if one of the values is no string."""
    for value in values:
        if not isinstance(value, str | bytes):
            raise TypeError(
                f"{owner} expects strings. Received: {value!r} (of type "
                f"{type(value).__name__}). Missing values can be filled first: "
                '`series.fillna("")`.'
            )
