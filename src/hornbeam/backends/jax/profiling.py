"""Records of what JAX does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax


def start_trace(folder: str) -> Callable[[], Any]:
    jax.profiler.start_trace(folder)
    return jax.profiler.stop_trace
