"""The ops that have NumPy's names; see the `.pyi` beside this file."""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
