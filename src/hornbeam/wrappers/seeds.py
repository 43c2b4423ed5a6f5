"""The seed of a fit: it follows from `random_state` and the data alone.

So a candidate of a search draws the same numbers alone, among others, and in whatever
order threads happen to run.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

from hornbeam.core.random import global_seed
from hornbeam.wrappers.features import bytes_per_row, dense

_DIGESTED_BYTES = 1 << 20


def fit_seed(random_state: Any, arrays: tuple[Any, ...], epoch: int) -> int:
    """Return the seed of a fit.

    Args:
        random_state: an integer, a `numpy.random.RandomState`, from which is drawn, or
            None: the seed of `keras.utils.set_random_seed`.
        arrays: the data.
        epoch: how many epochs were trained before.
    """
    if random_state is None:
        random_state = global_seed()
    elif hasattr(random_state, "randint"):
        random_state = random_state.randint(2**31 - 1)
    mixed = f"{int(random_state)} {digest(*arrays)} {epoch}".encode()
    return int.from_bytes(hashlib.blake2b(mixed, digest_size=4).digest(), "little")


def digest(*arrays: Any) -> int:
    """Return a hash of the arrays, the same for dense and sparse ones.

    Of large arrays some rows are hashed.
    """
    state = hashlib.blake2b(digest_size=8)
    for array in arrays:
        if array is None:
            continue
        # A column is a vector, and 1 is 1.0: the form of the same data says nothing.
        rows = array.shape[0]
        state.update(f"{rows} {math.prod(array.shape)}".encode())
        if array.dtype.kind in "OUS":
            state.update("\0".join(map(str, array.ravel())).encode())
            continue
        step = max(1, rows * bytes_per_row(array) // _DIGESTED_BYTES)
        sample = dense(array[::step])
        state.update(sample.astype(np.float32, order="C").tobytes())
    return int.from_bytes(state.digest(), "little")
