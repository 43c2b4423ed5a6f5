"""JSON from a file of unknown origin, within limits.

What a text becomes takes more memory than the text: characters beyond Latin-1 widen
all of a string, and an empty list of two bytes takes 56. So how much it may become is
bounded before it is read, by counting.
"""

from __future__ import annotations

import collections
import json
from pathlib import Path
from typing import Any

from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.core.warning import warn

MAX_BYTES = 16 << 20
# Of texts that may hold characters beyond ASCII.
_MAX_WIDE_BYTES = 4 << 20
_MAX_DEPTH = 200
# What each of these characters may stand for takes in memory, and how much all may.
_SIZES = {"{": 232, "[": 88, ",": 40, ":": 16}
_MAX_SIZE = 48 << 20
_MAX_OBJECTS = 50_000
_MAX_TEXT = 64 << 10
_MAX_NUMBER = 1 << 64


def read(path: Path) -> Any:
    """Return what the JSON in a file holds; a long file is not read."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise UnsafeFileError(_too_long(path.name, size, MAX_BYTES))
    return loads(path.read_bytes(), path.name)


def loads(text: str | bytes, what: str) -> Any:
    """Return what the JSON `text` holds; `what` names it in errors."""
    escape: Any = b"\\u" if isinstance(text, bytes) else "\\u"
    wide = not text.isascii() or escape in text
    limit = _MAX_WIDE_BYTES if wide else MAX_BYTES
    if len(text) > limit:
        raise UnsafeFileError(_too_long(what, len(text), limit))
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        _check_counts(text)
        value = json.loads(text, object_pairs_hook=_without_duplicates)
    except UnsafeFileError as error:
        raise UnsafeFileError(f"{what}: {error}") from None
    except RecursionError:
        raise UnsafeFileError(f"{what} is nested too deeply.") from None
    except ValueError as error:
        raise DamagedFileError(f"{what} is damaged: it is no JSON ({error}).") from None
    _check(value, what)
    return value


def refusal(text: str, what: str) -> str | None:
    """Return why `loads` would not read what is about to be written, or None."""
    try:
        loads(text, what)
    except ValueError as error:
        return str(error)
    return None


def dumps(value: Any, what: str, **kwargs: Any) -> str:
    """Return `value` as JSON; a warning tells where `loads` will not read it.

    Args:
        value: plain data.
        what: the name of what is written, for the warning.
        **kwargs: those of `json.dumps`.
    """
    text = json.dumps(value, **kwargs)
    reason = refusal(text, what)
    if reason is not None:
        warn(f"What is being saved cannot be loaded again by this library: {reason}")
    return text


def _too_long(what, size, limit):
    return f"{what} is {size} bytes long; at most {limit} are read."


def _check_counts(text):
    if sum(size * text.count(mark) for mark, size in _SIZES.items()) > _MAX_SIZE:
        raise UnsafeFileError("it holds more values than are read.")
    if text.count('"class_name"') > _MAX_OBJECTS:
        raise UnsafeFileError(f"it holds more than {_MAX_OBJECTS} objects.")


def _without_duplicates(pairs):
    entries = dict(pairs)
    if len(entries) != len(pairs):
        counts = collections.Counter(key for key, _ in pairs)
        ((repeated, _),) = counts.most_common(1)
        raise UnsafeFileError(f"the key {repeated[:200]!r} stands twice in an object.")
    return entries


def _check(value, what):
    level = [value]
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
            elif isinstance(item, int) and abs(item) > _MAX_NUMBER:
                raise UnsafeFileError(f"{what} holds a number of over 64 bits.")
        if not following:
            return
        level = following
    raise UnsafeFileError(f"{what} is nested more than {_MAX_DEPTH} deep.")


def _check_text(text, what):
    if len(text) > _MAX_TEXT:
        raise UnsafeFileError(
            f"{what} holds a text of {len(text)} characters; at most {_MAX_TEXT} are "
            f"read: {text[:50]!r} ..."
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UnsafeFileError(
            f"{what} holds half of a character: {text[:50]!r}."
        ) from None
