"""NumPy: arrays in and out, dtypes."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import ml_dtypes
import numpy as np

from hornbeam.backends import placement
from hornbeam.backends.functions import Function
from hornbeam.backends.scipy_sparse import is_scipy_sparse
from hornbeam.core.config import floatx
from hornbeam.core.dtypes import standardize_dtype

Tensor: Any = (np.ndarray, np.generic)

_NOT_IN_NUMPY = ("bfloat16", "float8_e4m3fn", "float8_e5m2")
_PYTHON_DTYPES = {np.dtype("int64"): "int32"}


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of this engine."""
    return isinstance(x, Tensor) or is_scipy_sparse(x)


is_sparse: Function = is_scipy_sparse


def convert(x: Any, dtype: Any = None) -> np.ndarray:
    """`x` as a tensor; Python floats become floatx, Python integers int32."""
    if is_sparse(x):
        return x if dtype is None else cast(x, dtype)
    if dtype is not None:
        return np.array(x, dtype=numpy_dtype(dtype))
    if isinstance(x, np.ndarray) or hasattr(x, "dtype"):
        return np.asarray(x)
    x = np.asarray(x)
    return x.astype(_default_of(x.dtype), copy=False)


def _default_of(dtype: np.dtype) -> np.dtype:
    if dtype == np.float64:
        return numpy_dtype(floatx())
    return np.dtype("int32") if dtype == np.int64 else dtype


def cast(x: Any, dtype: Any) -> np.ndarray:
    """`x` converted to `dtype`."""
    array = x if is_sparse(x) else np.asarray(x)
    with np.errstate(invalid="ignore"):  # NaN is any integer, as on other engines
        return array.astype(numpy_dtype(dtype), copy=False)


def numpy_dtype(dtype: Any) -> np.dtype:
    """NumPy's dtype for a name; `ml_dtypes` has the short floats."""
    return _numpy_dtype(standardize_dtype(dtype))


@functools.cache
def _numpy_dtype(name: str) -> np.dtype:
    if name in _NOT_IN_NUMPY:
        return np.dtype(getattr(ml_dtypes, name))
    return np.dtype(str if name == "string" else name)


def to_numpy(x: Any) -> np.ndarray:
    """`x` as a NumPy array."""
    return x.toarray() if is_sparse(x) else np.asarray(x)


def dtype_of(x: Any) -> str:
    """The standard name of the dtype that `x` has as a tensor."""
    if not hasattr(x, "dtype"):
        x = convert(x)
    name = x.dtype.name
    return "string" if name.startswith("str") else name


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of `x`."""
    return tuple(x.shape) if is_sparse(x) else np.shape(x)


def assign(old: Any, new: Any) -> np.ndarray:
    """What a Variable of value `old` holds after `new` is assigned."""
    return new


def as_argument(x: Any, dtype: Any = None) -> Any:
    """`x` as a tensor whose numbers the owner of `x` does not change."""
    tensor = convert(x, dtype)
    return tensor if is_sparse(tensor) else np.array(tensor)


def new_variable(value: Any, trainable: bool) -> np.ndarray:
    """What a new Variable of the tensor `value` holds."""
    return np.array(value)


def free_bytes() -> int:
    """How many bytes of memory the device can still give: here, the host."""
    return placement.free_bytes_of_host()


def devices(device_type: str | None = None) -> list[str]:
    """Names of the devices: the CPU."""
    return ["cpu:0"] if (device_type or "cpu").lower() == "cpu" else []


def default_device() -> str:
    """The name of the device: the CPU's."""
    return "cpu:0"


def set_default_device(name: str | None) -> None:
    """Do nothing: there is one device."""
    if name not in (None, "cpu", "cpu:0"):
        raise placement.no_such_device("numpy", name, devices())


@contextlib.contextmanager
def device_scope(name: str) -> Any:
    """Do nothing: there is one device."""
    set_default_device(name)
    yield


def on_device(x: Any) -> Any:
    """The nest `x` itself: there is one device."""
    return x
