"""The threads of a search: every task in its own, all tasks in one rendezvous.

A `Call` is one call of `joblib.Parallel`; it may be nested in a `Task` of another. All
calls below an outermost one share its `Crew`. Tasks at one depth of nesting wait only for
deeper ones, so each depth has threads of its own and none can wait for itself.
"""

import contextlib
import threading
import time
from collections import defaultdict
from concurrent.futures import Future
from contextvars import ContextVar, copy_context

from hornbeam.training.rendezvous import Rendezvous

MOST_TASKS = 256
_TIMES = {"fit_time", "score_time"}

_current_task: ContextVar["Task | None"] = ContextVar("current_task", default=None)


class Cancelled(BaseException):
    """A task was abandoned because another one of its call ended the call."""


class SharedClock:
    """Wall time, shared out equally at every moment among the tasks that run."""

    def __init__(self):
        self._lock = threading.Lock()
        self._running = 0
        self._reading = 0.0
        self._changed = time.perf_counter()

    def change(self, tasks):
        """Count `tasks` more as running; return the share of one that always ran."""
        with self._lock:
            now = time.perf_counter()
            if self._running:
                self._reading += (now - self._changed) / self._running
            self._changed = now
            self._running += tasks
            return self._reading


class Crew:
    """Starts tasks in threads, at most `MOST_TASKS` at a depth of nesting."""

    def __init__(self):
        self.rendezvous = Rendezvous()
        self.clock = SharedClock()
        self.changed = threading.Condition()
        self._waiting = defaultdict(list)
        self._running = defaultdict(int)
        self._threads = set()

    def start(self, task):
        """Run `task` in a thread, now or when one of its depth is free."""
        with self.changed:
            self._waiting[task.call.depth].append(task)
            task = self._take(task.call.depth)
        if task is not None:
            task.enter()
            thread = threading.Thread(
                target=self._work, args=(task,), name="hornbeam-task", daemon=True
            )
            self._threads.add(thread)
            thread.start()

    def drop(self, call):
        """Take the tasks of `call` that have not started out of the queue."""
        with self.changed:
            waiting = self._waiting[call.depth]
            dropped = [task for task in waiting if task.call is call]
            waiting[:] = [task for task in waiting if task.call is not call]
        return dropped

    def join(self):
        """Wait until no thread is left."""
        for thread in self._threads - {threading.current_thread()}:
            thread.join()

    def _take(self, depth):
        waiting = self._waiting[depth]
        if self._running[depth] >= MOST_TASKS:
            return None
        for position, task in enumerate(waiting):
            if len(task.call.running) < task.call.limit:
                self._running[depth] += 1
                task.call.running.add(task)
                return waiting.pop(position)
        return None

    def _work(self, task):
        while task is not None:
            task.run()
            depth = task.call.depth
            with self.changed:
                self._running[depth] -= 1
                task.call.running.discard(task)
                following = self._take(depth)
                self.changed.notify_all()
            # The next task is counted before the last one leaves: else those that wait
            # at the rendezvous might believe for a moment that nobody else comes.
            if following is not None:
                following.enter()
            task.leave()
            task = following
        self._threads.discard(threading.current_thread())


class Call:
    """One call of `joblib.Parallel`: its tasks, and what its caller waits for.

    While the caller of an outermost call still gives out tasks it counts as a task
    itself, so that no program starts before all have come that can come (`hold`).
    """

    def __init__(self, hold=True):
        self.parent = _current_task.get()
        self.crew = self.parent.call.crew if self.parent else Crew()
        self.depth = self.parent.call.depth + 1 if self.parent else 0
        self.context = copy_context()
        self.limit = None
        self.running = set()
        self.share = 0.0
        self.cancelled = False
        self._hold = contextlib.ExitStack()
        self._hold_context = self.context.copy()
        if self.parent:
            self.parent.calls.add(self)
        elif hold:
            self._hold_context.run(
                self._hold.enter_context, self.crew.rendezvous.task()
            )

    def submit(self, function, callback):
        """Start `function()` in a thread; return the future that `callback` gets."""
        task = Task(self, function)
        task.future.add_done_callback(callback)
        if self.cancelled:
            task.future.set_exception(Cancelled())
        else:
            self.crew.start(task)
        return task.future

    @contextlib.contextmanager
    def retrieving(self):
        """While the caller waits for results it does not count as running."""
        if self.parent is None:
            self._hold_context.run(self._hold.close)
            yield
        else:
            with self.parent.paused():
                yield

    def cancel(self):
        """Abandon all tasks, and the calls inside them."""
        self.cancelled = True
        for task in self.crew.drop(self):
            task.future.set_exception(Cancelled())
        for task in list(self.running):
            task.cancel()

    def finish(self):
        """Wait for the tasks that still run; after an outermost call no thread is left."""
        self._hold_context.run(self._hold.close)
        with self.crew.changed:
            self.crew.changed.wait_for(lambda: not self.running)
        if self.parent is None:
            self.crew.join()
        else:
            self.parent.calls.discard(self)
            self.parent.share += self.share


class Task:
    """A function that runs in a thread, in a copy of its caller's context.

    `share` is the part of the wall time that it used: its own computing, and what the
    tasks of calls inside it used.
    """

    def __init__(self, call, function):
        self.call = call
        self.future = Future()
        self.calls = set()
        self.share = 0.0
        self._function = function
        self._context = call.context.copy()
        self._stack = contextlib.ExitStack()
        self._member = None
        self._since = None

    def enter(self):
        """Count as running."""
        crew = self.call.crew
        self._member = self._context.run(
            self._stack.enter_context, crew.rendezvous.task()
        )
        self._context.run(_current_task.set, self)
        self._since = crew.clock.change(1)

    def leave(self):
        """Count no longer."""
        if self._since is not None:
            self._stop()
        self._context.run(self._stack.close)

    def run(self):
        """Call the function and tell the future."""
        try:
            result = self._context.run(self._timed)
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

    def cancel(self):
        """Leave the rendezvous at once, if the task waits there."""
        cancel = getattr(self._member, "cancel", None)
        if cancel is not None:
            cancel()
        for call in list(self.calls):
            call.cancel()

    @contextlib.contextmanager
    def paused(self):
        """The task waits for a call inside it."""
        self._stop()
        try:
            with self.call.crew.rendezvous.waiting():
                yield
        finally:
            self._since = self.call.crew.clock.change(1)

    def _stop(self):
        self.share += self.call.crew.clock.change(-1) - self._since
        self._since = None

    def _timed(self):
        started = time.perf_counter()
        try:
            results = self._function()
        finally:
            crew = self.call.crew
            self._stop()
            with crew.changed:
                self.call.share += self.share
        return _apportioned(results, self.share / (time.perf_counter() - started))


def _apportioned(results, fraction):
    """Scale the times that scikit-learn took around a fit to the task's share."""
    for result in results:
        for key in _TIMES & result.keys() if isinstance(result, dict) else ():
            result[key] *= fraction
    return results
