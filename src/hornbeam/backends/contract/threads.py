"""How many threads a step runs on. Optional: an engine may decide that by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any


def work_of(step: Callable[[], Any]) -> tuple[Any, float]:
    """`step()`, and how often its biggest operation is worth a second thread."""


def step_threads(work: float) -> contextlib.AbstractContextManager:
    """A block that runs steps of so much work on the threads that pay."""
