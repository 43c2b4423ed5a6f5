"""PyTorch: as many threads as pay.

PyTorch gives small products to all threads too. They wait for one another at each of
them: on a machine that is busy, where one of them does not get its processor, for many
times as long as the product takes. So a step is run on one thread unless its operations
are worth more on average: a few big ones among hundreds of small ones save less than
the waiting costs. That is decided by counting, not by the clock: sums over several
threads are rounded otherwise, and equal runs are to have equal results.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

__all__ = ["step_threads", "work_of"]

# What an operation must take for threads to pay: a product of so many floating point
# operations, or so many numbers, each some 0.1 ms on one thread.
_FLOPS = 1 << 22
_NUMBERS = 1 << 17

_here = threading.local()
# What the user has chosen, as the last block that was in no other one has seen it.
_chosen = 1


def work_of(step: Callable[[], Any]) -> tuple[Any, float]:
    """`step()`, and how often its mean operation is worth a second thread."""
    with _Work() as work:
        result = step()
    return result, work.worth / max(work.count, 1)


@contextlib.contextmanager
def step_threads(work: float = 0.0) -> Iterator[None]:
    """A block that runs steps of so much work (see `work_of`) on the threads that pay.

    The number that the user has chosen is the most, and is there again afterwards.
    """
    global _chosen
    outer = getattr(_here, "number", None)
    if outer is None:
        number = torch.get_num_threads()
        # A thread of Python that began while another one was in a block has its number.
        if number > 1 or hasattr(_here, "number"):
            _chosen = number
    _here.number = _chosen if work >= 1 else 1
    torch.set_num_threads(_here.number)
    try:
        yield
    finally:
        torch.set_num_threads(outer or _chosen)
        _here.number = outer


class _Work(TorchDispatchMode):
    """Looks at the sizes of all operations inside the block, but views cost nothing."""

    def __init__(self):
        super().__init__()
        self.count = 0
        self.worth = 0.0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func.is_view:
            return result
        sizes = [x.numel() for x in (*args, result) if isinstance(x, torch.Tensor)]
        second, first = sorted([0, 0, *sizes])[-2:]
        worth = first / _NUMBERS
        # No product takes more than this; to count them takes a while.
        if 4 * first * second >= _FLOPS:
            count = flop_registry.get(func.overloadpacket)
            if count is not None:
                flops = count(*args, **(kwargs or {}), out_val=result)
                worth = max(worth, flops / _FLOPS)
        self.count += 1
        self.worth += worth if worth >= 1 else 0.0
        return result
