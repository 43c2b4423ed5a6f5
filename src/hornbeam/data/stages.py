"""The stages of a `Dataset`: items by number, in the order of an epoch.

A stage has a `length` (None: endless), `item(index, epoch)`, and `batch(indices,
epoch)`, the items of several numbers as one batch. Stages stand on one another and keep
nothing but what is said below, so any item can be computed at any time in any thread,
and an epoch that is resumed sees what the uninterrupted one would have seen. `epoch` is
a tuple of integers, a seed and the numbers of the passes, from which all orders follow.
"""

from __future__ import annotations

import bisect
import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any

import numpy as np

from hornbeam import backends
from hornbeam.core import tree
from hornbeam.core.random import draw_scope

Epoch = tuple[int, ...]
Indices = Sequence[int] | np.ndarray
# How many batches are kept that are taken apart.
_KEPT_BATCHES = 8


class Stage:
    """The base: a batch is a stack of items."""

    length: int | None
    # How many items in a row cost as much as one of them.
    block: int = 1
    # Among how many items a shuffle moves single ones, where `block` is above 1.
    window: int = 1 << 14

    @property
    def has_gaps(self) -> bool:
        """Whether batches may lack rows that could not be read, even all of them."""
        below = getattr(self, "sources", None) or getattr(self, "source", None)
        return any(stage.has_gaps for stage in tree.flatten(below) if stage is not None)

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return item `index`."""
        raise NotImplementedError

    def batch(self, indices: Indices, epoch: Epoch) -> Any:
        """Return the items of these numbers as one batch."""
        return stack([self.item(int(index), epoch) for index in indices])


class Rows(Stage):
    """The source: rows by their numbers.

    Args:
        length: how many rows there are.
        take: a function of an array of row numbers that returns them as one batch, or
            None: a batch is a stack of single rows.
        item: a function of one number that returns one row. Default: None (from `take`)
        block: how many neighbouring rows are read together. Default: 1
        window: among how many rows a shuffle moves single ones. Default: None (16,384)
        has_gaps: whether `take` may leave rows out. Default: False
    """

    has_gaps = False

    def __init__(
        self,
        length: int,
        take: Callable[[np.ndarray], Any] | None,
        item: Callable[[int], Any] | None = None,
        block: int = 1,
        window: int | None = None,
        has_gaps: bool = False,
    ):
        self.length: int | None = length
        self.has_gaps = has_gaps
        self._take, self._item = take, item
        self.block: int = block
        self.window: int = window or Stage.window

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return one row."""
        if self._item is not None:
            return self._item(index)
        return first_row(self.batch([index], epoch))

    def batch(self, indices: Indices, epoch: Epoch) -> Any:
        """Return some rows."""
        if self._take is None:
            return super().batch(indices, epoch)
        return self._take(np.asarray(indices, dtype=np.int64))


class Items(Stage):
    """A source of items by number, such as a `PyDataset`."""

    def __init__(self, items: Any, length: int | None):
        self._items = items
        self.length: int | None = length

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return `items[index]`."""
        return self._items[index]


class Shuffled(Stage):
    """The items of a stage in an order that follows from the seed and the epoch.

    Args:
        source: the stage.
        seed: an integer, or None for that of the epoch.
        each_pass: whether every epoch has an order of its own.
    """

    def __init__(self, source: Stage, seed: int | None, each_pass: bool = True):
        self.source: Stage = source
        self.length: int | None = source.length
        self.block: int = 1
        self._seed, self._each_pass = seed, each_pass
        self._depth = _depth(source)
        self._order = functools.lru_cache(maxsize=4)(self._make_order)

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return the item that comes at `index` in this epoch."""
        return self.source.item(int(self._order(epoch)[index]), epoch)

    def batch(self, indices: Indices, epoch: Epoch) -> Any:
        """Return the items that come at these places."""
        return self.source.batch(self._order(epoch)[np.asarray(indices)], epoch)

    def over(self, source: Stage) -> Shuffled:
        """Return a shuffle like this one of another stage."""
        return Shuffled(source, self._seed, self._each_pass)

    def _make_order(self, epoch):
        run, *passes = epoch
        seed = run if self._seed is None else int(self._seed)
        numbers = [seed, self._depth, *(passes if self._each_pass else ())]
        draws = np.random.Generator(np.random.PCG64([abs(n) for n in numbers]))
        return shuffled_order(self.length, draws, self.source.block, self.source.window)


