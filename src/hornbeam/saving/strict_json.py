"""JSON from a file of unknown origin, within limits."""

from __future__ import annotations

import collections
import json
from typing import Any

from hornbeam.core.errors import UnsafeFileError

MAX_BYTES = 32 << 20
_MAX_DEPTH = 200
_MAX_VALUES = 2_000_000
# Each value but the first follows one of these, also in an empty list or object.
_STARTS = ("[", "{", ",")


def loads(text: str | bytes, what: str) -> Any:
    """Return what the JSON `text` holds; `what` names it in errors."""
    if len(text) > MAX_BYTES:
        raise UnsafeFileError(
            f"{what} is {len(text)} bytes long; at most {MAX_BYTES} are read."
        )
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        if sum(text.count(start) for start in _STARTS) > _MAX_VALUES:
            raise UnsafeFileError(f"it holds more than {_MAX_VALUES} values.")
        value = json.loads(text, object_pairs_hook=_without_duplicates)
    except UnsafeFileError as error:
        raise UnsafeFileError(f"{what}: {error}") from None
    except RecursionError:
        raise UnsafeFileError(f"{what} is nested too deeply.") from None
    except ValueError as error:
        raise ValueError(f"{what} is damaged: it is no JSON ({error}).") from None
    _check(value, what)
    return value


def _without_duplicates(pairs):
    entries = dict(pairs)
    if len(entries) != len(pairs):
        counts = collections.Counter(key for key, _ in pairs)
        ((repeated, _),) = counts.most_common(1)
        raise UnsafeFileError(f"the key {repeated!r} stands twice in an object.")
    return entries


def _check(value, what):
    level, count = [value], 0
    for _ in range(_MAX_DEPTH):
        following: list[object] = []
        for item in level:
            if isinstance(item, dict):
                following += item.values()
                following += item.keys()
            elif isinstance(item, list):
                following += item
            elif isinstance(item, str):
                _check_text(item, what)
        count += len(following)
        if count > _MAX_VALUES:
            raise UnsafeFileError(f"{what} holds more than {_MAX_VALUES} values.")
        if not following:
            return
        level = following
    raise UnsafeFileError(f"{what} is nested more than {_MAX_DEPTH} deep.")


def _check_text(text, what):
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UnsafeFileError(f"{what} holds half of a character: {text!r}.") from None
