"""Tasks of joblib that workers of Dask or Ray run in groups, as one machine does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, NamedTuple

from joblib import Parallel, delayed, parallel_config

from hornbeam.training.concurrent.workers import Groups, settings_here, training_as

# Arguments of so many bytes are sent once to each worker, not with each group.
_LARGE = 10_000


class SentTasks:
    """One call of `joblib.Parallel` whose tasks run elsewhere, used as a TaskGroup is.

    A thread sends groups and tells futures of the results, by which joblib gives out
    more tasks: they wait until there are as many as a group has.

    Args:
        workers: DaskWorkers or RayWorkers.
    """

    def __init__(self, workers: Any) -> None:
        self.depth: int = 0
        self.limit: Any = None
        self._workers = workers
        self._groups = Groups(workers, self._send, self._forget)
        self._waiting: list[_Task] = []
        # By the id of a value the value, which so keeps its id, and its stand-in.
        self._shared: dict[int, tuple[Any, Any]] = {}
        self._thread: threading.Thread | None = None

    def submit(self, function: Any, callback: Any) -> Future[Any]:
        """Have a task run; return the future that `callback` gets."""
        task = _Task(function.items, Future())
        task.future.add_done_callback(callback)
        self._waiting.append(task)
        return task.future

    @contextlib.contextmanager
    def retrieving(self) -> Iterator[None]:
        """All tasks that can come have come: send them."""
        self._thread = threading.Thread(
            target=self._work, name="hornbeam-sender", daemon=True
        )
        self._thread.start()
        yield

    def cancel(self) -> None:
        """Abandon all tasks."""
        self._groups.cancel()
        self._waiting.clear()

    def finish(self) -> None:
        """Wait for the thread."""
        if self._thread is not None:
            self._thread.join()
        self._shared.clear()

    def _work(self):
        while self._waiting:
            enough = max(1, len(self._waiting) // 2)
            self._send_waiting()
            for task, outcome in self._groups:
                if isinstance(outcome, Exception):
                    task.future.set_exception(outcome)
                else:
                    task.future.set_result(outcome)
                if len(self._waiting) >= enough:
                    self._send_waiting()

    def _send_waiting(self):
        tasks, self._waiting = self._waiting, []
        self._groups.add(tasks, _params_of)

    def _send(self, group):
        stand_ins: list[Any] = []
        places: dict[int, int] = {}

        def sent(value):
            if _bytes_of(value) < _LARGE:
                return value
            if id(value) not in places:
                places[id(value)] = len(stand_ins)
                stand_ins.append(self._stand_in(value))
            return _Place(places[id(value)])

        calls = [
            [
                (
                    function,
                    list(map(sent, args)),
                    {k: sent(v) for k, v in named.items()},
                )
                for function, args, named in task.calls
            ]
            for task in group
        ]
        return self._workers.submit(run_calls, settings_here(), calls, *stand_ins)

    def _stand_in(self, value):
        if id(value) not in self._shared:
            self._shared[id(value)] = value, self._workers.share(value)
        return self._shared[id(value)][1]

    def _forget(self):
        self._shared.clear()


class _Task(NamedTuple):
    calls: Any
    future: Future[Any]


class _Place(NamedTuple):
    """Where an argument stands among the values that are shared."""

    number: int


def _params_of(task):
    """Return the candidate's parameters, as scikit-learn names them."""
    return task.calls[0][2].get("parameters")


def _bytes_of(value):
    if hasattr(value, "memory_usage"):
        usage = value.memory_usage()
        return usage if isinstance(usage, int) else int(usage.sum())
    return getattr(value, "nbytes", 0)


def run_calls(settings: dict[str, Any], tasks: list[Any], *shared: Any) -> list[Any]:
    """Run tasks at the same time in this process, a worker's; return their results.

    Args:
        settings: those of the process that has sent the tasks.
        tasks: for each task a list of `(function, arguments, named arguments)`.
        *shared: the values that a `_Place` among the arguments stands for.
    """

    def given(value):
        return shared[value.number] if isinstance(value, _Place) else value

    calls = [
        delayed(function)(*map(given, args), **{k: given(v) for k, v in named.items()})
        for calls in tasks
        for function, args, named in calls
    ]
    with training_as(settings), parallel_config(backend="hornbeam"):
        results = iter(Parallel()(calls))
    return [[next(results) for _ in calls] for calls in tasks]
