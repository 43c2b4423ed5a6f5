"""Indices as vectors: the output modes of layers that give categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import backends, ops
from hornbeam.graph.keras_tensor import KerasTensor

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.typing import InputShape, Tensor

VECTOR_MODES = ("one_hot", "multi_hot", "count")

# From this size of the vectors on, ones are added where they belong; below it all
# places are compared, which vectorises.
_LARGEST_COMPARED = 256


def encode(
    indices: Tensor,
    size: int,
    mode: str,
    dtype: str,
    sparse: bool = False,
    weights: Tensor | None = None,
) -> Tensor:
    """Return vectors of `size` for indices; an index outside [0, size) counts nowhere.

    Args:
        indices: integers; in the modes "multi_hot" and "count" the last axis lists
            those of one sample.
        size: the size of the vectors.
        mode: "one_hot", "multi_hot" or "count".
        dtype: the dtype of the vectors.
        sparse: whether the result is a sparse tensor. Default: False.
        weights: what each index adds to its count. Default: 1.
    """
    shape = tuple(indices.shape)
    if mode == "one_hot":
        # A vector of one index is a batch of one row.
        if len(shape) > 1 and shape[-1] == 1:
            indices = ops.squeeze(indices, -1)
        return ops.one_hot(indices, size, dtype=dtype, sparse=sparse)
    if not shape:
        indices, shape = ops.reshape(indices, (1,)), (1,)
        weights = None if weights is None else ops.reshape(weights, (1,))
    if size > _LARGEST_COMPARED and None not in shape and not sparse:
        return _scattered(indices, size, mode, dtype, weights)
    vectors = ops.one_hot(indices, size, dtype=dtype, sparse=sparse)
    if mode == "multi_hot" and not sparse:
        return ops.max(vectors, axis=-2)
    if weights is not None:
        vectors = ops.multiply(vectors, ops.expand_dims(ops.cast(weights, dtype), -1))
    counts = ops.sum(vectors, axis=len(shape) - 1)
    if mode == "count":
        return counts
    # A category that is listed twice counts once.
    return backends.current().map_values(lambda n: ops.minimum(n, 1), counts)


def _scattered(indices, size, mode, dtype, weights):
    *lead, listed = indices.shape
    flat = ops.cast(ops.reshape(indices, (-1, listed)), "int32")
    rows = flat.shape[0]
    known = ops.logical_and(flat >= 0, flat < size)
    start = ops.expand_dims(ops.arange(rows, dtype="int32") * size, 1)
    places = ops.where(known, flat + start, rows * size)
    if weights is None:
        added = ops.ones((rows * listed,), dtype)
    else:
        added = ops.reshape(ops.cast(weights, dtype), (-1,))
    sums = ops.segment_sum(added, ops.reshape(places, (-1,)), rows * size + 1)
    vectors = ops.reshape(sums[:-1], (*lead, size))
    return ops.minimum(vectors, 1) if mode == "multi_hot" else vectors


def encoded_shape(input_shape: InputShape, size: int | None, mode: str) -> Any:
    """Return the shape of `encode` for indices of a shape."""
    if mode == "int":
        return tuple(input_shape)
    lead = tuple(input_shape)
    if lead and (mode != "one_hot" or (len(lead) > 1 and lead[-1] == 1)):
        lead = lead[:-1]
    return (*lead, size)


def encoded_spec(
    inputs: Any, size: int | None, mode: str, dtype: str, sparse: bool
) -> KerasTensor:
    """Return the symbol of `encode` for a symbol of indices."""
    shape = encoded_shape(inputs.shape, size, mode)
    return KerasTensor(shape, dtype, sparse=sparse and mode != "int")
