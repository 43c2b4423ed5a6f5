"""Anything array-like as NumPy arrays on the host."""

from __future__ import annotations

import collections
import numbers
from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.core import config
from hornbeam.core.keras_names import advice
from hornbeam.data.sparse import is_sparse, sparse_rows

_NUMBER_KINDS = frozenset("biufc")


def host_tree(x: Any, name: str) -> Any:
    """Return `x` with every leaf as a NumPy array or as SparseRows.

    Args:
        x: an array of any kind, or a nest of them.
        name: its name in errors, which begins with "x", "y" or "sample_weight".

    Nested lists of plain numbers become one array; other lists, tuples and dicts are
    kept.
    """
    if x is None:
        return None
    if is_sparse(x) and not name.startswith("sample_weight"):
        # Targets are compared with dense outputs: each batch of them is made dense.
        return sparse_rows(x, is_dense=name.startswith("y"))
    if isinstance(x, dict):
        pairs = [
            (key, host_tree(value, f"{name}[{key!r}]")) for key, value in x.items()
        ]
        ordered = isinstance(x, collections.OrderedDict)
        return collections.OrderedDict(pairs) if ordered else dict(pairs)
    if isinstance(x, list | tuple):
        if _only_numbers(x):
            return host_array(x, name)
        items = [host_tree(item, f"{name}[{i}]") for i, item in enumerate(x)]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    return host_array(x, name)


def _only_numbers(x):
    if isinstance(x, list | tuple):
        return len(x) > 0 and all(_only_numbers(item) for item in x)
    return isinstance(x, numbers.Number | np.bool_)


def is_array_like(x: Any) -> bool:
    """Whether `x` is a tensor, array, frame, series, sparse matrix or number."""
    return (
        isinstance(x, numbers.Number)
        or hasattr(x, "__array__")
        or hasattr(x, "to_numpy")
        or hasattr(x, "toarray")
        or backends.of(x) is not None
    )


def host_array(x: Any, name: str) -> Any:
    """Return `x` as a NumPy array: floats become floatx, other dtypes are kept."""
    array = _as_numpy(x, name)
    if array.dtype.kind == "O":
        array = _numbers_of_objects(x, array, name)
    if array.dtype.kind in "US":
        raise ValueError(
            f"`{name}` holds strings, and a model computes with numbers. Encode them "
            f"first: for categories, {advice('layers.StringLookup')}; for text, "
            f"{advice('layers.TextVectorization')}. Received: dtype {array.dtype}"
        )
    if array.dtype.kind == "f" and array.dtype.name != config.floatx():
        return array.astype(config.floatx())
    if array.dtype.kind in _NUMBER_KINDS or _is_extended(array.dtype):
        return array
    raise ValueError(
        f"`{name}` has a dtype that a model cannot compute with: {array.dtype}. "
        "Expected numbers or booleans."
    )


def _is_extended(dtype):
    return dtype.name.startswith(("bfloat", "float8", "int4", "uint4"))


def _as_numpy(x, name):
    engine = backends.of(x)
    if engine is not None:
        return engine.to_numpy(x)
    if hasattr(x, "toarray"):
        return x.toarray()
    if hasattr(x, "to_numpy"):
        return x.to_numpy()
    if isinstance(x, str | bytes):
        return np.asarray(x)
    if hasattr(x, "__array__") or isinstance(x, list | tuple | numbers.Number):
        try:
            return np.asarray(x)
        except ValueError as error:
            raise ValueError(
                f"`{name}` is a nested list whose rows differ in length. Make them "
                "equal, e.g. with `keras.utils.pad_sequences`."
            ) from error
    raise ValueError(
        f"`{name}` is of a type that cannot be fed to a model: {type(x).__name__}. "
        "Expected arrays, tensors, data frames, lists or dicts of these, a generator, "
        "a `keras.utils.PyDataset`, a `tf.data.Dataset` or a torch `DataLoader`."
    )


def _numbers_of_objects(x, array, name):
    """Frames with columns of several dtypes, or missing values, arrive as objects."""
    try:
        if any(isinstance(item, str | bytes) for item in array.flat):
            raise ValueError
        if hasattr(x, "iloc"):  # pandas, whose missing values are not all floats
            return x.to_numpy(dtype=config.floatx(), na_value=np.nan)
        return array.astype(config.floatx())
    except (TypeError, ValueError):
        columns = _text_columns(x)
        where = f"column(s) {columns} of `{name}`" if columns else f"`{name}`"
        raise ValueError(
            f"{where} cannot be read as numbers (dtype object). Encode text and "
            "categories as numbers first."
        ) from None


def _text_columns(x):
    columns = getattr(x, "columns", ())
    kinds = {
        column: np.asarray(x[column].dropna()).dtype.kind if hasattr(x, "iloc") else "O"
        for column in columns
    }
    return [column for column, kind in kinds.items() if kind not in _NUMBER_KINDS]
