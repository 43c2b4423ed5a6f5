"""The ops of neural networks; see the `.pyi` beside this file."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
