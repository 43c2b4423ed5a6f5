"""Bars of rich in a notebook, where rich itself needs widgets that may be missing."""

from __future__ import annotations

import functools
import html
import importlib
import io
from typing import Any

_COLUMNS = 100


@functools.cache
def in_notebook(kind: Any) -> Any:
    """Return a subclass of a class of rich's Progress that IPython shows, as text.

    Nothing is shown before the first `refresh()` after `start()`, so what ends at once
    leaves no trace.
    """
    from rich.console import Console

    class ShownByIPython(kind):
        _handle: Any = None
        _is_started = False

        def start(self) -> None:
            """Show what comes from now on."""
            self._is_started = True

        def refresh(self) -> None:
            """Show the state."""
            if not self._is_started:
                return
            lines = io.StringIO()
            looks: Any = {"color_system": None, "force_jupyter": False}
            Console(file=lines, width=_COLUMNS, **looks).print(self.get_renderable())
            self._draw(f"<pre>{html.escape(lines.getvalue().rstrip())}</pre>")

        def stop(self) -> None:
            """Leave the last state, or nothing if the bar is transient."""
            self._is_started = False
            if self.live.transient and self._handle is not None:
                self._draw("")

        def _draw(self, content):
            display = importlib.import_module("IPython.display")
            shown = display.HTML(content)
            if self._handle is None:
                self._handle = display.display(shown, display_id=True)
            else:
                self._handle.update(shown)

    return ShownByIPython
