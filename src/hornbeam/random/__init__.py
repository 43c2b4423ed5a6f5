"""Random draws: a pure function of a seed, equal on every engine."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
