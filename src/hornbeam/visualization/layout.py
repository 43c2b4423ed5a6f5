"""Where the boxes and edges of a graph are placed: a layered layout.

The method is that of K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual
understanding of hierarchical system structures" (1981): rows by longest paths, an order
within the rows with few crossings by barycentres, then places across. A nested graph is
placed on its own, and is one box with several ports in the graph around it.

Everything is computed for a flow from top to bottom. `Placed.turned` turns it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from hornbeam.visualization.model_graph import Box, Edge, Graph
from hornbeam.visualization.rows import Item, Link, hold, sort, spread

Point = tuple[float, float]

_BETWEEN_ROWS = 34.0
_PADDING = 14.0
_TITLE = 28.0  # the height of the title of a frame
_BESIDE_PORTS = 14.0  # between the ports of a frame and its boxes
_LOOP = 30.0


@dataclasses.dataclass
class Line:
    """A drawn edge: a start, and segments of one point (straight) or three (Bezier)."""

    start: Point
    segments: list[tuple[Point, ...]]
    has_arrow: bool = True


@dataclasses.dataclass
class PlacedBox:
    """A box, its centre and size; a nested graph's frame has its graph inside."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    inside: Placed | None = None


@dataclasses.dataclass
class Placed:
    """A graph with its places; the corner at the top left is (0, 0)."""

    width: float
    height: float
    boxes: list[PlacedBox]
    lines: list[Line]

    def moved(self, move: Callable[[Point], Point], turns: bool) -> Placed:
        """Return it with all points moved; width and height change if it `turns`."""
        boxes = []
        for b in self.boxes:
            x, y = move((b.x, b.y))
            size = (b.height, b.width) if turns else (b.width, b.height)
            inside = b.inside and b.inside.moved(move, turns)
            boxes.append(PlacedBox(b.box, x, y, *size, inside))
        lines = [
            Line(
                move(line.start),
                [tuple(map(move, segment)) for segment in line.segments],
                line.has_arrow,
            )
            for line in self.lines
        ]
        size = (self.height, self.width) if turns else (self.width, self.height)
        return Placed(*size, boxes, lines)


def place(
    graph: Graph,
    size_of: Callable[[Box], tuple[float, float]],
    title_of: Callable[[Graph], float],
    rankdir: str = "TB",
) -> Placed:
    """Place a graph.

    Args:
        graph: the graph.
        size_of: the width and height of a box.
        title_of: the width of the title of a nested graph's frame.
        rankdir: the direction of the flow: "TB", "BT", "LR" or "RL".
    """
    is_across = rankdir in ("LR", "RL")

    def size(box):
        width, height = size_of(box)
        return (height, width) if is_across else (width, height)

    placed = _Level(graph, size, title_of, rankdir).place()
    height = placed.height
    moves: dict[str, Callable[[Point], Point]] = {
        "BT": lambda p: (p[0], height - p[1]),
        "LR": lambda p: (p[1], p[0]),
        "RL": lambda p: (height - p[1], p[0]),
    }
    return placed.moved(moves[rankdir], is_across) if rankdir in moves else placed


@dataclasses.dataclass
class _Frame:
    """A nested graph's place, and where its tensors enter and leave it."""

    placed: Placed
    inputs: list[float]
    outputs: list[float]


