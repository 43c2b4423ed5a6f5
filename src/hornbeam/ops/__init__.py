"""Tensor functions: `keras.ops`, the same on every backend and for symbolic tensors."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
