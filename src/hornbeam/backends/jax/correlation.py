"""JAX: correlation in groups, as one primitive closed under JAX's transformations.

Inputs `(n, *space, g, c)` and a kernel `(*window, g, c, f)` give `(n, *space, g, f)`:

    y[n, o, g, f] = sum over w, c of x[n, s o + d w - before, g, c] kernel[w, g, c, f]

where the elements of x stand `gaps` apart. Both gradients are correlations of the same
form, and so is a correlation over an added axis: of the inputs it is more rows, of the
kernel more filters, of both more groups.

XLA on a CPU has fast kernels for correlations without groups whose axes are in this
very order. It brings the others into that order in programs without loops alone:
in a loop, where training runs, the gradient of a plain convolution as JAX derives it
takes 40 times longer (https://github.com/jax-ml/jax/issues/12868). Once that is solved,
`lax.conv_general_dilated` serves everywhere.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

# How many terms a sum may have, and how many of its numbers belong together.
_MOST_TERMS, _FEW = 64, 4


class Geometry(NamedTuple):
    """How a window moves: the elements of the input are moved `gaps` apart first."""

    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    gaps: tuple[int, ...]
    dilation: tuple[int, ...]

    def sizes(self, space: Any, window: Any) -> Any:
        """The sizes of the outputs."""
        return tuple(
            max(0, ((n - 1) * u + sum(p) - (k - 1) * d) // s + 1)
            for n, k, s, p, u, d in zip(space, window, *self, strict=True)
        )


def correlate(x: Any, kernel: Any, geometry: Geometry) -> jax.Array:
    """The correlation of arrays of one dtype, as the module's docstring says it."""
    return _correlate.bind(x, kernel, geometry=geometry)


def plain(x: Any, kernel: Any, geometry: Geometry, groups: int = 1) -> jax.Array:
    """XLA's correlation of `(n, *space, g c)` with `(*window, c, g f)`."""
    rank = x.ndim - 2
    data, space = (0, rank + 1, *range(1, rank + 1)), range(rank)
    return lax.conv_general_dilated(
        x,
        kernel,
        *geometry,
        dimension_numbers=lax.ConvDimensionNumbers(
            data, (rank + 1, rank, *space), data
        ),
        feature_group_count=groups,
    )


def _shape(x, kernel, geometry):
    space = geometry.sizes(x.shape[1:-2], kernel.shape[:-3])
    return (x.shape[0], *space, x.shape[-2], kernel.shape[-1])


def _run(x, kernel, *, geometry):
    shape = _shape(x, kernel, geometry)
    rows, *space, groups, filters = shape
    *window, _, depth, _ = kernel.shape
    if not (x.size and kernel.size and math.prod(shape)):
        return jnp.zeros(shape, x.dtype)
    if groups == 1:
        x, kernel = x[..., 0, :], kernel[..., 0, :, :]
        is_volume = len(window) == 3 and math.prod(window) > 1
        y = (_stacked if is_volume else plain)(x, kernel, geometry)
        return y[..., None, :]
    if math.prod(window) <= _MOST_TERMS and depth * filters <= _FEW:
        return _by_window(x, kernel, geometry, space)
    if math.prod(space) <= _MOST_TERMS and rows * filters <= _FEW:
        return _by_output(x, kernel, geometry, space)
    kernel = kernel.swapaxes(-2, -3).reshape(*window, depth, groups * filters)
    x = x.reshape(*x.shape[:-2], groups * depth)
    return plain(x, kernel, geometry, groups).reshape(shape)


def _stacked(x, kernel, geometry):
    """Volumes as images: along the first axis the window's slices are channels."""
    first = Geometry(*(of_axes[:1] for of_axes in geometry))
    rest = Geometry(*(of_axes[1:] for of_axes in geometry))
    (length,) = first.sizes(x.shape[1:2], kernel.shape[:1])
    slices = _shifts(x, kernel.shape[:1], first, (length,))
    images = jnp.concatenate(list(slices.values()), -1)
    images = images.reshape(-1, *images.shape[2:])
    kernel = jnp.moveaxis(kernel, 0, -3)
    y = plain(images, kernel.reshape(*kernel.shape[:2], -1, kernel.shape[-1]), rest)
    return y.reshape(-1, length, *y.shape[1:])


def _shifts(x, window, geometry, moves):
    """What each place of the window sees of `(n, *space, ...)`, by place."""
    strides, padding, gaps, dilation = geometry
    others = x.ndim - 1 - len(window)
    edges = [(a, b, u - 1) for (a, b), u in zip(padding, gaps, strict=True)]
    x = lax.pad(x, np.zeros((), x.dtype), [(0, 0, 0), *edges, *[(0, 0, 0)] * others])
    whole = x.shape[1 + len(window) :]
    seen = {}
    for place in np.ndindex(*window):
        starts = [i * d for i, d in zip(place, dilation, strict=True)]
        reach = [(o - 1) * s + 1 for o, s in zip(moves, strides, strict=True)]
        ends = [start + length for start, length in zip(starts, reach, strict=True)]
        seen[place] = lax.slice(
            x,
            (0, *starts, *[0] * others),
            (x.shape[0], *ends, *whole),
            (1, *strides, *[1] * others),
        )
    return seen


