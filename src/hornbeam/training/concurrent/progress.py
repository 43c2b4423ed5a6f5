"""The display of a search while it runs."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from hornbeam.config.switches import is_interactive_logging_enabled
from hornbeam.utils.compile_notice import compile_notice
from hornbeam.utils.notebook_progress import in_notebook
from hornbeam.utils.printing import print_message

_SECONDS_BETWEEN_DISPLAYS = 0.2
_SECONDS_BETWEEN_LINES = 10.0


class SearchProgress:
    """Shows tasks done, rate, remaining time, and the best score so far.

    A live bar in a terminal or notebook; elsewhere a line every ten seconds.

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
        self._bar: Any = None
        self._lock = threading.Lock()
        self._reset()

    def begin(self) -> None:
        """Start the display of a call."""
        self.end()
        self._started = self._shown = time.perf_counter()
        if is_interactive_logging_enabled() and _can_show_bar():
            self._bar = _bar()
            self._bar.start()

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
            wait = _SECONDS_BETWEEN_DISPLAYS if self._bar else _SECONDS_BETWEEN_LINES
            if time.perf_counter() - self._shown >= wait:
                self._show()

    def end(self) -> None:
        """Show the last state, and take the display off."""
        with self._lock:
            if self._bar is not None:
                self._show()
                self._bar.stop()
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
                notice = compile_notice(self._bar and self._note_in_bar)
        try:
            with notice:
                yield
        finally:
            with self._lock:
                self._compilations -= 1

    def _note_in_bar(self, text):
        bar = self._bar
        if bar is not None:
            bar.update(bar.task_ids[0], note=text)
            bar.refresh()

    def _reset(self):
        self._bar = None
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
        best = "" if self._best is None else f"best score {self._best:.4g}"
        if self._bar is not None:
            self._bar.update(
                self._bar.task_ids[0],
                completed=self._done,
                total=total,
                rate=f"{rate:.3g}/s",
                best=best,
            )
            self._bar.refresh()
            return
        if self._compilations:
            # The line that says so has not ended.
            return
        self._lines += 1
        left = f"{(total - self._done) / rate:.0f}s left" if rate else ""
        parts = f"Search {self._done}/{total}", f"{rate:.3g}/s", left, best
        print_message(" - ".join(part for part in parts if part))


def _bar():
    from rich import progress

    console = _console()
    kind: Any = progress.Progress
    kind = in_notebook(kind) if console.is_jupyter else kind
    bar = kind(
        progress.TextColumn("Search"),
        progress.BarColumn(bar_width=20),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[best]}"),
        progress.TextColumn("{task.fields[note]}"),
        auto_refresh=False,
        console=console,
    )
    bar.add_task("Search", total=None, rate="", best="", note="")
    return bar


def _console():
    from rich.console import Console

    return Console(file=sys.stdout)


def _can_show_bar():
    console = _console()
    return console.is_terminal or console.is_jupyter
