"""Well-known data sets, downloaded once and kept in the cache folder."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
