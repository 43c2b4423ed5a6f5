"""Rows as a distribution: each distinct one once, with how often it occurs.

For the default network a row of weight 2 is two rows of weight 1, whatever their order.
So it is trained on the distinct rows in an order that depends on them alone, which is
the same for weighted and for repeated rows: equal to the last bit, batches, seeds and
all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse


def distinct(
    X: Any, y: np.ndarray, weight: np.ndarray | None = None
) -> tuple[Any, np.ndarray, np.ndarray | None]:
    """Return the distinct rows and their weights, of mean 1, or None if all are equal.

    Args:
        X: the features, an array of numbers or SciPy's CSR.
        y: the targets, an array of as many rows.
        weight: weights of the rows; rows of weight 0 are left out. Default: None, 1.
    """
    if weight is not None and not weight.sum() > 0:
        raise ValueError(
            "`sample_weight` says how often rows occur, so the weights must have a sum "
            f"above zero. Received weights with the sum {weight.sum()}."
        )
    words = [_words(X, np.float32), _words(y, np.float64)]
    hashes = _hashes(*words)
    order = np.argsort(hashes, kind="stable")
    is_new = np.ones(len(order), bool)
    is_new[1:] = np.diff(hashes[order]) != 0
    alike = np.flatnonzero(~is_new)
    for part in words:
        is_new[alike] |= _differ(part[order[alike]], part[order[alike - 1]])
    starts = np.flatnonzero(is_new)
    weights = np.ones(len(order)) if weight is None else weight[order].astype(float)
    weights = np.add.reduceat(weights, starts)
    kept = weights != 0
    rows, weights = order[starts[kept]], weights[kept]
    is_even = (weights == weights[0]).all()
    return X[rows], y[rows], None if is_even else weights / weights.mean()


def moments(x: Any, weight: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of the features, the last axis of `x`.

    Args:
        x: an array of numbers with two axes or more, or SciPy's CSR.
        weight: weights of the rows. Default: None, all equal.
    """
    if issparse(x):
        return _sparse_moments(x.astype(np.float64), weight)
    x = x.reshape(len(x), -1, x.shape[-1]).astype(np.float64)
    mean = np.average(x, axis=0, weights=weight).mean(axis=0)
    square = np.average((x - mean) ** 2, axis=0, weights=weight).mean(axis=0)
    return mean, square


def _sparse_moments(x, weight):
    x.sum_duplicates()
    weight = np.ones(x.shape[0]) if weight is None else weight
    weights = np.repeat(weight, np.diff(x.indptr))

    def column_sums(values):
        return np.bincount(x.indices, values, minlength=x.shape[1])

    total = weight.sum()
    mean = column_sums(weights * x.data) / total
    squares = column_sums(weights * (x.data - mean[x.indices]) ** 2)
    # The zeros that are not stored deviate from the mean too.
    squares += (total - column_sums(weights)) * mean**2
    return mean, squares / total


def _words(x, dtype):
    """Return rows as numbers of 32 bits, equal where the rows are, 1 and 1.0 alike."""
    if issparse(x):
        x = x.astype(dtype)
        x.sum_duplicates()
        x.eliminate_zeros()
        return type(x)((x.data.view(np.uint32), x.indices, x.indptr), x.shape)
    if x.dtype.kind in "OUS":
        x = np.unique(x.astype(str), return_inverse=True)[1]
    # Adding 0.0 makes 0.0 of -0.0.
    x = np.ascontiguousarray(x.reshape(len(x), -1), dtype) + dtype(0)
    return x.view(np.uint32)


def _hashes(*parts):
    """Return a hash of 64 bits for each row: sums of words times random numbers."""
    generator = np.random.default_rng(0)
    hashes = np.zeros(parts[0].shape[0], np.uint64)
    for words in parts:
        factors = generator.integers(1 << 63, size=words.shape[1], dtype=np.uint64)
        factors = 2 * factors + 1
        if issparse(words):
            hashes += words.astype(np.uint64) @ factors
        else:
            hashes += np.einsum("ij,j->i", words, factors)
    return hashes


def _differ(a, b):
    """Return which rows of `a` differ from those of `b`."""
    if issparse(a):
        return np.diff((a != b).tocsr().indptr) > 0
    return (a != b).any(axis=1)
