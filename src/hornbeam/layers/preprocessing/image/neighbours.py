"""Weighted sums over the neighbours of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from hornbeam.typing import Tensor


def weighted_neighbours(images: Tensor, axis: int, weights: Sequence[Any]) -> Tensor:
    """Return for each pixel the weighted sum of an odd number of neighbours.

    Around the images there are zeros. Shifted copies are added up, which compilers make
    one loop of.

    Args:
        images: of rank 4.
        axis: along which the neighbours lie, counted from the end.
        weights: one for each neighbour, numbers or tensors that broadcast.
    """
    half = len(weights) // 2
    if not half:
        return images * weights[0]
    axis += 4
    width = [(half, half) if a == axis else (0, 0) for a in range(4)]
    padded = ops.pad(images, width)
    shifted = []
    for k in range(len(weights)):
        end = k - 2 * half or None
        index = tuple(slice(k, end) if a == axis else slice(None) for a in range(4))
        shifted.append(padded[index])
    total = shifted[0] * weights[0]
    for x, weight in zip(shifted[1:], weights[1:], strict=True):
        total = total + x * weight
    return total
