"""The rows of features, as the network takes them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.sparse import issparse

from hornbeam.core import tree
from hornbeam.core.config import floatx
from hornbeam.data.sparse import sparse_rows

_FEWEST_ROWS, _SMALL_ROW = 32, 4096
_CHUNK_BYTES = 1 << 24


def as_rows(X: Any) -> Any:
    """Return `X` as an array, or as SciPy's CSR if it is sparse.

    Numbers of double precision become those of the network.
    """
    if issparse(X):
        X = X.tocsr()
    if X.dtype.kind == "f":
        X = X.astype(floatx(), copy=False)
    return X


def dense(X: Any) -> Any:
    """Return `X` as an array."""
    return X.toarray() if issparse(X) else X


def network_rows(X: Any, model: Any) -> Any:
    """Return `X` for `fit` and `predict` of the network.

    Sparse rows stay sparse in memory. Where the model's inputs are not sparse, each
    batch of them is made dense on the device.
    """
    if not issparse(X):
        return X
    inputs = tree.flatten(getattr(model, "inputs", None) or [])
    takes_sparse = any(getattr(x, "sparse", False) for x in inputs)
    return sparse_rows(X, is_dense=not takes_sparse)


def dense_chunks(X: Any) -> Any:
    """Yield sparse rows as dense arrays of some megabytes."""
    step = max(1, _CHUNK_BYTES // bytes_per_row(X))
    for start in range(0, X.shape[0], step):
        yield X[start : start + step].toarray()


def bytes_per_row(X: Any) -> int:
    """Return the bytes of a row of `X`, dense."""
    return max(1, math.prod(X.shape[1:]) * X.dtype.itemsize)


def filled_up(X: Any) -> Any:
    """Return at least 32 rows, if rows are small.

    Then a row alone gets bit by bit what it gets among others, from the same program.
    """
    rows = X.shape[0]
    if rows >= _FEWEST_ROWS or bytes_per_row(X) > _SMALL_ROW:
        return X
    return X[np.arange(_FEWEST_ROWS) * (np.arange(_FEWEST_ROWS) < rows)]
