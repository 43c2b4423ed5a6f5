"""How much memory the variables of a model may take while a file is loaded.

A config of a hundred bytes can ask for a layer of a terabyte. What a file truly holds
is known before, so variables that are made from its config must fit it.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

from hornbeam.core.errors import UnsafeFileError

_budget: ContextVar[Any] = ContextVar("variable_budget", default=None)


class _Budget:
    def __init__(self, size):
        self.size = size
        self.used = 0


@contextlib.contextmanager
def limit(size: float) -> Iterator[None]:
    """Inside, variables of more than `size` bytes in all are refused."""
    token = _budget.set(_Budget(size))
    try:
        yield
    finally:
        _budget.reset(token)


def charge(shape: Sequence[int], dtype: str, path: str) -> None:
    """Count a variable that is about to be made."""
    budget = _budget.get()
    if budget is None:
        return
    bits = int((re.findall(r"\d+", dtype) or [8])[0])
    budget.used += math.prod(shape) * bits // 8
    if budget.used > budget.size:
        raise UnsafeFileError(
            f"The config in the file asks for variable {path!r} of shape "
            f"{tuple(shape)}, more than the file has weights for. If the file is "
            "trusted, build the model in code and use `load_weights()`."
        )
