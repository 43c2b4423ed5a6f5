"""Random numbers on JAX: the counter hash, fused into what uses it.

Outside a program the bits are made on the host, where no new shape has to be compiled.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbeam.core import random_hash

# Above this size the time to compile is less than the time to copy to a device.
_HOST_SIZE = 1 << 22


def random_bits(key: Any, shape: Any) -> Any:
    """Return uint32 random words of the stream `key`, a uint32 pair."""
    shape = tuple(shape)
    if _on_host(key, shape):
        return jnp.asarray(random_hash.numpy_bits(_pair(key), shape))
    return _bits(key, shape)


def random_uniform(key: Any, shape: Any) -> Any:
    """Return float32 in [0, 1) from the top 24 bits of `random_bits`."""
    shape = tuple(shape)
    if _on_host(key, shape):
        return jnp.asarray(random_hash.numpy_uniform(_pair(key), shape))
    # Through int32: conversion from unsigned numbers is slow on CPUs.
    return (_bits(key, shape) >> 8).astype(jnp.int32).astype(jnp.float32) * 2.0**-24


def _on_host(key, shape):
    return not isinstance(key, jax.core.Tracer) and math.prod(shape) <= _HOST_SIZE


def _pair(key):
    return [int(word) for word in jax.device_get(key)]


@partial(jax.jit, static_argnums=1, inline=True)
def _bits(key, shape):
    key = jnp.asarray(key, jnp.uint32)
    a, b = random_hash.schedule(key[0], key[1], np.uint32)
    position = lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
    return random_hash.scramble(position, a, b, np.uint32)
