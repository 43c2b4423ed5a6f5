"""Pooling by the largest value of each window."""

from __future__ import annotations

from hornbeam.layers.pooling.pooling import MaxPooling


class MaxPooling1D(MaxPooling):
    """Takes the largest value of each window of sequences.

    Input shape: `(batch, steps, channels)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.MaxPooling1D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 3))).shape
    (2, 4, 3)
    """

    rank = 1


class MaxPooling2D(MaxPooling):
    """Takes the largest value of each window of images.

    Input shape: `(batch, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.MaxPooling2D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((2, 8, 8, 3))).shape
    (2, 4, 4, 3)
    """

    rank = 2


class MaxPooling3D(MaxPooling):
    """Takes the largest value of each window of volumes.

    Input shape: `(batch, depth, height, width, channels)`, or the channels second.

    >>> import hornbeam as keras
    >>> layer = keras.layers.MaxPooling3D(2, data_format="channels_last")
    >>> layer(keras.ops.ones((1, 4, 4, 4, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3
