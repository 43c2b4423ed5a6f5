"""Anything array-like as NumPy arrays on the host."""

from __future__ import annotations

import collections
import datetime
import functools
import inspect
import itertools
import numbers
from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.core import config
from hornbeam.core.strings import ENCODE_STRINGS
from hornbeam.data.missing_values import MISSING_VALUES, refuse_nulls, where_in
from hornbeam.data.sparse import is_sparse, sparse_rows
from hornbeam.data.stored import StoredRows, is_stored, stored_rows
from hornbeam.graph.keras_tensor import KerasTensor

_NUMBER_KINDS = frozenset("biufc")
# Classes of values that are no numbers, for the kinds of NumPy's dtypes.
_KINDS = {"U": str, "S": bytes, "M": datetime.datetime, "m": datetime.timedelta}
_MISSING = ("NAType", "NaTType")
_SCALARS = (
    *(numbers.Number, np.generic, str, bytes, datetime.date, datetime.time),
    datetime.timedelta,
)
# What to do about such values: classes or their names, what they are, the advice.
_ADVICE: Any = (
    ((type(None),), _MISSING, MISSING_VALUES),
    (
        (str, bytes),
        (),
        (
            "strings",
            f"{ENCODE_STRINGS} Apply these layers to the data, or begin a Functional "
            "or Sequential model with them: `keras.Input((1,), dtype='string')`.",
        ),
    ),
    (
        (datetime.date, datetime.time, datetime.timedelta),
        ("Period", "Interval"),
        (
            "dates or times",
            "Turn them into numbers that mean something to the model first, such as "
            "the day of the week (`series.dt.dayofweek`) or days since a start "
            "(`(series - start).dt.days`).",
        ),
    ),
    (
        (list, tuple, np.ndarray),
        ("Tensor", "ArrayImpl"),
        (
            "arrays",
            "Make one array of them: `numpy.stack` if their shapes are equal, "
            "`keras.utils.pad_sequences` if they differ in length.",
        ),
    ),
)


def host_tree(x: Any, name: str) -> Any:
    """Return `x` with every leaf as a NumPy array, SparseRows or StoredRows.

    Args:
        x: an array of any kind, or a nest of them.
        name: its name in errors, which begins with "x", "y" or "sample_weight".

    Nested lists of plain numbers become one array; other lists, tuples and dicts are
    kept.
    """
    if x is None:
        return None
    stored = stored_rows(x)
    if stored is not None:
        return stored if isinstance(stored, StoredRows) else host_tree(stored, name)
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
        if _holds_scalars(x):
            return host_array(x, name)
        items = [host_tree(item, f"{name}[{i}]") for i, item in enumerate(x)]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    return host_array(x, name)


def _holds_scalars(x):
    """Whether a list holds single values alone, some of them not None: one array."""
    return _is_scalars(x) and any(item is not None for item in _leaves(x))


def _is_scalars(x):
    if isinstance(x, list | tuple):
        return len(x) > 0 and all(_is_scalars(item) for item in x)
    return x is None or isinstance(x, _SCALARS) or type(x).__name__ in _MISSING


def _leaves(x):
    return (
        itertools.chain.from_iterable(map(_leaves, x))
        if isinstance(x, list | tuple)
        else (x,)
    )


def is_array_like(x: Any) -> bool:
    """Whether `x` is a tensor, array, frame, series, sparse matrix or number."""
    return (
        isinstance(x, numbers.Number)
        or hasattr(x, "__array__")
        or hasattr(x, "to_numpy")
        or hasattr(x, "toarray")
        or backends.of(x) is not None
        or is_stored(x)
    )


def host_array(x: Any, name: str) -> Any:
    """Return `x` as a NumPy array: floats become floatx, other dtypes are kept."""
    array = _as_numpy(x, name)
    if array.dtype.kind == "O":
        array = _numbers_of_objects(x, array, name)
    if array.dtype.kind == "f" and _name_of(array.dtype) != config.floatx():
        return array.astype(config.floatx())
    if array.dtype.kind in _NUMBER_KINDS or _is_extended(array.dtype):
        return array
    raise _no_numbers(x, name, _KINDS.get(array.dtype.kind), f"dtype {array.dtype}")


# NumPy puts the name together each time that it is asked.
_name_of = functools.lru_cache(maxsize=64)(lambda dtype: dtype.name)


def _is_extended(dtype):
    return _name_of(dtype).startswith(("bfloat", "float8", "int4", "uint4"))


def _as_numpy(x, name):
    if isinstance(x, KerasTensor):
        raise ValueError(
            f"`{name}` is a KerasTensor, the symbol of a layer's input or output, "
            "which holds no values. Expected arrays of data. To connect it to a model, "
            f"call the model: `outputs = model(inputs)`. Received: {x!r}"
        )
    engine = backends.of(x)
    if engine is not None:
        return engine.to_numpy(x)
    if hasattr(x, "toarray"):
        return x.toarray()
    refuse_nulls(x, name)
    # An array of Arrow has a `to_numpy` that refuses to copy.
    if hasattr(x, "to_numpy") and not hasattr(x, "__arrow_c_array__"):
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
    fix = " Give what the function returns." if inspect.isroutine(x) else ""
    raise ValueError(
        f"`{name}` is of a type that cannot be fed to a model: {type(x).__name__}."
        f"{fix} Expected arrays, tensors, data frames, lists or dicts of these, a "
        "generator, a `keras.utils.PyDataset`, a `tf.data.Dataset` or a torch "
        "`DataLoader`."
    )


def _numbers_of_objects(x, array, name):
    """Frames with columns of several dtypes, and lists, may arrive as objects."""
    for kind in set(map(type, array.flat)):
        if not issubclass(kind, numbers.Number | np.bool_ | np.number):
            raise _no_numbers(x, name, kind, f"values of type {kind.__name__}")
    return array.astype(config.floatx())


def _no_numbers(x, name, kind, received):
    """Return the error for data that is no numbers, with its columns and the fix."""
    what, fix = "values that are no numbers", "Expected numbers or booleans."
    for kinds, words, advised in _ADVICE:
        if kind is not None and (issubclass(kind, kinds) or kind.__name__ in words):
            what, fix = advised
            break
    where = where_in(name, _columns_of(x, kind))
    if isinstance(x, str | bytes):
        return ValueError(
            f"`{name}` is a string, {x!r}. Expected arrays: read the data first, for "
            "example with `pandas.read_csv`."
        )
    return ValueError(
        f"{where} holds {what}, and a model computes with numbers. {fix} Received: "
        f"{received}"
    )


def _columns_of(x, kind):
    """Return the columns of a frame with such values."""
    if kind is None or not hasattr(x, "iloc") or not hasattr(x, "columns"):
        return []
    return [
        column
        for position, column in enumerate(x.columns)
        if any(issubclass(k, kind) for k in set(map(type, x.iloc[:, position])))
    ]
