"""Programs: many steps of training, evaluation or prediction as one compiled call.

A program is a function of values: the state of the model, the hyperparameters, the data
and which steps to run. It is compiled ahead of time and kept under the structure of the
model and the shapes of the data, so it serves every model of that structure, and it
holds none of them.
"""

from __future__ import annotations

import collections
import threading
import time
import weakref
from typing import Any

from hornbeam.core import scopes
from hornbeam.core.session import on_clear

# What is not compiled to machine code, but a list of calls.
_BYTES_OF_CALLS = 1 << 18


class ProgramCache:
    """A bounded memory of programs: the one unused for longest goes first.

    Those that models have in use are known as long as these live.

    Args:
        size: the most programs that are kept. Default: 256
        most_bytes: the most bytes of all of them; the last one is always kept.
            Default: 32 MiB
    """

    def __init__(self, size: int = 256, most_bytes: int = 32 << 20) -> None:
        self.size = size
        self.most_bytes = most_bytes
        self.compilations: int = 0
        self._programs: collections.OrderedDict[Any, Any] = collections.OrderedDict()
        self._alive: weakref.WeakValueDictionary[Any, Any] = (
            weakref.WeakValueDictionary()
        )
        self._lock = threading.Lock()
        self._locks: dict[Any, threading.Lock] = {}

    def get(self, key: Any, make: Any) -> Any:
        """Return the program under `key`; `make()` compiles it where there is none.

        Threads that ask for one program at the same time wait for one compilation. It
        counts as time that their tasks waited: the program serves all.
        """
        with self._lock:
            program = self._find(key)
            if program is not None:
                return program
            compiling = self._locks.setdefault(key, threading.Lock())
        started = time.perf_counter()
        try:
            with compiling:
                with self._lock:
                    program = self._find(key)
                return program if program is not None else self._make(key, make)
        finally:
            worker = scopes.worker()
            if worker is not None:
                worker.waited += time.perf_counter() - started

    def find(self, key: Any) -> Any:
        """Return the program under `key`, or None."""
        with self._lock:
            return self._find(key)

    def keep(self, key: Any, program: Any) -> None:
        """Put `program` under `key`."""
        with self._lock:
            self._programs[key] = self._alive[key] = program
            while len(self._programs) > 1 and (
                len(self._programs) > self.size or self._bytes() > self.most_bytes
            ):
                self._programs.popitem(last=False)

    def _bytes(self):
        """The bytes of all programs; one may be there under several keys."""
        programs = {id(p): p for p in self._programs.values()}.values()
        return sum(getattr(p, "bytes", _BYTES_OF_CALLS) for p in programs)

    def _find(self, key):
        program = self._programs.get(key)
        if program is None:
            return self._alive.get(key)
        self._programs.move_to_end(key)
        return program

    def _make(self, key, make):
        try:
            with scopes.compiling():
                program = make()
            self.compilations += 1
            self.keep(key, program)
            return program
        finally:
            with self._lock:
                self._locks.pop(key, None)

    def clear(self) -> None:
        """Forget all programs."""
        with self._lock:
            self._programs.clear()
            self._alive.clear()


cache: ProgramCache = ProgramCache()
on_clear(lambda free_memory: cache.clear() if free_memory else None)

_MANY_STEPS = 32


class Program:
    """A compiled function of state, hyperparameters and data.

    Args:
        engine: the engine.
        executable: what it compiled.
        output_spec: the form in which the flat outputs are given back.

    Attributes:
        bytes: about how much memory it takes.
        seconds_per_step: the least that a step took in a call of many, or None.
    """

    def __init__(self, engine: Any, executable: Any, output_spec: Any) -> None:
        self.executable = executable
        self.bytes: int = engine.program_bytes(executable)[0]
        self.output_spec = output_spec
        self.seconds_per_step: Any = None

    def record(self, steps: Any, seconds: float) -> None:
        """Record a call's duration; calls of few steps are ignored."""
        if steps >= _MANY_STEPS:
            latest, least = seconds / steps, self.seconds_per_step
            self.seconds_per_step = latest if least is None else min(latest, least)
