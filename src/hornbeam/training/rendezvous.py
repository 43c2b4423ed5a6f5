"""Where calls of programs from many threads meet.

Fits that run at the same time, each in a thread of its own, share what can be shared:
data that is equal is on the device once, as many calls run at a time as there are cores
and, where it was measured to pay, calls of one program run stacked: as one call of that
program vectorised over its members.
"""

import contextlib
import os
import threading
import time
import warnings
import weakref
from contextvars import ContextVar

from hornbeam import backends
from hornbeam.core import scopes
from hornbeam.training.stack import Stack

# How long, in seconds, those who wait do so for tasks that do other things.
_PATIENCE = 0.05
# Stacking is tried where the work ahead takes so many times as long as the compilation
# of another program.
_WORTH = 8.0
_SECONDS_TO_COMPILE = 1.0
# How many members the first stack has at most; each success allows four times as many.
_FIRST_WIDTH = 16
# More than there are tasks.
_MANY = 1 << 20

_has_turn: ContextVar[bool] = ContextVar("has_turn", default=False)


class Rendezvous:
    """A meeting point for the tasks of one search.

    >>> from hornbeam.training.rendezvous import Rendezvous
    >>> rendezvous = Rendezvous()
    >>> with rendezvous.task():
    ...     Rendezvous.current() is rendezvous
    True
    """

    def __init__(self):
        self._told = set()
        self._meeting = threading.Condition()
        self._running = 0
        self._tickets = []
        self._is_led = False
        self._cancelled = False
        self._slots = threading.Semaphore(_cores())
        # One more than there are cores: its Python runs while programs of others do.
        self._turns = threading.Semaphore(_cores() + 1)
        self._data = {}

    @staticmethod
    def current():
        """Return the rendezvous of this thread's task, or None."""
        member = scopes.member()
        return None if member is None else member.rendezvous

    @contextlib.contextmanager
    def task(self):
        """A block in which a thread works on a task, as a Member."""
        self._count(1)
        member = Member(self)
        try:
            with scopes.member_scope(member):
                yield member
        finally:
            self._count(-1)

    @contextlib.contextmanager
    def waiting(self):
        """A block in which a task waits for other tasks: nobody waits for it."""
        self._count(-1)
        try:
            yield
        finally:
            self._count(1)

    def cancel(self):
        """End the calls that wait, and those to come, with an error."""
        with self._meeting:
            self._cancelled = True
            self._meeting.notify_all()
        self._turns.release(_MANY)

    def _count(self, change):
        with self._meeting:
            self._running += change
            self._meeting.notify_all()

    def shared(self, rows):
        """Return DeviceRows that hold the same as `rows`, already there or these."""
        key = rows.fingerprint()
        with self._meeting:
            known = self._data.setdefault(key, weakref.WeakSet())
            for other in known:
                if other.equals(rows):
                    return other
            known.add(rows)
        return rows

    def run(self, call):
        """Carry out a Call, alone or together with others."""
        self._check()
        width = widths.of(call)
        if not width.decided:
            width.consider(call, self._running)
        if width.most > 1 and self._meet(call):
            return
        with self._slots:
            self._check()
            call.run_alone()

    def tell(self, reason):
        """Warn, once for all tasks, that fits do not share their steps, and why."""
        if reason is None:
            return
        with self._meeting:
            is_known = reason in self._told
            self._told.add(reason)
        if not is_known:
            warnings.warn(
                f"These fits share no program, and run one by one: {reason}",
                stacklevel=4,
            )

    @contextlib.contextmanager
    def turn(self):
        """A block that few tasks are in at a time."""
        with self._turns:
            self._check()
            yield

    def _check(self):
        if self._cancelled:
            raise CancelledError("The search was ended while this task was running.")

    def _meet(self, call):
        """Wait until all tasks wait, or for long enough; one of them runs the stacks.

        Returns whether the call is finished; else it is to run alone.
        """
        until = time.monotonic() + _PATIENCE
        ticket = _Ticket(call)
        with self._meeting:
            self._tickets.append(ticket)
            self._running -= 1
            while not ticket.is_done:
                late = time.monotonic() > until
                if self._cancelled and ticket in self._tickets:
                    self._tickets.remove(ticket)
                    self._running += 1
                    break
                if not self._is_led and (self._running <= 0 or late):
                    self._lead()
                else:
                    self._meeting.wait(_PATIENCE)
        self._check()
        return not call.passes_left

    def _lead(self):
        """Carry out the calls that wait; the lock is given back meanwhile."""
        tickets, self._tickets = self._tickets, []
        self._is_led = True
        self._meeting.release()
        try:
            for group in _groups(tickets):
                _run_group(group)
        finally:
            self._meeting.acquire()
            self._is_led = False
            for ticket in tickets:
                ticket.is_done = True
            self._running += len(tickets)
            self._meeting.notify_all()


