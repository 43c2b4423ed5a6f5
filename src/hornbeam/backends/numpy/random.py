"""Random numbers on NumPy."""

from hornbeam.core.random_hash import numpy_bits as random_bits
from hornbeam.core.random_hash import numpy_uniform as random_uniform

__all__ = ["random_bits", "random_uniform"]
