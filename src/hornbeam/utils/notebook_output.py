"""One output under the cell of a notebook, which is replaced."""

from __future__ import annotations

import importlib
from typing import Any


class NotebookOutput:
    """An output that IPython makes with the first HTML, and updates with the next."""

    def __init__(self) -> None:
        self._handle: Any = None

    @property
    def is_shown(self) -> bool:
        """Whether there is anything to be seen."""
        return self._handle is not None

    def show(self, content: str) -> None:
        """Show this HTML in the place of the last."""
        display = importlib.import_module("IPython.display")
        shown = display.HTML(content)
        if self._handle is None:
            self._handle = display.display(shown, display_id=True)
        else:
            self._handle.update(shown)
