"""How much memory a config may take while objects are made from it.

A config of a hundred bytes can ask for a layer of a terabyte. So variables that are
made from a config get their first values when they are read, and not before: until
then a model of any size takes no memory, and what a file loads into it is never made
twice. What variables declare is counted nevertheless, and what is made at once, such
as a list of thresholds, is counted apart.

The scope is entered by whatever makes objects from configs: `from_config` of each
class, `deserialize_keras_object`, `load_model`, `model_from_json`. The outermost one
decides; only a file or a text that is being read sets limits of its own.
"""

from __future__ import annotations

import contextlib
import functools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from hornbeam.core.errors import SLIPS, UnsafeFileError, damage_of, shown

# A file, or a text, may declare variables of so many bytes, and so many times more for
# each byte of its arrays, or of its text where it has no arrays: a layer that takes a
# kilobyte of text may have millions of weights.
_LEAST = 512 << 20
_PER_BYTE_OF_ARRAYS = 16
_PER_BYTE_OF_TEXT = 64 << 10
# What may be made at once, while the objects are being made.
_AT_ONCE = 32 << 20
# What a config that comes from a program, and not from a file, may declare.
_OF_A_PROGRAM = 1 << 40
# What arrays in a file may grow to, by the bytes of the file.
_EXPANSION = 4
_SLACK = 16 << 20

_budget: ContextVar[Any] = ContextVar("memory_budget", default=None)
_limit: ContextVar[int | None] = ContextVar("memory_limit", default=None)


def in_safe_mode() -> bool:
    """Return whether objects are being made from a config: no path in it is opened."""
    return _budget.get() is not None


class _Budget:
    def __init__(self, declared, at_once):
        self.declared = declared
        self.at_once = at_once


@contextlib.contextmanager
def memory_limit(max_bytes: int) -> Iterator[None]:
    """Return a block in which files and configs may take `max_bytes` of memory.

    It holds for this thread, instead of the limits that follow from the size of a file
    or a text, for all that reads them: `load_model`, `load_weights`, `model_from_json`,
    `from_config` and `deserialize` of each class.

    Args:
        max_bytes: the number of bytes that the variables of a model may take, and that
            the arrays of a file may grow to.

    >>> import hornbeam as keras
    >>> text = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).to_json()
    >>> text = text.replace('"units": 2', '"units": 200000000')
    >>> with keras.saving.memory_limit(4 << 30):
    ...     model = keras.models.model_from_json(text)  # takes no memory yet
    >>> model.count_params()
    800000000
    """
    if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes < 0:
        raise ValueError(
            "Argument `max_bytes` of memory_limit() must be a number of bytes, an "
            f"integer. Received: max_bytes={max_bytes!r}"
        )
    token = _limit.set(max_bytes)
    try:
        yield
    finally:
        _limit.reset(token)


def declared_limit(file_size: int) -> int:
    """Return how many bytes the arrays and members of a file of that size may have."""
    limit = _limit.get()
    return _EXPANSION * file_size + _SLACK if limit is None else limit


def of_file(array_bytes: int) -> contextlib.AbstractContextManager[None]:
    """Return a block in which the model of a file with such arrays is made.

    It may declare more than the arrays: the state of optimizer and metrics, which
    a file of a model that was never trained does not have.
    """
    return _limited(limit_of_file(array_bytes), _AT_ONCE)


def limit_of_file(array_bytes: int) -> int:
    """Return how many bytes the model of a file with such arrays may declare."""
    limit = _limit.get()
    return _LEAST + _PER_BYTE_OF_ARRAYS * array_bytes if limit is None else limit


def limit_of_text(size: int) -> int:
    """Return how many bytes what a text of `size` bytes describes may declare."""
    limit = _limit.get()
    return _LEAST + _PER_BYTE_OF_TEXT * size if limit is None else limit


def limit_at_once() -> int:
    """Return how many bytes objects may take at once while they are made."""
    limit = _limit.get()
    return _AT_ONCE if limit is None else limit


def of_text(size: int) -> contextlib.AbstractContextManager[None]:
    """Return a block in which what a text of `size` bytes describes is made."""
    return _limited(limit_of_text(size), _AT_ONCE)


@contextlib.contextmanager
def _limited(declared, at_once):
    limit = _limit.get()
    if limit is not None:
        declared = at_once = limit
    token = _budget.set(_Budget(declared, at_once))
    try:
        yield
    finally:
        _budget.reset(token)


def bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that makes objects from a config, within limits."""

    @functools.wraps(function)
    def within_limits(*args: Any, **kwargs: Any) -> Any:
        if _budget.get() is not None:
            return function(*args, **kwargs)
        with (
            _limited(_OF_A_PROGRAM, _AT_ONCE),
            damage_of("The config", *SLIPS, TypeError),
        ):
            return function(*args, **kwargs)

    return within_limits


class BoundedConfig:
    """A base whose `from_config`, also that of a subclass, is `bounded`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        method = vars(cls).get("from_config")
        if isinstance(method, classmethod):
            bound: Any = classmethod(_of_config(bounded(method.__func__)))
            cls.from_config = bound  # type: ignore[attr-defined]


def _of_config(function):
    @functools.wraps(function)
    def from_config(cls, config, *args, **kwargs):
        if not isinstance(config, Mapping | list):
            raise TypeError(
                f"`{cls.__name__}.from_config()` takes what `get_config()` returned. "
                f"Received: config={shown(config)}"
            )
        return function(cls, config, *args, **kwargs)

    return from_config


def in_force() -> bool:
    """Whether objects are being made from a config here."""
    return _budget.get() is not None


def declare(shape: Sequence[int], dtype: str, path: str) -> None:
    """Count a variable; raises if it is too large for the config that asks for it."""
    budget = _budget.get()
    if budget is None:
        return
    bits = int((re.findall(r"\d+", dtype) or [8])[0])
    budget.declared -= math.prod(shape) * bits // 8
    if budget.declared < 0:
        raise UnsafeFileError(
            f"The config asks for variable {path!r} of shape {tuple(shape)}: with it "
            "the variables take more memory than is allowed for a config of its size. "
            "If it is trusted, allow more: "
            "`with keras.saving.memory_limit(number of bytes): ...`"
        )


def take(size: int, what: str) -> None:
    """Count memory that is about to be taken, in bytes.

    Args:
        size: the number of bytes.
        what: what takes it, for the error: "The thresholds of AUC".
    """
    budget = _budget.get()
    if budget is None:
        return
    budget.at_once -= size
    if budget.at_once < 0:
        raise UnsafeFileError(
            f"{what} would take {size} bytes, more than is allowed for the config that "
            "asks for them. If it is trusted, allow more: "
            "`with keras.saving.memory_limit(number of bytes): ...`"
        )
