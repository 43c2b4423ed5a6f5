"""Architectures for images by their papers, with weights trained on ImageNet."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
