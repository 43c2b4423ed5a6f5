"""SciPy's sparse arrays and matrices, which every engine takes."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def is_scipy_sparse(x: Any) -> bool:
    """Whether `x` is a sparse array or matrix of SciPy."""
    library = sys.modules.get("scipy.sparse")
    return library is not None and library.issparse(x)


def scipy_coordinates(x: Any) -> tuple[np.ndarray, np.ndarray]:
    """`(indices, values)` of a sparse array of SciPy, in order and each place once."""
    import scipy.sparse

    if x.ndim == 2:
        x = scipy.sparse.csr_array(x)
        if not x.has_canonical_format:
            x = x.copy()
            x.sum_duplicates()
        rows = np.repeat(np.arange(x.shape[0], dtype=np.int32), np.diff(x.indptr))
        return np.stack([rows, x.indices.astype(np.int32, copy=False)], axis=1), x.data
    x = scipy.sparse.coo_array(x, copy=True)
    x.has_canonical_format = False
    x.sum_duplicates()
    order = np.lexsort(x.coords[::-1])
    return np.stack(x.coords, axis=1).astype(np.int32)[order], x.data[order]
