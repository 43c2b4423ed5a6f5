"""Quantiles of a stream in bounded memory."""

from __future__ import annotations

from typing import Any

import numpy as np

# So many values are kept as they are, before they are summarised.
_KEPT = 1 << 22


class QuantileSummary:
    """Quantiles of all values that were added, with a bounded error of their ranks.

    Up to four million values quantiles are exact. Of each four million more a sorted
    sample of `m = 16 / epsilon` values stays, one for each stretch of equal length. Two
    samples for equally many values are merged to one, so that there is at most one for
    each power of two (J. I. Munro and M. S. Paterson, "Selection and sorting with
    limited storage", 1980). A step moves ranks by at most `n / 2m` of its `n` values;
    20 merges, which cover 4e12 values, by less than `epsilon n` together.

    Args:
        epsilon: the largest error of a rank, as a fraction of the number of values.
    """

    def __init__(self, epsilon: float) -> None:
        self._size = max(256, int(np.ceil(16 / epsilon)))
        self._kept: list[np.ndarray[Any, Any]] = []
        self._samples: list[tuple[int, np.ndarray[Any, Any], float]] = []

    def add(self, values: np.ndarray[Any, Any]) -> None:
        """Add an array of numbers; those that are NaN have no rank."""
        values = values.reshape(-1)
        values = values[~np.isnan(values)]
        if sum(map(len, self._kept)) + len(values) > _KEPT and self._kept:
            self._summarise()
        if len(values):
            self._kept.append(values.copy())

    def _summarise(self):
        values = np.sort(np.concatenate(self._kept))
        self._kept = []
        weight = len(values) / self._size
        level, sample = 0, self._sampled(values, np.ones(len(values)), weight)
        while self._samples and self._samples[-1][0] <= level:
            _, other, of_other = self._samples.pop()
            both = np.concatenate([other, sample])
            each = np.repeat([of_other, weight], [len(other), len(sample)])
            order = np.argsort(both, kind="stable")
            total = (of_other + weight) * self._size
            weight = total / self._size
            sample = self._sampled(both[order], each[order], weight)
            level += 1
        self._samples.append((level, sample, weight))

    def _sampled(self, values, weights, step):
        """Return the value in the middle of each stretch of the weight `step`."""
        middle = (np.arange(self._size) + 0.5) * step
        places = np.searchsorted(np.cumsum(weights), middle)
        return values[np.minimum(places, len(values) - 1)]

    @property
    def points(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The sorted values that are left, and how many values each stands for."""
        values = [*self._kept, *(sample for _, sample, _ in self._samples)]
        weights = [np.ones(len(kept)) for kept in self._kept]
        weights += [np.full(len(s), weight) for _, s, weight in self._samples]
        if not values:
            return np.zeros(0), np.zeros(0)
        together = np.concatenate(values)
        order = np.argsort(together, kind="stable")
        return together[order], np.concatenate(weights)[order]

    def boundaries(self, bins: int) -> list[float]:
        """Return the values that part what was added into bins of equal counts.

        They are `NumPy`'s quantiles of the method "interpolated_inverted_cdf": with
        fewer values than bins, as many as there are values, without the last.
        """
        values, weights = self.points
        ends = np.cumsum(weights)
        count = int(round(ends[-1])) if len(ends) else 0
        bins = max(1, min(bins, count))
        ranks = np.arange(1, bins) / bins * count
        return [float(np.float32(v)) for v in np.interp(ranks, ends, values)]
