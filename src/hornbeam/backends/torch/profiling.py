"""Records of what torch does."""

from __future__ import annotations

import torch

__all__ = ["start_trace", "stop_trace"]

_running: list[torch.profiler.profile] = []


def start_trace(folder: str) -> None:
    write = torch.profiler.tensorboard_trace_handler(folder)
    profiler = torch.profiler.profile(on_trace_ready=write)
    profiler.start()
    _running.append(profiler)


def stop_trace() -> None:
    _running.pop().stop()
