"""Pooling by the mean of each window."""

from __future__ import annotations

from hornbeam.layers.pooling.pooling import AveragePooling


class AveragePooling1D(AveragePooling):
    """Takes the mean of each window of sequences; padded places do not count.

    Input shape: `(batch, steps, channels)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AveragePooling1D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 3))).shape
    (2, 4, 3)
    """

    rank = 1


class AveragePooling2D(AveragePooling):
    """Takes the mean of each window of images; padded places do not count.

    Input shape: `(batch, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AveragePooling2D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 4, 4, 3)
    """

    rank = 2


class AveragePooling3D(AveragePooling):
    """Takes the mean of each window of volumes; padded places do not count.

    Input shape: `(batch, depth, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.AveragePooling3D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((1, 4, 4, 4, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3