class _Level:
    """The layout of one graph, without those inside its boxes."""

    def __init__(self, graph, size_of, title_of, rankdir):
        self.graph, self.size_of, self.title_of = graph, size_of, title_of
        self.rankdir = rankdir
        self.items: list[Item] = []
        self.loops: set[int] = set()
        self.rows: list[list[Item]] = []
        self.bends: dict[Any, Item] = {}
        # The ports of a frame.
        self.entries: list[Item] = []
        self.exits: list[Item] = []

    def place(self) -> Placed:
        """Place the graph with nothing around it."""
        self._make_items()
        self._connect()
        self._sort_andspread()
        return self._placed(_PADDING)

    def frame(self) -> _Frame:
        """Place the graph in a frame with a title and ports."""
        title = self.title_of(self.graph) + 2 * _PADDING
        is_across = self.rankdir in ("LR", "RL")
        self._make_items()
        ranks = [item.rank for item in self.items]
        band = [_TITLE, _PADDING]
        if self.rankdir == "BT":
            band.reverse()
        elif is_across:
            band = [_PADDING, _PADDING]
        self.entries = [Item(min(ranks) - 1, 0, band[0]) for _ in self.graph.inputs]
        self.exits = [Item(max(ranks) + 1, 0, band[1]) for _ in self.graph.outputs]
        self._connect()
        for item in (*self.entries, *self.exits):
            item.is_port = True
        for entry, takers in zip(self.entries, self.graph.inputs, strict=True):
            for place, port in takers:
                self._link(entry, self.items[place], lower_port=port)
        for item, (place, port) in zip(self.exits, self.graph.outputs, strict=True):
            self._link(self.items[place], item, upper_port=port)
        self._sort_andspread()
        at_title = self.exits if self.rankdir == "BT" else self.entries
        side = _PADDING
        if is_across:
            side = _TITLE
        elif at_title:
            # The title stands to the left of the lines that cross its band.
            first = min(x.x for x in at_title) - self._left_end()
            side = max(side, title - first)
        placed = self._placed(side, 0.0)
        if is_across:
            placed.height = max(placed.height, title)
        else:
            placed.width = max(placed.width, title)
        ends = [[x.x for x in group] for group in (self.entries, self.exits)]
        return _Frame(placed, *ends)

    def _make_items(self):
        """Make an item for each box, in the row of its longest path from an input."""
        for box in self.graph.boxes:
            item = Item(0, *self.size_of(box))
            item.box = box
            if box.inside is not None:
                level = _Level(box.inside, self.size_of, self.title_of, self.rankdir)
                item.frame = level.frame()
                item.width = item.frame.placed.width
                item.height = item.frame.placed.height
                item.left = item.right = item.width / 2
            self.items.append(item)
        followers: dict[int, list[int]] = {}
        has_parents = set()
        for edge in sorted(self.graph.edges, key=_upper_end):
            upper, lower = sorted((edge.source, edge.target))
            if upper == lower:
                self.loops.add(upper)
                self.items[upper].right += _LOOP
                continue
            has_parents.add(lower)
            followers.setdefault(upper, []).append(lower)
            self.items[lower].rank = max(
                self.items[lower].rank, self.items[upper].rank + 1
            )
        for place, lowers in followers.items():
            # What starts late in the graph stands beside where it is taken.
            if place not in has_parents:
                ranks = [self.items[lower].rank for lower in lowers]
                self.items[place].rank = min(ranks) - 1

    def _connect(self):
        """Make the links, with a bend in each row that an edge goes through.

        The edges of one tensor share their way.
        """
        for edge in self.graph.edges:
            source, target = self.items[edge.source], self.items[edge.target]
            if edge.source < edge.target:
                self._link(source, target, edge.source_port, edge.target_port)
            elif edge.source > edge.target:
                self._link(target, source, is_reversed=True)

    def _link(self, upper, lower, upper_port=0, lower_port=0, is_reversed=False):
        first = last = None
        item = upper
        for rank in range(upper.rank + 1, lower.rank + 1):
            key = (id(upper), upper_port, rank, id(lower) if is_reversed else None)
            following = lower if rank == lower.rank else self.bends.get(key)
            if following is None:
                following = self.bends[key] = Item(rank)
            elif following is not lower:
                item = following
                continue
            last = Link(item, following, is_reversed)
            first = first or last
            item = following
        if first is None or last is None:
            return
        if upper.frame is not None and first.upper is upper:
            first.out = _offset(upper.frame.outputs, upper_port, upper.width)
        elif is_reversed:
            first.out = 0.3 * upper.width
        if lower.frame is not None:
            last.into = _offset(lower.frame.inputs, lower_port, lower.width)

    def _sort_andspread(self):
        items = [*self.items, *self.bends.values(), *self.entries, *self.exits]
        first = min(item.rank for item in items)
        count = max(item.rank for item in items) - first + 1
        self.rows = [[] for _ in range(count)]
        for item in items:
            self.rows[item.rank - first].append(item)
        self.rows = [row for row in self.rows if row]
        sort(self.rows)
        for item in self.items:
            if item.frame is None:
                hold(item)
        spread(self.rows)

    def _left_end(self):
        return min(row[0].x - row[0].left for row in self.rows)

    def _placed(self, side, end=_PADDING):
        """Return what is placed, with room at its sides and its ends."""
        move = side - self._left_end()
        for row in self.rows:
            for item in row:
                item.x += move
        width = max(row[-1].x + row[-1].right for row in self.rows) + _PADDING
        y = end
        tops, bottoms = {}, {}
        for number, row in enumerate(self.rows):
            height = max(item.height for item in row)
            for item in row:
                item.y = y + height / 2
                tops[item], bottoms[item] = y, y + height
            y += height
            if number + 1 < len(self.rows):
                y += _room(row, self.rows[number + 1])
        lines = []
        for row in self.rows:
            for item in row:
                lines += [_line(link, tops, bottoms) for link in item.downs]
        lines += [_loop(self.items[place]) for place in sorted(self.loops)]
        return Placed(width, y + end, [_placed_box(x) for x in self.items], lines)


