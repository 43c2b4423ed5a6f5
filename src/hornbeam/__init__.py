"""hornbeam: high-level neural networks with the Keras 3 API on several engines.

>>> import hornbeam as keras
>>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
>>> model.output_shape
(None, 2)
"""

from hornbeam.core.lazy import attach

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(__name__)
