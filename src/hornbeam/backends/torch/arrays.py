"""PyTorch: tensors in and out, dtypes."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensor, unset_fake_temporarily

from hornbeam.backends.functions import Function
from hornbeam.backends.scipy_sparse import is_scipy_sparse, scipy_coordinates
from hornbeam.core.config import floatx
from hornbeam.core.dtypes import standardize_dtype

from .devices import current_device, on_device

Tensor = torch.Tensor

_dispatch_mode = torch._C._get_dispatch_mode
_FAKE = torch._C._TorchDispatchModeKey.FAKE

_TORCH = {
    "bool": torch.bool,
    "uint8": torch.uint8,
    "int8": torch.int8,
    "int16": torch.int16,
    "int32": torch.int32,
    "int64": torch.int64,
    # PyTorch's unsigned types have hardly any function: a wider signed one holds them.
    "uint16": torch.int32,
    "uint32": torch.int64,
    "uint64": torch.int64,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float32": torch.float32,
    "float64": torch.float64,
    "float8_e4m3fn": torch.float8_e4m3fn,
    "float8_e5m2": torch.float8_e5m2,
    "complex64": torch.complex64,
    "complex128": torch.complex128,
}
_NAMES = {
    **{value: key for key, value in _TORCH.items() if key[:5] != "uint1"},
    torch.int32: "int32",
    torch.int64: "int64",
    torch.uint16: "uint16",
    torch.uint32: "uint32",
    torch.uint64: "uint64",
}
_SPARSE = frozenset(
    (
        torch.sparse_coo,
        torch.sparse_csr,
        torch.sparse_csc,
        torch.sparse_bsr,
        torch.sparse_bsc,
    )
)
FLOATS = frozenset((torch.float32, torch.bfloat16, torch.float16, torch.float64))
INEXACT = FLOATS | {torch.complex64, torch.complex128}


def is_inferring() -> bool:
    """Whether shapes are inferred: tensors that are made have no values."""
    return _dispatch_mode(_FAKE) is not None


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of this engine."""
    return isinstance(x, torch.Tensor)


def is_sparse(x: Any) -> bool:
    """Whether `x` is a sparse tensor of this engine."""
    return isinstance(x, torch.Tensor) and x.layout in _SPARSE


def convert(x: Any, dtype: Any = None) -> torch.Tensor:
    """`x` as a tensor; Python floats become floatx, Python integers int32."""
    if isinstance(x, torch.Tensor):
        return x if dtype is None else cast(x, dtype)
    if dtype is not None:
        dtype = torch_dtype(dtype)
    elif isinstance(x, bool):
        dtype = torch.bool
    elif isinstance(x, int):
        dtype = torch.int32
    elif isinstance(x, float):
        dtype = torch_dtype(floatx())
    else:
        return _from_host(x, None)
    if isinstance(x, (bool, int, float)) or x is None:
        return torch.tensor(x, dtype=dtype, device=current_device())
    return _from_host(x, dtype)


def _from_host(x: Any, dtype: torch.dtype | None) -> torch.Tensor:
    """A tensor from a NumPy array, a nest of lists, or anything with `__array__`."""
    if is_scipy_sparse(x):
        from .sparse import sparse_tensor

        indices, values = scipy_coordinates(x)
        return sparse_tensor(indices, _from_host(values, dtype), x.shape, unique=True)
    if isinstance(x, (list, tuple)) and _holds_tensor(x):
        parts = [convert(v) for v in x]
        if dtype is None:
            dtype = _common(parts)
        return torch.stack([p.to(dtype) for p in parts])
    known = hasattr(x, "dtype")
    array = np.asarray(x)
    if not known and dtype is None:
        if array.dtype == np.float64:
            dtype = torch_dtype(floatx())
        elif array.dtype == np.int64:
            dtype = torch.int32
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.int64 if array.dtype.itemsize > 2 else np.int32)
    elif array.dtype == ml_dtypes.bfloat16:
        dtype = dtype or torch.bfloat16
        array = array.astype(np.float32)
    return _sent(array, dtype)


def _sent(array: np.ndarray, dtype: torch.dtype | None) -> torch.Tensor:
    """A copy on the device: the owner of the array may change it later."""
    if min(array.strides, default=0) < 0 or not array.dtype.isnative:
        # torch takes neither reversed axes nor the other order of bytes.
        array = array.astype(array.dtype.newbyteorder("="), order="C")
    device = current_device()
    if device is None or device.type != "cuda":
        return torch.tensor(array, dtype=dtype, device=device)
    # From pinned memory it goes over while the host is at work already.
    pinned = torch.tensor(array, dtype=dtype).pin_memory()
    return pinned.to(device, non_blocking=True)


def _holds_tensor(x: Any) -> bool:
    return any(
        _holds_tensor(v)
        if isinstance(v, (list, tuple))
        else isinstance(v, torch.Tensor)
        for v in x
    )


def _common(tensors: list[torch.Tensor]) -> torch.dtype:
    from hornbeam.core.dtypes import result_type

    return _TORCH[result_type(*(_NAMES[t.dtype] for t in tensors))]


def cast(x: Any, dtype: Any) -> torch.Tensor:
    """`x` converted to `dtype`."""
    dtype = _TORCH.get(dtype) or torch_dtype(dtype)
    if isinstance(x, torch.Tensor):
        return x if x.dtype is dtype else x.to(dtype)
    return convert(x, dtype)


def torch_dtype(dtype: Any) -> torch.dtype:
    """torch's dtype for a name."""
    if isinstance(dtype, torch.dtype):
        return _TORCH[_NAMES[dtype]]
    name = standardize_dtype(dtype)
    try:
        return _TORCH[name]
    except KeyError:
        raise ValueError(
            f"The torch engine has no dtype {name!r}. It has: {', '.join(_TORCH)}."
        ) from None


def to_numpy(x: Any) -> np.ndarray:
    """`x` as a NumPy array."""
    if not isinstance(x, torch.Tensor):
        return np.asarray(x)
    if is_inferring():
        if isinstance(x, FakeTensor):
            raise TypeError("A tensor whose shape alone is known has no values.")
        # A variable's value is known also where shapes are inferred.
        with unset_fake_temporarily():
            return to_numpy(x)
    x = x.detach().cpu()
    if x.layout is not torch.strided:
        x = x.to_dense()
    if x.dtype is torch.bfloat16:
        return x.float().numpy().astype(ml_dtypes.bfloat16)
    return x.resolve_conj().numpy()


def dtype_of(x: Any) -> str:
    """The standard name of the dtype that `x` has as a tensor."""
    if isinstance(x, torch.Tensor):
        return _NAMES[x.dtype]
    return _NAMES[convert(x).dtype]


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of `x`."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def assign(old: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    """What a Variable of value `old` holds after `new` is assigned: `old`, changed."""
    if old.requires_grad or new.requires_grad:
        with torch.no_grad():
            return old.copy_(new)
    return old.copy_(new)


as_argument: Function = convert


def new_variable(value: torch.Tensor, trainable: bool) -> torch.Tensor:
    """What a new Variable of the tensor `value` holds: a tensor of its own."""
    value = on_device(value.detach()).clone(memory_format=torch.contiguous_format)
    if trainable and value.dtype in INEXACT:
        return torch.nn.Parameter(value)
    return value
