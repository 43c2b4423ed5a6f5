"""Pooling by the mean into a given number of bins."""

from __future__ import annotations

from hornbeam.layers.pooling.adaptive_pooling import AdaptiveAveragePooling


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """Takes the mean of each of a given number of bins of sequences.

    Input shape: `(batch, steps, channels)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AdaptiveAveragePooling1D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 3))).shape
    (2, 2, 3)
    """

    rank = 1


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """Takes the mean of each of a given number of bins of images.

    Input shape: `(batch, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AdaptiveAveragePooling2D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 2, 2, 3)
    """

    rank = 2


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """Takes the mean of each of a given number of bins of volumes.

    Input shape: `(batch, depth, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AdaptiveAveragePooling3D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((1, 4, 4, 4, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3
