"""JAX: linear maps, windows, and what is faster than its composition."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbeam.backends import xla
from hornbeam.backends.functions import Function
from hornbeam.backends.jax.arrays import promoted
from hornbeam.backends.jax.convolution import Pairs
from hornbeam.core import dtypes

# Up to this size along an axis a window that is differentiated is a chain of shifted
# slices: XLA turns its gradient into sums, where that of `reduce_window` on a CPU is 20
# to 40 times slower. Without a gradient XLA joins `reduce_window` and the convolution
# before it in one kernel: a network takes less than half the time.
_SLICED_WINDOW = 8


@functools.partial(jax.jit, inline=True)
def linear(x: Any, kernel: Any, bias: Any = None) -> jax.Array:
    """`x @ kernel + bias` over the last axis of `x`, as one product of matrices."""
    x, kernel = promoted(x, kernel)
    if x.ndim > 2:
        rows = x.reshape(-1, x.shape[-1])
        y = (rows @ kernel).reshape(*x.shape[:-1], kernel.shape[-1])
    else:
        y = x @ kernel
    return y if bias is None else y + bias


def projects_in_loop(shape: Any, units: int, gates: int, training: bool) -> bool:
    """Whether sequences (steps, rows, features) are best projected step by step."""
    on_cpu = jax.default_backend() == "cpu"
    return on_cpu and xla.projects_in_loop(shape, units, gates, training)


def window_max(
    inputs: Any,
    size: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    data_format: str,
) -> jax.Array:
    """The maximum of every window; the padding never wins."""
    inputs = jnp.asarray(inputs)
    if jnp.issubdtype(inputs.dtype, jnp.inexact):
        lowest = -jnp.inf
    else:
        lowest = jnp.iinfo(inputs.dtype).min
    return _windows(
        inputs, size, strides, padding, data_format, lowest, _larger, lax.max
    )


def window_sum(
    inputs: Any,
    size: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    data_format: str,
) -> jax.Array:
    """The sum of every window."""
    return _windows(
        jnp.asarray(inputs), size, strides, padding, data_format, 0, lax.add, lax.add
    )


def _larger(a: jax.Array, b: jax.Array) -> jax.Array:
    # Unlike `maximum` it sends the whole gradient of a tie to one place.
    return jnp.where((b > a) | (b != b), b, a)


def _windows(x, size, strides, padding, data_format, neutral, combine, reducer):
    first = 1 if data_format == "channels_last" else 2
    edges, full_size, full_strides = [(0, 0)] * x.ndim, [1] * x.ndim, [1] * x.ndim
    edges[first : first + len(size)] = padding
    full_size[first : first + len(size)] = size
    full_strides[first : first + len(size)] = strides

    def whole(x):
        # Of NumPy: a value known inside a trace, by which JAX knows maximum and sum.
        initial = np.asarray(neutral, x.dtype)[()]
        return lax.reduce_window(x, initial, reducer, full_size, full_strides, edges)

    def sliced(x):
        if any(a or b for a, b in padding):
            x = jnp.pad(x, edges, constant_values=neutral)
        for axis, (k, s) in enumerate(zip(size, strides, strict=True), first):
            x = _along(x, axis, k, s, combine)
        return x

    if max(size) > _SLICED_WINDOW:
        return whole(x)
    windows = jax.custom_jvp(whole)
    windows.defjvp(functools.partial(jax.jvp, sliced))
    return windows(x)


def _along(x, axis, size, stride, combine):
    reach = (x.shape[axis] - size) // stride * stride + 1
    shifted = [lax.slice_in_dim(x, i, i + reach, stride, axis) for i in range(size)]
    return functools.reduce(combine, shifted)


def _on_floats(fn: Callable) -> Callable:
    @functools.wraps(fn)
    def run(x, *args, **kwargs):
        return fn(_floating(x), *args, **kwargs)

    return run


def _floating(x: Any) -> jax.Array:
    x = jnp.asarray(x)
    if jnp.issubdtype(x.dtype, jnp.inexact):
        return x
    return x.astype(dtypes.result_type(str(x.dtype), float))


def relu(x: Any) -> jax.Array:
    """`max(x, 0)` with gradient 0 at 0."""
    return jax.nn.relu(jnp.asarray(x))


sigmoid: Function = _on_floats(jax.nn.sigmoid)
softplus: Function = _on_floats(jax.nn.softplus)
silu: Function = _on_floats(jax.nn.silu)
log_sigmoid: Function = _on_floats(jax.nn.log_sigmoid)
elu: Function = _on_floats(jax.nn.elu)
gelu: Function = _on_floats(jax.nn.gelu)
softmax: Function = _on_floats(jax.nn.softmax)
log_softmax: Function = _on_floats(jax.nn.log_softmax)


def attention(
    query: Any, key: Any, value: Any, bias: Any, scale: Any, is_causal: Any, flash: Any
) -> Any:
    """Softmax attention over (batch, length, heads, width) with an additive bias."""
    # The function wants one width: zeros at the end change neither logits nor values.
    width = max(query.shape[-1], value.shape[-1])
    dtype = query.dtype
    if dtype == jnp.float16 and jax.default_backend() != "gpu":
        # The function's product of float16 is one that only programs for GPUs may have.
        query, key, value = (x.astype("float32") for x in (query, key, value))
    outputs = jax.nn.dot_product_attention(
        _widened(query, width),
        _widened(key, width),
        _widened(value, width),
        bias,
        scale=scale,
        is_causal=is_causal,
        implementation="cudnn" if flash else "xla",
    )
    return outputs[..., : value.shape[-1]].astype(dtype)


def _widened(x, width):
    missing = width - x.shape[-1]
    return jnp.pad(x, [(0, 0)] * 3 + [(0, missing)]) if missing else x
