"""Records of what JAX does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jax


def start_trace(folder: str) -> Callable[[], Any]:
    jax.profiler.start_trace(folder)
    return jax.profiler.stop_trace


def first_not_finite(run: Callable[[], Any]) -> str | None:
    try:
        with jax.debug_nans(True), jax.debug_infs(True):
            run()
    except FloatingPointError as error:
        found = re.search(r"encountered in (?:jit\()?(\w+)", str(error))
        return found[1] if found else None
    return None