class Member:
    """A task that takes part in a rendezvous.

    Attributes:
        waited: the seconds in which it waited for others, or for a program to be
            compiled, which serves the others too.
    """

    def __init__(self, rendezvous):
        self.rendezvous = rendezvous
        self.waited = 0.0

    def run(self, call):
        """Carry out a Call, alone or together with others."""
        started, waited = time.perf_counter(), self.waited
        self.rendezvous.run(call)
        # All but what its program ran, compilation and work for others included.
        self.waited = waited + time.perf_counter() - started - call.seconds


@contextlib.contextmanager
def turn():
    """A block in which a task fits an estimator.

    On one CPU no fits are stacked, so few tasks are in it at a time: more would only
    wait for Python's lock, and a search of 150 small fits took a third longer. Tasks of
    a call inside the block have their turn already.
    """
    member = scopes.member()
    if member is None or _has_turn.get():
        yield
        return
    started = time.perf_counter()
    with contextlib.ExitStack() as stack:
        # The first of all tasks imports the engine here, and the others wait for it.
        if _is_one_cpu(backends.current()):
            stack.enter_context(member.rendezvous.turn())
            stack.callback(_has_turn.reset, _has_turn.set(True))
        member.waited += time.perf_counter() - started
        yield


def _is_one_cpu(engine):
    names = engine.devices()
    return len(names) == 1 and names[0].startswith("cpu")


class _Ticket:
    """A call that waits to be carried out, and whether that was tried."""

    def __init__(self, call):
        self.call = call
        self.is_done = False


class CancelledError(RuntimeError):
    """A task was ended because its search was."""


def reason_to_run_alone(model, engine, data, callbacks):
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


def _groups(tickets):
    groups = {}
    for ticket in tickets:
        groups.setdefault(ticket.call.group(), []).append(ticket)
    return groups.values()


def _run_group(tickets):
    """Run calls of one program in stacks; what is left over is to run alone."""
    width = widths.of(tickets[0].call)
    while len(tickets) > 1 and width.most > 1:
        members = tickets[: width.most]
        try:
            _run_stack(Stack([ticket.call for ticket in members], width.most), width)
        except Exception as error:
            # What is wrong with a call itself is raised when it runs alone.
            width.halve()
            if not tickets[0].call.engine.is_out_of_memory(error):
                warnings.warn(
                    f"A stack of {len(members)} fits failed: {error}", stacklevel=2
                )
        tickets = [ticket for ticket in tickets if ticket.call.passes_left]


def _run_stack(stack, width):
    stack.compile()
    if not stack.fits():
        width.halve()
        return
    stack.run()
    width.measured(stack)


class Width:
    """How many members of one program run at once, found by measuring.

    On one CPU calls run alone, as many at a time as there are cores: a search of 150
    small fits took 20 s so, and more than 100 s in stacks.

    Args:
        devices: the number of devices.
        is_one_cpu: whether there is one device, a CPU.

    Attributes:
        most: the most members of a stack; 1: calls run alone, on all cores.
        decided: whether all widths that may pay were measured.
    """

    def __init__(self, devices, is_one_cpu=False):
        self.devices = devices
        self.is_one_cpu = is_one_cpu
        self.most = 1
        self.decided = False
        self._seconds = {}
        self._lock = threading.Lock()

    def consider(self, call, tasks):
        """Try stacks if the work ahead is worth another program."""
        alone = call.steps.seconds_per_step
        with self._lock:
            if self.most > 1 or self.decided or tasks < 2:
                return
            if self.devices == 1:
                if self.is_one_cpu or alone is None:
                    return
                ahead = tasks * call.steps_left * alone / _cores()
                if ahead < _WORTH * _SECONDS_TO_COMPILE:
                    return
                self._seconds[1] = alone / _cores()
            self.most = self._rounded(min(tasks, max(_FIRST_WIDTH, self.devices)))

    def _rounded(self, members):
        """Return a power of two, and a multiple of the number of devices."""
        width = 1 << (members.bit_length() - 1)
        return max(self.devices, width // self.devices * self.devices)

    def measured(self, stack):
        """Learn what a step of a member takes in a stack of this width."""
        found = stack.program.seconds_per_step
        with self._lock:
            if found is None or self.decided or stack.width != self.most:
                return
            self._seconds[stack.width] = found / stack.width
            best = min(self._seconds, key=self._seconds.get)
            self.decided = best != stack.width
            self.most = best if self.decided else 4 * stack.width

    def halve(self):
        """Use fewer members: so many do not fit into memory."""
        with self._lock:
            self.most = self._rounded(self.most // 2) if self.most > 1 else 1
            self.decided = True


class _Widths:
    """The Width of each program, for as long as a search uses it."""

    def __init__(self):
        self._known = {}
        self._lock = threading.Lock()

    def of(self, call):
        key = call.steps.key
        with self._lock:
            if key not in self._known:
                if len(self._known) >= 256:
                    self._known.clear()
                engine = call.engine
                self._known[key] = Width(len(engine.devices()), _is_one_cpu(engine))
            return self._known[key]


widths = _Widths()


def _cores():
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
