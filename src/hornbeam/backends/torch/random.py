"""Random numbers on PyTorch: the counter hash.

PyTorch has no shifts of unsigned numbers, so words are held in int64. On the CPU, with
a key that is known, the bits are made by NumPy, which takes half the time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from hornbeam.core import random_hash

from .arrays import is_inferring
from .devices import current_device
from .recording import is_traced, whole


@whole
def random_bits(key: Any, shape: Any) -> Any:
    """Return random 32-bit words, held in int64, of the stream `key`."""
    if _on_host(key):
        return torch.from_numpy(
            random_hash.numpy_bits(_pair(key), shape).astype(np.int64)
        )
    return _bits(key, shape)


@whole
def random_uniform(key: Any, shape: Any) -> Any:
    """Return float32 in [0, 1) from the top 24 bits of `random_bits`."""
    if _on_host(key):
        return torch.from_numpy(random_hash.numpy_uniform(_pair(key), shape))
    return (_bits(key, shape) >> 8).to(torch.float32) * 2.0**-24


@whole
def keep_factor(key: Any, shape: Any, rate: Any) -> Any:
    """Return 0 with probability `rate`, else `1 / (1 - rate)`, as float32."""
    remaining = 1.0 - rate
    if isinstance(remaining, torch.Tensor):
        scale = 1.0 / remaining.clamp(min=2.0**-24)
    else:
        scale = 1.0 / max(remaining, 2.0**-24)
        if _on_host(key):
            return torch.from_numpy(
                random_hash.numpy_keep_factor(_pair(key), shape, rate, scale)
            )
    return (random_uniform(key, shape) >= rate) * scale


def _on_host(key):
    if is_traced() or is_inferring():
        return False
    device = current_device() or torch.get_default_device()
    if not isinstance(key, torch.Tensor):
        return device.type == "cpu"
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor(key)
    on_cpu = key.device.type == device.type == "cpu"
    return on_cpu and not wrapped and not torch.compiler.is_compiling()


def _pair(key):
    return key.tolist() if isinstance(key, torch.Tensor) else key


def _bits(key, shape):
    key = torch.as_tensor(key, dtype=torch.int64, device=current_device())
    a, b = random_hash.schedule(key[0], key[1])
    position = torch.arange(math.prod(shape), dtype=torch.int64, device=key.device)
    return random_hash.scramble(position.reshape(tuple(shape)), a, b)
