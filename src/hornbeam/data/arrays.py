"""Data that is in memory: host arrays and the order of their rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.core import tree
from hornbeam.core.random import order_seed
from hornbeam.core.warning import warn
from hornbeam.data.pack import count_rows


class ArrayData:
    """Rows of arrays, and the order in which an epoch visits them.

    The order is a function of `seed` and the number of the epoch, so a run that is
    resumed at an epoch sees what the uninterrupted one would have seen. `seed` is drawn
    from NumPy's global state, which `keras.utils.set_random_seed` sets.
    """

    in_memory = True
    endless = False
    # What `state` returns, by type.
    state_attributes: dict[str, Any] = {"seed": int}

    def __init__(
        self,
        arrays: tuple[Any, ...],
        batch_size: int,
        steps: int | None,
        shuffle: bool | str,
        continues: bool,
    ):
        self.arrays = arrays
        self.rows: int = count_rows(arrays)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed: int = order_seed() if shuffle else 0
        self._continues = continues
        self._epoch = self._first = 0
        all_steps = math.ceil(self.rows / batch_size)
        self.steps: int = min(steps, all_steps) if steps else all_steps
        if steps and steps > all_steps:
            warn(
                f"The data has {all_steps} batches of {batch_size}, but {steps} steps "
                f"per epoch were requested: each epoch ends after {all_steps} steps.",
            )

    def on_epoch_begin(self, epoch: int = 0, first: int = 0) -> None:
        """Set the epoch that the next iteration is for, and its first batch."""
        self._epoch, self._first = epoch, first

    def on_epoch_end(self) -> None:
        """Nothing changes between epochs."""

    def close(self) -> None:
        """Nothing is open."""

    @property
    def batches(self) -> dict[str, Any]:
        """What tells the batches from those of other data or another `fit`."""
        names = ("rows", "batch_size", "steps", "shuffle")
        return {name: getattr(self, name) for name in names}

    def state(self, within: bool) -> dict[str, Any]:
        """Return what `resume` needs, within an epoch or after one."""
        return {"seed": self.seed}

    def resume(self, state: dict[str, Any], epochs: int) -> None:
        """Go on where `state` was returned, `epochs` epochs after the start."""
        self.seed = state["seed"]

    def order(self, epoch: int = 0) -> np.ndarray:
        """Return the row numbers of this epoch as an int32 array.

        With fewer steps than a pass over the data has, each epoch of training continues
        where the last one stopped, and the passes follow each other without a gap.
        """
        wanted = min(self.steps * self.batch_size, self.rows)
        if wanted == self.rows or not self._continues:
            return self._pass(epoch)[:wanted]
        first, taken = divmod(epoch * wanted, self.rows)
        rows = np.concatenate([self._pass(first), self._pass(first + 1)])
        return rows[taken : taken + wanted]

    def _pass(self, number):
        if not self.shuffle:
            return np.arange(self.rows, dtype=np.int32)
        draws = np.random.Generator(np.random.PCG64([self.seed, number]))
        if self.shuffle != "batch":
            return draws.permutation(self.rows).astype(np.int32)
        whole = self.rows - self.rows % self.batch_size
        rows = np.arange(self.rows, dtype=np.int32)
        batches = rows[:whole].reshape(-1, self.batch_size)
        return np.concatenate([draws.permutation(batches).ravel(), rows[whole:]])

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        rows = self.order(self._epoch)
        in_order = (
            not self.shuffle and len(rows) and rows[-1] - rows[0] == len(rows) - 1
        )
        for start in range(self._first * self.batch_size, len(rows), self.batch_size):
            stop = min(start + self.batch_size, len(rows))
            # A slice is a view, without a copy.
            whole = slice(rows[0] + start, rows[0] + stop)
            yield self.take(whole if in_order else rows[start:stop])

    def peek(self) -> tuple[Any, ...]:
        """Return the first batch."""
        return self.take(slice(min(self.batch_size, self.rows)))

    def take(self, rows: np.ndarray | slice) -> tuple[Any, ...]:
        """Return the tuple of these rows of the arrays."""
        return tuple(
            tree.map_structure(lambda leaf: None if leaf is None else leaf[rows], part)
            for part in self.arrays
        )
