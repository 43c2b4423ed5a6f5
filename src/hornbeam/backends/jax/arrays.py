"""JAX: arrays in and out, dtypes, devices."""

from __future__ import annotations

import contextlib
import math
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hornbeam.backends import placement
from hornbeam.backends.memory import aligned_array
from hornbeam.backends.scipy_sparse import is_scipy_sparse, scipy_coordinates
from hornbeam.core.config import floatx
from hornbeam.core.dtypes import result_type, standardize_dtype

Tensor = jax.Array

_names: dict[Any, str] = {}
_HOST = (np.ndarray, np.generic, bool, int, float)
# From so many bytes on it pays that JAX shares the memory of a copy.
_SHARED_BYTES = 1 << 16


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of this engine, traced or not."""
    return isinstance(x, jax.Array) or is_sparse(x)


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse tensor of this engine."""
    # What is not imported has no tensors: it takes long to import.
    library = sys.modules.get("jax.experimental.sparse")
    return library is not None and isinstance(x, library.JAXSparse)


def convert(x: Any, dtype: Any = None) -> jax.Array:
    """`x` as a tensor; Python floats become floatx, Python integers int32."""
    if dtype is None:
        if isinstance(x, jax.Array):
            return x
        if is_sparse(x):
            return x
        dtype = None if hasattr(x, "dtype") else default_dtype(x)
    else:
        dtype = jax_dtype(dtype)
        if isinstance(x, jax.Array):
            return x if x.dtype == dtype else x.astype(dtype)
        if is_sparse(x):
            return cast(x, dtype)
    if is_scipy_sparse(x):
        return _from_scipy(x, dtype)
    if isinstance(x, _HOST):
        # Copied first, as JAX may share the memory of an array that it is given.
        # `device_put` compiles no program for it.
        return jax.device_put(_copied(x, dtype))
    return jnp.asarray(x, dtype=dtype)


def take_over(array: np.ndarray) -> jax.Array:
    """The tensor of an array that nobody else will use, without a copy if aligned."""
    return jax.device_put(array)


def _from_scipy(x: Any, dtype: Any) -> Any:
    """The BCOO of a sparse array of SciPy."""
    from .sparse import sparse_tensor

    indices, values = scipy_coordinates(x)
    return sparse_tensor(indices, convert(values, dtype), x.shape, unique=True)


def as_argument(x: Any, dtype: Any = None) -> Any:
    """`x` as programs take it: an engine may leave host numbers on the host.

    A program places its arguments ten times faster than `device_put` does. A block of
    `jax.default_device` says where they are to be; the program may run outside it.
    """
    anywhere = jax.config.jax_default_device is None  # type: ignore[attr-defined]
    if anywhere and isinstance(x, _HOST):
        return _copied(x, dtype)
    return convert(x, dtype)


def _copied(x: Any, dtype: Any) -> np.ndarray:
    """A copy of host numbers, which the owner of `x` cannot change."""
    if dtype is None:
        dtype = x.dtype if hasattr(x, "dtype") else default_dtype(x)
    dtype = np.dtype(jax_dtype(dtype))
    shape = np.shape(x)
    if math.prod(shape) * dtype.itemsize < _SHARED_BYTES:
        return np.array(x, dtype=dtype)
    copy = aligned_array(shape, dtype)
    np.copyto(copy, x, casting="unsafe")
    return copy


def default_dtype(x: Any) -> Any:
    """The dtype of a Python number or a nest of lists."""
    if isinstance(x, (list, tuple)):
        leaves = jax.tree.leaves(x)
        if any(isinstance(leaf, jax.Array) for leaf in leaves):
            return jnp.result_type(*leaves)
        kind: np.dtype | None = np.asarray(x).dtype
    else:
        kind = np.result_type(type(x)) if isinstance(x, (bool, int, float)) else None
    if kind == np.float64:
        return floatx()
    return np.int32 if kind == np.int64 else kind


