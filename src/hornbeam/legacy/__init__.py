"""Names of Keras 2 that Keras 3 keeps."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
