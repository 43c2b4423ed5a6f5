"""Threads and processes that compute the batches of a `PyDataset` ahead."""

from __future__ import annotations

import atexit
import contextvars
import multiprocessing
import queue
import sys
import threading
import time
import traceback
import weakref
from concurrent import futures
from typing import Any

# How long the end of the program waits for threads that still compute, in seconds.
_LONGEST_END = 1.0


class Threads:
    """Threads that compute `dataset[i]`.

    They are daemons: one that hangs does not keep the program from ending, as the
    threads of `ThreadPoolExecutor` do.

    Args:
        dataset: what is computed.
        count: the number of threads.
    """

    def __init__(self, dataset: Any, count: int) -> None:
        self._dataset = dataset
        self._tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._computing: dict[int, int] = {}
        self._threads = [
            threading.Thread(target=self._work, name=f"PyDataset_{n}", daemon=True)
            for n in range(count)
        ]
        for thread in self._threads:
            _alive.add(thread)
            thread.start()

    def submit(self, index: int) -> futures.Future[Any]:
        """Return the batch to come."""
        future: futures.Future[Any] = futures.Future()
        # A thread sees the engine in force here through a copy of the context.
        self._tasks.put((future, index, contextvars.copy_context()))
        return future

    def _work(self):
        for future, index, context in iter(self._tasks.get, None):
            if not future.set_running_or_notify_cancel():
                continue
            self._computing[index] = threading.get_ident()
            try:
                future.set_result(context.run(self._dataset.__getitem__, index))
            except BaseException as error:
                future.set_exception(error)
            finally:
                self._computing.pop(index, None)
                del future, context  # the batch is not kept while the thread waits

    def stack_of(self, index: int) -> str:
        """Return where the thread is that computes a batch, as a traceback has it."""
        frame = sys._current_frames().get(self._computing.get(index, -1))
        return "".join(traceback.format_stack(frame)[-6:]) if frame else ""

    def close(self) -> None:
        """Compute no more batches than those that are underway."""
        while True:
            try:
                future, _, _ = self._tasks.get_nowait()
            except queue.Empty:
                break
            future.cancel()
        for _ in self._threads:
            self._tasks.put(None)


_alive: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


@atexit.register
def _wait_a_moment():
    """Let threads end what they compute, before the modules that they use are gone."""
    end = time.monotonic() + _LONGEST_END
    for thread in list(_alive):
        thread.join(max(0.0, end - time.monotonic()))


class Processes:
    """Processes that compute `dataset[i]`.

    Args:
        dataset: what is computed; it must be picklable.
        count: the number of processes.
    """

    def __init__(self, dataset: Any, count: int) -> None:
        # A forked child of a process with threads may wait for a lock forever.
        context = multiprocessing.get_context("spawn")
        self._pool = futures.ProcessPoolExecutor(
            count, context, initializer=_receive, initargs=(dataset,)
        )
        self._unfinished: set[futures.Future[Any]] = set()

    def submit(self, index: int) -> futures.Future[Any]:
        """Return the batch to come."""
        future = self._pool.submit(_item, index)
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)
        return future

    def stack_of(self, index: int) -> str:
        """Return nothing: another process does not tell."""
        return ""

    def close(self) -> None:
        """End the processes, also what they still compute."""
        processes = list((self._pool._processes or {}).values())
        hurries = bool(self._unfinished)
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes if hurries else ():
            process.terminate()


_received: Any = None


def _receive(dataset):
    """Keep, in a worker process, the dataset that it is to read."""
    global _received
    _received = dataset


def _item(index):
    return _received[index]
