"""PyTorch: shapes, indexing, order, creation."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hornbeam.backends.functions import expand_axes
from hornbeam.core.dtypes import result_type

from .arrays import convert, to_numpy, torch_dtype
from .devices import current_device
from .functions import _array, _dims, _indices, _promoted, _weak_dtype


def sort(x: Any, axis: Any = -1) -> Any:
    x = _array(x)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    return torch.sort(x, dim=axis, stable=True).values


def argsort(x: Any, axis: Any = -1) -> Any:
    x = _array(x)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    return torch.argsort(x, dim=axis, stable=True).to(torch.int32)


def argpartition(x: Any, kth: Any, axis: Any = -1) -> Any:
    result = argsort(x, axis)
    range(result.shape[axis or 0])[kth]  # raises where there is no such place
    return result


def top_k(x: Any, k: Any, sorted: Any = True) -> Any:
    x = _array(x)
    indices = _greatest(x, k)
    return x.gather(-1, indices), indices.to(torch.int32)


def _greatest(x, k):
    """Where the `k` greatest are: of equal ones the first, as on other engines.

    `torch.topk` leaves that to chance, so it is given whole numbers that differ: the
    bits of a number, ordered as it is, and below them how far it is from the end.
    """
    if x.itemsize > 4:
        return torch.sort(x, dim=-1, descending=True, stable=True)[1][..., :k]
    if x.is_floating_point():
        x = (x.float() + 0.0).view(torch.int32)  # + 0.0: there is no -0.0 left
        x = x ^ ((x >> 31) & 0x7FFFFFFF)
    last = x.shape[-1] - 1
    places = torch.arange(last, -1, -1, device=x.device)
    keys = (x.long() << 32) + places
    return last - (torch.topk(keys, k)[0] & 0xFFFFFFFF)


def searchsorted(sorted_sequence: Any, values: Any, side: Any = "left") -> Any:
    sequence, values = _promoted(sorted_sequence, values)
    if sequence.dtype is torch.bool:
        sequence, values = sequence.to(torch.uint8), values.to(torch.uint8)
    return torch.searchsorted(sequence, values, side=side, out_int32=True)


def nonzero(x: Any) -> Any:
    return tuple(i.to(torch.int32) for i in torch.nonzero(_array(x), as_tuple=True))


def unique(
    x: Any,
    sorted: Any = True,
    return_index: Any = False,
    return_inverse: Any = False,
    return_counts: Any = False,
    axis: Any = None,
    size: Any = None,
    fill_value: Any = None,
) -> Any:
    # On the host: torch.unique gives no positions and no fixed size.
    from hornbeam.backends.numpy.shaping import unique as host_unique

    x = _array(x)
    options = (return_index, return_inverse, return_counts, axis, size, fill_value)
    result = host_unique(to_numpy(x), sorted, *options)
    if isinstance(result, tuple):
        return tuple(torch.as_tensor(y, device=x.device) for y in result)
    return torch.as_tensor(result, device=x.device).to(x.dtype)


def count_integers(x: Any, weights: Any = None, minlength: Any = 0) -> Any:
    x = _indices(x)
    longest = int(x.max()) + 1 if x.numel() else 0
    length = builtins.max(longest, minlength)
    weights = torch.ones_like(x, dtype=torch.int32) if weights is None else weights
    weights = convert(weights)
    counts = torch.zeros((*x.shape[:-1], length), dtype=weights.dtype, device=x.device)
    return counts.scatter_add(-1, x, weights.expand(x.shape))


def reshape(x: Any, newshape: Any) -> Any:
    return torch.reshape(_array(x), _shape(newshape))


def _shape(shape: Any) -> tuple:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def transpose(x: Any, axes: Any = None) -> Any:
    x = _array(x)
    return x.permute(*(range(x.ndim - 1, -1, -1) if axes is None else axes))


def expand_dims(x: Any, axis: Any) -> Any:
    return expand_axes(_array(x), axis, torch.unsqueeze)


def squeeze(x: Any, axis: Any = None) -> Any:
    x = _array(x)
    if axis is None:
        return torch.squeeze(x)
    dims = (axis,) if isinstance(axis, int) else tuple(axis)
    if builtins.any(x.shape[d] != 1 for d in dims):
        raise ValueError(
            "squeeze() can remove only axes of size 1. "
            f"Received: axis={axis}, shape={tuple(x.shape)}"
        )
    return torch.squeeze(x, dims)


def broadcast_to(x: Any, shape: Any) -> Any:
    return torch.broadcast_to(_array(x), _shape(shape))


def concatenate(xs: Any, axis: Any = 0) -> Any:
    xs = [_array(x) for x in xs]
    if len({x.dtype for x in xs}) > 1:
        xs = _promoted(*xs)
    if axis is None:
        return torch.cat([x.reshape(-1) for x in xs])
    return torch.cat(xs, axis)


def stack(x: Any, axis: Any = 0) -> Any:
    x = [_array(v) for v in x]
    if len({v.dtype for v in x}) > 1:
        x = _promoted(*x)
    return torch.stack(x, axis)


def split(x: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    x = _array(x)
    if isinstance(indices_or_sections, int):
        size = x.shape[axis]
        if indices_or_sections < 1 or size % indices_or_sections:
            raise ValueError(
                f"split() needs equal parts: axis {axis} of size {size} cannot be "
                f"divided by {indices_or_sections}."
            )
        return list(torch.split(x, builtins.max(size // indices_or_sections, 1), axis))
    places = tuple(int(i) for i in indices_or_sections)
    return list(torch.tensor_split(x, places, axis))


def flip(x: Any, axis: Any = None) -> Any:
    x = _array(x)
    dims = _dims(x, axis)
    return torch.flip(x, (dims,) if isinstance(dims, int) else dims)


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    axis = tuple(axis) if isinstance(axis, list) else axis
    return torch.roll(_array(x), shift, axis)


def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    x = _array(x)
    if not isinstance(repeats, int):
        repeats = _indices(repeats).to(x.device)
        repeats = int(repeats) if repeats.numel() == 1 else repeats
    return torch.repeat_interleave(x, repeats, axis)


def tile(x: Any, repeats: Any) -> Any:
    return torch.tile(_array(x), _shape(repeats))


def padded(
    x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = None
) -> Any:
    x = _array(x)
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    if mode == "constant":
        flat = [w for pair in reversed(widths) for w in pair]
        value = 0 if constant_values is None else constant_values
        value = value.item() if hasattr(value, "item") else value
        return F.pad(x, flat, value=value)
    # NumPy says which element goes where, axis by axis: this serves every mode.
    for axis, (before, after) in enumerate(widths):
        if before or after:
            places = np.pad(np.arange(x.shape[axis]), (before, after), mode)
            x = x.index_select(axis, torch.as_tensor(places, device=x.device))
    return x


def take(x: Any, indices: Any, axis: Any = None) -> Any:
    x, indices = _array(x), _indices(indices)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, range(x.ndim)[axis])
    indices = torch.where(indices < 0, indices + x.shape[axis], indices)
    # Unlike `x[indices]`, `index_select` has a fast gradient.
    taken = x.index_select(axis, indices.reshape(-1))
    return taken.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


def take_along_axis(x: Any, indices: Any, axis: Any = None) -> Any:
    x, indices = _array(x), _indices(indices)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    indices = torch.where(indices < 0, indices + x.shape[axis], indices)
    return torch.take_along_dim(x, indices, axis)


def get_item(x: Any, key: Any) -> Any:
    key = key if isinstance(key, tuple) else (key,)
    return _array(x)[tuple(_key(k) for k in key)]


def _key(k: Any) -> Any:
    if isinstance(k, (list, np.ndarray)):
        k = convert(k)
    if isinstance(k, Tensor) and k.dtype not in (torch.bool, torch.uint8):
        return k.to(torch.int64)
    return k


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    condition = _array(condition)
    if x1 is None and x2 is None:
        return nonzero(condition)
    return torch.where(condition.to(torch.bool), *_promoted(x1, x2))


def dynamic_slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    inputs = _array(inputs)
    return inputs[_window(inputs, start_indices, shape)]


def _window(x: Tensor, start: Any, shape: Sequence[int]) -> tuple:
    start = start.tolist() if isinstance(start, (Tensor, np.ndarray)) else start
    window = []
    for first, size, total in zip(start, shape, x.shape, strict=True):
        first = builtins.max(0, builtins.min(int(first), total - size))
        window.append(builtins.slice(first, first + size))
    return tuple(window)


def dynamic_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    inputs = _array(inputs)
    updates = convert(updates, inputs.dtype)
    result = inputs.clone()
    result[_window(inputs, start_indices, updates.shape)] = updates
    return result


def scatter_into(inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Any:
    inputs, indices = _array(inputs), _indices(indices)
    updates = convert(updates, inputs.dtype)
    places = indices.unbind(-1)
    if reduction in (None, "add"):
        return inputs.index_put(places, updates, accumulate=reduction == "add")
    names = {"max": "amax", "min": "amin", "mul": "prod"}
    depth = len(places)
    rows = torch.zeros_like(places[0])
    for place, size in zip(places, inputs.shape[:depth], strict=True):
        rows = rows * size + torch.where(place < 0, place + size, place)
    width = inputs[(0,) * depth].numel()
    flat = inputs.reshape(-1, width)
    rows = rows.reshape(-1, 1).expand(-1, width)
    result = flat.scatter_reduce(
        0,
        rows,
        updates.expand(indices.shape[:-1] + inputs.shape[depth:]).reshape(-1, width),
        names[reduction],
    )
    return result.reshape(inputs.shape)


def zeros(shape: Any, dtype: Any = None) -> Any:
    return torch.zeros(shape, dtype=torch_dtype(dtype), device=current_device())


def ones(shape: Any, dtype: Any = None) -> Any:
    return torch.ones(shape, dtype=torch_dtype(dtype), device=current_device())


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    value = convert(fill_value, dtype=torch_dtype(dtype))
    return value.expand(_shape(shape)).clone()


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    given = [v for v in (start, stop, step) if v is not None]
    if dtype is None:
        dtype = result_type(*(_weak_dtype(v) for v in given))
    start, stop = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    numbers = (v.item() if hasattr(v, "item") else v for v in (start, stop, step))
    return torch.arange(*numbers, dtype=torch_dtype(dtype), device=current_device())


def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    all_ones = ones((N, N if M is None else M), dtype)
    return torch.triu(torch.tril(all_ones, k), k)


def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    return torch.tril(ones((N, M or N), dtype), k)


def tril(x: Any, k: Any = 0) -> Any:
    return torch.tril(_array(x), k)


def triu(x: Any, k: Any = 0) -> Any:
    return torch.triu(_array(x), k)


def diag(x: Any, k: Any = 0) -> Any:
    return torch.diag(_array(x), k)


def diagonal(x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    return torch.diagonal(_array(x), offset, axis1, axis2)


def view(x: Any, dtype: Any = None) -> Any:
    return _array(x).view(torch_dtype(dtype))
