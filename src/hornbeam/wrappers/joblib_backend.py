"""The joblib backend "hornbeam": the fits that scikit-learn asks for train together.

    with joblib.parallel_config(backend="hornbeam"):
        GridSearchCV(KerasClassifier(create_model), param_grid).fit(X, y)

Every task gets a thread; below the tasks, their program calls are scheduled by
`training/concurrent/scheduler.py`. scikit-learn stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from joblib.parallel import ParallelBackendBase, register_parallel_backend

from hornbeam.backends.placement import bytes_of_host
from hornbeam.core import scopes
from hornbeam.training.concurrent.progress import SearchProgress
from hornbeam.training.concurrent.tasks import MOST_TASKS, TaskGroup
from hornbeam.training.concurrent.workers import workers_of
from hornbeam.wrappers.sent_tasks import SentTasks

_FRACTION_OF_MEMORY = 1 / 8


class HornbeamBackend(ParallelBackendBase):
    """Runs each task in a thread of its own, all with one scheduler.

    Made by `joblib.parallel_config(backend="hornbeam")`. With `n_jobs=None` or a
    negative `n_jobs`, up to 256 tasks are in flight; fewer if copies of the data for
    each would take more than an eighth of the memory.

    `fit_time` and `score_time` of scikit-learn's results leave out what a task waited
    for others, and compilation, which serves all of them.

    Args:
        progress: whether to show the progress of each call, or a `SearchProgress`.
            Default: False
        workers: a Client of dask.distributed, or "ray": the tasks are sent in groups to
            its processes, which run them as this one would. Default: None
        inner_max_num_threads: threads that NumPy's linear algebra may use meanwhile, of
            each task. Default: the number of cores over that of tasks
    """

    supports_retrieve_callback = True
    supports_sharedmem = True
    supports_inner_max_num_threads = True
    uses_threads = True
    default_n_jobs = -1

    def __init__(
        self,
        progress: bool | SearchProgress | None = False,
        workers: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._workers: Any = None
        if workers is not None:
            self._workers = workers_of("the joblib backend 'hornbeam'", workers)
        self._progress: Any = SearchProgress() if progress is True else progress or None
        self._group: Any = None
        self._hold = True
        self._n_jobs: int | None = None
        self._limits = contextlib.ExitStack()

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Return how many tasks may be in flight."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if n_jobs is None or n_jobs < 0:
            return MOST_TASKS
        return min(int(n_jobs), MOST_TASKS)

    def configure(
        self, n_jobs: int | None = 1, parallel: Any = None, **kwargs: Any
    ) -> int:
        """Take what the call says."""
        self._hold = getattr(parallel, "return_as", "list") == "list"
        self._n_jobs = n_jobs
        return self.effective_n_jobs(n_jobs)

    def start_call(self) -> None:
        """Begin a call; the outermost limits the threads of the tasks' BLAS."""
        display = self._progress or scopes.display()
        with scopes.display_scope(display):
            sent = self._workers is not None
            self._group = SentTasks(self._workers) if sent else TaskGroup(self._hold)
        if self._group.depth:
            return
        self._limits.enter_context(_blas_threads(self._threads_of_a_task()))
        if self._progress is not None:
            self._progress.begin()

    def submit(self, func: Any, callback: Any = None) -> Any:
        """Start a task in a thread."""
        if self._group.limit is None:
            self._group.limit = self._tasks_in_flight(func)
        if self._progress is not None and not self._group.depth:
            callback = self._counted(callback)
        return self._group.submit(func, callback)

    def retrieve_result_callback(self, out: Any) -> Any:
        """Return the result of a task, or raise what it raised."""
        return out.result()

    @contextlib.contextmanager
    def retrieval_context(self) -> Iterator[None]:
        """Wait for results: a task that does so lets its own tasks run."""
        with self._group.retrieving():
            yield

    def get_nested_backend(self) -> tuple[HornbeamBackend, None]:
        """Calls inside a task join it."""
        return HornbeamBackend(nesting_level=self.nesting_level + 1), None

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Abandon the tasks of the call."""
        if self._group is not None:
            self._group.cancel()

    def stop_call(self) -> None:
        """Wait until no thread of the call is left."""
        try:
            self._group.finish()
        finally:
            self._limits.close()
            if self._progress is not None and not self._group.depth:
                self._progress.end()

    def _tasks_in_flight(self, task):
        most = self.effective_n_jobs(self._n_jobs)
        if self._n_jobs is not None and self._n_jobs > 0:
            return most
        room = bytes_of_host() * _FRACTION_OF_MEMORY
        return max(1, min(most, int(room // max(_bytes_of(task), 1))))

    def _threads_of_a_task(self):
        threads = (os.cpu_count() or 1) // self.effective_n_jobs(self._n_jobs)
        return self.inner_max_num_threads or max(1, threads)

    def _counted(self, callback):
        number = self._progress.start()

        def count_and_call(future):
            if future.exception() is None:
                self._progress.done(number, future.result())
            callback(future)

        return count_and_call


def _bytes_of(task):
    """Return the size of the data of a task, which it may copy."""
    calls = getattr(task, "items", ())
    values = [value for _, args, kwargs in calls for value in (*args, *kwargs.values())]
    return sum(getattr(value, "nbytes", 0) or sys.getsizeof(value) for value in values)


def _blas_threads(count):
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return contextlib.nullcontext()
    return threadpool_limits(limits=count, user_api="blas")


register_parallel_backend("hornbeam", HornbeamBackend)
