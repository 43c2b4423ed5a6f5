"""Dtype policies: in which dtypes layers keep their weights and compute."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
