"""Rows as users give them, and as networks want them."""

import numpy as np

from hornbeam.core.config import floatx

_FEWEST_ROWS, _SMALL_ROW = 32, 4096


def dense(X):
    """Return `X` dense; numbers of double precision become those of the network."""
    if hasattr(X, "toarray"):
        X = X.toarray()
    if isinstance(X, np.ndarray) and X.dtype.kind == "f":
        X = X.astype(floatx(), copy=False)
    return X


def filled_up(X):
    """Return at least 32 rows, if rows are small.

    Then a row alone gets bit by bit what it gets among others, from the same program.
    """
    missing = _FEWEST_ROWS - len(X)
    if missing <= 0 or X[0].nbytes > _SMALL_ROW:
        return X
    return np.concatenate([X, np.repeat(X[:1], missing, axis=0)])
