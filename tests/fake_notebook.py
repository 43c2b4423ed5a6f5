"""A notebook for tests: what is displayed in it is kept."""

import sys
import types


class Handle:
    """A display: `shown` is all that it has shown, the latest at the end."""

    def __init__(self, first):
        self.shown = [first]

    def update(self, shown):
        self.shown.append(shown)


def in_notebook(monkeypatch, module, console):
    """Let this process be a notebook; return the list of the handles to come.

    Args:
        monkeypatch: pytest's.
        module: the module that asks for the console.
        console: the name of the function by which it asks.
    """
    handles = []

    def display(shown, display_id=False):
        assert display_id
        handles.append(Handle(shown))
        return handles[-1]

    displays = types.ModuleType("IPython.display")
    displays.display, displays.HTML = display, str
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", displays)
    found = types.SimpleNamespace(is_jupyter=True, is_terminal=False)
    monkeypatch.setattr(module, console, lambda: found)
    return handles
