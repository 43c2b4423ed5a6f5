"""Names that Keras keeps in `keras.preprocessing`."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
