"""The display of a search while it runs."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from hornbeam.config.switches import is_interactive_logging_enabled
from hornbeam.training.concurrent.displays import State, live_display
from hornbeam.utils.compile_notice import compile_notice
from hornbeam.utils.printing import print_message

_SECONDS_BETWEEN_DISPLAYS = 0.2
_SECONDS_BETWEEN_LINES = 10.0


class SearchProgress:
    """Shows tasks done and running, rate, remaining time, and the best score so far.

    A live display in a terminal or notebook; elsewhere a line every ten seconds.

    Args:
        total: the number of tasks. Default: None (those that were started)
        splits: how many consecutive tasks are one candidate, whose score is their mean.
            Default: 1
        metric: which of several scores counts. Default: None (the first)
        sign: 1 where the greatest score is the best, else -1. Default: 1
    """

    def __init__(
        self,
        total: int | None = None,
        splits: int = 1,
        metric: str | None = None,
        sign: float = 1,
    ) -> None:
        self.total = total
        self.splits = splits
        self.metric = metric
        self.sign = sign
        self._display: Any = None
        self._lock = threading.Lock()
        self._reset()

    def begin(self) -> None:
        """Start the display of a call."""
        self.end()
        self._started = self._shown = time.perf_counter()
        if is_interactive_logging_enabled():
            self._display = live_display()

    def start(self) -> int:
        """Count a task that was started, and return its number."""
        with self._lock:
            self._started_tasks += 1
            return self._started_tasks - 1

    def done(self, number: int, results: Any) -> None:
        """Count task `number` as done; its results may hold scores."""
        with self._lock:
            self._done += 1
            for result in results if isinstance(results, list) else ():
                self._note(number, result)
            is_live = self._display is not None
            wait = _SECONDS_BETWEEN_DISPLAYS if is_live else _SECONDS_BETWEEN_LINES
            if time.perf_counter() - self._shown >= wait:
                self._show()

    def end(self, is_complete: bool = False) -> None:
        """Show the last state, and take the display off.

        Args:
            is_complete: whether there is nothing left to do. Default: False
        """
        with self._lock:
            if is_complete:
                self.total = None
            if self._display is not None:
                self._show()
                self._display.stop()
            elif self._lines:
                self._show()
            self._reset()

    @contextlib.contextmanager
    def compiling(self) -> Iterator[None]:
        """A block that compiles a program; the first of those under way is shown."""
        with self._lock:
            self._compilations += 1
            notice = contextlib.nullcontext()
            if self._compilations == 1:
                notice = compile_notice(self._display and self._note_live)
        try:
            with notice:
                yield
        finally:
            with self._lock:
                self._compilations -= 1

    def _note_live(self, text):
        display = self._display
        if display is not None:
            display.note(text)

    def _reset(self):
        self._display = None
        self._compilations = 0
        self._lines = 0
        self._started_tasks = self._done = 0
        self._scores: dict[int, list[float]] = defaultdict(list)
        self._best: float | None = None

    def _note(self, number, result):
        score = result.get("test_scores") if isinstance(result, dict) else None
        if isinstance(score, dict):
            score = score.get(self.metric, next(iter(score.values()), None))
        if not isinstance(score, float):
            return
        scores = self._scores[number // self.splits]
        scores.append(score)
        if len(scores) == self.splits:
            mean = sum(scores) / self.splits
            best = mean if self._best is None else self._best
            self._best = max(best, mean, key=lambda score: self.sign * score)

    def _show(self):
        self._shown = now = time.perf_counter()
        total = max(self.total or 0, self._started_tasks)
        rate = self._done / max(now - self._started, 1e-9)
        running = self._started_tasks - self._done
        state = State(self._done, total, running, rate, self._best)
        if self._display is not None:
            self._display.show(state)
            return
        if self._compilations:
            # The line that says so has not ended.
            return
        self._lines += 1
        print_message(" - ".join([f"Search {state.done}/{total}", *state.words()]))
