"""How many calls of a program run as one stack: found by measuring."""

from __future__ import annotations

import os
import threading
from typing import Any

# Stacking is tried where the work ahead takes so many times as long as the compilation
# of another program.
_WORTH = 8.0
_SECONDS_TO_COMPILE = 1.0
# How many members the first stack has at most; each success allows four times as many.
_FIRST_WIDTH = 16


class StackWidth:
    """How many calls of one program run in a stack.

    On one CPU calls run alone, as many at a time as there are cores: a search of 150
    small fits took 20 s so, and more than 100 s in stacks.

    Args:
        devices: the number of devices.
        is_one_cpu: whether there is one device, a CPU.

    Attributes:
        most: the most members of a stack; 1: calls run alone, on all cores.
        decided: whether all widths that may pay were measured.
    """

    def __init__(self, devices: int, is_one_cpu: bool = False) -> None:
        self.devices = devices
        self.is_one_cpu = is_one_cpu
        self.most: int = 1
        self.decided: bool = False
        self._seconds: dict[int, float] = {}
        self._lock = threading.Lock()

    def consider(self, call: Any, tasks: int) -> None:
        """Try stacks if the work ahead is worth another program.

        Args:
            call: a ProgramCall.
            tasks: how many tasks are busy.
        """
        alone = call.steps.seconds_per_step
        with self._lock:
            if self.most > 1 or self.decided or tasks < 2:
                return
            if self.devices == 1:
                if self.is_one_cpu or alone is None:
                    return
                ahead = tasks * call.steps_left * alone / cores()
                if ahead < _WORTH * _SECONDS_TO_COMPILE:
                    return
                self._seconds[1] = alone / cores()
            self.most = self._rounded(min(tasks, max(_FIRST_WIDTH, self.devices)))

    def _rounded(self, members):
        """Return a power of two, and a multiple of the number of devices."""
        width = 1 << (members.bit_length() - 1)
        return max(self.devices, width // self.devices * self.devices)

    def record(self, stack: Any) -> None:
        """Record how long a step of a member took in a stack that has run."""
        seconds = stack.program.seconds_per_step
        with self._lock:
            if seconds is None or self.decided or stack.width != self.most:
                return
            self._seconds[stack.width] = seconds / stack.width
            best = min(self._seconds, key=self._seconds.__getitem__)
            self.decided = best != stack.width
            self.most = best if self.decided else 4 * stack.width

    def halve(self) -> None:
        """Use fewer members: there is not enough memory for so many."""
        with self._lock:
            self.most = self._rounded(self.most // 2) if self.most > 1 else 1
            self.decided = True


class _StackWidths:
    """The StackWidth of each program, for as long as a search uses it."""

    def __init__(self):
        self._by_program = {}
        self._lock = threading.Lock()

    def of(self, call):
        """Return the StackWidth of the call's program."""
        key = call.steps.key
        with self._lock:
            if key not in self._by_program:
                if len(self._by_program) >= 256:
                    self._by_program.clear()
                engine = call.engine
                width = StackWidth(len(engine.devices()), is_one_cpu(engine))
                self._by_program[key] = width
            return self._by_program[key]


stack_widths: Any = _StackWidths()


def is_one_cpu(engine: Any) -> bool:
    """Whether the engine has one device, a CPU."""
    names = engine.devices()
    return len(names) == 1 and names[0].startswith("cpu")


def cores() -> Any:
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
