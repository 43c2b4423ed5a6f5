"""The rows of a layered layout: the order in each, and the places across."""

from __future__ import annotations

import bisect
from typing import Any

import numpy as np

from hornbeam.visualization.model_graph import Box
from hornbeam.visualization.optional import optional

_BETWEEN_BOXES = 26.0
_BESIDE_LINES = 16.0  # between a box and a line
_BETWEEN_LINES = 12.0
_SWEEPS = 8
# More items than this are ordered with fewer sweeps.
_MANY = 400
_ROUNDS = 30
_HELD = 1e4  # the weight of a distance that is held


class Item:
    """What has a place in a row: a box, the bend of a long edge, or a frame's port."""

    def __init__(self, rank: int, width: float = 0.0, height: float = 0.0):
        self.rank: int = rank
        self.width: float = width
        self.height: float = height
        self.left: float = width / 2
        self.right: float = width / 2
        self.x: float = 0.0
        self.y: float = 0.0
        self.position = 0
        self.ups: list[Link] = []
        self.downs: list[Link] = []
        self.box: Box | None = None
        self.frame: Any = None
        self.is_port = False


class Link:
    """A piece of an edge from an item to one in the next row, and where it is held."""

    def __init__(self, upper: Item, lower: Item, is_reversed: bool = False):
        self.upper: Item = upper
        self.lower: Item = lower
        self.is_reversed: bool = is_reversed
        # Offsets from the middles of both.
        self.out: float = 0.0
        self.into: float = 0.0
        upper.downs.append(self)
        lower.ups.append(self)

    @property
    def weight(self) -> int:
        """How much it should be straight: long edges and chains more than others."""
        bends = (self.upper.box is None) + (self.lower.box is None)
        is_alone = len(self.upper.downs) == len(self.lower.ups) == 1
        return (1, 2, 300)[2 * is_alone or bends]


def hold(item: Item) -> None:
    """Spread the edges that reach a box over its side, in the order of their ways."""
    links = sorted(item.ups, key=_upper)
    step = min(18.0, 0.8 * item.width / (len(links) + 1))
    for place, link in enumerate(links):
        link.into = step * (place - (len(links) - 1) / 2)


def sort(rows: list[list[Item]]) -> None:
    """Order each row so that few edges cross."""
    sweeps = _SWEEPS if sum(map(len, rows)) < _MANY else 3
    best, fewest = [list(row) for row in rows], None
    _number(rows)
    for sweep in range(2 * sweeps):
        is_down = sweep % 2 == 0
        for row in rows if is_down else rows[::-1]:
            means = {item: _mean_position(item, is_down) for item in row}
            row.sort(key=means.__getitem__)
            for position, item in enumerate(row):
                item.position = position
        crossings = sum(map(crossings_below, rows))
        if fewest is None or crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
        if not crossings:
            break
    for row, ordered in zip(rows, best, strict=True):
        row[:] = ordered
    _number(rows)


def _number(rows):
    for row in rows:
        for position, item in enumerate(row):
            item.position = position


def _mean_position(item, is_down):
    """Return the mean position of the neighbours above or below, or its own."""
    links = item.ups if is_down else item.downs
    if not links:
        return item.position
    return float(np.mean([_upper(x) if is_down else _lower(x) for x in links]))


def _upper(link):
    return link.upper.position + link.out / (link.upper.width + 1)


def _lower(link):
    # The ports of a frame have places; those of a box follow the order.
    into = link.into if link.lower.frame is not None else 0.0
    return link.lower.position + into / (link.lower.width + 1)


def crossings_below(row: list[Item]) -> int:
    """Return how many edges cross below a row."""
    ends = sorted((_upper(link), _lower(link)) for item in row for link in item.downs)
    seen: list[float] = []
    count = 0
    for _, end in ends:
        count += len(seen) - bisect.bisect_right(seen, end)
        bisect.insort(seen, end)
    return count


def spread(rows: list[list[Item]]) -> None:
    """Set the places across: edges as straight as can be, in order, no overlaps.

    Least squares over the slants of all links. Neighbours that come out too close are
    held at their distance, and let go again where that would pull them together.
    """
    items = [item for row in rows for item in row]
    number = {item: place for place, item in enumerate(items)}
    links = [link for item in items for link in item.downs]
    slants = [(number[x.lower], number[x.upper], x.out - x.into) for x in links]
    pairs = _neighbours(rows, number)
    held: set[int] = set()
    for _ in range(_ROUNDS):
        equations = slants + [pairs[place] for place in sorted(held)]
        weights = [x.weight for x in links] + [_HELD] * len(held)
        x = _least_squares(len(items), equations, weights)
        gaps = [x[b] - x[a] - step for b, a, step in pairs]
        new = {place for place, gap in enumerate(gaps) if gap < -0.5}
        loose = {place for place in held if gaps[place] > 0}
        if new <= held and not loose:
            break
        held = (held - loose) | new
    for row in rows:
        wishes = [x[number[item]] for item in row]
        for item, place in zip(row, _in_order(wishes, row), strict=True):
            item.x = place


def _neighbours(rows, number):
    """Return for each two neighbours their numbers and their least distance."""
    pairs = []
    for row in rows:
        steps = np.diff(_steps(row))
        for left, right, step in zip(row, row[1:], steps, strict=False):
            pairs.append((number[right], number[left], step))
    return pairs


def _least_squares(count, equations, weights):
    """Solve `x[b] - x[a] = step` for all equations `(b, a, step)` as well as may be."""
    sparse = optional("scipy.sparse")
    ends = np.array([(b, a) for b, a, _ in equations], int).reshape(-1, 2)
    weights = np.array(weights, float)
    rows = np.arange(len(ends)).repeat(2)
    signs = np.tile([1.0, -1.0], len(ends))
    matrix = sparse.csr_matrix((signs, (rows, ends.ravel())), shape=(len(ends), count))
    weighted = matrix.T.multiply(weights).tocsr()
    # The small term chooses among equally good places, those near to the middle.
    left = weighted @ matrix + 1e-6 * sparse.identity(count)
    right = weighted @ np.array([step for *_, step in equations], float)
    return optional("scipy.sparse.linalg").spsolve(left.tocsc(), right)


def _steps(row):
    """Return the places of a row's items packed as close as they may be."""
    steps = [0.0]
    for left, right in zip(row, row[1:], strict=False):
        boxes = (left.box is not None) + (right.box is not None)
        gap = (_BETWEEN_LINES, _BESIDE_LINES, _BETWEEN_BOXES)[boxes]
        steps.append(steps[-1] + left.right + gap + right.left)
    return np.array(steps)


def _in_order(wishes, row):
    """Return the places nearest to the wishes (least squares) that do not overlap.

    With the packed places subtracted it is an isotonic regression, by pooling adjacent
    violators.
    """
    steps = _steps(row)
    pools: list[list[float]] = []  # mean, count
    for wish in np.array(wishes) - steps:
        pools.append([wish, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, count = pools.pop()
            pool = pools[-1]
            pool[0] = (pool[0] * pool[1] + mean * count) / (pool[1] + count)
            pool[1] += count
    return np.repeat([p[0] for p in pools], [int(p[1]) for p in pools]) + steps
