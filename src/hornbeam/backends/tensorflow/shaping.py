"""TensorFlow: shapes, indexing, order, creation."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from hornbeam.backends.functions import expand_axes
from hornbeam.core.dtypes import result_type

from .arrays import cast, convert, shape_of, tf_dtype, to_numpy
from .functions import _array, _axis, _promoted, _truth, _weak_dtype


def sort(x: Any, axis: Any = -1) -> Any:
    x, axis = _along(x, axis)
    if x.dtype == tf.bool:
        return tf.cast(tf.sort(tf.cast(x, tf.uint8), axis), tf.bool)
    if not x.dtype.is_floating:
        return tf.sort(x, axis)
    # TensorFlow puts nan anywhere: they go last, as many as there are.
    unordered = tf.math.is_nan(x)
    top = tf.constant(np.inf, x.dtype)
    ordered = tf.sort(tf.where(unordered, top, x), axis)
    count = tf.reduce_sum(tf.cast(unordered, tf.int32), axis, keepdims=True)
    sizes = [1] * x.ndim
    sizes[axis] = -1
    size = tf.shape(x)[axis]
    place = tf.reshape(tf.range(size), sizes)
    return tf.where(place < size - count, ordered, tf.constant(np.nan, x.dtype))


def argsort(x: Any, axis: Any = -1) -> Any:
    x, axis = _along(x, axis)
    if x.dtype == tf.bool:
        x = tf.cast(x, tf.uint8)
    if x.dtype.is_floating:
        x = tf.where(tf.math.is_nan(x), tf.constant(np.inf, x.dtype), x)
    return tf.argsort(x, axis, stable=True)


def argpartition(x: Any, kth: Any, axis: Any = -1) -> Any:
    result = argsort(x, axis)
    range(result.shape[axis or 0])[kth]  # raises where there is no such place
    return result


def _along(x: Any, axis: int | None) -> tuple[tf.Tensor, int]:
    x = _array(x)
    return (tf.reshape(x, (-1,)), 0) if axis is None or x.ndim == 0 else (x, axis)


def top_k(x: Any, k: Any, sorted: Any = True) -> Any:
    return tuple(tf.math.top_k(_array(x), k, sorted))


def searchsorted(sorted_sequence: Any, values: Any, side: Any = "left") -> Any:
    sequence, values = _promoted(sorted_sequence, values)
    if sequence.dtype == tf.bool:
        sequence, values = tf.cast(sequence, tf.uint8), tf.cast(values, tf.uint8)
    result = tf.searchsorted(sequence, tf.reshape(values, (-1,)), side)
    return tf.reshape(result, tf.shape(values))


def nonzero(x: Any) -> Any:
    x = _array(x)
    result = tf.cast(tf.where(_truth(x)), tf.int32)
    return tuple(tf.unstack(result, x.ndim, axis=1))


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
    # On the host: TensorFlow's has no order and no fixed size.
    from hornbeam.backends.numpy.shaping import unique as host_unique

    options = (return_index, return_inverse, return_counts, axis, size, fill_value)
    result = host_unique(to_numpy(x), sorted, *options)
    if isinstance(result, tuple):
        return tuple(tf.constant(y) for y in result)
    return tf.constant(result)


def count_integers(x: Any, weights: Any = None, minlength: Any = 0) -> Any:
    x = cast(x, tf.int32)
    length = minlength
    if not (tf.is_symbolic_tensor(x) and minlength):
        largest = tf.reduce_max(x) + 1 if tf.size(x) else 0
        length = builtins.max(int(largest), minlength)
    weights = tf.ones_like(x) if weights is None else convert(weights)
    weights = tf.broadcast_to(weights, tf.shape(x))
    rows = tf.reshape(x, (-1, x.shape[-1]))
    count = tf.shape(rows)[0]
    inside = tf.logical_and(rows >= 0, rows < length)
    places = tf.where(inside, rows + tf.range(count)[:, None] * length, -1)
    counts = tf.math.unsorted_segment_sum(
        tf.reshape(weights, (-1,)), tf.reshape(places, (-1,)), count * length
    )
    return tf.reshape(counts, (*shape_of(x)[:-1], length))


def reshape(x: Any, newshape: Any) -> Any:
    return tf.reshape(_array(x), _shape(newshape))


def _shape(shape: Any) -> Any:
    if isinstance(shape, tf.Tensor):
        return shape
    return (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)


def transpose(x: Any, axes: Any = None) -> Any:
    return tf.transpose(_array(x), None if axes is None else list(axes))


def expand_dims(x: Any, axis: Any) -> Any:
    return expand_axes(_array(x), axis, tf.expand_dims)


def squeeze(x: Any, axis: Any = None) -> Any:
    return tf.squeeze(_array(x), _axis(axis))


def broadcast_to(x: Any, shape: Any) -> Any:
    return tf.broadcast_to(_array(x), _shape(shape))


def concatenate(xs: Any, axis: Any = 0) -> Any:
    xs = _promoted(*[_array(x) for x in xs])
    if axis is None:
        xs, axis = [tf.reshape(x, (-1,)) for x in xs], 0
    return tf.concat(xs, axis)


def stack(x: Any, axis: Any = 0) -> Any:
    return tf.stack(_promoted(*[_array(v) for v in x]), axis)


def split(x: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    x = _array(x)
    if isinstance(indices_or_sections, int):
        return tf.split(x, indices_or_sections, axis)
    size = x.shape[axis]
    places = [operator.index(i) for i in indices_or_sections]
    ends = [0, *(builtins.min(p + size if p < 0 else p, size) for p in places), size]
    sizes = [builtins.max(b - a, 0) for a, b in zip(ends, ends[1:], strict=False)]
    return tf.split(x, sizes, axis)


def flip(x: Any, axis: Any = None) -> Any:
    x = _array(x)
    axes = range(x.ndim) if axis is None else axis
    return tf.reverse(x, [axes] if isinstance(axes, int) else list(axes))


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    x = _array(x)
    if axis is None:
        return tf.reshape(tf.roll(tf.reshape(x, (-1,)), shift, 0), tf.shape(x))
    axis = _axis(axis)
    if isinstance(axis, list) and isinstance(shift, int):
        shift = [shift] * len(axis)
    return tf.roll(x, shift, axis)


def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    return tf.repeat(_array(x), repeats, axis)


def tile(x: Any, repeats: Any) -> Any:
    x, repeats = _array(x), list(_shape(repeats))
    missing = x.ndim - len(repeats)
    if missing < 0:
        x = tf.reshape(x, (*(1,) * -missing, *shape_of(x)))
    return tf.tile(x, [1] * missing + repeats)


def padded(
    x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = None
) -> Any:
    x = _array(x)
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    if mode == "constant":
        if x.dtype == tf.bool:
            value = int(bool(constant_values))
            return tf.cast(
                tf.pad(tf.cast(x, tf.uint8), widths, "CONSTANT", value), tf.bool
            )
        value = 0 if constant_values is None else cast(constant_values, x.dtype)
        return tf.pad(x, widths, "CONSTANT", value)
    # NumPy says which element goes where, axis by axis: this serves every mode.
    for axis, (before, after) in enumerate(widths):
        if before or after:
            places = np.pad(np.arange(x.shape[axis]), (before, after), mode)
            x = tf.gather(x, places.astype("int32"), axis=axis)
    return x


def take(x: Any, indices: Any, axis: Any = None) -> Any:
    x, indices = _array(x), convert(indices)
    if indices.dtype not in (tf.int32, tf.int64):
        indices = tf.cast(indices, tf.int32)
    x, axis = (tf.reshape(x, (-1,)), 0) if axis is None else (x, axis)
    return tf.gather(x, _from_the_front(indices, x, axis), axis=axis)


def _from_the_front(indices: tf.Tensor, x: tf.Tensor, axis: int) -> tf.Tensor:
    size = tf.cast(shape_of(x)[axis], indices.dtype)
    return tf.where(indices < 0, indices + size, indices)


def take_along_axis(x: Any, indices: Any, axis: Any = None) -> Any:
    x, indices = _array(x), cast(indices, tf.int32)
    x, axis = (tf.reshape(x, (-1,)), 0) if axis is None else (x, range(x.ndim)[axis])
    indices = _from_the_front(indices, x, axis)
    last = [i for i in range(x.ndim) if i != axis] + [axis]
    x, indices = tf.transpose(x, last), tf.transpose(indices, last)
    lead = tf.broadcast_static_shape(x.shape[:-1], indices.shape[:-1])
    x = tf.broadcast_to(x, (*lead, x.shape[-1]))
    indices = tf.broadcast_to(indices, (*lead, indices.shape[-1]))
    result = tf.gather(x, indices, batch_dims=x.ndim - 1, axis=-1)
    return tf.transpose(result, np.argsort(last).tolist())


def get_item(x: Any, key: Any) -> Any:
    x = _array(x)
    key = key if isinstance(key, tuple) else (key,)
    key = tuple(convert(k) if isinstance(k, (list, np.ndarray)) else k for k in key)
    if not builtins.any(isinstance(k, tf.Tensor) and _is_advanced(k) for k in key):
        return x[key]
    return _advanced_item(x, _complete(key, x.ndim))


def _is_advanced(k: tf.Tensor) -> bool:
    return k.ndim > 0 or k.dtype == tf.bool


def _complete(key: tuple, rank: int) -> list:
    """The key with one entry for each axis and each None; bools become indices."""
    entries: list = []
    for k in key:
        mask = isinstance(k, tf.Tensor) and k.dtype == tf.bool
        entries.extend(nonzero(k) if mask else [k])
    used = builtins.sum(k is not None and k is not Ellipsis for k in entries)
    fill = [builtins.slice(None)] * (rank - used)
    if not builtins.any(k is Ellipsis for k in entries):
        return entries + fill
    place = next(i for i, k in enumerate(entries) if k is Ellipsis)
    return entries[:place] + fill + entries[place + 1 :]


def _advanced_item(x: tf.Tensor, key: list) -> tf.Tensor:
    """NumPy's indexing by arrays: they broadcast together, integers with them."""
    is_array = [isinstance(k, (int, np.integer, tf.Tensor)) for k in key]
    x = x[
        tuple(
            builtins.slice(None) if a else k for k, a in zip(key, is_array, strict=True)
        )
    ]
    axes = [i for i, a in enumerate(is_array) if a]
    rest = [i for i in range(x.ndim) if i not in axes]
    arrays = [_from_the_front(cast(key[i], tf.int32), x, i) for i in axes]
    shape = arrays[0].shape
    for a in arrays[1:]:
        shape = tf.broadcast_static_shape(shape, a.shape)
    places = tf.stack([tf.broadcast_to(a, shape) for a in arrays], -1)
    result = tf.gather_nd(tf.transpose(x, axes + rest), places)
    together = axes == list(range(axes[0], axes[-1] + 1))
    if not together or not axes[0]:
        return result
    width, first = len(shape), axes[0]
    order = [
        *range(width, width + first),
        *range(width),
        *range(width + first, result.ndim),
    ]
    return tf.transpose(result, order)


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    if x1 is None and x2 is None:
        return nonzero(condition)
    return tf.where(_truth(condition), *_promoted(x1, x2))


