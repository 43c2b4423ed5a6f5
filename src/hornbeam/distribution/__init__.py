"""How tensors are laid out over devices."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
