"""What tells a search that is kept in a folder from others: descriptions in plain data.

Arrays and code are described by hashes. Sources of batches cannot be read for this;
they are described by their class and length.
"""

from __future__ import annotations

import functools
import hashlib
import math
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.data.make import in_memory
from hornbeam.data.pack import NAMES, host_tree, unpack_x_y_sample_weight
from hornbeam.data.sparse import SparseRows
from hornbeam.data.stored import StoredRows

_MOST_ROWS_OF_LARGE = 1024
_LARGE = 2**26
_MOST_LEVELS = 4


def of_data(data: Any) -> Any:
    """Return a description of `(x, y)`, `(x, y, sample_weight)` or a source.

    Of arrays above 64 MiB evenly spaced rows are hashed.
    """
    parts = unpack_x_y_sample_weight(data)
    if not in_memory(parts[0]):
        return _of_source(parts[0])
    hosts = [host_tree(part, name) for part, name in zip(parts, NAMES, strict=True)]
    return [_of_array(leaf) for leaf in tree.flatten(hosts) if leaf is not None]


def of_validation(validation: Any) -> Any:
    """Return a description of a fraction, a splitter, or data."""
    is_plain = validation is None or isinstance(validation, int | float)
    if is_plain or hasattr(validation, "split"):
        return of_value(validation)
    return of_data(validation)


def of_value(value: Any, levels: int = _MOST_LEVELS) -> Any:
    """Return a description of any value, the same in each process.

    Args:
        value: a number, a range of a space, a function, a container ...
        levels: how far it goes into attributes and items. Default: 4
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, np.generic):
        return of_value(value.item(), levels)
    if isinstance(value, np.ndarray):
        return _of_array(value)
    if isinstance(value, type):
        return value.__qualname__
    if isinstance(value, types.FunctionType):
        code = value.__code__
        given = [value.__defaults__, value.__kwdefaults__]
        shown = of_value(given, levels - 1) if any(given) else ""
        return f"{value.__qualname__} {_digest(_of_code(code), str(shown))}"
    name = getattr(value, "__qualname__", type(value).__qualname__)
    if levels == 0:
        return name
    inner: Callable[[Any], Any] = functools.partial(of_value, levels=levels - 1)
    if isinstance(value, Mapping):
        return {str(key): inner(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = list(map(inner, value))
        return items if isinstance(value, list) else str(tuple(items))
    if isinstance(value, functools.partial):
        return [inner(value.func), inner(value.args), inner(value.keywords)]
    if isinstance(value, types.MethodType):
        return [inner(value.__func__), inner(value.__self__)]
    if hasattr(value, "ppf") and hasattr(value, "dist"):
        return [value.dist.name, inner(value.args), inner(value.kwds)]
    shown = repr(value)
    if " at 0x" not in shown:
        return shown
    call = getattr(type(value).__call__, "__code__", None) if callable(value) else None
    return [name, inner(_config_of(value)), call and _digest(_of_code(call))]


def _config_of(value):
    """Return what an object is made of, without a name, which may be counted."""
    try:
        return {k: v for k, v in value.get_config().items() if k != "name"}
    except Exception:
        return {
            name: item
            for name, item in getattr(value, "__dict__", {}).items()
            if not name.startswith("_")
        }


def _of_source(source):
    length = len(source) if hasattr(source, "__len__") else None
    return [type(source).__qualname__, length]


def _of_array(leaf):
    if isinstance(leaf, SparseRows):
        arrays = leaf.starts, leaf.columns, leaf.values
        return [str(leaf.row_shape), *map(_of_array, arrays)]
    size = np.dtype(leaf.dtype).itemsize * int(np.prod(leaf.shape))
    step = -(-len(leaf) // _MOST_ROWS_OF_LARGE) if size > _LARGE else 1
    is_stored = isinstance(leaf, StoredRows)
    rows = leaf.take(np.arange(0, len(leaf), step)) if is_stored else leaf
    rows = rows if step == 1 or is_stored else rows[::step]
    content = repr(rows.tolist()) if rows.dtype.hasobject else rows.tobytes()
    return f"{tuple(leaf.shape)} {leaf.dtype} {_digest(content)}"


def _of_code(code):
    """Return what a function does, whatever its lines and comments are."""
    constants = [
        _of_code(one) if isinstance(one, types.CodeType)
        else sorted(map(repr, one)) if isinstance(one, frozenset)
        else repr(one)
        for one in code.co_consts
    ]  # fmt: skip
    return repr([code.co_code.hex(), constants, code.co_names, code.co_varnames])


def _digest(*parts):
    found = hashlib.blake2b(digest_size=6)
    for part in parts:
        found.update(part.encode() if isinstance(part, str) else part)
    return found.hexdigest()
