"""The mask of the sources that each target may see, from all masks of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from hornbeam.typing import Tensor


def attention_keep(
    query_mask: Tensor,
    value_mask: Tensor,
    key_mask: Tensor,
    attention_mask: Tensor,
    targets: Any,
    sources: Any,
    count: int,
    causal: bool,
    window: int | None,
) -> Tensor:
    """Return booleans that broadcast to `(batch, heads, targets, sources)`, or None.

    `attention_mask` has `count` axes for the targets and as many for the sources, and
    in front of them none, the batch, or all that the weights have.
    """
    parts = []
    if query_mask is not None:
        parts.append(ops.reshape(ops.cast(query_mask, "bool"), (-1, targets, 1)))
    seen = [mask for mask in (value_mask, key_mask) if mask is not None]
    parts += [ops.reshape(ops.cast(m, "bool"), (-1, 1, sources)) for m in seen]
    if causal or window:
        t, s = ops.arange(targets)[:, None], ops.arange(sources)[None, :]
        if causal:
            parts.append((t >= s)[None])
        if window:
            parts.append((ops.abs(t - s) < window)[None])
    if attention_mask is not None:
        mask = ops.cast(ops.convert_to_tensor(attention_mask), "bool")
        if count > 1:
            leading = mask.shape[: len(mask.shape) - 2 * count]
            mask = ops.reshape(mask, (*leading, targets, sources))
        parts.append(mask)
    rank = max((len(part.shape) for part in parts), default=0)
    keep = None
    for part in parts:
        part = _with_inner_axes(part, max(rank, 4))
        keep = part if keep is None else ops.logical_and(keep, part)
    return keep


def _with_inner_axes(mask, rank):
    """Return the mask with axes of size 1 behind the batch, before the lengths."""
    shape = tuple(mask.shape)
    if len(shape) == rank:
        return mask
    leading = shape[:-2] or (1,)
    ones = (1,) * (rank - len(leading) - 2)
    return ops.reshape(mask, (*leading, *ones, *shape[-2:]))


def merged_batch(keep: Tensor, batch: Sequence[Any]) -> Tensor:
    """Return a mask whose batch axes, of sizes `batch`, are one, like the inputs'."""
    if len(batch) == 1:
        return keep
    keep = _with_inner_axes(keep, len(batch) + 3)
    shape = (*batch, *keep.shape[len(batch) :])
    return ops.reshape(ops.broadcast_to(keep, shape), (-1, *shape[len(batch) :]))
