"""NumPy: shapes, indexing, order, creation."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from hornbeam.core.dtypes import result_type

from .arrays import cast, numpy_dtype
from .functions import _array, _axis, _is_half, _promoted, _truth, _weak_dtype


def _ordered(x: Any) -> np.ndarray:
    """`x`, where NumPy's order of it is not right (nan in bfloat16), in 32 bits."""
    x = _array(x)
    return x.astype("float32") if _is_half(x) else x


def sort(x: Any, axis: Any = -1) -> Any:
    x = _array(x)
    return np.sort(_ordered(x), axis=axis).astype(x.dtype)


def argsort(x: Any, axis: Any = -1) -> Any:
    return np.argsort(_ordered(x), axis=axis, kind="stable").astype("int32")


def argpartition(x: Any, kth: Any, axis: Any = -1) -> Any:
    return np.argpartition(_ordered(x), kth, axis).astype("int32")


def top_k(x: Any, k: Any, sorted: Any = True) -> Any:
    x = _array(x)
    if not 0 <= k <= x.shape[-1]:
        raise IndexError(f"k={k} of {x.shape[-1]} elements")
    # From the back of the reversed row, so that of equal values the first comes first.
    order = np.argsort(_ordered(x)[..., ::-1], axis=-1, kind="stable")[..., ::-1][
        ..., :k
    ]
    indices = x.shape[-1] - 1 - order
    return np.take_along_axis(x, indices, -1), indices.astype("int32")


def searchsorted(sorted_sequence: Any, values: Any, side: Any = "left") -> Any:
    sequence, values = _promoted(sorted_sequence, values)
    return np.searchsorted(sequence, values, side=side).astype("int32")


def nonzero(x: Any) -> Any:
    return tuple(i.astype("int32") for i in np.nonzero(_array(x)))


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
    asked = (return_index, return_inverse, return_counts)
    result = np.unique(_array(x), *asked, axis=axis, equal_nan=False)
    values, *rest = result if isinstance(result, tuple) else (result,)
    rest = [r.astype("int32") for r in rest]
    if size is not None:
        values = _of_size(values, axis or 0, size, fill_value)
        names = [
            n for n, a in zip("index inverse counts".split(), asked, strict=True) if a
        ]
        rest = [
            r if name == "inverse" else _of_size(r, 0, size, 0)
            for name, r in zip(names, rest, strict=True)
        ]
    return (values, *rest) if rest else values


def _of_size(x, axis, size, fill_value):
    """`x` cut or filled to `size` along `axis`; the first entry fills by default."""
    x = np.take(x, range(builtins.min(size, x.shape[axis])), axis)
    missing = size - x.shape[axis]
    if not missing:
        return x
    filler = np.take(x, [0], axis)
    if fill_value is not None:
        filler = np.full_like(filler, fill_value)
    return np.concatenate([x, np.repeat(filler, missing, axis)], axis)


def count_integers(x: Any, weights: Any = None, minlength: Any = 0) -> Any:
    x = _array(x)
    dtype = np.dtype("int32") if weights is None else _array(weights).dtype
    length = builtins.max(int(x.max()) + 1 if x.size else 0, minlength)
    counts = np.zeros((*x.shape[:-1], length), dtype)
    lead: Any = tuple(np.indices(x.shape, sparse=True))[:-1]
    np.add.at(counts, (*lead, x), 1 if weights is None else weights)
    return counts


def reshape(x: Any, newshape: Any) -> Any:
    return np.reshape(_array(x), newshape)


def transpose(x: Any, axes: Any = None) -> Any:
    return np.transpose(_array(x), axes)


def expand_dims(x: Any, axis: Any) -> Any:
    return np.expand_dims(_array(x), _axis(axis))


def squeeze(x: Any, axis: Any = None) -> Any:
    return np.squeeze(_array(x), _axis(axis))


def broadcast_to(x: Any, shape: Any) -> Any:
    return np.broadcast_to(_array(x), shape)


def concatenate(xs: Any, axis: Any = 0) -> Any:
    return np.concatenate(_promoted(*[_array(x) for x in xs]), axis)


def stack(x: Any, axis: Any = 0) -> Any:
    return np.stack(_promoted(*[_array(v) for v in x]), axis)


def split(x: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    if not isinstance(indices_or_sections, int):
        indices_or_sections = [int(i) for i in indices_or_sections]
    return np.split(_array(x), indices_or_sections, axis)


def flip(x: Any, axis: Any = None) -> Any:
    return np.flip(_array(x), _axis(axis))


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    return np.roll(_array(x), shift, _axis(axis))


def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    return np.repeat(_array(x), repeats, axis)


def tile(x: Any, repeats: Any) -> Any:
    return np.tile(_array(x), repeats)


def padded(
    x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = None
) -> Any:
    options = {} if constant_values is None else {"constant_values": constant_values}
    return np.pad(_array(x), pad_width, mode, **options)


def take(x: Any, indices: Any, axis: Any = None) -> Any:
    return np.take(_array(x), _array(indices).astype("int64"), axis)


def take_along_axis(x: Any, indices: Any, axis: Any = None) -> Any:
    return np.take_along_axis(_array(x), _array(indices).astype("int64"), axis)


def get_item(x: Any, key: Any) -> Any:
    return _array(x)[key]


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    if x1 is None and x2 is None:
        return nonzero(condition)
    return np.where(_truth(condition), *_promoted(x1, x2))


def dynamic_slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    inputs = _array(inputs)
    return inputs[_window(inputs, start_indices, shape)]


def _window(x, start, shape):
    window = []
    for first, size, total in zip(start, shape, x.shape, strict=True):
        first = builtins.max(0, builtins.min(int(first), total - size))
        window.append(builtins.slice(first, first + size))
    return tuple(window)


def dynamic_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    result, updates = np.array(inputs), _array(updates)
    result[_window(result, start_indices, updates.shape)] = updates
    return result


_SCATTERED = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}


def scatter_into(inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Any:
    result = np.array(inputs)
    places = tuple(np.moveaxis(_array(indices).astype("int64"), -1, 0))
    updates = cast(updates, result.dtype)
    if reduction is None:
        result[places] = updates
    else:
        _SCATTERED[reduction].at(result, places, updates)
    return result


def zeros(shape: Any, dtype: Any = None) -> Any:
    return np.zeros(shape, numpy_dtype(dtype))


def ones(shape: Any, dtype: Any = None) -> Any:
    return np.ones(shape, numpy_dtype(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    return np.full(shape, fill_value, numpy_dtype(dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    given = [v for v in (start, stop, step) if v is not None]
    if dtype is None:
        dtype = result_type(*(_weak_dtype(v) for v in given))
    start, stop = (0, start) if stop is None else (start, stop)
    return cast(np.arange(start, stop, step), dtype)


def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    return np.eye(N, M, k, dtype=numpy_dtype(dtype))


def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    return np.tri(N, M, k, dtype=numpy_dtype(dtype))


def tril(x: Any, k: Any = 0) -> Any:
    return np.tril(_array(x), k)


def triu(x: Any, k: Any = 0) -> Any:
    return np.triu(_array(x), k)


def diag(x: Any, k: Any = 0) -> Any:
    return np.diag(_array(x), k)


def diagonal(x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    return np.diagonal(_array(x), offset, axis1, axis2)


def view(x: Any, dtype: Any = None) -> Any:
    return _array(x).view(numpy_dtype(dtype))
