"""Metrics: what is reported about a model while it is trained and evaluated."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
