"""One seed for all random numbers."""

from __future__ import annotations

import random
import sys

import numpy as np

from hornbeam import backends
from hornbeam.core.random import reset_global_seed_generator

# What the last call of `set_random_seed` was given, for reports.
last_seed: int | None = None

# Libraries with a seed of their own; those not loaded are left alone.
_SEEDED_LIBRARIES = {
    "torch": lambda library, seed: library.manual_seed(seed),
    "tensorflow": lambda library, seed: library.random.set_seed(seed),
}


def set_random_seed(seed: int) -> None:
    """Seed Python's `random`, NumPy, the loaded engines, and hornbeam's own draws.

    The same seed then gives the same initial weights on every engine, and the same run
    on one engine.

    Args:
        seed: an integer in [0, 2**32).

    >>> import hornbeam as keras
    >>> keras.utils.set_random_seed(7)
    """
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(
            "Invalid value for argument `seed` of set_random_seed(). Expected an "
            f"integer from 0 to 2**32 - 1. Received: seed={seed!r}"
        )
    global last_seed
    last_seed = seed = int(seed)
    backends.current()  # loaded now: JAX, when imported, draws from NumPy
    random.seed(seed)
    np.random.seed(seed)
    for name, seed_library in _SEEDED_LIBRARIES.items():
        if name in sys.modules:
            seed_library(sys.modules[name], seed)
    reset_global_seed_generator()
