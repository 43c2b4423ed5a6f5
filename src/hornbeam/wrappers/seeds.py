"""The seed of a fit: it follows from `random_state` and the data alone.

So a candidate of a search draws the same numbers alone, among others, and in whatever
order threads happen to run.
"""

import hashlib

import numpy as np

from hornbeam.core.random import global_seed

_DIGESTED_BYTES = 1 << 20


def fit_seed(random_state, arrays, epoch):
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
    found = hashlib.blake2b(mixed, digest_size=4).digest()
    return int.from_bytes(found, "little")


def digest(*arrays):
    """Return a number that says which arrays these are; of large ones a sample."""
    found = hashlib.blake2b(digest_size=8)
    for array in arrays:
        if array is None:
            continue
        # A column is a vector, and 1 is 1.0: the form of the same data says nothing.
        found.update(f"{len(array)} {array.size}".encode())
        if array.dtype.kind in "OUS":
            found.update("\0".join(map(str, array.ravel())).encode())
            continue
        step = max(1, array.nbytes // _DIGESTED_BYTES)
        found.update(array[::step].astype(np.float32, order="C").tobytes())
    return int.from_bytes(found.digest(), "little")
