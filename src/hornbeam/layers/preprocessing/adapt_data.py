"""What `adapt` reads: data of any kind, part by part, in one pass."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam import backends
from hornbeam.core.errors import shown

if TYPE_CHECKING:
    from hornbeam.layers.layer import Layer

# The most rows, and about the most bytes, of what is in memory that one part holds.
_ROWS, _BYTES = 1 << 16, 1 << 25
_BATCH_ROWS = 256
# Kinds of NumPy's dtypes that `adapt` computes no statistics of.
NO_NUMBERS = "OUSTMmc"


def batches(layer: Layer, data: Any, steps: int | None = None) -> Iterator[Any]:
    """Yield the inputs in `data`, part by part, each with the batch as its first axis.

    Args:
        layer: the layer that adapts, for errors.
        data: rows in memory (an array or tensor of any kind, a series or frame, a list
            of numbers or strings) or an iterable of batches (a PyDataset, a generator,
            a `tf.data.Dataset`, a `DataLoader`). Of a batch `(x, y)` x is taken.
        steps: the number of batches to read. Default: None (all)
    """
    if steps is not None and (isinstance(steps, bool) or steps < 1):
        raise ValueError(
            f"{type(layer).__name__} layer {layer.path!r}: `steps` of `adapt` must be "
            f"a positive integer. Received: steps={steps!r}"
        )
    if is_rows(data):
        parts = _slices(data)
    else:
        parts = map(_inputs, _iterated(layer, data, steps))
    received = False
    for part in itertools.islice(parts, steps):
        received = True
        yield part
    if not received:
        raise no_values(layer)


def no_values(layer: Layer) -> ValueError:
    """Return the error for data that holds nothing."""
    return ValueError(
        f"{type(layer).__name__} layer {layer.path!r}: `adapt` received no values (an "
        "empty iterable). Pass an array, or an iterable that yields batches; a "
        "generator can be used once only."
    )


def is_rows(x: Any) -> bool:
    """Whether `x` is an array, tensor, frame or list of values, not of batches."""
    if isinstance(x, list | tuple):
        return len(x) > 0 and all(_is_value(item) for item in x[:_BATCH_ROWS])
    return (_is_value(x) and x is not None) or any(
        hasattr(x, name) for name in ("shape", "__array__", "to_numpy", "toarray")
    )


def _is_value(x):
    """Whether `x` is a number, a string or None, or a list (no tuple) of such."""
    if isinstance(x, list):
        return all(_is_value(item) for item in x)
    return x is None or isinstance(x, str | bytes | bool | int | float | np.generic)


def host(x: Any) -> Any:
    """Return `x` as a NumPy array; lists whose rows differ in length stay lists.

    What is missing is NaN in a column of numbers, and None in a masked array.
    """
    engine = backends.of(x)
    if engine is not None:
        return engine.to_numpy(x)
    if isinstance(x, np.ma.MaskedArray):
        if not np.any(x.mask):
            return x.data
        array = x.data.astype(object)
        array[x.mask] = None
        return array
    for name in ("toarray", "to_numpy"):
        # An array of Arrow has a `to_numpy` that refuses to copy.
        if hasattr(x, name) and not hasattr(x, "__arrow_c_array__"):
            return getattr(x, name)()
    try:
        return np.asarray(x)
    except ValueError:
        return x


def numbers(layer: Layer, part: Any) -> np.ndarray[Any, Any]:
    """Return a part of the data as a NumPy array of numbers, or raise.

    Args:
        layer: the layer that adapts, for the error.
        part: what `batches` yields.
    """
    array = host(part)
    if hasattr(array, "dtype") and array.dtype.kind not in NO_NUMBERS:
        return np.asarray(array)
    raise TypeError(
        f"{type(layer).__name__} layer {layer.path!r}: `adapt` expects numbers, with "
        "rows of equal length, and no missing values, strings or dates. Received: "
        f"{shown(part)}"
    )


def _slices(x):
    """Yield slices of what is in memory, so that copies of it stay small."""
    shape = getattr(x, "shape", None)
    rows = len(x) if shape is None and hasattr(x, "__len__") else (shape or (1,))[0]
    if isinstance(x, str | bytes) or not rows or rows < 0 or shape == ():
        if rows:
            yield x
        return
    size = getattr(x, "nbytes", 0)
    size = size if isinstance(size, int | np.integer) else 0
    count = max(1, min(_ROWS, int(_BYTES * rows / max(size, 1))))
    rows_of = x.iloc if hasattr(x, "iloc") else x
    for start in range(0, rows, count):
        yield x if count >= rows else rows_of[start : start + count]


def _iterated(layer, data, steps):
    """Return an iterator over the batches of an iterable that is not endless."""
    torch_data = sys.modules.get("torch.utils.data")
    if torch_data is not None and isinstance(data, torch_data.Dataset):
        data = torch_data.DataLoader(data, batch_size=_BATCH_ROWS)
    if isinstance(data, Mapping) or not hasattr(data, "__iter__"):
        raise TypeError(
            f"{type(layer).__name__} layer {layer.path!r}: `adapt` expects an array, "
            "or an iterable that yields batches of inputs, such as a generator, a "
            f"PyDataset or a dataset of another library. Received: {shown(data)}"
        )
    if steps is None and _is_endless(data):
        raise ValueError(
            f"{type(layer).__name__} layer {layer.path!r}: `adapt` was given data "
            f"without an end, {shown(data)}. Say how many batches to read "
            "(`steps=...`), or give a part of it."
        )
    return iter(data)


def _is_endless(data):
    if hasattr(data, "num_batches"):
        return data.num_batches is None
    cardinality = getattr(data, "cardinality", None)
    return callable(cardinality) and int(cardinality()) == -1


def _inputs(batch):
    """Return the inputs of a batch `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`."""
    if not isinstance(batch, list | tuple) or not batch:
        return batch
    # A list of lists of values is x; in a tuple the lists are x and y.
    is_nested = isinstance(batch, tuple) and not np.isscalar(batch[0])
    return batch[0] if is_nested or not is_rows(batch) else batch
