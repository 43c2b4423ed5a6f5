"""Strings on the host: arrays of Python's `str` and `bytes`, whatever they come in.

Fixed-width arrays are not used: one long text would make each of them as long.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core.errors import shown

# What errors say where numbers are expected.
ENCODE_STRINGS = (
    "Turn text that spells numbers into numbers with `astype(float)`. Encode the rest "
    "first: categories with `keras.layers.StringLookup`, texts with "
    "`keras.layers.TextVectorization`."
)
_KINDS = ("U", "S", "T")
# How the types of pandas, Polars and Arrow that hold strings begin.
_TYPES = (
    "string", "str", "large_string", "string_view", "binary", "large_binary",
    "dictionary<values=string", "dictionary<values=large_string",
    "String", "Categorical", "Enum", "Binary",
)  # fmt: skip


def is_string_dtype(dtype: Any) -> bool:
    """Whether a NumPy dtype is one of strings; object may hold them or not."""
    return getattr(dtype, "kind", "") in _KINDS


def holds_strings(x: Any) -> bool:
    """Whether `x` is strings: one, a list of them, an array, a series, a tensor.

    So is a frame or table all of whose columns hold strings.
    A list of arrays is none of these: it is several inputs.
    """
    if isinstance(x, str | bytes):
        return True
    if isinstance(x, list | tuple):
        first = x[0] if x else None
        return isinstance(first, str | bytes | list | tuple) and holds_strings(first)
    columns = columns_of(x)
    if columns is not None:
        return len(columns) > 0 and all(map(holds_strings, columns.values()))
    dtype = getattr(x, "dtype", None)
    if dtype is None:  # Arrow says `type`.
        return str(getattr(x, "type", "")).startswith(_TYPES)
    if getattr(dtype, "kind", "") == "O" and not isinstance(dtype, np.dtype):
        # Of pandas: categories and objects have values of any kind.
        x = x.to_numpy() if hasattr(x, "to_numpy") else np.asarray(x)
        dtype = x.dtype
    if getattr(dtype, "kind", "") == "O":
        values = np.asarray(x, dtype=object)
        first = next((v for v in values.flat if v is not None and v == v), None)
        return isinstance(first, str | bytes)
    return is_string_dtype(dtype) or _name(dtype).startswith(_TYPES)


def _name(dtype):
    return dtype if isinstance(dtype, str) else getattr(dtype, "name", str(dtype))


def columns_of(x: Any) -> dict[Any, Any] | None:
    """Return the columns of a frame or table in memory by name, None for all else."""
    if hasattr(x, "iloc") and hasattr(x, "columns"):  # of pandas
        return {n: x.iloc[:, i] for i, n in enumerate(x.columns)}
    if hasattr(x, "get_columns"):  # of Polars
        return {column.name: column for column in x.get_columns()}
    if hasattr(x, "column_names") and hasattr(x, "itercolumns"):  # of Arrow
        return dict(zip(x.column_names, x.itercolumns(), strict=True))
    return None


def string_array(x: Any, owner: str) -> np.ndarray[Any, Any]:
    """Return strings of any kind as an array of `str` or `bytes` objects.

    Args:
        x: a string, a list of strings, an array, series or tensor of them.
        owner: who takes them, for errors.
    """
    for method in ("to_numpy", "numpy"):
        # An array of Arrow has a `to_numpy` that refuses to copy.
        if hasattr(x, method) and not hasattr(x, "__arrow_c_array__"):
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
