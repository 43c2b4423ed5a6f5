"""How often layers have learnt from data what compiled programs hold as constants.

A model keeps its programs while this number stays, and looks again after a change.
"""

from __future__ import annotations

import itertools

_numbers = itertools.count(1)
_state = {"count": 0}


def count() -> int:
    """Return a number that differs after each change."""
    return _state["count"]


def note() -> None:
    """Say that a layer has changed what programs hold."""
    _state["count"] = next(_numbers)