def _by_window(x, kernel, geometry, space):
    """Few channels in each group: a sum of multiplications over the window."""
    depth = kernel.shape[-2]
    shifts = _shifts(x, kernel.shape[:-3], geometry, space)
    terms = [
        part[..., c, None] * kernel[place][:, c]
        for place, part in shifts.items()
        for c in range(depth)
    ]
    return functools.reduce(jnp.add, terms)


def _by_output(x, kernel, geometry, space):
    """Few outputs: each is the sum of all multiplications."""
    strides, padding, gaps, dilation = geometry
    turned = Geometry(dilation, padding, gaps, strides)
    rows, filters, window = x.shape[0], kernel.shape[-1], kernel.shape[:-3]
    x, kernel = jnp.moveaxis(x, -1, 1), jnp.moveaxis(kernel, -2, 0)
    sums = [
        (part * kernel[..., f]).sum(range(1 + len(space)))
        for row in range(rows)
        for part in _shifts(x[row], space, turned, window).values()
        for f in range(filters)
    ]
    y = jnp.stack(sums, -1).reshape(-1, rows, *space, filters)
    return jnp.moveaxis(y, 0, -2)


def _of_inputs(cotangent, x, kernel, *, geometry):
    """The transpose in x: the window is turned round, the strides become gaps."""
    strides, padding, gaps, dilation = geometry
    window = kernel.shape[:-3]
    space, moves = x.aval.shape[1:-2], cotangent.shape[1:-2]
    around = []
    for n, o, k, s, (a, _), u, d in zip(space, moves, window, *geometry, strict=True):
        reach = (k - 1) * d
        around.append((reach - a, (n - 1) * u - (o - 1) * s + a))
    turned = jnp.flip(kernel, range(len(window))).swapaxes(-1, -2)
    return correlate(
        cotangent, turned, Geometry(gaps, tuple(around), strides, dilation)
    )


def _of_kernel(cotangent, x, kernel, *, geometry):
    """The transpose in the kernel: rows are summed over as channels are, and places.

    The window is as large as the outputs, or, since gaps in the inputs are slow, as the
    inputs where there are some; then the result comes turned round.
    """
    strides, _, gaps, dilation = geometry
    window = kernel.aval.shape[:-3]
    space, moves = x.shape[1:-2], cotangent.shape[1:-2]
    turned = max(gaps) > 1
    around = []
    for n, o, k, s, (a, _), u, d in zip(space, moves, window, *geometry, strict=True):
        reach, extent, travel = (k - 1) * d, (n - 1) * u, (o - 1) * s
        if turned:
            around.append((reach - a, extent - travel + a))
        else:
            around.append((a, reach + travel - extent - a))
    if turned:
        x, cotangent = cotangent, x
        strides, gaps = gaps, strides
    y = correlate(
        x.swapaxes(0, -1),
        jnp.moveaxis(cotangent, 0, -2),
        Geometry(dilation, tuple(around), gaps, strides),
    )
    if turned:
        y = jnp.flip(y, range(1, 1 + len(window))).swapaxes(0, -1)
    return jnp.moveaxis(y, 0, -2)


def _over_axis(arguments, axes, *, geometry):
    x, kernel = arguments
    of_x, of_kernel = axes
    if of_kernel is None:
        x = jnp.moveaxis(x, of_x, 0)
        y = correlate(x.reshape(-1, *x.shape[2:]), kernel, geometry)
        return y.reshape(*x.shape[:2], *y.shape[1:]), 0
    if of_x is None:
        kernel = jnp.moveaxis(kernel, of_kernel, -2)
        merged = kernel.reshape(*kernel.shape[:-2], -1)
        y = correlate(x, merged, geometry)
        return y.reshape(*y.shape[:-1], *kernel.shape[-2:]), y.ndim - 1
    x = jnp.moveaxis(x, of_x, -3)
    kernel = jnp.moveaxis(kernel, of_kernel, -4)
    members, groups, depth, filters = kernel.shape[-4:]
    y = correlate(
        x.reshape(*x.shape[:-3], members * groups, depth),
        kernel.reshape(*kernel.shape[:-4], members * groups, depth, filters),
        geometry,
    )
    return y.reshape(*y.shape[:-2], members, groups, filters), y.ndim - 2


_correlate = Primitive("correlate")
_correlate.def_impl(jax.jit(_run, static_argnames="geometry"))
_correlate.def_abstract_eval(
    lambda x, kernel, *, geometry: x.update(
        shape=_shape(x, kernel, geometry), weak_type=False
    )
)
ad.defbilinear(_correlate, _of_inputs, _of_kernel)
batching.primitive_batchers[_correlate] = _over_axis
mlir.register_lowering(_correlate, mlir.lower_fun(_run, multiple_results=False))
