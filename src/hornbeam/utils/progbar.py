"""`Progbar`: a progress bar in one line of text."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from hornbeam.config.switches import is_interactive_logging_enabled
from hornbeam.utils.printing import logger


class Progbar:
    """Shows how many steps are done, the time, and averages of values.

    Args:
        target: the number of steps, or None if it is not known.
        width: the width of the bar in characters. Default: 20
        verbose: 0 is silent, 1 is a bar, 2 is one line at the end. Default: 1
        interval: seconds between two displays, at least. Default: 0.05
        stateful_metrics: names of values that are shown as they are; the others are
            averaged over the steps. Default: None (all are averaged)
        stateless_metrics: names of the values that are averaged; the others are shown
            as they are. Give one of the two. Default: None
        unit_name: what a step is called. Default: `"step"`

    >>> import hornbeam as keras
    >>> bar = keras.utils.Progbar(target=2, verbose=0)
    >>> bar.update(1, values=[("loss", 0.5)])
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` and `stateless_metrics` can be given. "
                f"Received: stateful_metrics={stateful_metrics}, "
                f"stateless_metrics={stateless_metrics}"
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.stateful_metrics: set[str] = set(stateful_metrics or ())
        self.stateless_metrics: set[str] | None = (
            None if stateless_metrics is None else set(stateless_metrics)
        )
        self.unit_name = unit_name
        self._sums: dict[str, tuple] = {}
        self._seen_so_far = 0
        self._start = time.time()
        self._last_shown = -math.inf
        self._last_length = 0

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Show that `current` steps are done.

        Args:
            current: the number of steps done.
            values: a list of `(name, value)`. Default: None
            finalize: whether this is the last update. Default: None (if the target
                is reached)
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or []:
            self._take(name, value, current - self._seen_so_far)
        self._seen_so_far = current
        now = time.time()
        due = now - self._last_shown >= self.interval
        if self.verbose == 1 and (due or finalize):
            self._last_shown = now
            self._show(current, now - self._start, finalize)
        elif self.verbose == 2 and finalize:
            self._show(current, now - self._start, True)

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Show that `n` more steps are done."""
        self.update(self._seen_so_far + n, values)

    def _take(self, name, value, steps):
        """Add a value, weighted by the steps that it stands for."""
        steps = max(steps, 1)
        if self._is_averaged(name):
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + np.asarray(value, float) * steps, count + steps)
        else:
            self._sums[name] = (value, 1)

    def _is_averaged(self, name):
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in self.stateful_metrics

    def _show(self, current, seconds, finalize):
        bar = self._bar(current) if self.verbose == 1 else ""
        target = "?" if self.target is None else self.target
        line = f"{current}/{target} {bar}"
        line += f"{seconds:.0f}s {format_rate(seconds, current, self.unit_name)}"
        values = [
            (n, total / max(count, 1)) for n, (total, count) in self._sums.items()
        ]
        line += "".join(f" - {name}: {format_value(value)}" for name, value in values)
        if not is_interactive_logging_enabled():
            if finalize:
                logger.info(line)
            return
        start = "\r" if self.verbose == 1 else ""
        end = "\n" if finalize else ""
        print(start + line.ljust(self._last_length), end=end, flush=True)
        self._last_length = len(line)

    def _bar(self, current):
        if not self.target:
            return ""
        done = int(self.width * min(current / self.target, 1.0))
        return "━" * done + "╌" * (self.width - done) + " "


def format_rate(seconds: float, steps: int, unit: str = "step") -> str:
    """Return the time per step, such as `"3ms/step"`."""
    each = seconds / max(steps, 1)
    for size, name in ((1.0, "s"), (1e-3, "ms")):
        if each >= size:
            return f"{each / size:.0f}{name}/{unit}"
    return f"{each * 1e6:.0f}us/{unit}"


def format_value(value: Any) -> str:
    """Return a number with four digits after the point, small ones with an exponent."""
    value = np.asarray(value, float)
    number = float(value.mean()) if value.size else math.nan
    return f"{number:.4f}" if abs(number) > 1e-3 or number == 0 else f"{number:.4e}"
