"""The scheduler of fits that run at the same time, each in a thread of its own.

It lets them share what can be shared: equal data is on the device once, as many calls
of programs run at a time as there are cores and, where measurements showed that it
pays, calls of one program run stacked: as one call of that program, vectorised over
them.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from hornbeam import backends
from hornbeam.core import scopes
from hornbeam.core.warning import warn
from hornbeam.training.concurrent.stack import Stack
from hornbeam.training.concurrent.stack_width import cores, is_one_cpu, stack_widths

# Seconds that a waiting call gives busy tasks to join its stack.
_SECONDS_TO_JOIN = 0.05
# More than there are tasks.
_MANY = 1 << 20

_has_fit_slot: ContextVar[bool] = ContextVar("has_fit_slot", default=False)


class Scheduler:
    """Schedules the program calls of the tasks of one search.

    >>> from hornbeam.training.concurrent.scheduler import Scheduler
    >>> scheduler = Scheduler()
    >>> with scheduler.task():
    ...     Scheduler.current() is scheduler
    True
    """

    def __init__(self) -> None:
        self._reasons: set[str] = set()
        self._changed = threading.Condition()
        self._busy = 0
        self._pending: list[_Request] = []
        self._is_stacking = False
        self._cancelled = False
        self._call_slots = threading.Semaphore(cores())
        # One more than there are cores: its Python runs while programs of others do.
        self._fit_slots = threading.Semaphore(cores() + 1)
        self._data: dict[Any, weakref.WeakSet[Any]] = {}

    @staticmethod
    def current() -> Any:
        """Return the scheduler of this thread's task, or None."""
        worker = scopes.worker()
        return None if worker is None else worker.scheduler

    @contextlib.contextmanager
    def task(self) -> Iterator[Any]:
        """A block in which a thread works on a task, as a Worker."""
        self._count(1)
        worker = Worker(self)
        try:
            with scopes.worker_scope(worker):
                yield worker
        finally:
            self._count(-1)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[Any]:
        """A block in which a task waits for other tasks: it is not busy."""
        self._count(-1)
        try:
            yield
        finally:
            self._count(1)

    def cancel(self) -> None:
        """End the calls that wait, and later ones, with an error."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()
        self._fit_slots.release(_MANY)

    def _count(self, change):
        with self._changed:
            self._busy += change
            self._changed.notify_all()

    def shared(self, rows: Any) -> Any:
        """Return the first DeviceRows that were given here and are equal to `rows`."""
        key = rows.fingerprint()
        with self._changed:
            candidates = self._data.setdefault(key, weakref.WeakSet())
            for other in candidates:
                if other.equals(rows):
                    return other
            candidates.add(rows)
        return rows

    def execute(self, call: Any) -> None:
        """Execute a ProgramCall, alone or stacked with others."""
        self._check()
        width = stack_widths.of(call)
        if not width.decided:
            width.consider(call, self._busy)
        if width.most > 1 and self._execute_stacked(call):
            return
        with self._call_slots:
            self._check()
            call.execute()

    def warn_once(self, reason: str | None) -> None:
        """Warn, once for all tasks, that fits do not share their steps, and why."""
        if reason is None:
            return
        with self._changed:
            is_new = reason not in self._reasons
            self._reasons.add(reason)
        if is_new:
            warn(
                f"These fits share no program, and run one by one: {reason}",
            )

    @contextlib.contextmanager
    def fit_slot(self) -> Iterator[Any]:
        """A block that few tasks are in at a time."""
        with self._fit_slots:
            self._check()
            yield

    def _check(self):
        if self._cancelled:
            raise CancelledError("The search was ended while this task was running.")

    def _execute_stacked(self, call):
        """Wait until no task is busy, or for long enough; one thread runs the stacks.

        Returns whether the call is finished; else it is to run alone.
        """
        until = time.monotonic() + _SECONDS_TO_JOIN
        request = _Request(call)
        with self._changed:
            self._pending.append(request)
            self._busy -= 1
            while not request.is_done:
                late = time.monotonic() > until
                if self._cancelled and request in self._pending:
                    self._pending.remove(request)
                    self._busy += 1
                    break
                if not self._is_stacking and (self._busy <= 0 or late):
                    self._run_pending()
                else:
                    self._changed.wait(_SECONDS_TO_JOIN)
        self._check()
        return not call.passes_left

    def _run_pending(self):
        """Run the calls that wait in stacks; the lock is released meanwhile."""
        requests, self._pending = self._pending, []
        self._is_stacking = True
        self._changed.release()
        try:
            for group in _stackable(requests):
                _run_group(group)
        finally:
            self._changed.acquire()
            self._is_stacking = False
            for request in requests:
                request.is_done = True
            self._busy += len(requests)
            self._changed.notify_all()


class Worker:
    """A thread that works on a task of a scheduler.

    Attributes:
        scheduler: the Scheduler.
        waited: the seconds in which it waited for others, or for a program to be
            compiled, which serves the others too.
    """

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        self.waited: float = 0.0

    def execute(self, call: Any) -> None:
        """Execute a ProgramCall, alone or stacked with others."""
        started, waited = time.perf_counter(), self.waited
        self.scheduler.execute(call)
        # All but the run of its program: compilation and work for others count too.
        self.waited = waited + time.perf_counter() - started - call.seconds


@contextlib.contextmanager
def fit_slot() -> Iterator[Any]:
    """A block in which a task fits an estimator.

    On one CPU no fits are stacked, so few tasks are in it at a time: more would only
    wait for Python's lock, and a search of 150 small fits took a third longer. Tasks
    inside the block share its slot.
    """
    worker = scopes.worker()
    if worker is None or _has_fit_slot.get():
        yield
        return
    started = time.perf_counter()
    with contextlib.ExitStack() as stack:
        # The first of all tasks imports the engine here, and the others wait for it.
        if is_one_cpu(backends.current()):
            stack.enter_context(worker.scheduler.fit_slot())
            stack.callback(_has_fit_slot.reset, _has_fit_slot.set(True))
        worker.waited += time.perf_counter() - started
        yield


class _Request:
    """A call that waits to be stacked, and whether that was tried."""

    def __init__(self, call):
        self.call = call
        self.is_done = False


class CancelledError(RuntimeError):
    """A task was ended because its search was."""


def warn_if_alone(model: Any, engine: Any, data: Any, callbacks: Any) -> None:
    """Warn if a fit is a task among others and cannot share its steps with them."""
    worker = scopes.worker()
    if worker is not None:
        reason = _reason_to_run_alone(model, engine, data, callbacks)
        worker.scheduler.warn_once(reason)


def _reason_to_run_alone(model, engine, data, callbacks):
    """Return why a fit cannot share its steps with others, or None."""
    if not engine.compiles:
        return f"the engine {engine.name!r} runs one operation after the other."
    if model.run_eagerly:
        return f"model {model.name!r} has `run_eagerly=True`."
    if not data.in_memory:
        return "their data comes batch by batch from an iterator."
    if callbacks.wants_batches("train"):
        return "a callback is called at every batch."
    if not model._binding("train").structure.shareable:
        return (
            f"model {model.name!r} has code of its own (a `train_step()`, a layer, a "
            "loss), so each gets a program of its own."
        )
    return None


def _stackable(requests):
    """Return lists of the requests whose calls may be in one stack."""
    groups: dict[Any, list[_Request]] = {}
    for request in requests:
        groups.setdefault(request.call.stack_key(), []).append(request)
    return groups.values()


def _run_group(requests):
    """Run calls of one program in stacks; what is left over is to run alone."""
    calls = [request.call for request in requests]
    width = stack_widths.of(calls[0])
    while len(calls) > 1 and width.most > 1:
        members = calls[: width.most]
        try:
            _run_stack(Stack(members, width.most), width)
        except Exception as error:
            # What is wrong with a call itself is raised when it runs alone.
            width.halve()
            if not calls[0].engine.is_out_of_memory(error):
                warn(f"A stack of {len(members)} fits failed: {error}")
        calls = [call for call in calls if call.passes_left]


def _run_stack(stack, width):
    stack.compile()
    if not stack.fits():
        width.halve()
        return
    stack.execute()
    width.record(stack)
