"""Rows as a distribution: each that differs once, with how often it occurs.

For the default network a row of weight 2 is two rows of weight 1, whatever their order.
So it is trained on the distinct rows in an order of their own, which is the same for
weighted and for repeated rows: equal to the last bit, batches, seeds and all.
"""

import numpy as np


def distinct(X, y, weight=None):
    """Return the distinct rows and their weights, of mean 1, or None if all are equal.

    Args:
        X: the features, an array of numbers.
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
        is_new[alike] |= (part[order[alike]] != part[order[alike - 1]]).any(axis=1)
    starts = np.flatnonzero(is_new)
    weights = np.ones(len(order)) if weight is None else weight[order].astype(float)
    weights = np.add.reduceat(weights, starts)
    kept = weights != 0
    rows, weights = order[starts[kept]], weights[kept]
    is_even = (weights == weights[0]).all()
    return X[rows], y[rows], None if is_even else weights / weights.mean()


def moments(x, weight=None):
    """Return mean and variance of the features, the last axis of `x`.

    Args:
        x: an array of numbers with two axes or more.
        weight: weights of the rows. Default: None, all equal.
    """
    x = x.reshape(len(x), -1, x.shape[-1]).astype(np.float64)
    mean = np.average(x, axis=0, weights=weight).mean(axis=0)
    square = np.average((x - mean) ** 2, axis=0, weights=weight).mean(axis=0)
    return mean, square


def _words(x, dtype):
    """Return rows as numbers of 32 bits, equal where the rows are, 1 and 1.0 alike."""
    if x.dtype.kind in "OUS":
        x = np.unique(x.astype(str), return_inverse=True)[1]
    # Adding 0.0 makes 0.0 of -0.0.
    x = np.ascontiguousarray(x.reshape(len(x), -1), dtype) + dtype(0)
    return x.view(np.uint32)


def _hashes(*parts):
    """Return a hash of 64 bits for each row: sums of words times random numbers."""
    generator = np.random.default_rng(0)
    hashes = np.zeros(len(parts[0]), np.uint64)
    for words in parts:
        factors = generator.integers(1 << 63, size=words.shape[1], dtype=np.uint64)
        hashes += np.einsum("ij,j->i", words, 2 * factors + 1)
    return hashes
