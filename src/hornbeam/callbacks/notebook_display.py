"""What a training shows in a notebook: one display, with a bar and its curves."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from hornbeam.typing import Logs
from hornbeam.utils import charts, html
from hornbeam.utils.notebook_output import NotebookOutput
from hornbeam.utils.progbar import format_rate, format_value

_SECONDS_BETWEEN_DISPLAYS = 0.3


class NotebookDisplay:
    """A bar with live curves, in one display that is updated a few times a second.

    Args:
        epochs: how many there will be.
    """

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._epoch: list[int] = []
        self._curves: dict[str, list[Any]] = {}
        self._began = time.perf_counter()
        self._shown = -float("inf")
        self._title = self._words = self._note = ""
        self._output = NotebookOutput()

    # What a bar of a terminal has too: it folds the line of results.
    width = 10_000

    def begin(self, epoch: int, total: int | None) -> None:
        """Begin an epoch of `total` steps."""
        self._title = f"Epoch {epoch + 1}/{self._epochs}"
        self._total, self._step = total, 0
        self._draw()

    def show(self, step: int, logs: Logs | Callable[[], Logs], seconds: float) -> None:
        """Show that `step` steps of the epoch are done, unless it was just drawn."""
        self._step = step
        if self._is_early():
            return
        logs = logs() if callable(logs) else logs
        done = f"step {step}" if self._total is None else f"step {step}/{self._total}"
        parts = [done, format_rate(seconds, step)]
        self._words = " · ".join([*parts, *_values(logs or {})])
        self._draw()

    def note(self, text: str) -> None:
        """Show a text, such as of a compilation."""
        self._note = text
        self._draw(forced=True)

    def end_epoch(self, epoch: int, logs: Logs) -> None:
        """Add the results of an epoch to the curves."""
        self._epoch.append(epoch)
        for name, value in (logs or {}).items():
            self._curves.setdefault(name, []).append(value)
        self._words = " · ".join(_values(logs or {}))
        self._step = self._total or self._step
        self._draw()

    def stop(self) -> None:
        """Draw the last state."""
        seconds = time.perf_counter() - self._began
        self._note = f"{len(self._epoch)} epochs in {seconds:.1f}s"
        self._draw(forced=True)

    def _is_early(self):
        return time.perf_counter() - self._shown < _SECONDS_BETWEEN_DISPLAYS

    def _draw(self, forced=False):
        if self._is_early() and not forced:
            return
        self._shown = time.perf_counter()
        self._output.show(self.html())

    def html(self) -> str:
        """Return what is shown."""
        epochs = len(self._epoch)
        within = self._step / self._total if self._total else 0.0
        is_ended = bool(self._epoch) and self._title.startswith(f"Epoch {epochs}/")
        done = epochs + (0.0 if is_ended else min(1.0, within))
        bar = charts.bar(done / max(1, self._epochs), 240)
        pictures = charts.history_charts(self._epoch, self._curves)
        return html.block(
            html.head(self._title, self._words, self._note), bar, pictures
        )


def _values(logs):
    return [f"{name}: {format_value(value)}" for name, value in logs.items()]
