"""Bars of rich in a notebook, where rich itself needs widgets that may be missing."""

from __future__ import annotations

import functools
import html
import io
from typing import Any

from hornbeam.utils.notebook_output import NotebookOutput

_COLUMNS = 100


@functools.cache
def in_notebook(kind: Any) -> Any:
    """Return a subclass of a class of rich's Progress that IPython shows, as text.

    Nothing is shown before the first `refresh()` after `start()`, so what ends at once
    leaves no trace.
    """
    from rich.console import Console

    class ShownByIPython(kind):
        _is_started = False

        @functools.cached_property
        def _output(self):
            return NotebookOutput()

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
            self._output.show(f"<pre>{html.escape(lines.getvalue().rstrip())}</pre>")

        def stop(self) -> None:
            """Leave the last state, or nothing if the bar is transient."""
            self._is_started = False
            if self.live.transient and self._output.is_shown:
                self._output.show("")

    return ShownByIPython
