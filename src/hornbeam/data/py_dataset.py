"""`PyDataset`: batches by number, computed ahead by threads or processes."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Generator, Iterable, Iterator
from concurrent import futures
from typing import Any

from hornbeam.core.warning import warn
from hornbeam.data.workers import Processes, Threads


class PyDataset:
    """A dataset that computes batch `i` in `__getitem__(i)`; subclass it.

    A subclass defines `__getitem__(self, index)`, which returns a whole batch,
    `x`, `(x, y)` or `(x, y, sample_weight)`, and `__len__` (or the property
    `num_batches`, which may be None for endless data).

    Args:
        workers: how many threads or processes compute batches ahead of their use.
            With 0 or 1 (and no processes) the training thread computes them.
            Default: 1
        use_multiprocessing: use processes instead of threads. The dataset must then
            be picklable. Default: False
        max_queue_size: how many batches are kept ready. Default: 10

    >>> import numpy as np
    >>> import hornbeam as keras
    >>> class Squares(keras.utils.PyDataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, index):
    ...         x = np.arange(8.0).reshape(8, 1) + index
    ...         return x, x**2
    >>> len(Squares(workers=2))
    4
    """

    def __init__(
        self,
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
    ):
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size

    def _setting(self, name, default):
        try:
            return self.__dict__[name]
        except KeyError:
            warn(
                f"{type(self).__name__}.__init__ does not call "
                "`super().__init__(**kwargs)`, so its `workers`, `use_multiprocessing` "
                "and `max_queue_size` have their defaults.",
            )
            PyDataset.__init__(self)
            return default

    @property
    def workers(self) -> int:
        """The number of threads or processes."""
        return self._setting("_workers", 1)

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Whether the workers are processes."""
        return self._setting("_use_multiprocessing", False)

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        """The number of batches that are kept ready."""
        return self._setting("_max_queue_size", 10)

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    def __getitem__(self, index: int) -> Any:
        """Return batch `index`."""
        raise NotImplementedError(f"{type(self).__name__} must define `__getitem__`.")

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches in their order, computed ahead by the workers."""
        length = self.num_batches
        return fetch(self, itertools.count() if length is None else range(length))

    @property
    def num_batches(self) -> int | None:
        """The number of batches of an epoch, or None if it is endless."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"{type(self).__name__} must define `__len__`, or the property "
            "`num_batches` (None means that there is no end)."
        )

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


def fetch(dataset: PyDataset, indices: Iterable[int]) -> Generator[Any]:
    """Yield `dataset[i]` for the indices in their order, computed ahead by its workers.

    An exception in a worker is raised here, in place of its batch. Closing the
    generator cancels the batches not yet started, and ends worker processes.
    """
    workers, processes = dataset.workers, dataset.use_multiprocessing
    if workers < 1 or (workers == 1 and not processes):
        for index in indices:
            yield dataset[index]
        return
    pool = Processes(dataset, workers) if processes else Threads(dataset, workers)
    ahead: collections.deque[tuple[int, Any]] = collections.deque()
    left = iter(indices)
    try:
        while True:
            while len(ahead) < max(dataset.max_queue_size, workers):
                following = next(left, None)
                if following is None:
                    break
                ahead.append((following, pool.submit(following)))
            if not ahead:
                return
            index, batch = ahead.popleft()
            try:
                value = batch.result()
            except Exception as error:
                error.add_note(_note(error, f"{type(dataset).__name__}[{index}]"))
                raise
            except KeyboardInterrupt as interrupt:
                stack = pool.stack_of(index)
                interrupt.add_note(
                    f"The training waited for {type(dataset).__name__}[{index}]"
                    + (f", which a worker computes here:\n{stack}" if stack else ".")
                )
                raise
            yield value
    finally:
        pool.close()


def _note(error, item):
    if isinstance(error, futures.BrokenExecutor):
        return (
            f"The process that computed {item} died. Processes are started afresh: a "
            "script needs `if __name__ == '__main__':` around its main part, and the "
            "class must be in a module that can be imported (not in a notebook). "
            "Threads (`use_multiprocessing=False`) need neither."
        )
    return f"Raised by {item}."
