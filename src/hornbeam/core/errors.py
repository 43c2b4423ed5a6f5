"""Error classes and the sentences that errors share."""

from __future__ import annotations

import contextlib
import difflib
import math
import operator
import os
import reprlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "SLIPS",
    "BackendMismatchError",
    "DamagedConfigError",
    "DamagedFileError",
    "UnknownObjectError",
    "UnsafeFileError",
    "check_choice",
    "check_number",
    "check_path",
    "damage_of",
    "did_you_mean",
    "is_from_users_code",
    "shown",
]


class BackendMismatchError(ValueError, TypeError):
    """A tensor or variable of one engine was given to another."""


class UnsafeFileError(ValueError):
    """A file asks for something that loading a model must never do."""


class DamagedFileError(ValueError):
    """A file cannot be read: it was cut off or changed, or holds nothing possible.

    The message names the file and the part of it.
    """


class DamagedConfigError(DamagedFileError, TypeError):
    """A damaged file, told by a TypeError."""


class UnknownObjectError(UnsafeFileError, TypeError):
    """A config names a class or function that a file may not hold, or nobody knows."""


# What code raises that meets data which it did not expect.
SLIPS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    NotImplementedError,
    RecursionError,
    UnicodeError,
)
# Modules whose errors tell of data; what others raise is told as it is.
_READERS = sys.stdlib_module_names | set(
    "h5py hornbeam jax jaxlib keras ml_dtypes numpy optree safetensors tensorflow "
    "torch".split()
)


@contextlib.contextmanager
def damage_of(what: str, *kinds: type[Exception]) -> Iterator[None]:
    """Inside, errors of these kinds become a `DamagedFileError` of `what`.

    Errors of a user's code stay as they are, and `UnsafeFileError`. A
    `DamagedFileError` from inside gets the name too.

    Args:
        what: the name of a file, or of a part of one.
        *kinds: classes of errors.
    """
    try:
        yield
    except UnsafeFileError:
        raise
    except DamagedFileError as error:
        if what in str(error):
            raise
        raise type(error)(f"{what}: {error}") from error.__cause__
    except kinds as error:
        if is_from_users_code(error):
            raise
        is_type = isinstance(error, TypeError)
        name = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise (DamagedConfigError if is_type else DamagedFileError)(
            f"{what} is damaged: {name}{str(error)[:_LONGEST_TEXT]}"
        ) from error


_short = reprlib.Repr()
_short.maxlevel, _short.maxdict, _short.maxlist, _short.maxtuple = 3, 20, 10, 10
_short.maxstring = _short.maxother = 200


def shown(value: Any) -> str:
    """Return what `repr` gives, with less of what is long."""
    return _short.repr(value)[:_LONGEST_TEXT]


def is_from_users_code(error: BaseException) -> bool:
    """Whether code that is neither the library's nor a library's of it was running."""
    traceback = error.__traceback__
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__"))
        if module.partition(".")[0] not in _READERS:
            return True
        traceback = traceback.tb_next
    return False


# Longer ones are like no name; a file may hold one of megabytes.
_LONGEST_NAME = 200
_LONGEST_TEXT = 2000


def did_you_mean(name: Any, known: Iterable[Any]) -> str:
    """Return `" Did you mean 'x'?"` for the known name nearest to `name`, or `""`.

    Initials, such as `lr`, stand for a name. Names that are alike but for upper and
    lower case come last.
    """
    name, known = str(name), [str(k) for k in known]
    if name in known or len(name) > _LONGEST_NAME:
        return ""
    by_lower = {k.lower(): k for k in known}
    near = (
        [k for k in known if len(name) > 1 and _initials(k) == name]
        or difflib.get_close_matches(name, known, n=1)
        or [by_lower[k] for k in difflib.get_close_matches(name.lower(), by_lower, n=1)]
    )
    return f" Did you mean {near[0]!r}?" if near else ""


def _initials(name):
    return "".join(part[:1] for part in name.split("_"))


def check_choice(owner: str, argument: str, value: Any, choices: Iterable[Any]) -> Any:
    """Return `value` if it is one of `choices`; the error names owner and argument."""
    if value in choices:
        return value
    expected = ", ".join(repr(choice) for choice in choices)
    raise ValueError(
        f"Invalid value for argument `{argument}` of {owner}. Expected one of "
        f"{expected}. Received: {argument}={value!r}.{did_you_mean(value, choices)}"
    )


def check_path(owner: str, argument: str, value: Any) -> Path:
    """Return `value` as a path; the error names owner and argument."""
    if isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        if "\0" in text or "://" in text:
            hint = (
                ""
                if "\0" in text
                else (
                    ": copy the file to this machine, e.g. with `keras.utils.get_file`"
                )
            )
            raise ValueError(
                f"Argument `{argument}` of {owner} must be the path of a local file"
                f"{hint}. Received: {argument}={text!r}"
            )
        return Path(value)
    raise TypeError(
        f"Invalid value for argument `{argument}` of {owner}. Expected a path: a "
        f"string or a `pathlib.Path`. Received: {argument}={shown(value)}"
    )


def check_number(
    owner: str,
    argument: str,
    value: Any,
    low: float | None = None,
    high: float | None = None,
    integer: bool = False,
    above: float | None = None,
    below: float | None = None,
    finite: bool = False,
) -> Any:
    """Return `value` if it is a number within the limits, and not NaN.

    Args:
        owner: whose argument it is, for the error.
        argument: its name.
        value: what was received.
        low: the least value, or None.
        high: the greatest value, or None.
        integer: whether it must be a whole number.
        above: the value must be greater than this, or None.
        below: the value must be less than this, or None.
        finite: whether infinity is refused.
    """
    limits: Any = ((low, ">=", operator.ge), (above, ">", operator.gt))
    limits += ((high, "<=", operator.le), (below, "<", operator.lt))
    limits = tuple(limit for limit in limits if limit[0] is not None)
    try:
        good = not isinstance(value, bool | str) and float(value) == value
        good = good and (not integer or int(value) == value)
        good = good and not (finite and math.isinf(value))
        good = good and all(holds(value, limit) for limit, _, holds in limits)
    except (TypeError, ValueError, OverflowError):
        good = False
    if good:
        return value
    kind = "an integer" if integer else "a finite number" if finite else "a number"
    expected = " and".join(f" {sign} {limit}" for limit, sign, _ in limits)
    raise ValueError(
        f"Invalid value for argument `{argument}` of {owner}. Expected {kind}{expected}"
        f". Received: {argument}={value!r}"
    )
