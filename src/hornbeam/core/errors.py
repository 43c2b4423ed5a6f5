"""Error classes and the sentences that errors share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

__all__ = [
    "BackendMismatchError",
    "UnknownObjectError",
    "UnsafeFileError",
    "check_choice",
    "check_number",
    "did_you_mean",
]


class BackendMismatchError(ValueError, TypeError):
    """A tensor or variable of one engine was given to another."""


class UnsafeFileError(ValueError):
    """A file asks for something that loading a model must never do."""


class UnknownObjectError(UnsafeFileError, TypeError):
    """A config names a class or function that a file may not hold, or nobody knows."""


# Longer ones are like no name; a file may hold one of megabytes.
_LONGEST_NAME = 200


def did_you_mean(name: Any, known: Iterable[Any]) -> str:
    """Return `" Did you mean 'x'?"` for the known name nearest to `name`, or `""`.

    Names that are alike but for upper and lower case come last.
    """
    name, known = str(name), [str(k) for k in known]
    if name in known or len(name) > _LONGEST_NAME:
        return ""
    by_lower = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name, known, n=1) or [
        by_lower[k] for k in difflib.get_close_matches(name.lower(), by_lower, n=1)
    ]
    return f" Did you mean {near[0]!r}?" if near else ""


def check_choice(owner: str, argument: str, value: Any, choices: Iterable[Any]) -> Any:
    """Return `value` if it is one of `choices`; the error names owner and argument."""
    if value in choices:
        return value
    expected = ", ".join(repr(choice) for choice in choices)
    raise ValueError(
        f"Invalid value for argument `{argument}` of {owner}. Expected one of "
        f"{expected}. Received: {argument}={value!r}.{did_you_mean(value, choices)}"
    )


def check_number(
    owner: str,
    argument: str,
    value: Any,
    low: float | None = None,
    high: float | None = None,
    integer: bool = False,
) -> Any:
    """Return `value` if it is a number in `[low, high]`."""
    kinds = "an integer" if integer else "a number"
    try:
        good = not isinstance(value, bool | str) and float(value) == value
        good = good and (not integer or int(value) == value)
    except (TypeError, ValueError):
        good = False
    if good and (low is None or value >= low) and (high is None or value <= high):
        return value
    limits = "" if low is None else f" >= {low}"
    limits += "" if high is None else f"{' and' if limits else ''} <= {high}"
    raise ValueError(
        f"Invalid value for argument `{argument}` of {owner}. Expected {kinds}{limits}"
        f". Received: {argument}={value!r}"
    )
