"""NumPy: linear maps, convolutions and windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from hornbeam.core import dtypes

Pairs = Sequence[tuple[int, int]]


def linear(x: Any, kernel: Any, bias: Any = None) -> np.ndarray:
    """`x @ kernel + bias` over the last axis of `x`, as one product of matrices."""
    x, kernel = _promoted(x, kernel)
    rows = x.reshape(-1, x.shape[-1])
    # NumPy widens products of bfloat16.
    y = (rows @ kernel).astype(x.dtype, copy=False)
    y = y.reshape(*x.shape[:-1], kernel.shape[-1])
    return y if bias is None else y + bias


def general_conv(
    inputs: Any,
    kernel: Any,
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
    data_format: str,
) -> np.ndarray:
    """Correlation of `inputs` with a kernel of layout (*window, in / groups, out)."""
    inputs, kernel = _promoted(inputs, kernel)
    x = np.pad(_channels_last(inputs, data_format), [(0, 0), *padding, (0, 0)])
    *size, per_group, filters = kernel.shape
    view = _window_view(x, size, strides, dilation)
    batch_and_places = view.shape[: len(size) + 1]
    # One product of matrices for each group: rows are places, columns window entries.
    view = np.moveaxis(view, len(size) + 1, -1)
    view = view.reshape(*view.shape[:-1], groups, per_group)
    rows = np.moveaxis(view, -2, 0).reshape(
        groups, int(np.prod(batch_and_places)), int(np.prod(size)) * per_group
    )
    columns = kernel.reshape(-1, groups, filters // groups).swapaxes(0, 1)
    y = np.matmul(rows, columns).astype(inputs.dtype, copy=False)
    y = np.moveaxis(y, 0, 1).reshape(*batch_and_places, filters)
    return _as_given(y, data_format)


def general_conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    data_format: str,
) -> np.ndarray:
    """The transpose of a strided convolution, for a kernel (*window, out, in).

    `padding` says by how much the full result is cropped (negative: extended).
    """
    inputs, kernel = _promoted(inputs, kernel)
    x = _channels_last(inputs, data_format)
    rank = x.ndim - 2
    places = [(n - 1) * s + 1 for n, s in zip(x.shape[1:-1], strides, strict=True)]
    spread = np.zeros((x.shape[0], *places, x.shape[-1]), x.dtype)
    spread[(slice(None), *(slice(None, None, s) for s in strides))] = x
    extents = [(k - 1) * d for k, d in zip(kernel.shape, dilation, strict=False)]
    around = [
        (e - min(a, 0), e - min(b, 0))
        for e, (a, b) in zip(extents, padding, strict=True)
    ]
    flipped = np.flip(kernel, tuple(range(rank))).swapaxes(-1, -2)
    full = general_conv(
        spread, flipped, (1,) * rank, around, dilation, 1, "channels_last"
    )
    crop = [
        slice(max(a, 0), n - max(b, 0))
        for n, (a, b) in zip(full.shape[1:-1], padding, strict=True)
    ]
    return _as_given(full[(slice(None), *crop)], data_format)


def window_max(
    inputs: Any,
    size: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    data_format: str,
) -> np.ndarray:
    """The maximum of every window; the padding never wins."""
    inputs = np.asarray(inputs)
    floating = not np.issubdtype(inputs.dtype, np.integer)
    lowest = -np.inf if floating else np.iinfo(inputs.dtype).min
    return _windows(inputs, size, strides, padding, data_format, lowest).max(
        tuple(range(-len(size), 0))
    )


def window_sum(
    inputs: Any,
    size: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    data_format: str,
) -> np.ndarray:
    """The sum of every window."""
    inputs = np.asarray(inputs)
    return _windows(inputs, size, strides, padding, data_format, 0).sum(
        tuple(range(-len(size), 0)), dtype=inputs.dtype
    )


def _windows(inputs, size, strides, padding, data_format, neutral):
    x = _channels_last(inputs, data_format)
    x = np.pad(x, [(0, 0), *padding, (0, 0)], constant_values=neutral)
    view = _window_view(x, size, strides, (1,) * len(size))
    if data_format == "channels_first":
        view = np.moveaxis(view, len(size) + 1, 1)
    return view


def _window_view(x, size, strides, dilation):
    """A view (batch, *places, channels, *window) of a channels-last array."""
    extents = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    view = sliding_window_view(x, extents, tuple(range(1, len(size) + 1)))
    places = tuple(slice(None, None, s) for s in strides)
    entries = tuple(slice(None, None, d) for d in dilation)
    return view[(slice(None), *places, slice(None), *entries)]


def _channels_last(x: np.ndarray, data_format: str) -> np.ndarray:
    return x if data_format == "channels_last" else np.moveaxis(x, 1, -1)


def _as_given(x: np.ndarray, data_format: str) -> np.ndarray:
    return x if data_format == "channels_last" else np.moveaxis(x, -1, 1)


def _promoted(a: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype == b.dtype:
        return a, b
    dtype = dtypes.result_type(str(a.dtype), str(b.dtype))
    return a.astype(dtype), b.astype(dtype)
