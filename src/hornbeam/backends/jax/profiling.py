"""Records of what JAX does."""

from __future__ import annotations

import jax


def start_trace(folder: str) -> None:
    jax.profiler.start_trace(folder)


def stop_trace() -> None:
    jax.profiler.stop_trace()
