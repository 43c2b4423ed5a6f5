"""Saving and loading: models, weights, and objects as configs."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
