"""Models written for others to serve, without hornbeam."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
