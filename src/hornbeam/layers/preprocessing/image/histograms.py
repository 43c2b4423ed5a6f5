"""Histograms of many parts of images at once, and values looked up in their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops

if TYPE_CHECKING:
    from typing import Any

    from hornbeam.typing import Tensor


def bins_of(values: Tensor, bins: int) -> Tensor:
    """Return the bin of each value from 0 to `bins - 1`; NaN is in any."""
    return ops.clip(ops.cast(values, "int32"), 0, bins - 1)


def histograms(place: Tensor, row: Tensor, rows: Any, bins: int) -> Tensor:
    """Return how often each bin occurs in each part, as floats (parts, bins).

    Args:
        place: the bin of each pixel, integers.
        row: the part that it belongs to; broadcasts to the shape of `place`.
        rows: the number of parts.
        bins: the number of bins.
    """
    flat = ops.reshape(place + row * bins, (-1,))
    ones = ops.ones_like(flat, dtype="float32")
    return ops.reshape(ops.segment_sum(ones, flat, rows * bins), (rows, bins))


def looked_up(table: Tensor, row: Tensor, place: Tensor) -> Tensor:
    """Return the values of a table (parts, bins) at the parts and bins of pixels."""
    bins = table.shape[-1]
    return ops.take(ops.reshape(table, (-1,)), place + row * bins)