def _upper_end(edge: Edge) -> int:
    return min(edge.source, edge.target)


def _offset(ports, port, width):
    return ports[port] - width / 2 if port < len(ports) else 0.0


def _room(row, below):
    """Return the distance between two rows: more where edges go far to a side."""
    links = [link for item in row for link in item.downs]
    far = max((abs(slant(link)) for link in links), default=0.0)
    is_end = all(x.is_port for x in row) or all(x.is_port for x in below)
    return (_BESIDE_PORTS if is_end else _BETWEEN_ROWS) + min(60.0, 0.07 * far)


def slant(link: Link) -> float:
    """Return how far a piece of an edge goes to the right."""
    return link.lower.x + link.into - link.upper.x - link.out


def _line(link, tops, bottoms):
    """Return the drawn link: straight beside boxes, curved between the rows."""
    upper, lower = link.upper, link.lower
    x, to = upper.x + link.out, lower.x + link.into
    start, end = bottoms[upper], tops[lower]
    # Bends and ports go through their rows from end to end.
    first = upper.y + upper.height / 2 if upper.box is not None else tops[upper]
    last = lower.y - lower.height / 2 if lower.box is not None else bottoms[lower]
    half = (start + end) / 2
    points = [(x, first), (x, start), (x, half), (to, half), (to, end), (to, last)]
    has_arrow = lower.box is not None and lower.frame is None
    if link.is_reversed:
        points.reverse()
        has_arrow = upper.box is not None
    a, b, c, d, e, f = points
    return Line(a, [(b,), (c, d, e), (f,)], has_arrow)


def _loop(item):
    """Return the edge from a box to itself, at its side."""
    x, y = item.x + item.width / 2, item.height / 4
    top, bottom = item.y - y, item.y + y
    out = x + 1.2 * _LOOP
    return Line((x, bottom), [((out, bottom + 4), (out, top - 4), (x, top))])


def _placed_box(item):
    inside = None
    if item.frame is not None:
        left, top = item.x - item.width / 2, item.y - item.height / 2
        inside = item.frame.placed.moved(lambda p: (p[0] + left, p[1] + top), False)
    return PlacedBox(item.box, item.x, item.y, item.width, item.height, inside)