def dynamic_slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    inputs = _array(inputs)
    return tf.slice(inputs, _inside(inputs, start_indices, shape), shape)


def _inside(x: tf.Tensor, start: Any, shape: Sequence[int]) -> tf.Tensor:
    """The start of a window, moved so that the window lies in `x`."""
    start = (
        tf.stack([tf.cast(s, tf.int32) for s in start])
        if isinstance(start, (list, tuple))
        else cast(start, tf.int32)
    )
    return tf.clip_by_value(start, 0, tf.shape(x) - tf.constant(tuple(shape), tf.int32))


def dynamic_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    inputs = _array(inputs)
    updates = convert(updates, inputs.dtype)
    start = _inside(inputs, start_indices, updates.shape)
    places = np.moveaxis(np.indices(updates.shape, "int32"), 0, -1)
    return tf.tensor_scatter_nd_update(inputs, places + start, updates)


_SCATTERED = {
    None: tf.tensor_scatter_nd_update,
    "add": tf.tensor_scatter_nd_add,
    "max": tf.tensor_scatter_nd_max,
    "min": tf.tensor_scatter_nd_min,
}


def scatter_into(inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Any:
    inputs, indices = _array(inputs), cast(indices, tf.int32)
    depth = indices.shape[-1]
    sizes = tf.shape(inputs)[:depth]
    indices = tf.where(indices < 0, indices + sizes, indices)
    shape = tf.concat([tf.shape(indices)[:-1], tf.shape(inputs)[depth:]], 0)
    updates = tf.broadcast_to(convert(updates, inputs.dtype), shape)
    if reduction in _SCATTERED:
        return _SCATTERED[reduction](inputs, indices, updates)
    strides = tf.math.cumprod(sizes, exclusive=True, reverse=True)
    rows = tf.reduce_sum(indices * strides, -1)
    factors = tf.math.unsorted_segment_prod(updates, rows, tf.reduce_prod(sizes))
    return inputs * tf.reshape(factors, tf.shape(inputs))


def zeros(shape: Any, dtype: Any = None) -> Any:
    return tf.zeros(_shape(shape), tf_dtype(dtype))


def ones(shape: Any, dtype: Any = None) -> Any:
    return tf.ones(_shape(shape), tf_dtype(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    return tf.broadcast_to(cast(fill_value, tf_dtype(dtype)), _shape(shape))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    given = [v for v in (start, stop, step) if v is not None]
    if dtype is None:
        dtype = result_type(*(_weak_dtype(v) for v in given))
    start, stop = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    numbers = _promoted(*(v if v is not None else 1 for v in (start, stop, step)))
    if numbers[0].dtype not in (tf.int32, tf.int64, tf.float32, tf.float64):
        wide = tf.float32 if numbers[0].dtype.is_floating else tf.int32
        numbers = [tf.cast(v, wide) for v in numbers]
    return cast(tf.range(*numbers), dtype)


def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    return cast(_distance(N, M) == k, tf_dtype(dtype))


def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    return cast(_distance(N, M) <= k, tf_dtype(dtype))


def _distance(rows: Any, columns: Any = None) -> tf.Tensor:
    """How far each element of a matrix is to the right of its diagonal."""
    columns = rows if columns is None else columns
    return tf.range(columns, dtype=tf.int32) - tf.range(rows, dtype=tf.int32)[:, None]


def tril(x: Any, k: Any = 0) -> Any:
    x = _array(x)
    return tf.where(_distance(*shape_of(x)[-2:]) <= k, x, tf.zeros_like(x))


def triu(x: Any, k: Any = 0) -> Any:
    x = _array(x)
    return tf.where(_distance(*shape_of(x)[-2:]) >= k, x, tf.zeros_like(x))


def diag(x: Any, k: Any = 0) -> Any:
    x = _array(x)
    return tf.linalg.diag(x, k=k) if x.ndim == 1 else diagonal(x, k)


def diagonal(x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    x = _array(x)
    last = [range(x.ndim)[i] for i in (axis1, axis2)]
    x = tf.transpose(x, [i for i in range(x.ndim) if i not in last] + last)
    rows, columns = x.shape[-2:]
    first, second = builtins.max(-offset, 0), builtins.max(offset, 0)
    length = builtins.max(builtins.min(rows - first, columns - second), 0)
    places = np.arange(length, dtype="int32") * (columns + 1) + first * columns + second
    flat = tf.reshape(x, (*shape_of(x)[:-2], rows * columns))
    return tf.gather(flat, places, axis=-1)


def view(x: Any, dtype: Any = None) -> Any:
    x, dtype = _array(x), tf_dtype(dtype)
    if x.ndim == 0 and x.dtype.size != dtype.size:
        raise ValueError(
            "view(): a scalar has no axis whose size could change. Expected a dtype of "
            f"{x.dtype.size} bytes. Received: dtype={dtype.name!r}"
        )
    if x.dtype.size < dtype.size:
        count = dtype.size // x.dtype.size
        x = tf.reshape(x, (*shape_of(x)[:-1], x.shape[-1] // count, count))
    result = tf.bitcast(x, dtype)
    if x.dtype.size > dtype.size:
        result = tf.reshape(result, (*shape_of(x)[:-1], -1))
    return result
