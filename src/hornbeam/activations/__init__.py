"""Activation functions. The names are listed in `__init__.pyi`."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
