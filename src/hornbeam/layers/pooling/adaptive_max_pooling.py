"""Pooling by the largest value into a given number of bins."""

from __future__ import annotations

from hornbeam.layers.pooling.adaptive_pooling import AdaptiveMaxPooling


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """Takes the largest value of each of a given number of bins of sequences.

    Input shape: `(batch, steps, channels)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AdaptiveMaxPooling1D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 3))).shape
    (2, 2, 3)
    """

    rank = 1


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """Takes the largest value of each of a given number of bins of images.

    Input shape: `(batch, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AdaptiveMaxPooling2D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 2, 2, 3)
    """

    rank = 2


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """Takes the largest value of each of a given number of bins of volumes.

    Input shape: `(batch, depth, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AdaptiveMaxPooling3D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((1, 4, 4, 4, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3
