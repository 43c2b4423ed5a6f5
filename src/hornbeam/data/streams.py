"""Data that comes batch by batch."""

from __future__ import annotations

import contextlib
import itertools
import sys
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbeam.core import tree
from hornbeam.core.random import order_seed
from hornbeam.core.random_states import random_states, set_random_states
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
        source: an object with `length`, `endless`, `epoch(limit, restart, number,
            first)`, `on_epoch_begin()`, `on_epoch_end()`, and `state()` and `resume()`
            for a training that is resumed.
        steps: batches per epoch, or None for all.
        class_weight: a `ClassWeight` or None.
        continues: whether an epoch of `steps` batches continues where the last stopped.
        on_host: what is done first with the inputs of each batch. Default: None
    """

    in_memory = False

    def __init__(
        self,
        source: Any,
        steps: int | None,
        class_weight: Any,
        continues: bool,
        on_host: Callable[[Any], Any] | None = None,
    ):
        self._source = source
        self._on_host = on_host
        self._limit = steps
        self._class_weight = class_weight
        self._restart = steps is None or not continues
        self._epoch = self._first = 0
        self._peeked = _NOTHING
        self._items = None
        self._warned = False
        self._delivered = False
        # Raises if the values of a batch do not fit the model.
        self.check: Callable[[Any], Any] | None = None
        length = source.length
        counts = [count for count in (steps, length) if count is not None]
        self.steps: int | None = min(counts) if counts else None
        # Whether an epoch is known to have no end.
        self.endless: bool = steps is None and source.endless
        self.batch_size: int | None = None
        # What tells the batches from others; `steps` is set again after an epoch.
        self.batches: dict[str, Any] = {"steps": self.steps}

    def on_epoch_begin(self, epoch: int = 0, first: int = 0) -> None:
        """Tell the dataset that an epoch begins; batches before `first` are over."""
        self._epoch, self._first = epoch, first
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
    def state_attributes(self) -> dict[str, Any]:
        """What `state` returns, by type."""
        return self._source.state_attributes

    def state(self, within: bool) -> dict[str, Any]:
        """Return what `resume` needs, within an epoch or after one."""
        return self._source.state(within, within or not self._restart)

    def resume(self, state: dict[str, Any], epochs: int) -> None:
        """Go on where `state` was returned, `epochs` epochs after the start."""
        self._source.resume(state, epochs)
        self._peeked = _NOTHING

    def peek(self) -> tuple[Any, ...]:
        """Return the first batch, which the first epoch will yield again."""
        if self._peeked is _NOTHING:
            self._peeked = self._source.peek()
        if self._peeked is _NOTHING:
            raise ValueError(self._source.describe() + " yielded no batch at all.")
        return self._batch(self._peeked)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        count = first = self._first
        items = self._source.epoch(self._limit, self._restart, self._epoch, first)
        self._items = items
        try:
            for item in items:
                count += 1
                self._delivered = True
                batch = self._batch(item)
                if self.check is not None:
                    self._apply(self.check, batch, count)
                yield batch
        finally:
            items.close()
            self._peeked = _NOTHING
        self._finish(count)

    def _apply(self, check, batch, count):
        try:
            check(batch)
        except ValueError as error:
            raise ValueError(
                f"{self._source.describe()}, batch {count}: {error}"
            ) from None

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
        if self._on_host is not None:
            parts[0] = self._on_host(parts[0])
        parts = [host_tree(p, name) for p, name in zip(parts, NAMES, strict=True)]
        self._check_rows(parts)
        if self._class_weight is not None:
            y = tree.map_structure(
                lambda x: x.toarray() if is_sparse(x) else x, parts[1]
            )
            parts[2] = self._class_weight(y, parts[2])
        while len(parts) > 1 and parts[-1] is None:
            parts.pop()
        return tuple(parts)

    def _check_rows(self, parts):
        """Raise if the inputs or the targets are numbers alone, or have no rows."""
        for part, name in zip(parts, NAMES, strict=True):
            leaves = [x for x in tree.flatten(part) if x is not None]
            if leaves and all(len(x.shape) == 0 for x in leaves):
                raise ValueError(
                    f"{self._source.describe()} yields numbers: `{name}` of a batch is "
                    f"{leaves[0]!r}. Expected batches `(x, y)` of arrays whose first "
                    "dimension counts the rows, such as `(x[None], y[None])` for one "
                    "row."
                )
            if leaves and all(x.shape[:1] == (0,) for x in leaves):
                raise ValueError(
                    f"{self._source.describe()} yields an empty batch: `{name}` has no "
                    "rows."
                )


# How many items each iterator has given, in this process.
_drawn: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


class IteratorSource:
    """An iterable, iterated once or from the start for every pass.

    A training that is resumed skips the items that were used. An iterable is first put
    where it was: the random states are those with which the pass began, or, where the
    order depends on the number of passes, so many are begun.

    Args:
        iterable: what is iterated.
        length: the number of items, or None.
        generators: torch generators that the order depends on.
        counts_passes: whether the order depends on the number of passes.
        endless: whether it is known to have no end.
    """

    state_attributes: dict[str, Any] = {"opened": int, "taken": int, "random": dict}

    def __init__(
        self,
        iterable: Iterable[Any],
        length: int | None = None,
        generators: Sequence[Any] = (),
        counts_passes: bool = False,
        endless: bool = False,
    ):
        self.endless = endless
        self._iterable = iterable
        self._restartable = not hasattr(iterable, "__next__")
        self._iterator: Any = None
        self._held = _NOTHING
        self._generators = generators
        self._counts_passes = counts_passes
        # Passes begun, items used of this one, random states with which it began.
        self._opened = self._taken = 0
        self._states: dict[str, Any] = {}
        self._drawn_before = 0 if self._restartable else _drawn_from(iterable)
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

    def state(self, within: bool, goes_on: bool) -> dict[str, Any]:
        """Return what `resume` needs; `goes_on`: the present pass is continued."""
        goes_on = goes_on or not self._restartable
        return {
            "opened": self._opened,
            "taken": self._taken if goes_on else None,
            "random": self._states if goes_on else random_states(self._generators),
        }

    def resume(self, state: dict[str, Any], epochs: int) -> None:
        """Go on with the item after the last one that was used."""
        taken = state["taken"]
        if self._restartable:
            while self._counts_passes and self._opened < state["opened"]:
                self._open()
            if not self._counts_passes:
                set_random_states(state["random"], self._generators)
            if taken is None:
                self._iterator, self._held = None, _NOTHING
                return
            if not self._counts_passes:
                self._open()
        elif self._drawn_before:
            taken -= self._drawn_before
            if taken < 0:
                warn(
                    f"{self.describe()} has yielded more than was used when the backup "
                    "was made, and cannot go back: the resumed training sees other "
                    "batches than it would have seen. Pass a new iterator.",
                )
        for number in range(max(0, taken)):
            if self._next() is _NOTHING:
                raise ValueError(
                    f"{self.describe()} cannot be resumed from: it ended after "
                    f"{number} of the {taken} batches that were used before."
                )
        self._taken = state["taken"]

    def epoch(
        self, limit: int | None, restart: bool, number: int, first: int = 0
    ) -> Generator[Any]:
        """Yield items `first` to `limit`, with `restart` of a new pass if possible."""
        fresh = self._held is not _NOTHING or first
        if self._iterator is None or (restart and self._restartable and not fresh):
            self._open()
        count = first
        while limit is None or count < limit:
            item = self._next()
            if item is _NOTHING:
                at_seam = count == 0 and self._taken and self._restartable
                self._iterator = None
                if not at_seam:
                    return
                self._open()
                continue
            self._taken += 1
            count += 1
            yield item

    def _open(self):
        self._states = random_states(self._generators)
        self._iterator = iter(self._iterable)
        self._held = _NOTHING
        self._opened += 1
        if self._restartable:
            self._taken = 0

    def _next(self):
        if self._held is not _NOTHING:
            item, self._held = self._held, _NOTHING
            return item
        item = next(self._iterator, _NOTHING)
        if not self._restartable and item is not _NOTHING:
            with contextlib.suppress(TypeError):  # it cannot be referred to weakly
                _drawn[self._iterable] = _drawn_from(self._iterable) + 1
        return item


def _drawn_from(iterator):
    try:
        return _drawn.get(iterator, 0)
    except TypeError:
        return 0


class PyDatasetSource:
    """A `PyDataset`: batches by number, shuffled here and computed by its workers."""

    state_attributes: dict[str, Any] = {"seed": int, "random": dict}

    def __init__(self, dataset: PyDataset, shuffle: bool | str):
        self._dataset = dataset
        self._shuffle = shuffle
        # The random states when the last epoch ended.
        self._states = random_states()
        self.seed: int = order_seed() if shuffle else 0
        self.length: int | None = dataset.num_batches
        self.endless: bool = self.length is None

    def describe(self) -> str:
        """Return the name of the dataset."""
        return f"The {type(self._dataset).__name__} given as `x`"

    def on_epoch_begin(self) -> None:
        """Tell the dataset."""
        self._dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell the dataset, which may put its batches into another order."""
        self._states = random_states()
        self._dataset.on_epoch_end()

    def state(self, within: bool, goes_on: bool) -> dict[str, Any]:
        """Return what `resume` needs."""
        states = self._states if within else random_states()
        return {"seed": self.seed, "random": states}

    def resume(self, state: dict[str, Any], epochs: int) -> None:
        """Tell the dataset that an epoch is over, as when the state was returned."""
        self.seed = state["seed"]
        if epochs:
            set_random_states(state["random"])
            self.on_epoch_end()

    def close(self) -> None:
        """Nothing is open between epochs."""

    def peek(self) -> Any:
        """Return batch 0."""
        return self._dataset[0] if self._dataset.num_batches != 0 else _NOTHING

    def epoch(
        self, limit: int | None, restart: bool, number: int, first: int = 0
    ) -> Generator[Any]:
        """Yield the batches of epoch `number` from the one at `first` on."""
        indices = self._indices(limit, restart, number)
        return fetch(self._dataset, itertools.islice(indices, first, None))

    def _indices(self, limit, restart, number):
        length = self._dataset.num_batches
        if length is None:
            first = 0 if restart else number * limit
            return itertools.count() if limit is None else range(first, first + limit)
        if restart:
            return self._pass(number, length)[:limit]
        # The epochs are parts of a pass; the last of them may be smaller.
        passes, part = divmod(number, -(-length // limit))
        return self._pass(passes, length)[part * limit : (part + 1) * limit]

    def _pass(self, number, length):
        if not self._shuffle:
            return range(length)
        draws = np.random.Generator(np.random.PCG64([self.seed, number]))
        return draws.permutation(length).tolist()


class DatasetSource(PyDatasetSource):
    """A `Dataset`, which has orders of its own: each pass over it has another one."""

    def __init__(self, dataset: Any):
        super().__init__(dataset, shuffle=False)
        self._dataset: Any = dataset
        self.seed: int = order_seed()
        self._first = _NOTHING

    def peek(self) -> Any:
        """Return the first batch and keep it for the first epoch."""
        places = itertools.count() if self.length is None else range(self.length)
        for place in places if self._first is _NOTHING else ():
            self._first = next(self._dataset.fetch([place], self._epoch(0)), _NOTHING)
            if self._first is not _NOTHING:  # else nothing of it could be read
                self._place = place
                break
        return self._first

    def resume(self, state: dict[str, Any], epochs: int) -> None:
        """Take the seed from which the orders follow."""
        super().resume(state, epochs)
        self._first = _NOTHING

    def epoch(
        self, limit: int | None, restart: bool, number: int, first: int = 0
    ) -> Generator[Any]:
        """Yield the batches of epoch `number` from the one at `first` on."""
        held, self._first = self._first, _NOTHING
        for passes, indices in self._parts(limit, restart, number, first):
            if held is not _NOTHING and passes == indices.start == 0:
                yield held
                held, indices = _NOTHING, indices[self._place + 1 :]
            yield from self._dataset.fetch(indices, self._epoch(passes))

    def _parts(self, limit, restart, number, first):
        """Yield (number of a pass, the numbers of its batches), for one epoch."""
        length = self.length
        if length is None:
            start = 0 if restart else number * limit
            most = sys.maxsize if limit is None else start + limit
            yield 0, range(start + first, most)
        elif restart:
            yield number, range(length)[first:limit]
        else:
            limit = min(limit, length)  # the epoch of too many steps ends early
            position, end = number * limit + first, (number + 1) * limit
            while position < end:
                passes, start = divmod(position, length)
                stop = min(length, start + end - position)
                yield passes, range(start, stop)
                position += stop - start

    def _epoch(self, number):
        return self._dataset.epoch(number, self.seed)
