"""LegacyOptimizer: the stand-in for the optimizers of Keras 2."""


class LegacyOptimizer:
    """Raises `ImportError`: there are no optimizers of Keras 2 here."""

    def __init__(self, *args, **kwargs):
        raise ImportError(
            "`keras.optimizers.legacy` is not supported. Use the optimizer of the same "
            "name in `keras.optimizers`, such as `keras.optimizers.Adam`."
        )
