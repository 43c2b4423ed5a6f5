"""Models: Model, Sequential, Functional, and what makes, copies, loads them."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
