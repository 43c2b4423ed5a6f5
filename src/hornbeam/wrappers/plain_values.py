"""What estimators keep, as plain data that JSON can hold, and back.

Numbers, texts and lists are themselves. All else is an object with a "kind": tuples,
dicts, arrays, dtypes, the library's own classes, objects with a config, and the few
classes that hold what an estimator learned about its targets.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from hornbeam.core import allowlist, registry
from hornbeam.core.budget import declared_limit
from hornbeam.core.errors import UnknownObjectError, UnsafeFileError
from hornbeam.core.serialization import deserialize_keras_object, serialize_keras_object
from hornbeam.wrappers.network_outputs import NetworkOutputs
from hornbeam.wrappers.targets import Classes, Labels, Numbers

_LEARNED = {cls.__name__: cls for cls in (Classes, Labels, NetworkOutputs, Numbers)}
_DTYPE_KINDS = "biufUO"
# The namespaces whose classes a parameter may be, such as `optimizer=Adam`.
_SPACES = ("optimizers", "losses", "metrics", "callbacks")


class Missing:
    """Stands for a parameter that a file cannot hold, or whose name nobody knows.

    Args:
        reason: what it was, for errors.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"<{self.reason}, not in the file>"


def encode(value: Any) -> Any:
    """Return `value` as data that JSON can hold, or raise a TypeError."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return encode(value.item())
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple):
        return _tagged("tuple", [encode(item) for item in value])
    if isinstance(value, dict):
        items = [[encode(key), encode(item)] for key, item in value.items()]
        return _tagged("dict", items)
    if isinstance(value, np.dtype):
        return _tagged("dtype", _checked_dtype(value).str)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.random.RandomState):
        return _tagged("RandomState", encode(value.get_state(legacy=True)))
    if isinstance(value, Missing):
        return _tagged("missing", value.reason)
    if type(value) in _LEARNED.values():
        return _tagged(type(value).__name__, encode(vars(value)))
    return _of_library(value)


def _tagged(kind, value):
    return {"kind": kind, "value": value}


def _array(value):
    dtype = "object" if value.dtype == object else _checked_dtype(value.dtype).str
    return _tagged("array", [dtype, list(value.shape), encode(value.ravel().tolist())])


def _checked_dtype(dtype):
    if dtype.kind not in _DTYPE_KINDS:
        raise TypeError(f"arrays of {dtype} cannot be saved")
    return dtype


def _of_library(value):
    if inspect.isclass(value):
        for space in _SPACES:
            if allowlist.resolve(space, value.__name__) is value:
                return _tagged("class", [space, value.__name__])
    if hasattr(value, "get_config") or _has_name(value):
        return _tagged("object", serialize_keras_object(value))
    raise TypeError(f"{value!r} is no data")


def _has_name(function):
    """Whether a file can name the function: it is the library's, or registered."""
    if not inspect.isfunction(function):
        return False
    name = function.__name__
    is_registered = registry.get_registered_name(function) != name
    return is_registered or allowlist.builtin_function(name) is function


def decode(data: Any, size: int) -> Any:
    """Return the value that `encode` was called with.

    Args:
        data: what JSON gave.
        size: the bytes of the file: what is made from it has a limit.
    """
    if isinstance(data, list):
        return [decode(item, size) for item in data]
    if not isinstance(data, dict):
        return data
    kind, value = data["kind"], data["value"]
    if kind == "tuple":
        return tuple(decode(item, size) for item in value)
    if kind == "dict":
        return {decode(key, size): decode(item, size) for key, item in value}
    if kind == "dtype":
        return _dtype_of(value, size)
    if kind == "array":
        return _array_of(size, *value)
    if kind == "RandomState":
        state = np.random.RandomState()
        state.set_state(decode(value, size))
        return state
    if kind == "missing":
        return Missing(str(value)[:200])
    if kind == "class":
        return _class_of(*value)
    if kind == "object":
        try:
            return deserialize_keras_object(value)
        except UnknownObjectError as error:
            return Missing(str(error)[:500])
    learned = _LEARNED[kind].__new__(_LEARNED[kind])
    vars(learned).update(decode(value, size))
    return learned


def _dtype_of(name, size):
    dtype = np.dtype(object) if name == "object" else np.dtype(name)
    if dtype.kind not in _DTYPE_KINDS:
        raise UnsafeFileError(f"The file has an array of the dtype {name!r}.")
    if dtype.itemsize > declared_limit(size):
        raise UnsafeFileError(f"The file has the dtype {name!r}, which is too large.")
    return dtype


def _array_of(size, name, shape, values):
    dtype = _dtype_of(name, size)
    if math.prod(shape) * dtype.itemsize > declared_limit(size):
        raise UnsafeFileError(
            f"The file has an array of shape {tuple(shape)} and dtype {name!r}, which "
            "is larger than the file can hold."
        )
    if len(values) != math.prod(shape):
        raise ValueError(f"an array of shape {shape} has {len(values)} values.")
    array = np.empty(len(values), dtype)
    array[:] = decode(values, size)
    return array.reshape(shape)


def _class_of(space, name):
    cls = allowlist.resolve(space, name) if space in _SPACES else None
    if not inspect.isclass(cls):
        raise UnsafeFileError(f"The file names the class {name!r} of {space!r}.")
    return cls
