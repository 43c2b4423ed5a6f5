"""Numbers that are inputs of a compiled program.

A class lists them as attributes, `rate = Hyperparameter()`. Reading `layer.rate` gives
the Python number that was assigned; while a program is traced it gives the program's
input. So a change of the number, or another object of the same structure with another
number, needs no new program.
"""

from __future__ import annotations

import contextlib
import functools
import numbers
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from hornbeam.core.errors import check_number

_inputs: ContextVar[Any] = ContextVar("hornbeam_hyperparameters", default=None)


class Hyperparameter:
    """A descriptor for a number that a program takes as an input.

    `rate: float = Hyperparameter(low=0, high=1)` reads, and is seen by type checkers,
    as a float. What is assigned must be a number within the limits; a tensor is taken
    as it is.

    Args:
        optional: whether None may stand for no number.
        several: whether a list of numbers may stand in its place.
        **limits: those of `core.errors.check_number`.
    """

    _free: tuple[type, ...]
    _limits: dict[str, Any]

    def __new__(
        cls, optional: bool = False, several: bool = False, **limits: Any
    ) -> Any:
        self = super().__new__(cls)
        self._free = (bool,)
        self._free += (type(None),) if optional else ()
        self._free += (list, tuple) if several else ()
        self._limits = limits
        return self

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.slot: str = f"_hyperparameter_{name}"

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        inputs = _inputs.get()
        if inputs is not None:
            value = inputs.get((id(instance), self.name))
            if value is not None:
                return value
        try:
            return instance.__dict__[self.slot]
        except KeyError:
            raise AttributeError(
                f"{type(instance).__name__!r} object has no attribute {self.name!r}"
            ) from None

    def __set__(self, instance: Any, value: Any) -> None:
        is_tensor = hasattr(value, "dtype") and not isinstance(value, np.generic)
        if not (is_tensor or isinstance(value, self._free)):
            owner = type(instance).__name__
            check_number(owner, self.name, value, **self._limits)
        instance.__dict__[self.slot] = value


@functools.lru_cache(maxsize=1024)
def hyperparameter_names(cls: type) -> tuple[str, ...]:
    """Return the names of the class's hyperparameters."""
    return tuple(
        name
        for base in reversed(cls.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, Hyperparameter)
    )


def is_lifted(value: Any) -> bool:
    """Whether a hyperparameter's value becomes an input: a number and not a bool."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


@contextlib.contextmanager
def plain_hyperparameters() -> Iterator[None]:
    """Inside the block hyperparameters read as Python numbers, even in a program.

    For what is built there: it is structure.
    """
    token = _inputs.set(None)
    try:
        yield
    finally:
        _inputs.reset(token)


@contextlib.contextmanager
def hyperparameter_inputs(
    owners: Iterable[tuple[Any, str]], values: Iterable[Any]
) -> Iterator[None]:
    """Inside the block the `(object, name)` pairs in `owners` read as `values`."""
    table = {
        (id(instance), name): value
        for (instance, name), value in zip(owners, values, strict=True)
    }
    token = _inputs.set(table)
    try:
        yield
    finally:
        _inputs.reset(token)
