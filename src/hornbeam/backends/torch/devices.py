"""PyTorch: the device on which tensors are made, in one place.

It is that of the innermost `device_scope` of this thread, else the one that was chosen
for the process, else `KERAS_TORCH_DEVICE`, else the first GPU of CUDA, else None: the
CPU, as PyTorch has it. Whatever makes a tensor from nothing passes it on as `device=`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import optree
import torch

from hornbeam.backends import placement

__all__ = [
    "default_device",
    "device_scope",
    "devices",
    "free_bytes",
    "on_device",
    "set_default_device",
]

_scope: ContextVar[torch.device | None] = ContextVar("torch_device", default=None)
_default: torch.device | None = None
_is_known = False


def current_device() -> torch.device | None:
    """The device of new tensors, as torch's functions take it."""
    device = _scope.get()
    if device is not None:
        return device
    return _default if _is_known else _own_choice()


def _own_choice() -> torch.device | None:
    global _default, _is_known
    wanted = os.environ.get("KERAS_TORCH_DEVICE")
    if wanted:
        _default = _device(wanted)
    else:
        _default = torch.device("cuda:0") if torch.cuda.is_available() else None
    _is_known = True
    return _default


def default_device() -> str:
    """The name of the device on which new tensors are made, such as "cpu:0"."""
    device = current_device() or torch.get_default_device()
    return f"{device.type}:{device.index or 0}"


def set_default_device(name: str | None) -> None:
    """Make new tensors on the device `name`; None leaves it to the engine."""
    global _default, _is_known
    _default = None if name is None else _device(name)
    _is_known = name is not None


@contextlib.contextmanager
def device_scope(name: str) -> Iterator[None]:
    """Place new tensors on the device `name`, such as "cpu:0", inside the block."""
    token = _scope.set(_device(name))
    try:
        yield
    finally:
        _scope.reset(token)


def devices(device_type: str | None = None) -> list[str]:
    """Names of the devices, such as "cpu:0"."""
    kind = None if device_type is None else device_type.lower()
    names = []
    if torch.cuda.is_available() and kind in (None, "gpu", "cuda"):
        names += [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available() and kind in (None, "gpu", "mps"):
        names.append("mps:0")
    return names if kind not in (None, "cpu") or names else ["cpu:0"]


def _device(name: str) -> torch.device:
    plain = str(name).lower().replace("gpu", "cuda")
    try:
        # A tensor's device has its number: "cuda" is "cuda:0" there.
        return torch.empty(0, device=plain).device
    except Exception as error:
        there = list(dict.fromkeys(["cpu:0", *devices()]))
        raise placement.no_such_device("torch", name, there) from error


def free_bytes() -> int:
    """How many bytes of memory the device can still give."""
    device = current_device()
    if device is not None and device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return placement.free_bytes_of_host()


def on_device(x: Any) -> Any:
    """The nest `x`, with tensors of the CPU moved to the device in force."""
    device = current_device()
    if device is None or device.type == "cpu":
        return x
    return optree.tree_map(lambda leaf: _moved(leaf, device), x, none_is_leaf=True)


def _moved(x: Any, device: torch.device) -> Any:
    if isinstance(x, torch.Tensor) and x.device.type == "cpu":
        return x.to(device, non_blocking=True)
    return x
