"""Rectangles at random places of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops, random

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.typing import Seed, Tensor


def patch_masks(
    sizes: tuple[Any, Any],
    parts: tuple[Tensor, Tensor],
    seed: Seed,
    channels_last: bool,
) -> Tensor:
    """Return masks that are True in a rectangle, which lies anywhere in its image.

    Args:
        sizes: the height and the width of the images.
        parts: how much of the height and of the width each rectangle takes, as two
            vectors of fractions.
        seed: what the places are drawn with.
        channels_last: whether the one channel of the masks is the last axis.

    Returns:
        Booleans of shape (batch, height, width, 1), or (batch, 1, height, width).
    """
    inside = []
    for size, part in zip(sizes, parts, strict=True):
        whole = ops.cast(size, "float32")
        length = ops.round(part * whole)
        place = random.uniform(ops.shape(part), dtype="float32", seed=seed)
        start = ops.floor(place * (whole - length + 1))
        at = ops.cast(ops.arange(size), "float32")[None]
        start, end = start[:, None], (start + length)[:, None]
        inside.append(ops.logical_and(at >= start, at < end))
    rows, columns = inside
    masks = ops.logical_and(rows[:, :, None], columns[:, None, :])
    return masks[..., None] if channels_last else masks[:, None]