class Mapped(Stage):
    """A function of each item. Draws in it follow from the epoch and the number.

    Args:
        source: the stage.
        function: takes the parts of an item that is a tuple, or the item.
        parallel: whether several threads may call it at a time.
    """

    def __init__(self, source: Stage, function: Callable[..., Any], parallel: bool):
        self.source: Stage = source
        self.length: int | None = source.length
        self.block: int = source.block
        self._function = function
        self._lock = None if parallel else threading.Lock()
        self._depth = _depth(source)

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return the function of item `index`."""
        value = self.source.item(index, epoch)
        arguments = value if isinstance(value, tuple) else (value,)
        with draw_scope(*epoch, self._depth, index):
            if self._lock is None:
                value = self._function(*arguments)
            else:
                with self._lock:
                    value = self._function(*arguments)
        if value is None:
            name = getattr(self._function, "__qualname__", repr(self._function))
            raise TypeError(
                f"The function {name} given to `map` returned None. Expected an item, "
                "such as `(x, y)`: does it lack a `return`?"
            )
        # Here, so that what an engine still computes is waited for in this thread.
        return tree.map_structure(_on_host, value)


class Filtered(Stage):
    """The items of a stage for which a function is true.

    Which these are is found by a pass over the stage: once, or for each epoch where
    the items depend on it. All epochs must have equally many.
    """

    def __init__(self, source: Stage, predicate: Callable[..., Any]):
        self.source: Stage = source
        self._predicate = predicate
        self._fixed = not _varies(source)
        self._found = functools.lru_cache(maxsize=4)(self._find)
        self._lock = threading.Lock()

    @functools.cached_property
    def length(self) -> int | None:  # type: ignore[override]
        """The number of items in the first epoch."""
        return len(self._numbers((0, 0)))

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return item `index` of those that are left."""
        return self.source.item(self._at(index, epoch), epoch)

    def batch(self, indices: Indices, epoch: Epoch) -> Any:
        """Return some of the items that are left."""
        return self.source.batch([self._at(int(i), epoch) for i in indices], epoch)

    def _at(self, index, epoch):
        numbers = self._numbers(epoch)
        if len(numbers) != self.length:
            raise ValueError(
                f"`filter` left {len(numbers)} items in one epoch and {self.length} in "
                "another: the function depends on what is drawn at random. Filter "
                "before the random `map`, or call `cache()` before `filter`."
            )
        return numbers[index]

    def _numbers(self, epoch):
        with self._lock:  # one pass, whichever threads ask
            return self._found((0, 0) if self._fixed else epoch)

    def _find(self, epoch):
        def keeps(index):
            value = self.source.item(index, epoch)
            arguments = value if isinstance(value, tuple) else (value,)
            return bool(_on_host(self._predicate(*arguments)))

        return [index for index in range(self.source.length or 0) if keeps(index)]


def _varies(stage):
    """Whether items of a stage may depend on the epoch."""
    if isinstance(stage, Shuffled | Mapped | Repeated | Joined | Zipped):
        return True
    below = getattr(stage, "source", None)
    return below is not None and _varies(below)


class Batched(Stage):
    """Several items of a stage as one."""

    def __init__(self, source: Stage, size: int, drop_remainder: bool = False):
        self.source: Stage = source
        self.size: int = size
        count = source.length
        if count is not None:
            count = count // size if drop_remainder else -(-count // size)
        self.length: int | None = count

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return batch `index`."""
        start, count = index * self.size, self.source.length
        stop = start + self.size if count is None else min(start + self.size, count)
        return self.source.batch(range(start, stop), epoch)


class Unbatched(Stage):
    """The rows of the batches of a stage; all batches but the last are equally large.

    The last few batches are kept, so that each is computed once where rows are read in
    order.
    """

    def __init__(self, source: Stage):
        self.source: Stage = source
        self._kept = functools.lru_cache(maxsize=_KEPT_BATCHES)(source.item)
        self._lock = threading.Lock()

    @functools.cached_property
    def block(self) -> int:  # type: ignore[override]
        """The rows of one batch."""
        return row_count(self.source.item(0, (0, 0)))

    @functools.cached_property
    def length(self) -> int | None:  # type: ignore[override]
        """The number of rows."""
        batches = self.source.length
        if not batches:
            return batches
        last = row_count(self.source.item(batches - 1, (0, 0)))
        return (batches - 1) * self.block + last

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return row `index`."""
        batch, row = divmod(index, self.block)
        with self._lock:
            value = self._kept(batch, epoch)
        return tree.map_structure(lambda leaf: leaf[row], value)


