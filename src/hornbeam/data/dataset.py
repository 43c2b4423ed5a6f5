"""`Dataset`: batches (or single rows) by number, composed of stages."""

from __future__ import annotations

import itertools
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np

from hornbeam.core import tree
from hornbeam.core.errors import check_number, shown
from hornbeam.core.random import order_seed
from hornbeam.data.item_files import ItemFiles
from hornbeam.data.padded import PaddedBatched
from hornbeam.data.py_dataset import PyDataset, fetch
from hornbeam.data.stages import (
    Batched,
    Cached,
    Epoch,
    Filtered,
    Items,
    Joined,
    Mapped,
    Part,
    Repeated,
    Rows,
    Shuffled,
    Stage,
    Unbatched,
    Zipped,
    row_count,
    with_rows,
)
from hornbeam.data.stored import StoredRows

# As `tf.data.AUTOTUNE`: as many as suit.
AUTOTUNE = -1
_AHEAD = 2


class Dataset(PyDataset):
    """A dataset composed of stages, which threads compute ahead of their use.

    The functions that read folders return one, with the attributes `class_names` and
    `file_paths`. Its methods are those that programs call on a `tf.data.Dataset`, and
    like those return a new dataset. Items are found by number: `len(dataset)`,
    `dataset[i]`. Each iteration is an epoch, and so is each epoch of `fit`, which
    leaves the order to the dataset; where it is shuffled, every epoch has its own.

    Args:
        stage: what computes the items: a `Stage` of `hornbeam.data.stages`.
        workers: the number of threads. Default: None (one for each processor)
        max_queue_size: how many items are computed ahead. Default: None (as many as
            suit)

    >>> import numpy as np
    >>> import hornbeam as keras
    >>> from hornbeam.data import Dataset
    >>> rows = Dataset.from_tensor_slices((np.arange(6.0), np.arange(6)))
    >>> batches = rows.map(lambda x, y: (x / 2, y)).batch(4)
    >>> [x.tolist() for x, y in batches]
    [[0.0, 0.5, 1.0, 1.5], [2.0, 2.5]]
    >>> len(batches.take(1))
    1
    """

    def __init__(
        self,
        stage: Stage,
        workers: int | None = None,
        max_queue_size: int | None = None,
    ):
        workers = workers or os.cpu_count() or 1
        super().__init__(workers, False, max_queue_size or workers + _AHEAD)
        self._stage = stage
        self._passes = itertools.count()
        self._lock = threading.Lock()
        self._seed: int | None = None
        self.class_names: list[str] | None = None
        self.file_paths: list[str] | None = None

    @classmethod
    def from_rows(
        cls,
        length: int,
        take: Callable[[np.ndarray], Any] | None,
        item: Callable[[int], Any] | None = None,
        batch_size: int | None = None,
        shuffle: bool = False,
        seed: int | None = None,
        block: int = 1,
        workers: int | None = None,
        has_gaps: bool = False,
    ) -> Self:
        """Return a dataset of rows that a function finds by their numbers.

        Args:
            length: how many rows there are.
            take: a function of an array of row numbers that returns these rows as one
                batch, such as `(x, y)`. Threads call it. None: a batch is a stack of
                single rows.
            item: a function of a row number that returns the row, for single rows.
                Default: None (the row of `take([number])`)
            batch_size: rows per batch, or None for single rows. Default: None
            shuffle: whether rows come in a new order every epoch. Default: False
            seed: the seed of the orders. Default: None (drawn)
            block: how many neighbouring rows are read together; a shuffle then moves
                blocks, and rows within windows of blocks. Default: 1
            workers: the number of threads. Default: None (one for each processor)
            has_gaps: whether `take` may leave rows out. Default: False
        """
        stage: Stage = Rows(length, take, item, block, has_gaps=has_gaps)
        if shuffle:
            stage = Shuffled(stage, seed)
        return cls(stage if batch_size is None else Batched(stage, batch_size), workers)

    @classmethod
    def from_tensor_slices(cls, arrays: Any) -> Self:
        """Return a dataset whose items are the rows of an array or a nest of arrays.

        Args:
            arrays: an array, or a tuple or dict of arrays of equally many rows.
        """
        arrays = tree.map_structure(np.asarray, arrays)

        def take(rows):
            return tree.map_structure(lambda array: array[rows], arrays)

        return cls.from_rows(row_count(arrays), take, take)

    @classmethod
    def zip(cls, *args: Any, datasets: Any = None, name: str | None = None) -> Self:
        """Return a dataset of the items of several together, as long as each has one.

        Args:
            *args: datasets, or one tuple or dict of them; items are nested like that.
            datasets: the same, by name. Default: None
            name: not used. Default: None
        """
        given = args[0] if len(args) == 1 else args or datasets
        leaves = tree.flatten(given)
        wrong = [x for x in leaves if not isinstance(x, Dataset)]
        if wrong or not leaves:
            raise TypeError(
                f"`Dataset.zip` expects datasets. Received: {shown(wrong or given)}"
            )
        return cls(Zipped(tree.map_structure(lambda one: one._stage, given)))

    @classmethod
    def from_items(cls, items: PyDataset) -> Self:
        """Return a dataset of the batches of a `PyDataset`."""
        workers = items.workers if items.workers > 1 else None
        return cls(Items(items, items.num_batches), workers)

    def _with(self, stage, **settings):
        """Return a dataset of another stage with the attributes of this one."""
        made = type(self)(stage, self.workers, self.max_queue_size)
        made.class_names, made.file_paths = self.class_names, self.file_paths
        made.__dict__.update(settings)
        return made

    def __len__(self) -> int:
        if self._stage.length is None:
            raise TypeError("The dataset has no end, so it has no length.")
        return self._stage.length

    @property
    def num_batches(self) -> int | None:
        """The number of items, or None if there is no end."""
        return self._stage.length

    def cardinality(self) -> int:
        """Return the number of items, or -1 if there is no end."""
        return -1 if self._stage.length is None else self._stage.length

    def __getitem__(self, index: int) -> Any:
        """Return item `index` of the first epoch."""
        length = self._stage.length
        if length is not None and not -length <= index < length:
            raise IndexError(f"Item {index} of a dataset of {length} items.")
        return self._stage.item(index % length if length else index, self.epoch(0))

    def epoch(self, number: int, seed: int | None = None) -> Epoch:
        """Return what the order of pass `number` follows from.

        Args:
            number: the number of the pass.
            seed: the seed of orders and draws for which none was given. Default: None
                (drawn once, from NumPy's global state)
        """
        if seed is None:
            with self._lock:
                if self._seed is None:
                    self._seed = order_seed()
            seed = self._seed
        return (seed, number)

    def fetch(self, indices: Iterable[int], epoch: Epoch) -> Generator[Any]:
        """Yield these items of an epoch, computed ahead by the threads."""
        items = fetch(DatasetEpoch(self, self._stage, epoch), indices)
        return with_rows(items) if self._stage.has_gaps else items

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Return an iterator of the items of a new epoch, as NumPy arrays."""
        count = self._stage.length
        indices = itertools.count() if count is None else range(count)
        return self.fetch(indices, self.epoch(next(self._passes)))

    def __iter__(self) -> Iterator[Any]:
        """Yield the items of a new epoch, as NumPy arrays that have `numpy()`."""
        for item in self.as_numpy_iterator():
            yield tree.map_structure(_viewed, item)

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Self:
        """Return a dataset of a function of each item.

        Args:
            map_func: a function of the parts of an item, `f(x, y)`, that returns an
                item. Layers and ops of any engine may be called in it. What layers draw
                in it follows from the numbers of epoch and item alone.
            num_parallel_calls: any number lets several threads call the function at a
                time. Default: None (one call at a time)
            deterministic: not needed: items always keep their order. Default: None
            name: not used. Default: None
        """
        return self._with(Mapped(self._stage, map_func, num_parallel_calls is not None))

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Self:
        """Return a dataset of the items for which a function is true.

        Items are found by number, so a pass over them tells which are left, when the
        length is asked for first; where they change from epoch to epoch, by a shuffle
        of batches or a `map`, each epoch has such a pass. Call it before `map`, or
        after `cache`, where items are slow to compute.

        Args:
            predicate: a function of the parts of an item, `f(x, y)`, that returns one
                truth value.
            name: not used. Default: None

        >>> import numpy as np
        >>> from hornbeam.data import Dataset
        >>> rows = Dataset.from_tensor_slices(np.arange(6))
        >>> [int(x) for x in rows.filter(lambda x: x % 2 == 0)]
        [0, 2, 4]
        """
        stage = self._stage
        if stage.length is None:
            raise ValueError(
                "Call `filter` before `repeat`: a pass over endless items has no end."
            )
        if isinstance(stage, Shuffled):  # what is left does not depend on the order
            return self._with(stage.over(Filtered(stage.source, predicate)))
        return self._with(Filtered(stage, predicate))

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Self:
        """Return a dataset whose items are several items of this one, stacked.

        Args:
            batch_size: how many items.
            drop_remainder: whether a last, smaller batch is left out. Default: False
            num_parallel_calls: not needed: the threads compute batches. Default: None
            deterministic: not needed. Default: None
            name: not used. Default: None
        """
        size = _whole("batch", "batch_size", batch_size, 1)
        return self._with(Batched(self._stage, size, drop_remainder))

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Self:
        """Return a dataset of batches of items that differ in size, filled up.

        Args:
            batch_size: how many items.
            padded_shapes: the shapes that parts of items get, nested as an item is;
                None or -1 in a shape is as large as the largest of the batch.
                Default: None (all are)
            padding_values: what each part is filled up with, or one value for all.
                Default: None (0, and "" in strings)
            drop_remainder: whether a last, smaller batch is left out. Default: False
            name: not used. Default: None

        >>> import numpy as np
        >>> from hornbeam.data import Dataset
        >>> rows = Dataset.from_tensor_slices(np.arange(1, 4)).map(np.ones)
        >>> [x.shape for x in rows.padded_batch(2)]
        [(2, 2), (1, 3)]
        """
        size = _whole("padded_batch", "batch_size", batch_size, 1)
        return self._with(
            PaddedBatched(
                self._stage, size, padded_shapes, padding_values, drop_remainder
            )
        )

    def unbatch(self, name: str | None = None) -> Self:
        """Return a dataset of the rows of the batches.

        All batches must have equally many rows; the last may have fewer.
        """
        stage = self._stage
        if (
            isinstance(stage, Batched)
            and stage.length == Batched(stage.source, stage.size).length
        ):
            return self._with(stage.source)
        return self._with(Unbatched(stage))

    def shuffle(
        self,
        buffer_size: int | None = None,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = None,
        name: str | None = None,
    ) -> Self:
        """Return a dataset whose items come in a random order, over all items.

        Args:
            buffer_size: not needed: items are found by number. Default: None
            seed: the seed of the orders. Default: None (drawn, anew by each `fit`)
            reshuffle_each_iteration: False keeps one order. Default: None (True)
            name: not used. Default: None
        """
        if buffer_size is not None:
            _whole("shuffle", "buffer_size", buffer_size, 1)
        if self._stage.length is None:
            raise ValueError(
                "Call `shuffle` before `repeat`: endless items have no order."
            )
        each_pass = reshuffle_each_iteration is not False
        return self._with(Shuffled(self._stage, seed, each_pass))

    def cache(
        self, filename: str | os.PathLike[str] = "", name: str | None = None
    ) -> Self:
        """Return a dataset that keeps each item once it was computed.

        Its arrays are read-only, as later epochs use them too: a `map` after it makes
        new ones (`x = x / 255`), or copies first.

        Args:
            filename: a folder with a file for each item, so call `cache` after `batch`
                then. Later runs of the program read them: delete the folder where items
                have changed. Default: "" (items are kept in memory)
            name: not used. Default: None
        """
        items = ItemFiles(filename) if os.fspath(filename) else None
        return self._with(Cached(self._stage, items))

    def prefetch(self, buffer_size: int | None = None, name: str | None = None) -> Self:
        """Return a dataset that has so many items computed ahead.

        Args:
            buffer_size: how many; -1 or None: as many as suit. Default: None
            name: not used. Default: None
        """
        ahead = _whole("prefetch", "buffer_size", buffer_size or AUTOTUNE, AUTOTUNE)
        ahead = ahead if ahead > 0 else self.max_queue_size
        return self._with(self._stage, _max_queue_size=ahead)

    def take(self, count: int, name: str | None = None) -> Self:
        """Return a dataset of the first `count` items; -1: of all."""
        count = _whole("take", "count", count)
        return self._part(0, count if count >= 0 else sys.maxsize)

    def skip(self, count: int, name: str | None = None) -> Self:
        """Return a dataset without the first `count` items; -1: without any."""
        count = _whole("skip", "count", count)
        return self.take(0) if count < 0 else self._part(count, sys.maxsize)

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Self:
        """Return a dataset of every `num_shards`th item from `index` on."""
        num_shards = _whole("shard", "num_shards", num_shards, 1)
        index = _whole("shard", "index", index, 0, num_shards - 1)
        return self._part(index, sys.maxsize, num_shards)

    def _part(self, start, stop, step=1):
        length = self._stage.length
        if length is not None:
            start, stop = min(start, length), min(stop, length)
        return self._with(Part(self._stage, range(start, stop, step)))

    def chosen(self, numbers: Sequence[int] | np.ndarray) -> Self:
        """Return a dataset of the items of these numbers, in this order."""
        return self._with(Part(self._stage, np.asarray(numbers, dtype=np.int64)))

    def repeat(self, count: int | None = None, name: str | None = None) -> Self:
        """Return the items `count` times over; without end for None or -1."""
        times = -1 if count is None else _whole("repeat", "count", count)
        return self._with(Repeated(self._stage, None if times < 0 else times))

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Self:
        """Return the items of this dataset and then those of another."""
        if not isinstance(dataset, Dataset):
            raise TypeError(
                f"`concatenate` expects a Dataset. Received: {shown(dataset)}"
            )
        return self._with(Joined(self._stage, dataset._stage))

    def enumerate(self, start: int = 0, name: str | None = None) -> Self:
        """Return items `(number, item)`."""
        return self._with(_Numbered(self._stage, start))

    def apply(self, transformation_func: Callable[[Self], Any]) -> Any:
        """Return a function of the dataset."""
        return transformation_func(self)


def _whole(method, argument, value, low=None, high=None):
    """Return an argument of a method, a whole number, as an int."""
    return int(check_number(f"{method}()", argument, value, low, high, integer=True))


def stored_dataset(
    arrays: tuple[Any, ...], batch_size: int, shuffle: bool | str
) -> Dataset:
    """Return batches of arrays that are read from where they are stored.

    Args:
        arrays: `(x, y, sample_weight)`, some of whose leaves are StoredRows.
        batch_size: rows per batch.
        shuffle: whether rows (or, with "batch", batches) come in a new order.
    """

    def take(rows):
        def taken(leaf):
            if leaf is None:
                return None
            return leaf.take(rows) if isinstance(leaf, StoredRows) else leaf[rows]

        return tree.map_structure(taken, arrays)

    leaves = [x for x in tree.flatten(arrays) if x is not None]
    stored = [x for x in leaves if isinstance(x, StoredRows)]
    block, window = max(x.block for x in stored), min(x.window for x in stored)
    stage: Stage = Rows(len(leaves[0]), take, block=block, window=window)
    if shuffle == "batch":
        return Dataset(Shuffled(Batched(stage, batch_size), None))
    return Dataset(Batched(Shuffled(stage, None) if shuffle else stage, batch_size))


class DatasetEpoch(PyDataset):
    """The items of one epoch of a `Dataset`, for the threads."""

    def __init__(self, dataset: Dataset, stage: Stage, epoch: Epoch):
        super().__init__(dataset.workers, False, dataset.max_queue_size)
        self._item, self._epoch = stage.item, epoch

    def __getitem__(self, index: int) -> Any:
        return self._item(index, self._epoch)


class _Numbered(Stage):
    """Items with their numbers."""

    def __init__(self, source, start):
        self.source, self.length, self._start = source, source.length, start

    def item(self, index, epoch):
        return self._start + index, self.source.item(index, epoch)


class _Array(np.ndarray):
    """A NumPy array with the `numpy()` that programs call on tensors."""

    def numpy(self):
        return np.asarray(self)

    def __getitem__(self, index):
        value = super().__getitem__(index)
        return _viewed(np.asarray(value)) if isinstance(value, np.generic) else value


def _viewed(leaf):
    return leaf.view(_Array) if isinstance(leaf, np.ndarray) else leaf
