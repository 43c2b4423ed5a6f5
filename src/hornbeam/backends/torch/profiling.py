"""Records of what torch does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["start_trace"]


def start_trace(folder: str) -> Callable[[], Any]:
    write = torch.profiler.tensorboard_trace_handler(folder)
    profiler = torch.profiler.profile(on_trace_ready=write)
    profiler.start()
    return profiler.stop
