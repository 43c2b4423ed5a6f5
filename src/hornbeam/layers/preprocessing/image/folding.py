"""Extremes and sums over the pixels of images, in loops that compilers vectorise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hornbeam import ops

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.typing import Tensor


def folded(combine: Callable[[Any, Any], Any], x: Tensor, axis: int) -> Tensor:
    """Return `x` with the slices of an axis combined into one, half with half.

    XLA reduces the axes of pixels, before a last one of three channels, number by
    number: that takes two to three times as long.

    Args:
        combine: a function of two tensors, such as `ops.maximum`.
        x: a tensor; of a size that is unknown while a program is traced it stays as it
            is.
        axis: the axis, of at least one element. Its size becomes 1.
    """
    axis %= len(x.shape)
    size = x.shape[axis]
    while isinstance(size, int) and size > 1:
        half = size // 2
        parts = (slice(half), slice(half, 2 * half), slice(2 * half, None))
        low, high, rest = (x[(slice(None),) * axis + (part,)] for part in parts)
        x = combine(low, high)
        x = ops.concatenate([x, rest], axis=axis) if size % 2 else x
        size -= half
    return x
