"""Batches of items that differ in size: `Dataset.padded_batch`."""

from __future__ import annotations

from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.data.stages import Batched, Epoch, Stage


class PaddedBatched(Batched):
    """Several items of a stage as one, each filled up to the size of the largest.

    Args:
        source: the stage.
        size: how many items.
        shapes: the shape of each leaf of an item, where None and -1 are as large as the
            largest; or None for all.
        values: what each leaf is filled up with, or one for all; None: 0, or "".
        drop_remainder: whether a last, smaller batch is left out.
    """

    def __init__(
        self, source: Stage, size: int, shapes: Any, values: Any, drop_remainder: bool
    ):
        super().__init__(source, size, drop_remainder)
        self._shapes, self._values = shapes, values

    def item(self, index: int, epoch: Epoch) -> Any:
        """Return batch `index`."""
        stop = (index + 1) * self.size
        if self.source.length is not None:
            stop = min(stop, self.source.length)
        numbers = range(index * self.size, stop)
        items = [self.source.item(number, epoch) for number in numbers]
        like = items[0]

        def for_leaves(given):
            if tree.is_nested(given) and tree.is_nested(like):
                return tree.parts(like, given)
            return [given] * len(tree.flatten(like))

        leaves = zip(*map(tree.flatten, items), strict=True)
        rows = zip(
            leaves, for_leaves(self._shapes), for_leaves(self._values), strict=True
        )
        return tree.pack_like(like, [_padded(*row) for row in rows])


def _padded(leaves, shape, value):
    """Return arrays, each filled up with `value` behind its end, as one."""
    arrays = [np.asarray(leaf) for leaf in leaves]
    largest = tuple(np.max([array.shape for array in arrays], axis=0, initial=0))
    sizes = largest
    if shape is not None:
        pairs = zip(shape, largest, strict=True)
        sizes = tuple(most if n in (None, -1) else n for n, most in pairs)
    if any(n < most for n, most in zip(sizes, largest, strict=True)):
        raise ValueError(
            f"`padded_batch` received an item of size {tuple(map(int, largest))}, "
            f"larger than {tuple(sizes)} of `padded_shapes`. None there is as large "
            "as the largest."
        )
    is_text = arrays[0].dtype.kind in "OSU"
    dtype = object if is_text else arrays[0].dtype
    value = ("" if is_text else 0) if value is None else value
    out = np.full((len(arrays), *sizes), value, dtype)
    for row, array in enumerate(arrays):
        place: Any = (row, *map(slice, array.shape))
        out[place] = array
    return out
