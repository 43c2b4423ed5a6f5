"""JAX: convolutions.

On a CPU a convolution is a product of matrices: the shifted inputs lie beside each
other (`im2col`), and one product with the kernel gives all outputs. XLA's own
convolution uses one thread and no fast kernel inside a loop, where training runs: the
gradient of a 3x3 convolution of 64 channels takes 8 s there and 0.2 s as a product.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from hornbeam.backends.jax.arrays import promoted

Pairs = Sequence[tuple[int, int]]

# As a product a convolution takes the memory of its input for each place of its window.
_MOST_PLACES = 64


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


class Geometry(NamedTuple):
    """How a window moves: the elements of the input are moved `gaps` apart first."""

    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    gaps: tuple[int, ...]
    dilation: tuple[int, ...]


def _pairs(padding):
    return tuple((int(a), int(b)) for a, b in padding)


@functools.partial(jax.jit, static_argnums=(2, 3, 4), inline=True)
def _conv(inputs, kernel, geometry, groups, data_format):
    """Correlation of `inputs` with a kernel of the same dtype."""
    strides, padding, gaps, dilation = geometry
    *window, depth, _ = kernel.shape
    is_product = groups == 1 or depth == 1
    few = math.prod(window) <= _MOST_PLACES
    if is_product and few and jax.default_backend() == "cpu":
        first = data_format == "channels_first"
        if first:
            inputs = jnp.moveaxis(inputs, 1, -1)
        edges = [(a, b, gap - 1) for (a, b), gap in zip(padding, gaps, strict=True)]
        zero = jnp.zeros((), inputs.dtype)
        inputs = lax.pad(inputs, zero, [(0, 0, 0), *edges, (0, 0, 0)])
        outputs = _product(inputs, kernel, strides, dilation, groups)
        return jnp.moveaxis(outputs, -1, 1) if first else outputs
    return lax.conv_general_dilated(
        inputs,
        kernel,
        window_strides=strides,
        padding=list(padding),
        lhs_dilation=gaps,
        rhs_dilation=dilation,
        feature_group_count=groups,
        dimension_numbers=_layout(inputs.ndim, data_format),
    )


def _product(x, kernel, strides, dilation, groups):
    """Correlation without padding, channels last; `groups` is 1 or the channels."""
    *window, depth, width = kernel.shape
    rank = len(window)
    reaches = [
        (n - (k - 1) * d - 1) // s * s + 1
        for n, k, d, s in zip(x.shape[1:-1], window, dilation, strides, strict=True)
    ]

    def shifted(place):
        starts = [i * d for i, d in zip(place, dilation, strict=True)]
        ends = [start + reach for start, reach in zip(starts, reaches, strict=True)]
        whole = x.shape[0], x.shape[-1]
        return lax.slice(
            x, (0, *starts, 0), (whole[0], *ends, whole[1]), (1, *strides, 1)
        )

    places = list(np.ndindex(*window))
    if groups == 1:
        columns = jnp.concatenate([shifted(place) for place in places], axis=-1)
        rows = columns.reshape(-1, columns.shape[-1])
        outputs = rows @ kernel.reshape(-1, width)
        return outputs.reshape(*columns.shape[:-1], width)
    each = kernel.reshape(*window, groups, width // groups)
    outputs = sum(shifted(place)[..., None] * each[place] for place in places)
    return outputs.reshape(*outputs.shape[: rank + 1], width)


def _layout(ndim: int, data_format: str) -> lax.ConvDimensionNumbers:
    window = tuple(range(ndim - 2))
    if data_format == "channels_last":
        data = (0, ndim - 1, *range(1, ndim - 1))
    else:
        data = tuple(range(ndim))
    return lax.ConvDimensionNumbers(data, (ndim - 1, ndim - 2, *window), data)
