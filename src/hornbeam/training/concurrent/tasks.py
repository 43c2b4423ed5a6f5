"""The tasks of a search: each runs in a thread of its own, all with one scheduler.

A `TaskGroup` is one call of `joblib.Parallel`; it may be nested in a `Task` of another.
All groups below an outermost one share its `TaskPool`. Tasks at one depth of nesting
wait only for deeper ones: each depth has threads of its own, so none can wait for
itself.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from typing import Any

from hornbeam.training.concurrent.scheduler import CancelledError, Scheduler

MOST_TASKS = 256
_TIMES = {"fit_time", "score_time"}

_ABANDONED = "The task was abandoned: another one of its call had failed."

_current_task: ContextVar[Task | None] = ContextVar("current_task", default=None)


class TaskPool:
    """Starts tasks in threads, at most `MOST_TASKS` at a depth of nesting."""

    def __init__(self) -> None:
        around = Scheduler.current()
        self.scheduler: Any = around or Scheduler()
        self._is_alone = around is None
        self.changed: Any = threading.Condition()
        self._waiting: dict[int, list[Task]] = defaultdict(list)
        self._running: dict[int, int] = defaultdict(int)
        self._threads: set[threading.Thread] = set()

    def start(self, task: Any) -> None:
        """Run `task` in a thread, now or when one of its depth is free."""
        with self.changed:
            self._waiting[task.group.depth].append(task)
            task = self._take(task.group.depth)
        if task is not None:
            task.enter()
            thread = threading.Thread(
                target=self._work, args=(task,), name="hornbeam-task", daemon=True
            )
            self._threads.add(thread)
            thread.start()

    def drop(self, group: Any) -> Any:
        """Take the tasks of `group` that have not started out of the queue."""
        with self.changed:
            waiting = self._waiting[group.depth]
            dropped = [task for task in waiting if task.group is group]
            waiting[:] = [task for task in waiting if task.group is not group]
        return dropped

    def cancel(self) -> None:
        """Release the tasks that wait in the scheduler."""
        if self._is_alone:
            self.scheduler.cancel()

    def join(self) -> None:
        """Wait until no thread is left."""
        for thread in self._threads - {threading.current_thread()}:
            thread.join()

    def _take(self, depth):
        waiting = self._waiting[depth]
        if self._running[depth] >= MOST_TASKS:
            return None
        for position, task in enumerate(waiting):
            if len(task.group.running) < task.group.limit:
                self._running[depth] += 1
                task.group.running.add(task)
                return waiting.pop(position)
        return None

    def _work(self, task):
        while task is not None:
            task.run()
            depth = task.group.depth
            with self.changed:
                self._running[depth] -= 1
                task.group.running.discard(task)
                following = self._take(depth)
                self.changed.notify_all()
            # The next task is counted before the last one leaves: else those that wait
            # at the scheduler might believe for a moment that nobody else comes.
            if following is not None:
                following.enter()
            task.leave()
            task = following
        self._threads.discard(threading.current_thread())


class TaskGroup:
    """One call of `joblib.Parallel`: its tasks, and what its caller waits for.

    While the caller of an outermost call still gives out tasks it counts as a task
    itself, so that no program starts before all have come that can come (`hold`).
    """

    def __init__(self, hold: bool = True) -> None:
        self.parent: Any = _current_task.get()
        self.pool: Any = self.parent.group.pool if self.parent else TaskPool()
        self.depth: Any = self.parent.group.depth + 1 if self.parent else 0
        self.context: Any = copy_context()
        self.limit: Any = None
        self.running: Any = set()
        self.seconds: float = 0.0
        self.cancelled: bool = False
        self._hold = contextlib.ExitStack()
        self._hold_context = self.context.copy()
        if self.parent:
            self.parent.groups.add(self)
        elif hold:
            self._hold_context.run(self._hold.enter_context, self.pool.scheduler.task())

    def submit(self, function: Any, callback: Any) -> Any:
        """Start `function()` in a thread; return the future that `callback` gets."""
        task = Task(self, function)
        task.future.add_done_callback(callback)
        if self.cancelled:
            task.future.set_exception(CancelledError(_ABANDONED))
        else:
            self.pool.start(task)
        return task.future

    @contextlib.contextmanager
    def retrieving(self) -> Iterator[Any]:
        """While the caller waits for results it does not count as running."""
        if self.parent is None:
            self._hold_context.run(self._hold.close)
            yield
        else:
            with self.parent.paused():
                yield

    def cancel(self) -> None:
        """Abandon all tasks, and the calls inside them."""
        self.cancelled = True
        for task in self.pool.drop(self):
            task.future.set_exception(CancelledError(_ABANDONED))
        if self.parent is None:
            self.pool.cancel()
        for task in list(self.running):
            for group in list(task.groups):
                group.cancel()

    def finish(self) -> None:
        """Wait for the tasks that still run; an outermost call leaves no thread."""
        self._hold_context.run(self._hold.close)
        with self.pool.changed:
            self.pool.changed.wait_for(lambda: not self.running)
        if self.parent is None:
            self.pool.join()
        else:
            self.parent.groups.discard(self)
            self.parent.seconds += self.seconds


class Task:
    """A function that runs in a thread, in a copy of its caller's context.

    `seconds` is the time that it took without what it waited for others: its own work,
    and that of the tasks of calls inside it.
    """

    def __init__(self, group: Any, function: Any) -> None:
        self.group = group
        self.future: Future[Any] = Future()
        self.groups: Any = set()
        self.seconds: float = 0.0
        self._function = function
        self._context = group.context.copy()
        self._stack = contextlib.ExitStack()
        self._worker: Any = None

    def enter(self) -> None:
        """Count as running."""
        self._worker = self._context.run(
            self._stack.enter_context, self.group.pool.scheduler.task()
        )
        self._context.run(_current_task.set, self)

    def leave(self) -> None:
        """Count no longer."""
        self._context.run(self._stack.close)

    def run(self) -> None:
        """Call the function and tell the future."""
        try:
            results = self._context.run(self._timed)
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(results)

    @contextlib.contextmanager
    def paused(self) -> Iterator[Any]:
        """The task waits for a call inside it."""
        started = time.perf_counter()
        with self.group.pool.scheduler.waiting():
            yield
        self.seconds -= time.perf_counter() - started

    def _timed(self):
        started = time.perf_counter()
        results = self._function()
        wall = time.perf_counter() - started
        self.seconds += wall - self._worker.waited
        with self.group.pool.changed:
            self.group.seconds += self.seconds
        return _apportioned(results, self.seconds / wall)


def _apportioned(results, fraction):
    """Take from the times that scikit-learn took around a fit what was waiting."""
    for result in results if isinstance(results, list) else ():
        for key in _TIMES & result.keys() if isinstance(result, dict) else ():
            result[key] *= fraction
    return results
