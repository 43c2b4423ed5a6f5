"""What a live page shows: trainings, and the server that tells of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from hornbeam.callbacks.history import History
from hornbeam.utils.printing import print_message
from hornbeam.visualization.as_html import parts_of_history, parts_of_model
from hornbeam.visualization.live_server import LiveServer
from hornbeam.visualization.report_search import Candidates, sections_of_search
from hornbeam.visualization.run_report import settings_of, time_of, versions_of

_MOST_RUNS = 1000


class LiveBoard:
    """What a `keras.callbacks.LivePage` and its copies show: trainings, and a server.

    Args:
        port: the port; 0 takes a free one.
        stay: whether the server stays after the trainings.

    >>> import hornbeam as keras
    >>> keras.visualization.LiveBoard(0, False).url is None  # nothing trains
    True
    """

    def __init__(self, port: int, stay: bool) -> None:
        self.runs: list[_Run] = []
        self.server: LiveServer = LiveServer(port, "hornbeam", self.state)
        self._stay = stay
        self._held = 0
        self._lock = threading.RLock()
        self._fixed: list[tuple[str, str]] = []
        self._marks: Any = None
        self._version = 0

    @property
    def url(self) -> str | None:
        """The address while it is served, with its token; else None."""
        return self.server.url if self.server.is_running else None

    def hold(self, count: int) -> None:
        """Keep the page for the length of a block."""
        with self._lock:
            self._held += count
            if count > 0:
                self._start()
        self._stop_if_done()

    def begin(self, model: Any, params: Any) -> _Run:
        """Show a training that begins, and return what shows it."""
        with self._lock:
            run = _Run(len(self.runs), model, params)
            if not self.runs:
                self._fixed = _fixed_sections(model)
            self.runs.append(run)
            del self.runs[:-_MOST_RUNS]
            self._start()
        return run

    def end(self, run: _Run) -> None:
        """End what is shown of a training, and the server after the last one."""
        with self._lock:
            run.end()
        self._stop_if_done()

    def _start(self):
        if self.server.start():
            print_message(f"Live page: {self.server.url}")

    @property
    def _is_over(self):
        return not self._held and all(run.is_over for run in self.runs)

    def _stop_if_done(self):
        if self._is_over and not self._stay:
            self.server.stop()

    def state(
        self, since: int
    ) -> tuple[int, str, list[tuple[str, str | None]] | None, bool]:
        """Return the version, the status, the sections that are new, and the end."""
        with self._lock:
            runs, ended = list(self.runs), self._is_over
        marks = ended, [(run.number, run.mark) for run in runs]
        if marks != self._marks:
            self._marks = marks
            self._version += 1
        if since == self._version or not runs:
            return self._version, _status(runs), None, ended
        sections = _sections_of_run(runs[0]) if len(runs) == 1 else _of_all(runs)
        # What stays as it is is sent once.
        fixed = [(title, None if since else text) for title, text in self._fixed]
        return self._version, _status(runs), sections + fixed, ended


class _Run:
    """A training: its history, which grows, and where it is."""

    def __init__(self, number, model, params):
        self.number = number
        self.name = model.name
        self.history: History = model.history
        self.epochs = params.get("epochs") or 1
        self.steps = params.get("steps")
        self.step = 0
        self.began = time.monotonic()
        self.is_over = False
        self.settings = _settings(model)

    @property
    def done(self):
        """What part of the steps is done, from 0 to 1."""
        epochs = len(self.history.epoch)
        within = self.step / self.steps if self.steps else 0
        return min(1.0, (epochs + within % 1) / self.epochs)

    @property
    def mark(self):
        """What differs where there is something new."""
        return len(self.history.epoch), self.is_over

    def end(self):
        """Keep what is to be shown, and not the model."""
        kept = History()
        kept.epoch, kept.history = self.history.epoch, self.history.history
        kept.seconds, kept.time = self.history.seconds, self.history.time
        kept.params = self.history.params
        self.history, self.is_over = kept, True

    def status(self):
        """Return where it is, in words."""
        epochs = len(self.history.epoch)
        seconds = time.monotonic() - self.began
        parts = [f"epoch {min(epochs + (not self.is_over), self.epochs)}/{self.epochs}"]
        if self.is_over:
            parts = [f"ended after {epochs} epochs"]
        elif self.steps:
            parts.append(f"step {self.step}/{self.steps}")
            if self.done > 0:
                parts.append(f"{seconds * (1 / self.done - 1):.0f} s left")
        curves = self.history.history
        parts += [
            f"{name} {values[-1]:.4g}"
            for name, values in list(curves.items())
            if values and isinstance(values[-1], int | float)
        ]
        return " · ".join(parts)


def _status(runs):
    if not runs:
        return "no training has begun"
    if len(runs) == 1:
        return runs[0].status()
    over = sum(run.is_over for run in runs)
    return f"{over} of {len(runs)} trainings ended · {runs[-1].status()}"


def _sections_of_run(run):
    if not run.history.epoch:
        return [("Curves", "No epoch has ended.")]
    sections = [("Curves", "".join(parts_of_history(run.history)))]
    if run.history.seconds:
        sections.append(("Time", time_of(run.history)))
    return sections


def _of_all(runs):
    """Return the sections of several trainings, ranked by their (validation) loss."""
    curves = [dict(run.history.history) for run in runs]
    known = [c for c in curves if c]
    name = "val_loss" if known and all("val_loss" in c for c in known) else "loss"
    last = [(c.get(name) or [np.nan])[-1] for c in curves]
    nothing = np.full(len(runs), np.nan)
    found = Candidates(
        [run.settings or {"model": run.name} for run in runs],
        np.array(last, float),
        nothing,
        np.array([sum(run.history.seconds) for run in runs], float),
        name,
        -1,
        [[c] if c else [] for c in curves],
    )
    return sections_of_search(found)


def _fixed_sections(model):
    """Return what does not change while a model trains."""
    sections = []
    for title, make in _FIXED.items():
        try:
            sections.append((title, make(model)))
        except Exception as error:
            # A picture must not end a training.
            sections.append((title, f"cannot be shown: {type(error).__name__}"))
    return sections


_FIXED: dict[str, Callable[[Any], str]] = {
    "Model": lambda model: "".join(parts_of_model(model)),
    "Settings": settings_of,
    "Versions and seeds": versions_of,
}


def _settings(model):
    """Return numbers and words of layers and optimizer; those that differ are shown."""
    found = {}
    optimizer = getattr(model, "optimizer", None)
    parts = [*enumerate(model.layers), ("", optimizer)]
    for place, part in parts:
        try:
            config = part.get_config()
        except Exception:
            # What has no config has no settings to compare.
            continue
        kind = type(part).__name__
        for name, value in config.items():
            if name not in ("name", "seed") and isinstance(value, int | float | str):
                found[f"{kind}{place}.{name}"] = value
    if optimizer is not None:
        rate = optimizer.learning_rate
        found[f"{type(optimizer).__name__}.learning_rate"] = float(rate.numpy())
    return found
