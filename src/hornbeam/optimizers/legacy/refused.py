"""LegacyOptimizer: the stand-in for the optimizers of Keras 2."""

from __future__ import annotations

from typing import Any


class LegacyOptimizer:
    """Raises `ImportError`: there are no optimizers of Keras 2 here."""

    def __init__(self, *args: Any, **kwargs: Any):
        raise ImportError(
            "`keras.optimizers.legacy` is not supported. Use the optimizer of the same "
            "name in `keras.optimizers`, such as `keras.optimizers.Adam`."
        )
