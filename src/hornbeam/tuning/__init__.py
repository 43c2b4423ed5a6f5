"""Searches for hyperparameters whose candidates train together.

Samplers other than "random" and "sobol", and searches that are kept in a folder, need
Optuna, the extra `tuning`.
"""

from hornbeam.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__)
