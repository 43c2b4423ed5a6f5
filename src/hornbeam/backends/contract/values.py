"""Objects in the functions of the engine's own library. Optional."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def take_as_value(cls: type, value_of: Callable[[Any], Any]) -> None:
    """Let the library's own functions take objects of `cls` as `value_of(x)`.

    An engine has it where methods of the class do not suffice for that.
    """