def cast(x: Any, dtype: Any) -> jax.Array:
    """`x` converted to `dtype`."""
    dtype = jax_dtype(dtype)
    if isinstance(x, jax.Array):
        return x if x.dtype == dtype and not x.weak_type else x.astype(dtype)
    if is_sparse(x):
        leaves, structure = jax.tree.flatten(x)
        return jax.tree.unflatten(structure, [leaves[0].astype(dtype), *leaves[1:]])
    if is_scipy_sparse(x):
        return convert(x, dtype)
    return jnp.asarray(x, dtype=dtype)


def promoted(a: Any, b: Any) -> tuple[jax.Array, jax.Array]:
    """Both as tensors of the dtype that they are promoted to."""
    a, b = jnp.asarray(a), jnp.asarray(b)
    if a.dtype == b.dtype:
        return a, b
    dtype = result_type(str(a.dtype), str(b.dtype))
    return a.astype(dtype), b.astype(dtype)


def jax_dtype(dtype: Any) -> Any:
    """JAX's dtype for a name: 32 bits instead of 64 unless `jax_enable_x64`."""
    return jax.dtypes.canonicalize_dtype(standardize_dtype(dtype))


def to_numpy(x: Any) -> np.ndarray:
    """`x` as a NumPy array."""
    return np.asarray(x.todense() if is_sparse(x) else x)


def dtype_of(x: Any) -> str:
    """The standard name of the dtype that `x` has as a tensor."""
    try:
        return _names[x.dtype]
    except (AttributeError, KeyError, TypeError):
        dtype = x.dtype if hasattr(x, "dtype") else default_dtype(x)
        if isinstance(x, jax.Array) and not jax.dtypes.issubdtype(
            dtype, jax.dtypes.extended
        ):
            _names[dtype] = standardize_dtype(dtype)
        return jax_dtype(dtype).name


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of `x`."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def assign(old: Any, new: Any) -> jax.Array:
    """What a Variable of value `old` holds after `new` is assigned."""
    return new


def new_variable(value: Any, trainable: bool) -> jax.Array:
    """What a new Variable of the tensor `value` holds."""
    return value


def devices(device_type: str | None = None) -> list[str]:
    """Names of the devices, such as "cpu:0"."""
    kind = None if device_type is None else device_type.lower()
    try:
        names = jax.devices("cuda" if kind == "gpu" else kind)
    except RuntimeError:
        return []
    return [f"{d.platform}:{d.id}" for d in names]


@contextlib.contextmanager
def device_scope(name: str) -> Any:
    """Place new tensors on the device `name`, such as "cpu:0", inside the block."""
    with jax.default_device(_device(name)):
        yield


def default_device() -> str:
    """The name of the device on which new tensors are made, such as "cpu:0"."""
    (device,) = jax.device_put(np.zeros(())).devices()
    return f"{device.platform}:{device.id}"


def set_default_device(name: str | None) -> None:
    """Make new tensors on the device `name`; None leaves it to the engine."""
    jax.config.update("jax_default_device", None if name is None else _device(name))


def _device(name: str) -> jax.Device:
    platform, _, index = str(name).lower().partition(":")
    try:
        result = jax.devices("cuda" if platform == "gpu" else platform)
        return result[int(index or 0)]
    except (RuntimeError, IndexError, ValueError) as error:
        there = list(dict.fromkeys([*devices("cpu"), *devices()]))
        raise placement.no_such_device("jax", name, there) from error


def free_bytes() -> int:
    """How many bytes of memory the device can still give."""
    (device,) = jax.device_put(np.zeros(())).devices()
    sizes = device.memory_stats()
    if sizes:
        return sizes["bytes_limit"] - sizes["bytes_in_use"]
    return placement.free_bytes_of_host()


def on_device(x: Any) -> Any:
    """The nest `x` itself: JAX moves what is not bound to a device."""
    return x
