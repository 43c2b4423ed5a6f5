"""Tensor functions: `keras.ops`, the same on every backend and for symbolic tensors."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)

# They tell `declare` what ops do with masks and with sparse tensors.
from hornbeam.ops import masks, sparse_rules  # noqa: E402, F401
