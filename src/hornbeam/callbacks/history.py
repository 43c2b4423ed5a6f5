"""`History`: the logs of each epoch, and how long they took."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from hornbeam.callbacks.callback import Callback
from hornbeam.core.lazy import public
from hornbeam.typing import Logs


class History(Callback):
    """Keeps the logs of the epochs; `fit` returns it.

    `history.epoch` lists the epochs, `history.history` maps each name to its values.
    `history.seconds` lists how long each epoch took, with its validation; epochs that
    ran in one call of a program share its time. `history.time` maps "total",
    "compiling", and, without compilation, "validation" and "callbacks" (their methods
    for batches and for the ends of epochs) to seconds.

    >>> import hornbeam as keras
    >>> history = keras.callbacks.History()
    >>> history.on_train_begin()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    state_attributes: Mapping[str, type] = {"epoch": list, "history": dict}

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}
        self._start_clocks()

    @property
    def epochs_may_wait(self) -> bool:
        """They may: the logs are only kept."""
        return True

    def _start_clocks(self):
        self.seconds: list[float] = []
        self.time: dict[str, float] = {}
        self._began = self._epoch_began = self._test_began = time.perf_counter()
        self._together = slice(0)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Clear the history."""
        self.epoch = []
        self.history = {}
        self._start_clocks()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start the clock of the epoch."""
        self._epoch_began = time.perf_counter()

    def on_test_begin(self, logs: Logs = None) -> None:
        """Start the clock of a validation."""
        self._test_began = self.clock()

    def on_test_end(self, logs: Logs = None) -> None:
        """Stop it."""
        self.add("validation", self.clock() - self._test_began)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Keep the logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self
        self.seconds.append(time.perf_counter() - self._epoch_began)
        if len(self.seconds) == self._together.stop:
            self._share()

    def on_train_end(self, logs: Logs = None) -> None:
        """Stop the clocks."""
        self._share()
        self.time["total"] = time.perf_counter() - self._began

    def run_together(self, passes: int) -> None:
        """Take that the next epochs, whose events are to come, ran in one call."""
        first = len(self.seconds)
        self._together = slice(first, first + passes)

    def _share(self):
        together = self.seconds[self._together]
        if together:
            mean = sum(together) / len(together)
            self.seconds[self._together] = [mean] * len(together)

    def clock(self) -> float:
        """Return the time in seconds without that of compilations."""
        return time.perf_counter() - self.time.get("compiling", 0.0)

    def add(self, what: str, seconds: float) -> None:
        """Add to a time, such as "validation"."""
        self.time[what] = self.time.get(what, 0.0) + seconds

    @contextlib.contextmanager
    def compiling(self, shown: Any = None) -> Iterator[None]:
        """A block that compiles a program, which `shown`, a block, shows."""
        started = time.perf_counter()
        try:
            with shown or contextlib.nullcontext():
                yield
        finally:
            self.add("compiling", time.perf_counter() - started)

    def _repr_html_(self) -> str:
        return public("visualization", "to_html")(self)