class Part(Stage):
    """Some items of a stage, by their numbers: a range, or an array of them."""

    def __init__(self, source: Stage, numbers: Any):
        self.source: Stage = source
        self._numbers = numbers
        is_range = isinstance(numbers, range)
        self.block: int = source.block if is_range else 1
        endless = is_range and numbers.stop == sys.maxsize
        self.length: int | None = None if endless else len(numbers)

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return item `index` of the part."""
        return self.source.item(int(self._numbers[index]), epoch)

    def batch(self, indices: Indices, epoch: Epoch) -> Any:
        """Return some items of the part."""
        numbers = [int(self._numbers[int(index)]) for index in indices]
        return self.source.batch(numbers, epoch)


class Cached(Stage):
    """The items of a stage as they were when first computed, as read-only arrays.

    Args:
        source: the stage.
        items: what keeps them by their numbers. Default: None (memory)
    """

    def __init__(self, source: Stage, items: Any = None):
        self.source: Stage = source
        self.length: int | None = source.length
        self._items: Any = {} if items is None else items

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return item `index`, always the same one."""
        if index not in self._items:
            # All epochs keep the items of the first, whichever thread asks.
            self._items.setdefault(index, self.source.item(index, (epoch[0], 0)))
        return tree.map_structure(_read_only, self._items[index])


class Repeated(Stage):
    """A stage some times over, or without end; each time is a pass of its own."""

    def __init__(self, source: Stage, times: int | None):
        self.source: Stage = source
        self.block: int = source.block
        once = source.length
        self.length: int | None = None
        if times is not None and once is not None:
            self.length = once * times

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return item `index` modulo the length of the stage."""
        if self.source.length is None:
            return self.source.item(index, epoch)
        number, index = divmod(index, self.source.length)
        return self.source.item(index, (*epoch, number))


class Joined(Stage):
    """Stages one after the other."""

    def __init__(self, *sources: Stage):
        self.sources = sources
        self._ends: Any = [0]
        for source in sources:
            if source.length is None:
                break
            self._ends.append(self._ends[-1] + source.length)
        endless = len(self._ends) <= len(sources)
        self.length: int | None = None if endless else self._ends[-1]

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return item `index` of them all."""
        which = bisect.bisect_right(self._ends, index) - 1
        return self.sources[which].item(index - self._ends[which], epoch)


class Zipped(Stage):
    """Items of several stages together, as long as each has one."""

    def __init__(self, sources: Any):
        self.sources = sources
        lengths = [stage.length for stage in tree.flatten(sources)]
        self.length: int | None = min(
            (n for n in lengths if n is not None), default=None
        )

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return item `index` of each, nested as the stages are."""
        return tree.map_structure(lambda stage: stage.item(index, epoch), self.sources)


def shuffled_order(
    count: Any, draws: np.random.Generator, block: int, window: int
) -> np.ndarray:
    """Return the numbers below `count` in a random order.

    Args:
        count: how many numbers.
        draws: a NumPy generator.
        block: how many neighbours are read together. Where it is above 1, blocks change
            places, and numbers change places within windows of several blocks.
        window: how many numbers.
    """
    if block <= 1:
        return draws.permutation(count)
    blocks = draws.permutation(-(-count // block))
    order = (blocks[:, None] * block + np.arange(block)).ravel()
    order = order[order < count]
    window = block * max(1, window // block)
    for start in range(0, count, window):
        draws.shuffle(order[start : start + window])
    return order


def stack(items: Sequence[Any]) -> Any:
    """Return items of equal structure as one batch; strings become objects."""
    try:
        return tree.map_structure(lambda *leaves: _stack_leaves(leaves), *items)
    except ValueError as error:
        shapes = {str(tree.map_structure(np.shape, item)) for item in items}
        if len(shapes) > 1:
            raise ValueError(
                "Items that differ in shape cannot be one batch. Make them equal with "
                f"`map` before `batch`. Received shapes: {', '.join(sorted(shapes))}"
            ) from error
        raise


def _stack_leaves(leaves):
    if isinstance(leaves[0], str | bytes):
        array = np.empty(len(leaves), dtype=object)
        array[:] = leaves
        return array
    return np.stack([np.asarray(leaf) for leaf in leaves])


def first_row(batch: Any) -> Any:
    """Return the first row of a batch."""
    return tree.map_structure(lambda leaf: leaf[0], batch)


def row_count(batch: Any) -> int:
    """Return the number of rows of a batch."""
    return len(next(leaf for leaf in tree.flatten(batch) if leaf is not None))


def with_rows(batches: Generator[Any]) -> Generator[Any]:
    """Yield the batches that have a row."""
    with contextlib.closing(batches):
        yield from (batch for batch in batches if row_count(batch))


def _on_host(leaf):
    engine = backends.of(leaf)
    return leaf if engine is None else engine.to_numpy(leaf)


def _read_only(leaf):
    """Return a view of an array that cannot be changed."""
    if isinstance(leaf, np.ndarray):
        leaf = leaf.view()
        leaf.flags.writeable = False
    return leaf


def _depth(stage):
    """How many stages stand below: it parts the draws of one from those of another."""
    depth = 0
    while (stage := getattr(stage, "source", None)) is not None:
        depth += 1
    return depth
