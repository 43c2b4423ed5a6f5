"""Indices as vectors on the host: what `encoding` does in a program."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.layers.preprocessing.encoding import encoded_shape

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


def encode(
    indices: Any,
    mode: str,
    depth: int,
    weights: Any = None,
    dtype: str = "float32",
    sparse: bool = False,
) -> Any:
    """Return host indices as vectors of `depth`; indices below 0 count nowhere.

    Args:
        indices: integers. The last axis is that of a sample, but for "one_hot".
        mode: one of `MODES`.
        depth: the number of categories.
        weights: for "tf_idf": the weight of each category.
        dtype: the dtype of the vectors.
        sparse: whether to return a matrix of SciPy.
    """
    if mode == "int":
        return indices
    shape = encoded_shape(indices.shape, depth, mode)
    rows = indices.reshape(-1, 1) if mode == "one_hot" else np.atleast_2d(indices)
    rows = rows.reshape(-1, rows.shape[-1])
    places = np.repeat(np.arange(len(rows)), rows.shape[1]), rows.ravel()
    counted = places[1] >= 0
    if not counted.all():
        places = places[0][counted], places[1][counted]
    vectors = encode_places(places, len(rows), mode, depth, weights, dtype, sparse)
    return vectors if sparse else vectors.reshape(shape)


def encode_places(
    places: tuple[Any, Any],
    rows: int,
    mode: str,
    depth: int,
    weights: Any = None,
    dtype: str = "float32",
    sparse: bool = False,
) -> Any:
    """Return vectors for indices that are given as pairs of row and index; as `encode`.

    Args:
        places: the row of each index, and the indices.
        rows: the number of rows.
        mode: one of `MODES` but "int".
        depth: the number of categories.
        weights: for "tf_idf": the weight of each category.
        dtype: the dtype of the vectors.
        sparse: whether to return a matrix of SciPy.
    """
    is_yes_or_no = mode in ("one_hot", "multi_hot")
    if sparse:
        import scipy.sparse

        values = (
            np.ones(len(places[0]), dtype) if weights is None else weights[places[1]]
        )
        matrix = scipy.sparse.coo_array((values, places), (rows, depth), dtype).tocsr()
        if is_yes_or_no:
            matrix.data[:] = 1
        return matrix
    out, (numbers, indices) = np.zeros((rows, depth), dtype), places
    if is_yes_or_no:
        out[places] = 1
    else:
        # With one array of indices and equal dtypes it takes a tenth of the time.
        added = np.ones(1, dtype) if weights is None else weights.astype(dtype)[indices]
        np.add.at(out.reshape(-1), numbers * depth + indices, added)
    return out
