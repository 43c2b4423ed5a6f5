"""Learning rates that change with the number of updates."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
