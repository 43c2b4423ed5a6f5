"""JAX: convolutions.

On a CPU they are correlations of `correlation.py`; elsewhere, and where the types of
arrays say how they are spread over devices, XLA's own.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from hornbeam.backends.jax.arrays import promoted
from hornbeam.backends.jax.correlation import Geometry
from hornbeam.backends.jax.correlation import correlate as _correlate

Pairs = Sequence[tuple[int, int]]


def general_conv(
    inputs: Any,
    kernel: Any,
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
    data_format: str,
) -> jax.Array:
    """Correlation of `inputs` with a kernel of layout (*window, in / groups, out)."""
    inputs, kernel = promoted(inputs, kernel)
    geometry = Geometry(
        tuple(strides), _pairs(padding), (1,) * len(strides), tuple(dilation)
    )
    return _conv(inputs, kernel, geometry, groups, data_format)


def general_conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    data_format: str,
) -> jax.Array:
    """The transpose of a strided convolution, for a kernel (*window, out, in).

    `padding` says by how much the full result is cropped (negative: extended).
    """
    rank = len(strides)
    extents = [(k - 1) * d for k, d in zip(kernel.shape, dilation, strict=False)]
    around = [(e - a, e - b) for e, (a, b) in zip(extents, padding, strict=True)]
    inputs, kernel = promoted(inputs, kernel)
    kernel = jnp.flip(kernel, range(rank)).swapaxes(-1, -2)
    geometry = Geometry((1,) * rank, _pairs(around), tuple(strides), tuple(dilation))
    return _conv(inputs, kernel, geometry, 1, data_format)


def _pairs(padding):
    return tuple((int(a), int(b)) for a, b in padding)


@functools.partial(jax.jit, static_argnums=(2, 3, 4), inline=True)
def _conv(inputs, kernel, geometry, groups, data_format):
    """Correlation of `inputs` with a kernel of the same dtype."""
    if jax.default_backend() != "cpu" or _is_placed(inputs) or _is_placed(kernel):
        return lax.conv_general_dilated(
            inputs,
            kernel,
            window_strides=geometry.strides,
            padding=geometry.padding,
            lhs_dilation=geometry.gaps,
            rhs_dilation=geometry.dilation,
            dimension_numbers=_layout(inputs.ndim, data_format),
            feature_group_count=groups,
        )
    first = data_format == "channels_first"
    if first:
        inputs = jnp.moveaxis(inputs, 1, -1)
    *window, depth, width = kernel.shape
    kernel = kernel.reshape(*window, depth, groups, width // groups)
    x = inputs.reshape(*inputs.shape[:-1], groups, depth)
    y = _correlate(x, kernel.swapaxes(-2, -3), geometry)
    outputs = y.reshape(*y.shape[:-2], width)
    return jnp.moveaxis(outputs, -1, 1) if first else outputs


def _is_placed(x: jax.Array) -> bool:
    """Whether the type of `x` names a mesh: in a `shard_map`, or explicit shardings."""
    return not jax.typeof(x).sharding.mesh.empty


def _layout(ndim: int, data_format: str) -> lax.ConvDimensionNumbers:
    window = tuple(range(ndim - 2))
    if data_format == "channels_last":
        data = (0, ndim - 1, *range(1, ndim - 1))
    else:
        data = tuple(range(ndim))
    return lax.ConvDimensionNumbers(data, (ndim - 1, ndim - 2, *window), data)
