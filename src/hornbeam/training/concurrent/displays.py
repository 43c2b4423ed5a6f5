"""What shows the progress of a search live: a bar in a terminal, HTML in a notebook."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from hornbeam.utils import charts, html
from hornbeam.utils.notebook_output import NotebookOutput


class State(NamedTuple):
    """How far a search has come.

    Attributes:
        done: how many tasks are done.
        total: how many there will be.
        running: how many have begun.
        rate: how many are done in a second.
        best: the best score so far, or None.
    """

    done: int
    total: int
    running: int
    rate: float
    best: float | None

    @property
    def left(self) -> str:
        """The time left, in words; "" if nothing is known of it."""
        if not self.rate:
            return ""
        seconds = round((self.total - self.done) / self.rate)
        minutes, hours = seconds // 60 % 60, seconds // 3600
        if not hours and not minutes:
            return f"{seconds}s left"
        if not hours:
            return f"{minutes}m {seconds % 60:02}s left"
        return f"{hours}h {minutes:02}m left"

    def words(self) -> list[str]:
        """Return what is shown beside a bar."""
        running = f"{self.running} running" if self.running else ""
        best = "" if self.best is None else f"best score {self.best:.4g}"
        parts = [running, f"{self.rate:.3g}/s", self.left, best]
        return [part for part in parts if part]


class TerminalDisplay:
    """A bar in a terminal."""

    def __init__(self) -> None:
        from rich import progress

        self._bar = progress.Progress(
            progress.TextColumn("Search"),
            progress.BarColumn(bar_width=20),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[words]}"),
            progress.TextColumn("{task.fields[note]}"),
            auto_refresh=False,
            console=console(),
        )
        self._task = self._bar.add_task("Search", total=None, words="", note="")
        self._bar.start()

    def show(self, state: State) -> None:
        """Show the state."""
        words = "  ".join(state.words())
        self._update(completed=state.done, total=state.total, words=words)

    def note(self, text: str) -> None:
        """Show a text, such as of a compilation."""
        self._update(note=text)

    def _update(self, **fields):
        self._bar.update(self._task, **fields)
        self._bar.refresh()

    def stop(self) -> None:
        """Take it off."""
        self._bar.stop()


class NotebookDisplay:
    """One display of a notebook, which is updated: a bar, and the best score so far."""

    def __init__(self) -> None:
        self._state = State(0, 0, 0, 0.0, None)
        self._note = ""
        self._places: list[int] = []
        self._best: list[float] = []
        self._output = NotebookOutput()

    def show(self, state: State) -> None:
        """Show the state."""
        self._state = state
        if state.best is not None:
            self._places.append(state.done)
            self._best.append(state.best)
        self._draw()

    def note(self, text: str) -> None:
        """Show a text, such as of a compilation."""
        self._note = text
        self._draw()

    def stop(self) -> None:
        """Leave what was shown last."""

    def _draw(self):
        self._output.show(self.html())

    def html(self) -> str:
        """Return what is shown."""
        state = self._state
        bar = charts.bar(state.done / max(1, state.total), 240)
        picture = ""
        if len(self._best) > 1:
            curve = {"best score so far": self._best}
            picture = charts.line_chart("candidates", self._places, curve)
        title = f"Search {state.done}/{state.total}"
        facts = html.head(title, " · ".join(state.words()), self._note)
        return html.block(facts, bar, picture)


def live_display() -> TerminalDisplay | NotebookDisplay | None:
    """Return a display for where the process writes; None where it cannot be live."""
    place = console()
    if place.is_jupyter:
        return NotebookDisplay()
    return TerminalDisplay() if place.is_terminal else None


def console() -> Any:
    """Return rich's console of the standard output."""
    from rich.console import Console

    return Console(file=sys.stdout)
