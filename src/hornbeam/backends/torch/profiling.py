"""Records of what torch does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["first_not_finite", "start_trace"]


def start_trace(folder: str) -> Callable[[], Any]:
    write = torch.profiler.tensorboard_trace_handler(folder)
    profiler = torch.profiler.profile(on_trace_ready=write)
    profiler.start()
    return profiler.stop


class _Watch(TorchDispatchMode):
    """Keeps the name of the first operation that makes NaN or infinity of tensors."""

    name: str | None = None

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        outputs = func(*args, **(kwargs or {}))
        if self.name is None and _tensors((args, kwargs)) and _is_bad(outputs):
            self.name = func.overloadpacket.__name__
        return outputs


def _tensors(nest):
    return [x for x in tree_leaves(nest) if isinstance(x, torch.Tensor)]


def _is_bad(outputs):
    return any(
        x.is_floating_point() and not torch.isfinite(x).all() for x in _tensors(outputs)
    )


def first_not_finite(run: Callable[[], Any]) -> str | None:
    with _Watch() as watch:
        run()
    return watch.name
