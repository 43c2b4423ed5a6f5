"""Data that comes batch by batch."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.core import tree
from hornbeam.core.random import order_seed
from hornbeam.core.warning import warn
from hornbeam.data.host import host_tree
from hornbeam.data.pack import NAMES, unpack_x_y_sample_weight
from hornbeam.data.py_dataset import fetch
from hornbeam.data.sparse import is_sparse

if TYPE_CHECKING:
    from hornbeam.data.py_dataset import PyDataset

_NOTHING = object()


class StreamData:
    """Batches from a source, as tuples of host arrays, one epoch at a time.

    Args:
        source: an object with `length`, `epoch(limit, restart, number)`,
            `on_epoch_begin()` and `on_epoch_end()`.
        steps: batches per epoch, or None for all.
        class_weight: a `ClassWeight` or None.
        continues: whether an epoch of `steps` batches continues where the last stopped.
    """

    in_memory = False

    def __init__(
        self, source: Any, steps: int | None, class_weight: Any, continues: bool
    ):
        self._source = source
        self._limit = steps
        self._class_weight = class_weight
        self._restart = steps is None or not continues
        self._epoch = 0
        self._peeked = _NOTHING
        self._items = None
        self._warned = False
        self._delivered = False
        length = source.length
        counts = [count for count in (steps, length) if count is not None]
        self.steps: int | None = min(counts) if counts else None
        self.batch_size: int | None = None

    def on_epoch_begin(self, epoch: int = 0) -> None:
        """Tell the dataset that an epoch begins."""
        self._epoch = epoch
        self._source.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell the dataset that the epoch is over."""
        self._source.on_epoch_end()

    def close(self) -> None:
        """End the current epoch and drop the source's iterator."""
        if self._items is not None:
            self._items.close()
        self._source.close()

    @property
    def seed(self) -> int:
        """The seed of the order of the batches."""
        return self._source.seed

    @seed.setter
    def seed(self, value: int) -> None:
        self._source.seed = value

    def peek(self) -> tuple[Any, ...]:
        """Return the first batch, which the first epoch will yield again."""
        if self._peeked is _NOTHING:
            self._peeked = self._source.peek()
        if self._peeked is _NOTHING:
            raise ValueError(self._source.describe() + " yielded no batch at all.")
        return self._batch(self._peeked)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        count = 0
        items = self._source.epoch(self._limit, self._restart, self._epoch)
        self._items = items
        try:
            for item in items:
                count += 1
                self._delivered = True
                yield self._batch(item)
        finally:
            items.close()
            self._peeked = _NOTHING
        self._finish(count)

    def _finish(self, count):
        source = self._source.describe()
        if count == 0 and not self._delivered:
            raise ValueError(f"{source} yielded no batch at all.")
        if self._limit is None and count:
            self.steps = count
        elif count < (self._limit or 1) and not self._warned:
            self._warned = True
            wanted = f" of {self._limit}" if self._limit else ""
            warn(
                f"{source} ran out of data: the epoch ended after {count}{wanted} "
                "steps. A generator can be read only once; what can be read again is "
                "e.g. a `keras.utils.PyDataset`.",
            )

    def _batch(self, item):
        parts = list(unpack_x_y_sample_weight(item))
        parts = [host_tree(p, name) for p, name in zip(parts, NAMES, strict=True)]
        if self._class_weight is not None:
            y = tree.map_structure(
                lambda x: x.toarray() if is_sparse(x) else x, parts[1]
            )
            parts[2] = self._class_weight(y, parts[2])
        while len(parts) > 1 and parts[-1] is None:
            parts.pop()
        return tuple(parts)


class IteratorSource:
    """An iterable, iterated once or from the start for every pass."""

    def __init__(self, iterable: Iterable[Any], length: int | None = None):
        self._iterable = iterable
        self._restartable = not hasattr(iterable, "__next__")
        self._iterator: Any = None
        self._begun = False
        self._held = _NOTHING
        self.seed = 0
        self.length = length

    def describe(self) -> str:
        """Return the name of what is iterated."""
        return f"The {type(self._iterable).__name__} given as `x`"

    def on_epoch_begin(self) -> None:
        """Nothing: iterables have no such method."""

    on_epoch_end = on_epoch_begin

    def close(self) -> None:
        """Drop the iterator; a user's generator stays open."""
        self._iterator = None

    def peek(self) -> Any:
        """Return the first item and keep it for the next epoch."""
        self._open()
        self._held = self._next()
        return self._held

    def epoch(self, limit: int | None, restart: bool, number: int) -> Generator[Any]:
        """Yield up to `limit` items, from the start with `restart` where possible."""
        fresh = self._held is not _NOTHING
        if self._iterator is None or (restart and self._restartable and not fresh):
            self._open()
        count = 0
        while limit is None or count < limit:
            item = self._next()
            if item is _NOTHING:
                at_seam = count == 0 and self._begun and self._restartable
                self._iterator = None
                if not at_seam:
                    return
                self._open()
                continue
            self._begun = True
            count += 1
            yield item

    def _open(self):
        self._iterator = iter(self._iterable)
        self._begun = False

    def _next(self):
        if self._held is not _NOTHING:
            item, self._held = self._held, _NOTHING
            return item
        return next(self._iterator, _NOTHING)


class PyDatasetSource:
    """A `PyDataset`: batches by number, shuffled here and computed by its workers."""

    def __init__(self, dataset: PyDataset, shuffle: bool | str):
        self._dataset = dataset
        self._shuffle = shuffle
        self._left = np.arange(0)
        self._position = 0
        self.seed: int = order_seed() if shuffle else 0
        self.length: int | None = dataset.num_batches

    def describe(self) -> str:
        """Return the name of the dataset."""
        return f"The {type(self._dataset).__name__} given as `x`"

    def on_epoch_begin(self) -> None:
        """Tell the dataset."""
        self._dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell the dataset."""
        self._dataset.on_epoch_end()

    def close(self) -> None:
        """Nothing is open between epochs."""

    def peek(self) -> Any:
        """Return batch 0."""
        return self._dataset[0] if self._dataset.num_batches != 0 else _NOTHING

    def epoch(self, limit: int | None, restart: bool, number: int) -> Generator[Any]:
        """Yield up to `limit` batches of this pass over the dataset."""
        return fetch(self._dataset, self._indices(limit, restart, number))

    def _indices(self, limit, restart, number):
        length = self._dataset.num_batches
        if length is None:
            start = 0 if restart else self._position
            self._position = start + (limit or 0)
            return (
                itertools.count(start)
                if limit is None
                else range(start, self._position)
            )
        if restart or len(self._left) == 0:
            self._left = np.arange(length)
            if self._shuffle:
                draws = np.random.Generator(np.random.PCG64([self.seed, number]))
                self._left = draws.permutation(length)
        now, self._left = self._left[:limit], self._left[len(self._left[:limit]) :]
        return [int(index) for index in now]
